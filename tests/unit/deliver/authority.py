"""A certificate authority made for a test: its own certificate, and one for 127.0.0.1, as PEM files."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_A_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """PEM files: whom to trust, and the certificate it gave with its key."""

    ca: Path
    certificate: Path
    key: Path


def make_authority(folder: Path, *, address: str = "127.0.0.1") -> Authority:
    """Make one whose certificate is for `address`."""
    folder.mkdir(exist_ok=True)
    root_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("Test authority", root_key.public_key(), issuer="Test authority")
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    own = _certificate("test", own_key.public_key(), issuer="Test authority")
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    own = own.add_extension(names, critical=False)
    made = Authority(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem")
    made.ca.write_bytes(root.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    made.certificate.write_bytes(own.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    made.key.write_bytes(own_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


def _certificate(name: str, key: ec.EllipticCurvePublicKey, *, issuer: str) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _A_DAY)
        .not_valid_after(now + _A_DAY)
    )


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
