"""`wetread demo`: a modality sends, the service reads, a PACS holds the answers; then says what happened."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from wetread.config import load_settings
from wetread.deliver.send import send_files
from wetread.demo.answers import Answer, gather
from wetread.demo.cases import Case, find_cases, make_phantoms
from wetread.demo.page import Page
from wetread.demo.service import Service, free_port, serving
from wetread.domain import DeliveryState, Destination, StudyUid
from wetread.ledger import Ledger
from wetread.receive.standin import StandIn, standing_in

_QUIET_S = 1.0
_ANSWER_S = 90.0
_POLL_S = 0.02


def run(*, images: Path | None, keep: bool) -> int:
    """Send, wait, print; 0 only if every study sent was answered in the PACS."""
    folder = load_settings().home / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    page = Page()
    page.title()
    cases = find_cases(images) if images else make_phantoms(folder / "sent")
    with ExitStack() as stack:
        pacs = stack.enter_context(standing_in(folder / "pacs", port=free_port()))
        page.says("starting the service and a stand-in PACS ...")
        service = stack.enter_context(serving(folder / "home", pacs_port=pacs.port, quiet_s=_QUIET_S))
        ledger = stack.enter_context(Ledger(f"sqlite:///{(service.home / 'ledger.db').resolve()}"))
        page.says(f"sending {len(cases)} studies, one after the other, as a modality would (C-STORE)")
        answers = [_send(case, service, pacs=pacs, ledger=ledger, page=page) for case in cases]
        page.summary(answers, quiet_s=_QUIET_S, folder=folder)
        if keep:
            page.kept(service)
            _wait_for_interrupt()
    return 0 if all(answer.is_answered for answer in answers) else 1


def _send(case: Case, service: Service, *, pacs: StandIn, ledger: Ledger, page: Page) -> Answer:
    there = Destination("wetread", "dicom", "127.0.0.1", service.dicom_port, "WETREAD")
    page.sending(case)
    sent = list(send_files(case.files, destination=there, calling_aet="MODALITY"))
    sent_at = time.time()
    answer = Answer(case, tuple(item.status for item in sent if not item.is_taken))
    if any(item.is_taken for item in sent):
        answer = _wait_for_answer(answer, sent_at, pacs=pacs, ledger=ledger)
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
