"""Readiness, counts, models, deliveries, OpenAPI."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.bundles import PUBLIC_KEY, brightness_guard, drop, examples
from tests.unit.api.room import Room, finding, image
from wetread.api.routes.models import to_model_out
from wetread.infer.signature import key_id
from wetread.ledger import Lease

_ROLES = ("listen", "analyse", "publish")


def test_nobody_at_work_is_not_ready(room: Room) -> None:
    answer = room.stranger().get("/readyz")

    checks = {name: check["ok"] for name, check in answer.json()["checks"].items()}
    assert answer.status_code == 503
    assert checks == {"spool": True, "ledger": True, "listener": False, "workers": False, "publisher": False}


@pytest.mark.parametrize("missing", _ROLES)
def test_each_part_is_needed_to_be_ready(room: Room, missing: str) -> None:
    room.beat(*(role for role in _ROLES if role != missing))
    assert room.stranger().get("/readyz").status_code == 503

    room.beat(missing)
    assert room.stranger().get("/readyz").status_code == 200


def test_a_part_that_fell_silent_is_dead(room: Room) -> None:
    room.beat("listen", "publish")
    room.beat("analyse", ago_s=20)

    answer = room.stranger().get("/readyz")

    assert answer.status_code == 503
    assert not answer.json()["checks"]["workers"]["ok"]


def test_readiness_names_provider_and_models_and_no_machine(room: Room) -> None:
    room.beat(*_ROLES)

    answer = room.stranger().get("/readyz")

    [worker] = answer.json()["checks"]["workers"]["parts"]
    assert worker["provider"] == "CPUExecutionProvider"
    assert worker["models"] == ["fracture 1.0.0"]
    assert "machine" not in answer.text


def test_metrics_count_what_the_ledger_holds(room: Room) -> None:
    room.receive(image("first"))
    room.receive(image("second"))
    room.analyse(finding(0.9))

    text = room.stranger().get("/metrics").text

    assert 'wetread_studies{state="open"} 2.0' in text
    assert 'wetread_analyses{state="done"} 1.0' in text
    assert 'wetread_analyses{state="failed"} 0.0' in text
    assert 'wetread_instances_received_total{door="dicom"} 2.0' in text


def test_metrics_and_readiness_name_no_patient(room: Room) -> None:
    study = room.receive(image("secret", PatientName="DOE^JANE", PatientID="P-123"))

    text = "".join(room.stranger().get(path).text for path in ("/metrics", "/readyz"))

    assert not any(word in text for word in ("DOE", "P-123", study))


def test_models_tell_manifest_and_card(room: Room) -> None:
    program = room.program()

    [listed] = program.get("/api/v1/models").json()["items"]
    model = program.get("/api/v1/models/fracture").json()

    assert (listed["name"], listed["version"]) == ("fracture", "1.0.0")
    assert listed["findings"][0]["operating_points"] == {"sensitive": 0.2, "specific": 0.6}
    assert (listed["kind"], listed["signed_by"]) == ("classification", "")
    assert (listed["least_age_years"], listed["most_age_years"]) == (None, None)
    assert model["card"].startswith("# Fracture")


def test_a_model_tells_whose_key_signed_it(tmp_path: Path) -> None:
    bundle = drop(tmp_path, examples()["picture"], brightness_guard())

    told = to_model_out(bundle)

    assert (told.kind, told.signed_by) == ("picture", key_id(PUBLIC_KEY))
    assert told.findings == []


def test_a_refused_delivery_is_listed_and_tried_again_on_request(room: Room) -> None:
    study = room.receive(image("refused"))
    room.analyse(finding(0.9))
    room.conclude(study)
    delivery = room.ledger.deliveries.claim_next(Lease("tests", time.time() + 1, 60), only=["pacs"])
    assert delivery is not None
    room.ledger.deliveries.mark_refused(delivery.id, until=2e9, status="0xA900", error="not wanted")
    program = room.program()

    [listed] = program.get("/api/v1/deliveries?state=refused").json()["items"]
    answer = program.post(f"/api/v1/deliveries/{delivery.id}/retry")

    assert (listed["id"], listed["last_error"]) == (delivery.id, "not wanted")
    assert listed["next_attempt_at"].startswith("2033-05-18")
    assert answer.status_code == 202
    assert program.get("/api/v1/deliveries?state=refused").json()["items"] == []


def test_a_delivery_that_is_done_or_unknown_is_not_tried_again(room: Room) -> None:
    answer = room.program().post("/api/v1/deliveries/99/retry")

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_deliveries_are_walked_page_by_page(room: Room) -> None:
    study = room.receive(image("pages"))
    room.analyse(finding(0.9))
    room.conclude(study)
    program = room.program()

    first = program.get("/api/v1/deliveries?limit=1").json()
    second = program.get(f"/api/v1/deliveries?limit=1&cursor={first['next_cursor']}").json()

    assert first["items"][0]["id"] < second["items"][0]["id"]
    assert second["next_cursor"] is None


def test_openapi_has_stable_ids_a_key_and_problems_everywhere(room: Room) -> None:
    document = room.app.openapi()

    operations = [
        (path, operation) for path, methods in document["paths"].items() for operation in methods.values()
    ]
    ids = [operation["operationId"] for _, operation in operations]
    assert document["openapi"].startswith("3.1")
    assert len(ids) == len(set(ids))
    assert {"get_worklist", "get_study", "upload_files", "get_rendered", "retry_delivery"} <= set(ids)
    for path, operation in operations:
        if path.startswith("/api/"):
            assert operation["security"] == [{"key": []}], path
            assert "application/problem+json" in operation["responses"]["401"]["content"], path
        assert operation.get("description"), path


def test_openapi_refers_only_to_what_it_defines(room: Room) -> None:
    document = room.app.openapi()

    assert _references(document) <= {
        f"#/components/schemas/{name}" for name in document["components"]["schemas"]
    }


def _references(part: object) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_references, part))
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    return own.union(*map(_references, part.values()))
