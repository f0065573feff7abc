"""The worklist and one study, as programs get them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.unit.api.room import Room, finding, image
from wetread.api.paging import from_cursor, to_cursor
from wetread.domain import Box

_BOX = Box(40, 60, 160, 200, 0.9)


def _positive_study(room: Room) -> str:
    study = room.receive(image("broken"))
    room.analyse(finding(0.9, boxes=(_BOX,), heat_map=room.keep_heat_map()))
    room.conclude(study)
    return study


def test_an_empty_worklist_is_one_empty_page(room: Room) -> None:
    assert room.program().get("/api/v1/worklist").json() == {"items": [], "total": 0, "next_cursor": None}


def test_the_worklist_puts_positive_before_negative_and_says_what_was_found(room: Room) -> None:
    calm = room.receive(image("intact"))
    room.analyse(finding(0.05))
    room.conclude(calm)
    broken = _positive_study(room)

    items = room.program().get("/api/v1/worklist").json()["items"]

    assert [item["StudyInstanceUID"] for item in items] == [broken, calm]
    assert items[0]["findings"] == [{"label": "Fracture", "probability": 0.9, "zone": "positive"}]
    assert [item["outcome"] for item in items] == ["findings", "no_findings"]


def test_the_worklist_is_walked_page_by_page_without_gap_or_double(room: Room) -> None:
    sent = {room.receive(image(f"case {number}")) for number in range(5)}
    program = room.program()

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = program.get("/api/v1/worklist", params={"limit": 2, "cursor": cursor}).json()
        seen += [item["StudyInstanceUID"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert len(seen) == 5
    assert set(seen) == sent


@pytest.mark.parametrize("position", [0, 1, 25, 2**40])
def test_a_cursor_leads_back_to_its_position(position: int) -> None:
    assert from_cursor(to_cursor(position)) == position


def test_a_study_tells_findings_timeline_objects_and_deliveries(room: Room) -> None:
    uid = _positive_study(room)

    study = room.program().get(f"/api/v1/studies/{uid}").json()

    [found] = study["images"][0]["analyses"][0]["findings"]
    assert (study["state"], study["revision"], study["zone"]) == ("concluded", 1, "positive")
    assert found["operating_points"] == {"sensitive": 0.2, "specific": 0.6}
    assert found["boxes"][0]["right"] == 160
    assert found["has_heat_map"]
    assert study["timeline"][0]["step"] == "received"
    assert [item["kind"] for item in study["revisions"][0]["objects"]] == ["sr", "capture"]
    assert [delivery["state"] for delivery in study["deliveries"]] == ["pending", "pending"]


def test_a_declined_image_says_why_by_code_and_in_words(room: Room) -> None:
    study = room.receive(image("belly", BodyPartExamined="ABDOMEN", AnatomicRegionSequence=None))
    room.conclude(study)

    answer = room.program().get(f"/api/v1/studies/{study}").json()

    analysis = answer["images"][0]["analyses"][0]
    assert answer["outcome"] == "not_evaluable"
    assert analysis["state"] == "declined"
    assert analysis["reason"]["code"] == "body_part_out_of_scope"
    assert "ABDOMEN" in analysis["reason"]["text"]


def test_an_object_comes_as_the_bytes_in_the_spool(room: Room) -> None:
    uid = _positive_study(room)
    program = room.program()
    item = program.get(f"/api/v1/studies/{uid}").json()["revisions"][0]["objects"][0]

    answer = program.get(item["href"])

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == f"{uid} 1 sr".encode()


def test_an_object_of_another_study_is_not_shown(room: Room) -> None:
    uid = _positive_study(room)
    item = room.program().get(f"/api/v1/studies/{uid}").json()["revisions"][0]["objects"][0]

    answer = room.program().get(f"/api/v1/studies/1.2.3/objects/{item['SOPInstanceUID']}")

    assert answer.status_code == 404


@pytest.mark.parametrize("query", ["overlay=boxes", "overlay=none&band=false", "overlay=heatmap", "size=144"])
def test_an_image_is_rendered_as_png(room: Room, query: str) -> None:
    uid = _positive_study(room)
    path = room.program().get(f"/api/v1/studies/{uid}").json()["images"][0]["rendered"]

    answer = room.program().get(f"{path}?{query}")

    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert picture is not None
    assert picture.any()


def test_a_thumbnail_is_as_small_as_asked_and_shows_the_box(room: Room) -> None:
    uid = _positive_study(room)
    path = room.program().get(f"/api/v1/studies/{uid}").json()["images"][0]["rendered"]

    plain, boxed = (
        cv2.imdecode(
            np.frombuffer(room.program().get(f"{path}?size=144&overlay={name}").content, np.uint8), 1
        )
        for name in ("none", "boxes")
    )

    assert max(boxed.shape) == 144
    rows, columns = np.nonzero((plain != boxed).any(axis=2))
    # The box of 40..160 by 60..200 pixels on 320 x 400, drawn on 115 x 144.
    assert columns.min() == pytest.approx(40 * 0.36, abs=3)
    assert rows.max() == pytest.approx(200 * 0.36, abs=3)


def test_a_heat_map_that_is_not_there_is_not_found(room: Room) -> None:
    study = room.receive(image("unread"))
    path = room.program().get(f"/api/v1/studies/{study}").json()["images"][0]["rendered"]

    answer = room.program().get(f"{path}?overlay=heatmap")

    assert answer.status_code == 404
    assert answer.json()["code"] == "no_heat_map"


def test_pixels_that_cannot_be_decoded_are_a_problem(room: Room) -> None:
    study = room.receive(image("cut", PixelData=b"\0\0"))
    path = room.program().get(f"/api/v1/studies/{study}").json()["images"][0]["rendered"]

    answer = room.program().get(path)

    assert answer.status_code == 422
    assert answer.json()["code"] == "pixels_truncated"


def test_a_late_answer_is_drawn_though_the_picture_was_asked_for_before(room: Room) -> None:
    study = room.receive(image("late"))
    program = room.program()
    path = program.get(f"/api/v1/studies/{study}").json()["images"][0]["rendered"] + "?size=144"
    before = program.get(path).content

    room.analyse(finding(0.9, boxes=(_BOX,)))

    assert program.get(path).content != before
