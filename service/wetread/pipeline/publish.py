"""Last step: every delivery is made, retried, or refused where a person sees it."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from wetread.deliver import Sender
from wetread.deliver.lifeline import SLOWEST_BYTES_S
from wetread.deliver.pace import Pace
from wetread.domain import Delivery, DeliveryState
from wetread.errors import ClassNotTaken, NotTakenYet, Rejected, Transient
from wetread.ledger import Lease, Ledger
from wetread.ledger.studies import Step
from wetread.pipeline.degrade import Degrader
from wetread.spool.objects import Spool

_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 60.0
# One object that is not taken, again and again, while the destination itself is there.
_LONGEST_OBJECT_WAIT_S = 3600.0
_LONGEST_DEFERRAL_S = 600.0
# A refusal waits for a person; meanwhile it is tried anew after an hour, then after as long again as it has
# been owed, at least daily: an administrator may mend the destination without telling us.
_REFUSED_AGAIN_S = (3600.0, 24 * 3600.0)

_FAULT = "a fault of the service: see its log"

logger = logging.getLogger(__name__)


class Publisher:
    """Sends what is owed, one delivery at a time; a destination that is down is left alone for a while.

    `paces` of the destinations that have hours or a rate; the others get everything at once.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        spool: Spool,
        senders: Mapping[str, Sender],
        degrader: Degrader,
        holder: str,
        lease_s: float,
        paces: Mapping[str, Pace] = MappingProxyType({}),
    ) -> None:
        self._ledger = ledger
        self._spool = spool
        self._senders = senders
        self._degrader = degrader
        self._holder = holder
        self._lease_s = lease_s
        self._paces = paces
        self._resting_until: dict[str, float] = {}
        self._failures: Counter[str] = Counter()
        self._at_hand: Delivery | None = None

    def publish_next(self) -> bool:
        """Make one delivery that is due; False when none is, or only to destinations that rest."""
        self._at_hand = None
        now = time.time()
        awake = [name for name in self._senders if self._is_awake(name, now)]
        lease = Lease(self._holder, now, self._lease_s)
        delivery = (
            self._ledger.deliveries.claim_next(lease, only=awake, bytes_s=SLOWEST_BYTES_S) if awake else None
        )
        if delivery is None:
            return False
        if delivery.destination in self._paces:
            self._paces[delivery.destination].count(now)
        self._at_hand = delivery
        self._send(delivery)
        self._at_hand = None
        return True

    def put_off(self) -> None:
        """Let the delivery wait that a fault nobody foresaw has ended, longer each time."""
        delivery, self._at_hand = self._at_hand, None
        if delivery is not None:
            until = _wait_until(delivery.attempts, longest_s=_LONGEST_OBJECT_WAIT_S)
            self._ledger.deliveries.postpone(
                delivery.id, until=until, status="fault", error=_FAULT, holder=self._holder
            )

    def _is_awake(self, name: str, now: float) -> bool:
        pace = self._paces.get(name)
        if pace is not None and not pace.is_open(now):
            # Said in the ledger for people to see; again after a while, for settings and clocks change.
            until = min(pace.opens_at(now), now + _LONGEST_DEFERRAL_S)
            self._ledger.deliveries.defer(name, now=now, until=until, why=pace.words)
            return False
        return self._resting_until.get(name, 0.0) <= now and (pace is None or pace.is_within_rate(now))

    def _send(self, delivery: Delivery) -> None:
        started = time.perf_counter()
        fields: dict[str, object] = {"delivery": delivery.id, "destination": delivery.destination}
        try:
            status = self._senders[delivery.destination].send(self._spool.path(delivery.object.spool_key))
        except ClassNotTaken as error:
            self._failures[delivery.destination] = 0
            self._degrade(delivery, error)
        except Rejected as error:
            self._failures[delivery.destination] = 0
            self._refuse(delivery, error)
        except Transient as error:
            self._postpone(delivery, error)
            logger.warning("delivery postponed", extra=fields | {"why": str(error)})
        else:
            self._failures[delivery.destination] = 0
            self._ledger.deliveries.mark_sent(
                delivery.id, status=status, now=time.time(), holder=self._holder
            )
            self._note(delivery, 1000 * (time.perf_counter() - started))
            logger.info("delivered", extra=fields | {"status": status})

    def _degrade(self, delivery: Delivery, error: ClassNotTaken) -> None:
        try:
            is_said_plainer = self._degrader.degrade(delivery, error)
        except Rejected as fault:
            self._refuse(delivery, fault)
            return
        if is_said_plainer:
            fields = {"delivery": delivery.id, "destination": delivery.destination, "why": str(error)}
            logger.warning("delivery degraded", extra=fields)
        else:
            self._refuse(delivery, error)

    def _refuse(self, delivery: Delivery, error: Rejected) -> None:
        until = _when_refused(delivery)
        self._ledger.deliveries.mark_refused(
            delivery.id, until=until, status=error.code, error=str(error), holder=self._holder
        )
        fields = {"delivery": delivery.id, "destination": delivery.destination, "why": str(error)}
        logger.error("delivery refused", extra=fields)
        self._degrader.reconsider(delivery)

    def _postpone(self, delivery: Delivery, error: Transient) -> None:
        is_of_object = isinstance(error, NotTakenYet)
        asked_for = time.time() + error.wait_s
        self._rest(delivery.destination, asked_for, is_of_object=is_of_object)
        if delivery.state is DeliveryState.REFUSED:
            # Still the refusal that a person has to see, and no more haste than it had.
            until, was = _when_refused(delivery), delivery
            self._ledger.deliveries.postpone(
                delivery.id, until=until, status=was.last_status, error=was.last_error, holder=self._holder
            )
            return
        longest_s = _LONGEST_OBJECT_WAIT_S if is_of_object else _LONGEST_WAIT_S
        until = max(_wait_until(delivery.attempts, longest_s=longest_s), asked_for)
        self._ledger.deliveries.postpone(
            delivery.id, until=until, status=error.code, error=str(error), holder=self._holder
        )

    def _rest(self, destination: str, asked_for: float, *, is_of_object: bool) -> None:
        # What it does not take hardly holds up the rest: others it may take.
        self._failures[destination] = 0 if is_of_object else self._failures[destination] + 1
        until = _wait_until(max(self._failures[destination], 1))
        self._resting_until[destination] = max(until, asked_for)

    def _note(self, delivery: Delivery, took_ms: float) -> None:
        detail = f"{delivery.object.kind} to {delivery.destination}"
        step = Step("delivered", time.time(), took_ms, delivery.object.SOPInstanceUID, detail=detail)
        self._ledger.studies.note(delivery.study, [step])


def _when_refused(delivery: Delivery) -> float:
    shortest_s, longest_s = _REFUSED_AGAIN_S
    now = time.time()
    return now + min(max(now - delivery.created_at, shortest_s), longest_s)


def _wait_until(failures: int, *, longest_s: float = _LONGEST_WAIT_S) -> float:
    most_s = min(_FIRST_WAIT_S * 2.0 ** (min(failures, 16) - 1), longest_s)
    # Jitter: a destination that comes back is not met by everybody at once.
    return time.time() + random.uniform(0.5, 1.0) * most_s  # noqa: S311  # no secret
