"""`wetread demo`: a modality sends, the service reads, a PACS holds the answers; then says what happened."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from wetread.config import load_settings
from wetread.deliver.send import send_files
from wetread.demo.answers import Answer, Refusal, RefusalReader, gather
from wetread.demo.cases import Case, Found, find_cases, make_phantoms
from wetread.demo.page import Page
from wetread.demo.service import Service, free_port, serving
from wetread.domain import DeliveryState, Destination, StudyUid
from wetread.errors import Misconfigured
from wetread.ledger import Ledger
from wetread.receive.standin import StandIn, standing_in

_QUIET_S = 1.0
_ANSWER_S = 90.0
_POLL_S = 0.02


def run(*, images: Path | None, keep: bool) -> int:
    """Send, wait, print; 0 only if every study sent was answered in the PACS."""
    folder = load_settings().home / "demo"
    found = _find_images(images, folder) if images else None
    _clear(folder)
    page = Page()
    page.title()
    cases = list(found.cases) if found else make_phantoms(folder / "sent")
    page.skipped(found.skipped if found else 0)
    answers = _play(cases, folder=folder, page=page, keep=keep)
    return 0 if all(answer.is_answered for answer in answers) else 1


def _find_images(images: Path, folder: Path) -> Found:
    if images.resolve().is_relative_to(folder.resolve()):
        raise Misconfigured(f"--images: {folder} is cleared by each demo: copy the files elsewhere first")
    return find_cases(images)


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"setting home: {error.strerror}: {folder}") from error


def _play(cases: Sequence[Case], *, folder: Path, page: Page, keep: bool) -> list[Answer]:
    with ExitStack() as stack:
        pacs = stack.enter_context(standing_in(folder / "pacs", port=free_port()))
        page.says("starting the service and a stand-in PACS ...")
        service = stack.enter_context(serving(folder / "home", pacs_port=pacs.port, quiet_s=_QUIET_S))
        ledger = stack.enter_context(Ledger(f"sqlite:///{(service.home / 'ledger.db').resolve()}"))
        page.says(f"sending {len(cases)} studies, one after the other, as a modality would (C-STORE)")
        refusals = RefusalReader(ledger)
        answers = [_send(case, service, pacs=pacs, refusals=refusals, page=page) for case in cases]
        page.summary(answers, quiet_s=_QUIET_S, folder=folder)
        if keep:
            page.kept(service)
            _wait_for_interrupt()
    if keep:
        page.says("stopped")
    return answers


def _send(case: Case, service: Service, *, pacs: StandIn, refusals: RefusalReader, page: Page) -> Answer:
    there = Destination("wetread", "dicom", "127.0.0.1", service.dicom_port, "WETREAD")
    page.sending(case)
    refused: list[Refusal] = []
    sent_at = time.time()
    for item in send_files(case.files, destination=there, calling_aet="MODALITY"):
        sent_at = time.time()
        if not item.is_taken:
            refused.append(refusals.refusal(item))
    answer = Answer(case, tuple(refused))
    if not answer.is_refused:
        answer = _wait_for_answer(answer, sent_at, pacs=pacs, ledger=refusals.ledger)
    page.answered(answer)
    return answer


def _wait_for_answer(answer: Answer, sent_at: float, *, pacs: StandIn, ledger: Ledger) -> Answer:
    deadline = time.monotonic() + _ANSWER_S
    while time.monotonic() < deadline:
        line = ledger.views.study(StudyUid(answer.case.study))
        if line is not None and line.state == "concluded" and _is_delivered(ledger, answer):
            break
        time.sleep(_POLL_S)
    return gather(answer, sent_at, pacs=pacs, ledger=ledger)


def _is_delivered(ledger: Ledger, answer: Answer) -> bool:
    deliveries = ledger.deliveries.of_study(StudyUid(answer.case.study))
    return bool(deliveries) and all(item.state is not DeliveryState.PENDING for item in deliveries)


def _wait_for_interrupt() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
