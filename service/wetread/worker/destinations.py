"""What a publisher says of its destinations as it starts, and what in their settings will surprise."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence

from wetread.domain import Destination
from wetread.ledger import Ledger

logger = logging.getLogger(__name__)


def say_destinations(destinations: Sequence[Destination], *, ledger: Ledger, listens_at: str) -> None:
    """Log where results go, and warn of what will not arrive; `listens_at` is the listener's host."""
    names = [item.name for item in destinations]
    if destinations:
        logger.info("publishing", extra={"destinations": ", ".join(names)})
    else:
        logger.warning("no destination is set: answers stay here")
    for name, count in ledger.views.stranded(names).items():
        fields = {"destination": name, "deliveries": count}
        logger.warning("owed to a destination that is not set any more: not sent", extra=fields)
    for item in destinations:
        if item.authorization and item.url.startswith("http:"):
            logger.warning("credentials go without TLS", extra={"destination": item.name})
        if _is_deaf_to(item, listens_at):
            fields = {"destination": item.name, "listener": listens_at}
            logger.warning("a later report of storage commitment cannot reach the listener", extra=fields)


def _is_deaf_to(destination: Destination, listens_at: str) -> bool:
    """Whether an archive elsewhere is to report to a listener that this machine alone can reach."""
    reports = destination.kind == "dicom" and destination.commits
    return reports and _is_loopback(listens_at) and not _is_loopback(destination.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
