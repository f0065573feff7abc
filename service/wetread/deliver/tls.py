"""TLS to a destination: whom we trust, who we are."""

from __future__ import annotations

import ssl
from pathlib import Path

from wetread.domain import Tls
from wetread.errors import Misconfigured


def client_context(tls: Tls | None, *, destination: str) -> ssl.SSLContext:
    """A context for connections to the destination of this name: TLS 1.2 or later, its certificate checked.

    None trusts the system's authorities. Raises Misconfigured, naming the setting, when a PEM file is
    missing, cannot be read, or is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    tls = tls or Tls()
    context.check_hostname = tls.checks_host
    where = f"destination {destination!r}: setting tls"
    _trust(context, tls.ca, where)
    if tls.certificate is not None and tls.key is not None:
        _identify(context, tls.certificate, tls.key, where)
    return context


def _trust(context: ssl.SSLContext, ca: Path | None, where: str) -> None:
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return
    _check_readable(ca, f"{where}.ca")
    try:
        context.load_verify_locations(cafile=ca)
    except ssl.SSLError as error:
        raise Misconfigured(f"{where}.ca: no PEM certificate in {ca}") from error


def _identify(context: ssl.SSLContext, certificate: Path, key: Path, where: str) -> None:
    _check_readable(certificate, f"{where}.certificate")
    _check_readable(key, f"{where}.key")
    try:
        # A password: without one OpenSSL would ask for it on the terminal.
        context.load_cert_chain(certificate, key, password="none")  # noqa: S106  # no secret
    except ssl.SSLError as error:
        raise Misconfigured(f"{where}: {_why(error, certificate, key)}") from error


def _why(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {key} does not belong to the certificate in {certificate}"
    return f"{certificate} is no PEM certificate, or {key} no PEM key without a password"


def _check_readable(path: Path, where: str) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise Misconfigured(f"{where}: {path}: {error.strerror}") from error
