from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.system.deadline import wait_until
from tests.unit.ledger.rows import study_of
from tests.unit.pipeline.outgoing import ScriptedSender, owe, states
from wetread.domain import DeliveryState, Destination
from wetread.errors import NotTakenYet
from wetread.ledger import Ledger
from wetread.pipeline.commit import Committer, Registrar
from wetread.pipeline.degrade import Degrader
from wetread.pipeline.publish import Publisher
from wetread.spool.objects import Spool
from wetread.worker.loops import DeliveryLoop, start_thread, stop_deliveries


class HangingSender(ScriptedSender):
    """A destination that answers nothing until it is cut off."""

    def __init__(self) -> None:
        super().__init__("0x0000")
        self.sending = threading.Event()
        self.is_cut = threading.Event()

    def send(self, path: Path) -> str:
        self.sending.set()
        self.is_cut.wait()
        raise NotTakenYet("no answer")

    def cut(self) -> None:
        self.is_cut.set()


class BrokenSender(ScriptedSender):
    """A sender with a fault that nobody foresaw."""

    def send(self, path: Path) -> str:
        raise LookupError


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def loop_to(name: str, sender: ScriptedSender, *, ledger: Ledger, spool: Spool) -> DeliveryLoop:
    destinations, senders = [Destination(name, "dicom")], {name: sender}
    publisher = Publisher(
        ledger=ledger,
        spool=spool,
        senders=senders,
        degrader=Degrader(ledger=ledger, spool=spool, destinations=destinations),
        holder="publisher",
        lease_s=60.0,
    )
    registrar = Registrar(ledger=ledger, destinations=destinations)
    committer = Committer(ledger=ledger, senders=senders, destinations=destinations, registrar=registrar)
    return DeliveryLoop(publisher=publisher, committer=committer, sender=sender)


@pytest.mark.timeout(60)
def test_a_destination_that_hangs_holds_up_no_other_and_no_stop(ledger: Ledger, spool: Spool) -> None:
    owe(ledger, spool, "one", "hangs", "works")
    hangs, stop = HangingSender(), threading.Event()
    senders = {"hangs": hangs, "works": ScriptedSender("0x0000")}
    loops = [loop_to(name, sender, ledger=ledger, spool=spool) for name, sender in senders.items()]
    threads = {start_thread("deliveries", partial(each.run, stop=stop)): each for each in loops}

    hangs.sending.wait(30)
    wait_until(
        lambda: states(ledger, "one")["works"] is DeliveryState.SENT, within_s=30, what="the other served"
    )
    stop.set()
    stop_deliveries(threads)

    assert not any(thread.is_alive() for thread in threads)
    assert states(ledger, "one") == {"hangs": DeliveryState.PENDING, "works": DeliveryState.SENT}


@pytest.mark.timeout(60)
def test_a_fault_in_a_sender_is_told_in_the_delivery_and_the_loop_goes_on(
    ledger: Ledger, spool: Spool
) -> None:
    owe(ledger, spool, "one", "pacs")
    stop, loop = threading.Event(), loop_to("pacs", BrokenSender(), ledger=ledger, spool=spool)
    thread = start_thread("deliveries", lambda: loop.run(stop=stop))

    wait_until(
        lambda: ledger.deliveries.of_study(study_of("one"))[0].last_status == "fault",
        within_s=30,
        what="the fault told",
    )
    stop.set()
    thread.join()

    assert states(ledger, "one") == {"pacs": DeliveryState.PENDING}
