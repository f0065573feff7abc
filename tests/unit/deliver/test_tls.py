from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.unit.deliver.authority import Authority, make_authority
from wetread.deliver.tls import client_context
from wetread.domain import Tls
from wetread.errors import Misconfigured


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "authority")


def test_without_settings_the_certificate_and_the_host_are_checked() -> None:
    context = client_context(None, destination="pacs")

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_an_own_authority_is_the_only_one_trusted(authority: Authority) -> None:
    context = client_context(Tls(ca=authority.ca), destination="pacs")

    assert context.cert_store_stats()["x509_ca"] == 1


def test_the_host_check_can_be_left_out_and_the_certificate_is_still_checked(authority: Authority) -> None:
    context = client_context(Tls(ca=authority.ca, checks_host=False), destination="pacs")

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, False)


@pytest.mark.parametrize("name", ["ca", "certificate", "key"])
@pytest.mark.parametrize("fault", ["missing", "not_pem"])
def test_a_wrong_file_is_one_line_that_names_destination_setting_and_file(
    authority: Authority, name: str, fault: str
) -> None:
    files = {"ca": authority.ca, "certificate": authority.certificate, "key": authority.key}
    if fault == "missing":
        files[name].unlink()
    else:
        files[name].write_text("no PEM\n")

    with pytest.raises(Misconfigured) as raised:
        client_context(Tls(**files), destination="pacs")

    line = str(raised.value)
    assert line.startswith("destination 'pacs': setting tls")
    assert str(files[name]) in line
    assert "\n" not in line


def test_a_key_of_another_certificate_is_told_from_a_broken_one(authority: Authority, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other")

    with pytest.raises(Misconfigured, match="does not belong to"):
        client_context(Tls(None, authority.certificate, other.key), destination="pacs")


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(authority: Authority) -> None:
    key = load_pem_private_key(authority.key.read_bytes(), None)
    authority.key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )

    with pytest.raises(Misconfigured, match="without a password"):
        client_context(Tls(None, authority.certificate, authority.key), destination="pacs")
