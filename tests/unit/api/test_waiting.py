"""What the pages say of a destination that has hours, or is reached by HTTP."""

from __future__ import annotations

import time
from dataclasses import replace

from tests.unit.api.room import Room, finding, image
from wetread.api.parts import ApiParts
from wetread.api.web.operations import gather
from wetread.config import DestinationSettings

_WORDS = "waits for its hours, 22:00-06:00"


def test_a_delivery_that_waits_for_its_hours_is_waiting_and_not_retrying(room: Room) -> None:
    study = room.receive(image("at-night"))
    room.analyse(finding(0.9))
    room.conclude(study)
    now = time.time() + 1
    room.ledger.deliveries.defer("pacs", now=now, until=now + 600, why=_WORDS)

    pages = [room.reader().get(path).text for path in (f"/studies/{study}", "/operations")]

    assert all(_WORDS in page and "Waiting" in page and "Retrying" not in page for page in pages)


def test_the_operations_page_says_where_a_web_destination_is_and_not_its_credentials(room: Room) -> None:
    web = DestinationSettings(
        name="web", kind="dicomweb", url="https://pacs.example/dicom-web", authorization="Bearer hunter2"
    )
    settings = room.parts.settings.model_copy(update={"destinations": (web,)})
    parts: ApiParts = replace(room.parts, settings=settings)

    assert gather(parts).destinations == ["web (https://pacs.example/dicom-web)"]
