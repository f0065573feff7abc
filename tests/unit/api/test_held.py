"""What the gate held back and what went in a plainer form, for programs and for people."""

from __future__ import annotations

import time

from tests.unit.api.room import Room, finding, image
from wetread.api.cases import find_study
from wetread.api.web.words import delivery_summary, delivery_tag
from wetread.domain import DeliveryState, ObjectKind, SopInstanceUid, StudyUid
from wetread.ledger import Lease
from wetread.ledger.held import Held

REASON = "PatientOrientation differs from the source"


def read_study(room: Room, name: str) -> StudyUid:
    study = room.receive(image(name))
    room.analyse(finding(0.9))
    room.conclude(study)
    return study


def hold(room: Room, study: StudyUid, kind: ObjectKind = ObjectKind.CAPTURE) -> None:
    uid, source = SopInstanceUid("2.25.4"), SopInstanceUid("2.25.5")
    room.ledger.held.add([Held(study, 1, kind, uid, REASON, time.time(), source)])


def degrade_one(room: Room) -> None:
    """The destination takes no objects of the first one's class (as the publisher records it)."""
    delivery = room.ledger.deliveries.claim_next(Lease("tests", time.time() + 1, 60), only=["pacs"])
    assert delivery is not None
    with room.ledger.deliveries._store.write() as connection:  # the state itself, not how it comes about
        connection.exec_driver_sql(
            f"UPDATE deliveries SET state = 'degraded', last_error = 'takes sc-only' WHERE id = {delivery.id}"
        )


def test_held_objects_are_listed_with_their_reason(room: Room) -> None:
    study = read_study(room, "held")
    hold(room, study)

    [item] = room.program().get("/api/v1/held").json()["items"]

    assert (item["StudyInstanceUID"], item["revision"], item["kind"]) == (study, 1, "capture")
    assert (item["reason"], item["source"]) == (REASON, "2.25.5")


def test_held_objects_are_walked_page_by_page(room: Room) -> None:
    study = read_study(room, "held")
    for kind in (ObjectKind.CAPTURE, ObjectKind.KEY_OBJECT, ObjectKind.HEAT_MAP):
        hold(room, study, kind)
    program = room.program()

    first = program.get("/api/v1/held?limit=2").json()
    second = program.get(f"/api/v1/held?limit=2&cursor={first['next_cursor']}").json()

    kinds = [item["kind"] for page in (first, second) for item in page["items"]]
    assert kinds == ["capture", "ko", "heat-map"]
    assert second["next_cursor"] is None


def test_held_objects_are_no_strangers_business_and_a_wrong_cursor_is_a_problem(room: Room) -> None:
    assert room.stranger().get("/api/v1/held").status_code == 401

    answer = room.program().get("/api/v1/held?cursor=nonsense")

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "cursor"


def test_a_study_tells_what_of_it_was_held(room: Room) -> None:
    study = read_study(room, "held")
    hold(room, study)

    [item] = room.program().get(f"/api/v1/studies/{study}").json()["held"]
    page = room.reader().get(f"/studies/{study}").text

    assert item["reason"] == REASON
    assert REASON in page


def test_a_study_without_an_answer_shows_what_was_held(room: Room) -> None:
    study = room.receive(image("nothing passes"))
    hold(room, study, ObjectKind.STRUCTURED_REPORT)

    assert REASON in room.reader().get(f"/studies/{study}").text


def test_operations_show_what_is_held_and_say_when_nothing_is(room: Room) -> None:
    empty = room.reader().get("/operations").text
    hold(room, read_study(room, "held"))

    page = room.reader().get("/operations").text

    assert "Nothing is held" in empty
    assert REASON in page
    assert "Nothing is held" not in page


def test_held_objects_are_counted_for_prometheus(room: Room) -> None:
    hold(room, read_study(room, "held"))

    text = room.stranger().get("/metrics").text

    assert 'wetread_held_total{kind="capture"} 1.0' in text
    assert 'wetread_deliveries{state="degraded"} 0.0' in text


def test_a_delivery_in_plainer_form_is_told_with_its_reason_and_is_not_owed(room: Room) -> None:
    study = read_study(room, "plainer")
    degrade_one(room)

    deliveries = find_study(room.ledger, study).deliveries
    page, operations = (room.reader().get(path).text for path in (f"/studies/{study}", "/operations"))

    [plainer] = [item for item in deliveries if item.state is DeliveryState.DEGRADED]
    assert delivery_tag(plainer).word == "Plainer form"
    assert "takes sc-only" in page
    assert "takes sc-only" in operations
    summary = delivery_summary(deliveries)
    assert summary is not None
    assert summary.word == "0 of 1 sent"
