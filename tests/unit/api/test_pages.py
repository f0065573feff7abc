"""The reading room's pages."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.bundles import brightness_guard, drop, examples
from tests.unit.api.room import Room, finding, image
from wetread.api.cases import find_study
from wetread.api.routes.models import to_model_out, to_model_with_card
from wetread.api.schemas import AnalysisOut, ImageOut, ReasonOut
from wetread.api.web import words
from wetread.api.web.templating import make_pages
from wetread.domain import AnalysisState, Box, StudyUid
from wetread.ledger import Lease
from wetread.ledger.quarantine import Quarantined
from wetread.report.answer import SAFETY_NOTE

_SCRIPT = "<script>alert(1)</script>"
_PAGES = ("/", "/models", "/operations", "/login")


class _Tags(HTMLParser):
    """Collects start tags; knows when one is left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _study(room: Room, **more: object) -> str:
    study = room.receive(image("page", **more))
    room.analyse(finding(0.9, boxes=(Box(40, 60, 160, 200, 0.9),), heat_map=room.keep_heat_map()))
    room.conclude(study)
    return study


def _analysis(on: ImageOut, state: AnalysisState, code: str, text: str) -> AnalysisOut:
    first = on.analyses[0]
    model = first.model.model_copy(update={"name": "other"})
    reason = ReasonOut(code=code, text=text)
    return first.model_copy(update={"model": model, "state": state, "reason": reason})


@pytest.mark.parametrize("path", _PAGES)
def test_every_page_is_well_formed_and_carries_the_safety_note(room: Room, path: str) -> None:
    _study(room)

    text = room.reader().get(path).text

    assert _Tags(text).open == []
    assert SAFETY_NOTE in text


def test_the_worklist_shows_the_zone_as_a_word_and_the_finding(room: Room) -> None:
    study = _study(room, PatientName="DOE^JANE")

    text = room.reader().get("/").text

    assert "Doe, Jane".upper() in text.upper()
    assert "Positive" in text
    assert "90 %" in text
    assert f'href="/studies/{study}"' in text


@pytest.mark.parametrize(
    ("label", "probability", "said"),
    [
        ("Fracture", 0.9, "Fracture suspected."),
        ("Fracture", 0.3, "Fracture possible."),
        ("Suspected pneumonia", 0.9, "Pneumonia suspected."),
        ("Fracture", 0.1, "Nothing suspicious found."),
    ],
)
def test_the_headline_says_the_answer_in_a_sentence(
    room: Room, label: str, probability: float, said: str
) -> None:
    study = room.receive(image("headline"))
    room.analyse(replace(finding(probability), label=label))
    room.conclude(study)

    assert f"<h1>{said}</h1>" in room.reader().get(f"/studies/{study}").text


def test_an_empty_worklist_says_what_to_do(room: Room) -> None:
    assert "Waiting for the first radiograph" in room.reader().get("/").text


def test_the_worklist_has_pages(room: Room) -> None:
    for number in range(26):
        room.receive(image(f"page {number}"))
    browser = room.reader()

    first = browser.get("/").text
    after = next(
        attributes["href"] for tag, attributes in _Tags(first).found if attributes.get("rel") == "next"
    )

    assert "1 to 25 of 26 studies" in first
    assert "26 to 26 of 26 studies" in browser.get(str(after)).text


def test_a_study_page_shows_picture_findings_timeline_and_objects(room: Room) -> None:
    study = _study(room)

    text = room.reader().get(f"/studies/{study}?overlay=heatmap").text

    assert _Tags(text).open == []
    assert "Fracture suspected." in text
    assert "overlay=heatmap&amp;size=1400" in text
    assert "Probability 90 %; doubtful from 20 %, positive from 60 %" in text
    assert "Structured Report" in text
    assert "Image received" in text
    assert SAFETY_NOTE in text


def test_a_study_that_was_not_read_says_why_in_plain_words(room: Room) -> None:
    study = room.receive(image("belly", BodyPartExamined="ABDOMEN", AnatomicRegionSequence=None))
    room.conclude(study)

    text = room.reader().get(f"/studies/{study}").text

    assert "Not evaluable" in text
    assert "Body part ABDOMEN is not read by this model." in text
    assert "This says nothing about whether the images are normal." in text


def test_the_most_telling_reason_comes_first_and_models_are_named_where_there_are_several(
    room: Room,
) -> None:
    study = room.receive(image("failing"))
    analysis = room.ledger.analyses.claim_next(Lease("tests", time.time(), 60))
    assert analysis is not None
    room.ledger.analyses.fail(analysis.id, reason="odd", reason_text="pixels are odd", now=time.time())
    room.conclude(study)
    failed = find_study(room.ledger, study).images[0]
    elsewhere = _analysis(failed, AnalysisState.DECLINED, "body_part_out_of_scope", "another body part")
    young = _analysis(failed, AnalysisState.DECLINED, "age_out_of_scope", "too young")
    shown = failed.model_copy(update={"analyses": [elsewhere, young, *failed.analyses]})

    found = words.reasons([shown])

    assert [why.text for why in found] == ["Pixels are odd.", "Too young.", "Another body part."]
    assert [why.models for why in found] == ["fracture", "other", "other"]
    assert "<li>Pixels are odd.</li>" in room.reader().get(f"/studies/{study}").text


def test_the_answer_is_timed_to_its_first_delivery_where_there_is_one(room: Room) -> None:
    study = _study(room)
    browser = room.reader()
    before = browser.get(f"/studies/{study}").text
    for delivery in room.ledger.deliveries.of_study(StudyUid(study)):
        room.ledger.deliveries.mark_sent(delivery.id, status="0x0000", now=time.time() + 7)

    after = browser.get(f"/studies/{study}").text

    assert "Concluded after" in before
    assert "In the PACS after</dt><dd>7." in after


def test_boxes_are_explained_beside_their_number(room: Room) -> None:
    text = room.reader().get(f"/studies/{_study(room)}").text

    assert "The box marks where the evidence is strongest and may be wrong" in text
    assert 'href="/models#card-fracture"' in text
    assert 'id="card-fracture"' in room.reader().get("/models").text


def test_a_colour_image_shows_the_no_picture_icon(room: Room) -> None:
    room.receive(image("colourful", SamplesPerPixel=3, PhotometricInterpretation="RGB"))

    text = room.reader().get("/").text

    assert "/rendered" not in text
    assert text.count('aria-label="no picture"') == 2  # The row's own, and the template for the script.


@pytest.mark.parametrize(("reason", "is_shown"), [("picture_inverted", True), ("pixels_undecodable", False)])
def test_a_picture_that_was_turned_away_is_shown_with_its_reason(
    room: Room, reason: str, is_shown: bool
) -> None:
    study = room.receive(image("negative"))
    analysis = room.ledger.analyses.claim_next(Lease("tests", time.time(), 60))
    assert analysis is not None
    text = "the greys of the picture are inverted"
    room.ledger.analyses.fail(analysis.id, reason=reason, reason_text=text, now=time.time())
    room.conclude(study)

    page = room.reader().get(f"/studies/{study}").text

    assert "The greys of the picture are inverted." in page
    assert ("/rendered" in page) is is_shown


def test_a_conflicting_image_shows_on_the_worklist(room: Room) -> None:
    room.receive(image("twin"))
    room.receive(image("twin", PatientComments="other bytes"))

    assert "1 conflicting image<" in room.reader().get("/").text


def test_what_a_sender_wrote_never_becomes_markup(room: Room) -> None:
    study = _study(
        room, PatientName=_SCRIPT, PatientID="<b>1", StudyDescription='"><img src=x onerror=alert(1)>'
    )
    entry = Quarantined(time.time(), "odd", _SCRIPT, 1, "", "<i>AET", "192.0.2.1", "dicom")
    room.ledger.quarantine.add(entry)
    browser = room.reader()

    for path in ("/", f"/studies/{study}", "/operations", "/models"):
        tags = _Tags(browser.get(path).text)
        scripts = [attributes for tag, attributes in tags.found if tag == "script"]
        assert all(str(attributes["src"]).startswith("/static/") for attributes in scripts), path
        assert not any("onerror" in attributes for _, attributes in tags.found), path
        assert not {"i"} & {tag for tag, _ in tags.found}, path


@pytest.mark.parametrize(
    ("least", "most", "says"),
    [
        (None, None, "any"),
        (18, None, "from 18 years"),
        (None, 2.5, "up to 2.5 years"),
        (2, 17, "from 2 up to 17 years"),
    ],
)
def test_ages_are_told_in_words(room: Room, least: float | None, most: float | None, says: str) -> None:
    model = to_model_out(room.parts.bundles[0])

    assert words.ages(model.model_copy(update={"least_age_years": least, "most_age_years": most})) == says


def test_a_bundle_that_nobody_signed_is_said_to_be(room: Room) -> None:
    text = room.reader().get("/models").text

    assert "<dt>Signed by</dt><dd>nobody</dd>" in text


def test_a_guard_is_shown_without_what_only_readers_have(room: Room, tmp_path: Path) -> None:
    guard = to_model_with_card(drop(tmp_path / "more", examples()["picture"], brightness_guard()))

    text = make_pages().render("models.html", here="models", models=[guard]).body.decode()

    assert "What kind of picture this is" in text
    assert "Modality" not in text
    assert f"<code>{guard.signed_by}</code>" in text


def test_a_model_card_is_text(room: Room) -> None:
    assert "&lt;b&gt;card&lt;/b&gt;" in room.reader().get("/models").text


@pytest.mark.parametrize("path", ["/", "/login", "/static/room.css", "/api/v1/worklist", "/healthz"])
def test_every_answer_carries_the_security_headers(room: Room, path: str) -> None:
    headers = room.reader().get(path).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == ("public, max-age=300" if "static" in path else "no-store")


def test_pages_have_no_inline_style_or_script_and_no_foreign_address(room: Room) -> None:
    study = _study(room)
    browser = room.reader()

    for path in (*_PAGES, f"/studies/{study}"):
        for tag, attributes in _Tags(browser.get(path).text).found:
            assert "style" not in attributes, (path, tag)
            assert not any(name.startswith("on") for name in attributes), (path, tag)
            for name in ("src", "href", "action"):
                assert not str(attributes.get(name, "/")).startswith(("http:", "https:", "//")), (path, tag)


def test_operations_show_a_refused_delivery_and_try_it_again(room: Room) -> None:
    study = _study(room)
    delivery = room.ledger.deliveries.claim_next(Lease("tests", time.time() + 1, 60), only=["pacs"])
    assert delivery is not None
    room.ledger.deliveries.mark_refused(delivery.id, until=2e9, status="0xA900", error="not wanted")
    browser = room.reader()

    before = browser.get("/operations").text
    answer = browser.post(f"/operations/deliveries/{delivery.id}/retry")

    assert "not wanted" in before
    assert answer.status_code == 303
    assert {item.state for item in room.ledger.deliveries.of_study(study)} == {"pending"}
    assert "Nothing was refused." in browser.get("/operations").text


def test_operations_show_what_was_delivered_and_is_not_confirmed(room: Room) -> None:
    _study(room)
    now = time.time()
    while delivery := room.ledger.deliveries.claim_next(Lease("tests", now + 1, 60), only=["pacs"]):
        room.ledger.deliveries.mark_sent(delivery.id, status="0x0000", now=now)
    before = room.reader().get("/operations").text

    room.ledger.commitments.open_request(
        "pacs", transaction_uid="2.25.1", now=now, wait_s=60, since=0.0, most=9
    )
    room.ledger.commitments.withdraw("2.25.1", until=now, error="does not offer storage commitment")

    after = room.reader().get("/operations").text
    assert "storage not confirmed" not in before
    assert "storage not confirmed" in after
    assert "does not offer storage commitment" in after


def test_a_delivery_that_was_taken_with_a_warning_or_replaced_says_so(room: Room) -> None:
    study = _study(room)
    first, *others = room.ledger.deliveries.of_study(study)
    room.ledger.deliveries.mark_sent(first.id, status="0xB000", now=time.time())
    for other in others:
        room.ledger.deliveries.mark_degraded(other.id, status="no_context", error="takes no such class")

    page = room.reader().get(f"/studies/{study}").text

    assert "Delivered, with a warning" in page
    assert "Plainer form" in page
    assert "takes no such class" in page


def test_a_retry_from_another_site_is_refused(room: Room) -> None:
    answer = room.reader().post("/operations/deliveries/1/retry", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DOE^JANE^Q", "DOE, JANE Q"),
        ("DOE", "DOE"),
        ("Yamada^Tarou=山田^太郎", "Yamada, Tarou"),
        ("", "Name not stated"),
        ("^", "Name not stated"),
    ],
)
def test_a_person_is_named_as_people_write_it(name: str, said: str) -> None:
    assert words.person(name) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (7200, "2 h"), (200000, "2 d")],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, said: str) -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)

    assert words.since(now - timedelta(seconds=seconds), now) == said
