"""The listener's part of the statement: what it takes, from whom, and what it answers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from wetread.config import DicomSettings
from wetread.conformance.document import Row, Section, Table
from wetread.deliver.commitment import REPORT_ANSWERS, STORAGE_COMMITMENT
from wetread.errors import Rejected, Transient
from wetread.receive.contexts import STORAGE_CLASSES, TRANSFER_SYNTAXES, VERIFICATION
from wetread.receive.listener import MAXIMUM_PDU_BYTES
from wetread.receive.statuses import ANSWERS, PROCESSING_FAILURE, SUCCESS

VERIFICATION_NAME: Final = "Verification"
# Families say what to do, not what happened.
_FAMILIES: Final[dict[type[Exception], str]] = {
    Transient: "The ledger or the disk is away: send it again.",
    Rejected: "Cannot be parsed, is cut short, empty or too large, or may not be kept.",
}


def listener_section(settings: DicomSettings, *, titles: Collection[str]) -> Section:
    """The acceptor's AE specification (PS3.2 A.4.2); `titles` are those it calls with elsewhere."""
    return Section(
        f"AE {settings.ae_title}: the listener",
        (
            "Accepts associations for verification, storage, and reports of storage commitment, for which "
            "both roles are accepted. Every image it answers with success is kept byte for byte, unknown "
            "and private attributes included, and its row in the ledger is on disk. Results of its own that "
            "an archive routes back are answered with success and not kept again.",
        ),
        (_policies(settings, titles), _contexts(), _answers(), _reports(), _storage()),
    )


def _policies(settings: DicomSettings, titles: Collection[str]) -> Section:
    own = ", ".join(sorted({settings.ae_title, *titles}))
    called = f"{own}; others are rejected (1, 1, 7)" if settings.check_called_aet else "any"
    callers = f"{', '.join(settings.allowed_callers)}; others are rejected (1, 1, 3)"
    rows: tuple[Row, ...] = (
        ("Address", f"{settings.host}:{settings.port}"),
        ("Called AE title", called),
        ("Calling AE titles", callers if settings.allowed_callers else "any"),
        ("Simultaneous associations", str(settings.max_associations)),
        ("Maximum PDU length offered", f"{MAXIMUM_PDU_BYTES} bytes"),
        ("Largest object", f"{settings.max_object_bytes} bytes; larger ones are answered C000"),
        ("Asynchronous operations window", "not negotiated: one operation at a time"),
        ("Time-outs (network, ACSE, DIMSE)", f"{settings.network_timeout_s:g} s"),
    )
    return Section("Association policies", (Table(("Parameter", "Value"), rows),))


def _contexts() -> Section:
    syntaxes: tuple[Row, ...] = tuple((name, uid) for uid, name in TRANSFER_SYNTAXES.items())
    classes: tuple[Row, ...] = ((VERIFICATION_NAME, VERIFICATION, "the first two"),)
    classes += tuple((name, uid, "all") for uid, name in STORAGE_CLASSES.items())
    classes += (("Storage Commitment Push Model", STORAGE_COMMITMENT, "the first two"),)
    return Section(
        "Presentation contexts",
        (
            "Role SCP; for storage commitment both roles, to take reports alone: a request to commit is "
            "answered 0211. Of the transfer syntaxes that a context proposes, the first in this "
            "list is accepted. Radiographs (CR, DX) are read; every other class is taken so that its study "
            "gets an explained answer.",
            Table(("SOP class", "UID", "Transfer syntaxes"), classes),
            Table(("Transfer syntax", "UID"), syntaxes),
        ),
    )


def _answers() -> Section:
    rows: list[Row] = [
        (_hex(SUCCESS), "Kept: file and ledger row are on disk. Also for a known object sent again.")
    ]
    rows += [(_hex(status), _meaning(error)) for error, status in ANSWERS]
    rows.append((_hex(PROCESSING_FAILURE), "A fault of the service."))
    return Section("C-STORE response statuses", (Table(("Status", "When"), tuple(rows)),))


def _reports() -> Section:
    rows: list[Row] = [(_hex(SUCCESS), "Entered, or known already.")]
    rows += [(_hex(status), text) for status, text in REPORT_ANSWERS.items()]
    return Section("N-EVENT-REPORT response statuses", (Table(("Status", "When"), tuple(rows)),))


def _meaning(error: type[Exception]) -> str:
    """What the error's own documentation says first."""
    return _FAMILIES.get(error) or (error.__doc__ or "").splitlines()[0]


def _storage() -> Section:
    return Section(
        "Storage behaviour",
        (
            "Level 2 (full), without elements coerced or dropped. An object of a known SOP Instance UID and "
            "the same bytes makes no second analysis. One of the same UID and other bytes is kept beside "
            "the first, flagged, answered with success and, in the same study, not read: nothing is "
            "overwritten. What cannot be understood is listed in the quarantine with its reason and its "
            "first bytes.",
        ),
    )


def _hex(status: int) -> str:
    return f"{status:04X}"
