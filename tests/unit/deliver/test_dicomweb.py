from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.parser import BytesParser
from email.utils import formatdate
from pathlib import Path
from time import time

import pytest
from pydicom.uid import UID, SecondaryCaptureImageStorage

from tests.builders import small_film, to_bytes, to_dataset
from tests.system.child import free_port
from tests.unit.deliver.authority import Authority, make_authority
from tests.unit.deliver.web_pacs import Reply, WebPacs, web_pacs
from wetread.deliver.dicomweb import DicomwebSender
from wetread.domain import (
    Destination,
    Tls,
)
from wetread.errors import ClassNotTaken, Refused, Unreachable

KeyObject = "1.2.840.10008.5.1.4.1.1.88.59"
ABSURD = ("Mon, 99 Jan 99999999 00:00:00 GMT", "9" * 5000)
HTML = Reply(200, b"<html>Please log in</html>", "text/html")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An object with what a careless multipart body would break on."""
    path = tmp_path / "object.dcm"
    path.write_bytes(b"\r\n--\r\n" + bytes(range(256)) * 8192 + b"\r\n")
    return path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "authority")


@contextmanager
def sender_to(destination: Destination, *, timeout_s: float = 10.0) -> Iterator[DicomwebSender]:
    sender = DicomwebSender(destination, timeout_s=timeout_s)
    try:
        yield sender
    finally:
        sender.close()


def send_to(there: WebPacs, file: Path, *, authorization: str = "", tls: Tls | None = None) -> str:
    with sender_to(there.destination(authorization=authorization, tls=tls)) as sender:
        return sender.send(file)


def answer_to(file: Path, reply: Reply) -> str:
    with web_pacs(reply) as there:
        return send_to(there, file)


def part10(folder: Path, sop_class_uid: str) -> Path:
    ds = to_dataset(small_film(sop_class_uid, rows=8, columns=8, more={"SOPClassUID": sop_class_uid}))
    ds.file_meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    path = folder / f"{sop_class_uid}.dcm"
    path.write_bytes(to_bytes(ds))
    return path


def failed(reason: int, *, status: int = 409) -> Reply:
    module = {"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [reason]}}]}}
    return Reply(status, json.dumps(module).encode())


def stored_with(warning: int, *, status: int) -> Reply:
    module = {"00081199": {"vr": "SQ", "Value": [{"00081196": {"vr": "US", "Value": [warning]}}]}}
    return Reply(status, json.dumps(module).encode())


def parts_of(headers: dict[str, str], body: bytes) -> list[Message]:
    whole = BytesParser().parsebytes(
        f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode("latin-1") + body
    )
    assert whole.get_content_type() == "multipart/related"
    assert whole.get_param("type") == "application/dicom"
    return list(whole.walk())[1:]


def test_the_object_goes_as_one_part_and_its_bytes_are_kept(file: Path) -> None:
    with web_pacs() as there:
        status = send_to(there, file)

    [asked] = there.asked
    boundary = f"--{asked.headers['Content-Type'].rpartition('boundary=')[2]}".encode()
    assert (asked.method, asked.path, status) == ("POST", "/dicom-web/studies", "200")
    assert asked.headers["Accept"] == "application/dicom+json"
    [part] = parts_of(dict(asked.headers), asked.body)
    assert part.get_content_type() == "application/dicom"
    content = asked.body.partition(b"\r\n\r\n")[2]
    assert content == file.read_bytes() + b"\r\n" + boundary + b"--\r\n"


def test_objects_go_over_one_kept_connection(file: Path) -> None:
    with web_pacs() as there, sender_to(there.destination()) as sender:
        for _ in range(5):
            sender.send(file)
            sender.rest()

    assert (len(there.asked), there.connections) == (5, 1)


@pytest.mark.parametrize("status", [200, 202])
def test_a_warning_is_stored_and_its_reason_kept(file: Path, status: int) -> None:
    assert answer_to(file, stored_with(0xB006, status=status)) == "0xB006"


def test_an_empty_answer_of_success_is_stored(file: Path) -> None:
    assert answer_to(file, Reply(200, b"", "")) == "200"


@pytest.mark.parametrize("reason", [0xA900, 0xC000, 0xC122, 0x0110, 0x0124])
@pytest.mark.parametrize("status", [200, 202, 400, 409])
def test_a_failure_of_the_object_is_refused_whatever_the_status_of_the_whole(
    file: Path, reason: int, status: int
) -> None:
    with pytest.raises(Refused) as raised:
        answer_to(file, failed(reason, status=status))

    assert raised.value.code == f"0x{reason:04X}"


def test_classes_that_are_not_taken_are_told_from_other_refusals_until_the_next_connection(
    tmp_path: Path,
) -> None:
    capture, other = part10(tmp_path, SecondaryCaptureImageStorage), part10(tmp_path, KeyObject)
    untaken = []

    with web_pacs(failed(0x0122)) as there, sender_to(there.destination()) as sender:
        for path in (capture, other):
            with pytest.raises(ClassNotTaken) as raised:
                sender.send(path)
            untaken.append(raised.value.untaken)
        sender.close()
        with pytest.raises(ClassNotTaken) as raised:
            sender.send(other)

    assert untaken == [{SecondaryCaptureImageStorage}, {SecondaryCaptureImageStorage, KeyObject}]
    assert raised.value.untaken == {KeyObject}


@pytest.mark.parametrize("reason", [0x0111, 0xB00E])
def test_an_object_that_is_there_already_is_delivered(file: Path, reason: int) -> None:
    assert answer_to(file, failed(reason)) == f"0x{reason:04X}"


@pytest.mark.parametrize("reason", [0xA700, 0xA702, 0xB00F])
def test_a_failure_that_may_pass_is_tried_again(file: Path, reason: int) -> None:
    with pytest.raises(Unreachable) as raised:
        answer_to(file, failed(reason))

    assert raised.value.code == f"0x{reason:04X}"


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_refusal_without_a_reason_is_refused(file: Path, status: int) -> None:
    with pytest.raises(Refused, match=str(status)) as raised:
        answer_to(file, Reply(status, b"<html>no</html>", "text/html"))

    assert raised.value.code == f"http_{status}"


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 407, 408, 429, 500, 501, 502, 503, 504, 507])
def test_an_answer_that_judges_no_object_keeps_the_delivery(file: Path, status: int) -> None:
    with pytest.raises(Unreachable, match=str(status)) as raised:
        answer_to(file, Reply(status, b"<html>no</html>", "text/html"))

    assert raised.value.code == f"http_{status}"


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_are_said_clearly_and_not_tried_again_at_once(file: Path, status: int) -> None:
    with web_pacs(Reply(status, b"")) as there, pytest.raises(Unreachable, match="credentials") as raised:
        send_to(there, file, authorization="Basic hunter2")

    assert raised.value.wait_s >= 60
    assert "hunter2" not in str(raised.value)
    assert there.asked[0].headers["Authorization"] == "Basic hunter2"


def test_the_wait_that_a_busy_destination_asks_for_is_told(file: Path) -> None:
    waits = []
    for text in ("7", formatdate(time() + 100, usegmt=True), "soon", "-5", "1" + "0" * 9, *ABSURD):
        with pytest.raises(Unreachable) as raised:
            answer_to(file, Reply(503, b"", headers={"Retry-After": text}))
        waits.append(raised.value.wait_s)

    assert waits == [7, pytest.approx(100, abs=5), 0, 0, 3600, 0, 0]


def test_a_redirect_is_not_followed_and_no_credentials_go_elsewhere(file: Path) -> None:
    with web_pacs() as other:
        moved = Reply(307, b"", headers={"Location": f"{other.url}/studies"})
        with web_pacs(moved) as there, pytest.raises(Unreachable, match="another address"):
            send_to(there, file, authorization="Basic secret")

    assert other.asked == []


def test_a_page_of_html_with_success_is_not_taken_for_an_answer(file: Path) -> None:
    with pytest.raises(Unreachable, match="url"):
        answer_to(file, HTML)


def test_an_answer_without_end_is_not_read_and_the_next_is_unharmed(file: Path) -> None:
    huge = Reply(200, b" " * (5 * 2**20))
    with web_pacs(huge, Reply()) as there, sender_to(there.destination()) as sender:
        with pytest.raises(Unreachable):
            sender.send(file)

        assert sender.send(file) == "200"


@pytest.mark.parametrize(
    "reply",
    [Reply(is_silent=True), Reply(body=b"{", declared_bytes=100)],
    ids=["closes without an answer", "closes within the answer"],
)
def test_a_connection_that_breaks_is_tried_again(file: Path, reply: Reply) -> None:
    with web_pacs(reply, Reply()) as there, sender_to(there.destination()) as sender:
        with pytest.raises(Unreachable):
            sender.send(file)

        assert sender.send(file) == "200"


def test_a_destination_that_hangs_is_left_after_a_while(file: Path) -> None:
    with (
        web_pacs(Reply(hangs=True)) as there,
        sender_to(there.destination(), timeout_s=0.2) as sender,
        pytest.raises(Unreachable) as raised,
    ):
        sender.send(file)

    assert raised.value.code == "timeout"


def test_nobody_at_the_address_is_unreachable_and_the_line_says_why(file: Path) -> None:
    nobody = Destination("web", "dicomweb", url=f"http://127.0.0.1:{free_port()}")

    with sender_to(nobody) as sender, pytest.raises(Unreachable, match="Connection refused"):
        sender.send(file)


def test_a_certificate_of_a_known_authority_is_trusted(file: Path, authority: Authority) -> None:
    with web_pacs(authority=authority) as there:
        assert send_to(there, file, tls=Tls(ca=authority.ca)) == "200"


def test_a_certificate_of_an_unknown_authority_is_not_trusted_and_nothing_is_sent(
    file: Path, authority: Authority, tmp_path: Path
) -> None:
    other = make_authority(tmp_path / "other")

    with web_pacs(authority=authority) as there, pytest.raises(Unreachable, match="TLS") as raised:
        send_to(there, file, tls=Tls(ca=other.ca))

    assert (raised.value.code, there.asked) == ("tls", [])


def test_a_certificate_for_another_host_is_trusted_only_without_the_host_check(
    file: Path, tmp_path: Path
) -> None:
    authority = make_authority(tmp_path / "elsewhere", address="192.0.2.1")

    with web_pacs(authority=authority) as there:
        with pytest.raises(Unreachable, match="IP address mismatch"):
            send_to(there, file, tls=Tls(ca=authority.ca))

        assert send_to(there, file, tls=Tls(ca=authority.ca, checks_host=False)) == "200"


def test_a_destination_that_wants_our_certificate_gets_it(file: Path, authority: Authority) -> None:
    own = Tls(authority.ca, authority.certificate, authority.key)

    with web_pacs(authority=authority, wants_certificate=True) as there:
        with pytest.raises(Unreachable):
            send_to(there, file, tls=Tls(ca=authority.ca))

        assert send_to(there, file, tls=own) == "200"
