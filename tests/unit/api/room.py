"""A whole HTTP door in a folder: real ledger, spool and admitter, asked in process."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path

import anyio
import httpx
import numpy as np
from fastapi import FastAPI

from tests.builders import small_film, to_bytes, to_dataset
from wetread.api.app import create_app
from wetread.api.auth import Gate, load_admin_key
from wetread.api.parts import ApiParts
from wetread.config import DestinationSettings, HttpSettings, Settings
from wetread.domain import (
    Box,
    Code,
    Finding,
    ObjectKind,
    OperatingPoints,
    Outcome,
    Report,
    ResultObject,
    SopInstanceUid,
    SpoolKey,
    StudyUid,
)
from wetread.infer.bundle import Bundle, load_bundles
from wetread.infer.signature import ANYONE
from wetread.jobqueue.embedded import Bell, EmbeddedQueue
from wetread.ledger import Lease, Ledger
from wetread.ledger.workers import Beat
from wetread.pipeline.admit import Admitter, Source
from wetread.pipeline.conclude import worst_zone
from wetread.pipeline.parts import to_readers
from wetread.spool.objects import Spool

HOST = "http://reading.room"
FRACTURE = Code("125605004", "SCT", "Fracture of bone")
POINTS = OperatingPoints(sensitive=0.2, specific=0.6)

_MANIFEST = """schema = 2
name = "fracture"
version = "1.0.0"
title = "Fracture on limb radiographs"
intended_use = "Research use only: a stand-in for tests."
licence = "Apache-2.0"
device_uid = "2.25.1"
[input]
name = "image"
rows = 64
columns = 64
channels = 1
fit = "letterbox"
mean = 0.0
std = 1.0
[output]
kind = "classification"
logits = "logits"
activation = "sigmoid"
heat_map = "heat_map"
[[findings]]
label = "Fracture"
code = {{ value = "125605004", scheme = "SCT", meaning = "Fracture of bone" }}
operating_points = {{ sensitive = 0.2, specific = 0.6 }}
calibration = {{ a = 1.0, b = 0.0 }}
boxes = {{ threshold = 0.5 }}
[reads]
modalities = ["CR", "DX"]
sop_classes = ["1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1"]
body_parts = ["HAND", "WRIST", "FOREARM", "LEG"]
[files]
"model.onnx" = "{model}"
"MODEL_CARD.md" = "{card}"
"""


class Browser:
    """Asks an application without a socket; keeps cookies as browsers do."""

    def __init__(self, app: FastAPI, *, key: str = "", raises: bool = True) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        transport = httpx.ASGITransport(app, raise_app_exceptions=raises, client=("192.0.2.7", 4711))
        self._client = httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers)

    def ask(self, method: str, path: str, **more: object) -> httpx.Response:
        """One request and its whole answer; redirections are not followed."""
        return anyio.run(partial(self._client.request, method, path, **more))  # type: ignore[arg-type]  # as httpx takes it

    def get(self, path: str, **more: object) -> httpx.Response:
        """GET."""
        return self.ask("GET", path, **more)

    def post(self, path: str, **more: object) -> httpx.Response:
        """POST."""
        return self.ask("POST", path, **more)

    @property
    def cookies(self) -> httpx.Cookies:
        """What it was given to keep."""
        return self._client.cookies


@dataclass(slots=True)
class Room:
    """One HTTP door and what stands behind it."""

    parts: ApiParts
    app: FastAPI
    key: str
    browsers: list[Browser] = field(default_factory=list)

    @property
    def ledger(self) -> Ledger:
        """The truth behind the door."""
        return self.parts.ledger

    def stranger(self, *, raises: bool = True) -> Browser:
        """Somebody without a key."""
        return Browser(self.app, raises=raises)

    def program(self, *, raises: bool = True) -> Browser:
        """A program that sends the key with every request."""
        return Browser(self.app, key=self.key, raises=raises)

    def reader(self) -> Browser:
        """A person who has logged in."""
        browser = self.stranger()
        answer = browser.post("/login", data={"key": self.key, "next": "/"})
        assert answer.status_code == 303
        return browser

    def receive(self, data: bytes) -> StudyUid:
        """One image comes by DICOM."""
        source = Source(calling_aet="MODALITY", peer="192.0.2.1", door="dicom")
        return self.parts.admitter.receive_file(data, source=source).header.StudyInstanceUID

    def analyse(self, finding: Finding, *, now: float | None = None) -> None:
        """The oldest waiting analysis ends with one finding."""
        at = time.time() if now is None else now
        analysis = self.ledger.analyses.claim_next(Lease("tests", at, 60))
        assert analysis is not None
        self.ledger.analyses.finish(analysis.id, [finding], provider="CPUExecutionProvider", now=at)

    def keep_heat_map(self) -> SpoolKey:
        """A heat map with one warm corner."""
        heat = np.zeros((8, 8), np.float16)
        heat[2:4, 2:4] = 1.0
        buffer = BytesIO()
        np.save(buffer, heat, allow_pickle=False)
        return self.parts.spool.put([buffer.getvalue()], suffix="npy")

    def conclude(self, study: StudyUid) -> Report:
        """The study gets its next revision: a report, and a capture of its first image."""
        now = time.time()
        claim = self.ledger.studies.claim_due(Lease("tests", now + 1, 60), quiet_s=0)
        assert claim is not None
        assert claim.study == study
        analyses = [item for group in self.ledger.analyses.of_study(study).values() for item in group]
        zone = worst_zone(analyses)
        is_read = any(analysis.findings for analysis in analyses)
        found = Outcome.FINDINGS if zone in ("positive", "doubtful") else Outcome.NO_FINDINGS
        report = Report(
            study,
            claim.revision,
            found if is_read else Outcome.NOT_EVALUABLE,
            now,
            self._objects(study, claim.revision),
        )
        destinations = [item.to_domain() for item in self.parts.settings.destinations]
        assert self.ledger.reports.conclude(claim, report, worst_zone=zone, destinations=destinations)
        return report

    def beat(self, *roles: str, ago_s: float = 0.0) -> None:
        """Parts of these roles say that they live, or said so a while ago."""
        at = time.time() - ago_s
        for role in roles:
            is_worker = role == "analyse"
            provider, models = ("CPUExecutionProvider", ("fracture 1.0.0",)) if is_worker else ("", ())
            self.ledger.workers.beat(Beat(f"machine/{role}/0", role, at, at, provider, models))

    def _objects(self, study: StudyUid, revision: int) -> tuple[ResultObject, ...]:
        made = []
        for number, kind in enumerate((ObjectKind.STRUCTURED_REPORT, ObjectKind.CAPTURE)):
            data = f"{study} {revision} {kind}".encode()
            made.append(
                ResultObject(
                    SOPInstanceUID=SopInstanceUid(f"{study[:40]}.{revision}.{number + 1}"),
                    SOPClassUID="1.2.840.10008.5.1.4.1.1.88.34",
                    SeriesInstanceUID=f"{study[:40]}.9",
                    kind=kind,
                    spool_key=self.parts.spool.put([data], suffix="dcm"),
                    size_bytes=len(data),
                )
            )
        return tuple(made)


def finding(probability: float, *, boxes: tuple[Box, ...] = (), heat_map: SpoolKey | None = None) -> Finding:
    """What the stand-in model says of one image."""
    zone = POINTS.zone(probability)
    return Finding(FRACTURE, "Fracture", probability, zone, POINTS, boxes, heat_map)


def image(name: str, **more: object) -> bytes:
    """One small radiograph as a Part 10 file; `more` are the elements that differ."""
    return to_bytes(to_dataset(small_film(name, more=more)))


def make_bundles(folder: Path) -> tuple[Bundle, ...]:
    """The stand-in model as a bundle: its network is never run here."""
    home = folder / "fracture" / "1.0.0"
    home.mkdir(parents=True)
    files = {"model.onnx": b"no network", "MODEL_CARD.md": b"# Fracture\n\nA stand-in <b>card</b>.\n"}
    for name, data in files.items():
        (home / name).write_bytes(data)
    model, card = (hashlib.sha256(data).hexdigest() for data in files.values())
    (home / "model.toml").write_text(_MANIFEST.format(model=model, card=card), encoding="utf-8")
    return load_bundles(folder, ANYONE)


@contextmanager
def open_room(home: Path, *, max_upload_bytes: int = 2**20) -> Iterator[Room]:
    """A door over a fresh ledger and spool; nothing listens."""
    settings = Settings(
        home=home,
        http=HttpSettings(max_upload_bytes=max_upload_bytes),
        destinations=(DestinationSettings(name="pacs", port=11113, ae_title="PACS"),),
    )
    bundles = make_bundles(home / "models")
    key = load_admin_key(home)
    with Ledger(settings.ledger_url) as ledger, Bell(home / "run" / "work.bell") as bell:
        spool = Spool(home / "spool")
        admitter = Admitter(
            ledger=ledger, spool=spool, queue=EmbeddedQueue(bell), readers=to_readers(bundles)
        )
        parts = ApiParts(
            settings=settings, ledger=ledger, spool=spool, bundles=bundles, admitter=admitter, gate=Gate(key)
        )
        yield Room(parts, create_app(parts), key)
