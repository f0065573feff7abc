from __future__ import annotations

import json
from contextlib import closing

import pytest

from tests.unit.deliver.web_pacs import Reply, WebPacs, web_pacs
from wetread.deliver import Commitment
from wetread.deliver.dicomweb import DicomwebSender
from wetread.domain import (
    Delivery,
    DeliveryId,
    DeliveryState,
    ObjectKind,
    ResultObject,
    SopInstanceUid,
    SpoolKey,
    StudyUid,
)
from wetread.errors import NotOffered, Unreachable


def delivery(uid: str) -> Delivery:
    made = ResultObject(SopInstanceUid(uid), "1.2", "1.2.1", ObjectKind.CAPTURE, SpoolKey("k"), 1)
    return Delivery(DeliveryId(1), made, StudyUid("1.2.3"), "web", DeliveryState.SENT)


def ask(there: WebPacs, *uids: str) -> Commitment:
    with closing(DicomwebSender(there.destination())) as sender:
        return sender.request_commitment([delivery(uid) for uid in uids], transaction_uid="2.25.1")


def found(*uids: str) -> Reply:
    items = [{"00080018": {"vr": "UI", "Value": [uid]}} for uid in uids]
    return Reply(200, json.dumps(items).encode())


def test_what_the_destination_finds_is_kept_and_the_rest_is_failed() -> None:
    with web_pacs(found("1.5"), found(), Reply(204, b""), Reply(404, b"")) as there:
        commitment = ask(there, "1.5", "1.6", "1.7", "1.8")

    assert commitment.kept == {"1.5"}
    assert commitment.failed == {"1.6", "1.7", "1.8"}
    assert there.asked[0].path == "/dicom-web/studies/1.2.3/instances?SOPInstanceUID=1.5"


def test_a_destination_that_ignores_the_query_is_not_believed() -> None:
    with web_pacs(found("1.9")) as there:
        commitment = ask(there, "1.5")

    assert commitment.failed == {"1.5"}


@pytest.mark.parametrize(
    "reply", [Reply(200, b"<html/>", "text/html"), Reply(401, b""), Reply(503, b""), Reply(200, b'{"a": 1}')]
)
def test_a_query_that_is_not_answered_is_asked_again_later(reply: Reply) -> None:
    with web_pacs(reply) as there, pytest.raises(Unreachable):
        ask(there, "1.5")


def test_a_destination_that_takes_no_queries_gives_no_commitment() -> None:
    with web_pacs(Reply(400, b"")) as there, pytest.raises(NotOffered):
        ask(there, "1.5")
