"""The sender's part of the statement: each destination, what is proposed to it, what its answers mean."""

from __future__ import annotations

from collections.abc import Sequence

from wetread.conformance.document import Row, Section, Table
from wetread.conformance.objects import TITLE_OF
from wetread.deliver.classes import SOP_CLASS_OF, SUBSTITUTES
from wetread.deliver.commitment import LISTEN_S
from wetread.domain import Destination, Hours, Profile

_NOT_SET = "not set"


def sender_section(destinations: Sequence[Destination], *, listener_aet: str) -> Section:
    """The initiator's AE specification (PS3.2 A.4.2), and STOW-RS as a user agent (PS3.18)."""
    return Section(
        "The sender",
        (
            "Initiates one association per DICOM destination and publishing process when results are due, "
            "keeps it between objects and releases it when idle. It proposes the classes below and no "
            "others, each with Explicit VR Little Endian and with Implicit VR Little Endian in a context of "
            "its own. Role SCU. Storage commitment has an association of its own. To a DICOMweb destination "
            "it sends each object by STOW-RS as application/dicom; with commitment it asks by QIDO-RS.",
        ),
        (
            _destinations(destinations, listener_aet),
            _proposed(destinations),
            _statuses(),
            _commitment(),
            _profiles(),
        ),
    )


def _destinations(destinations: Sequence[Destination], listener_aet: str) -> Section:
    rows = tuple(_destination(one, listener_aet) for one in destinations)
    head = ("Name", "Kind", "Address", "Called AE", "Calling AE", "TLS", "Commitment", "Limits")
    text = "No destination is set: results stay here." if not rows else "As set in this installation."
    return Section("Destinations", (text, Table(head, rows)) if rows else (text,))


def _destination(one: Destination, listener_aet: str) -> Row:
    is_web = one.kind == "dicomweb"
    limits = [f"{one.per_minute} objects a minute"] if one.per_minute else []
    limits += [_clock(hours) for hours in one.hours]
    return (
        one.name,
        "DICOMweb (STOW-RS)" if is_web else "DICOM (C-STORE)",
        one.url if is_web else f"{one.host}:{one.port}",
        "" if is_web else one.ae_title,
        "" if is_web else one.calling_aet or listener_aet,
        _tls(one),
        _commits(one),
        ", ".join(limits) or "none",
    )


def _commits(one: Destination) -> str:
    if not one.commits:
        return "not asked"
    return "asked by QIDO-RS" if one.kind == "dicomweb" else f"awaited, {one.commit_wait_s:g} s"


def _tls(one: Destination) -> str:
    if one.tls is None:
        return "system authorities" if one.url.startswith("https:") else "no"
    own = "with our certificate" if one.tls.certificate else "server certificate only"
    return f"yes, {own}"


def _clock(hours: Hours) -> str:
    start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (hours.start, hours.end))
    return f"{start}-{end} local time"


def _proposed(destinations: Sequence[Destination]) -> Section:
    rows = tuple(
        (
            TITLE_OF[kind],
            SOP_CLASS_OF[kind],
            ", ".join(d.name for d in destinations if d.takes(kind)) or _NOT_SET,
        )
        for kind in SOP_CLASS_OF
    )
    also = (
        f"To who gets the {TITLE_OF[kind]}, the {TITLE_OF[form]} is proposed too, and goes where the first "
        "is not taken."
        for kind, form in SUBSTITUTES.items()
    )
    return Section(
        "Result objects by destination", (Table(("Object", "SOP class UID", "Sent to"), rows), *also)
    )


def _commitment() -> Section:
    rows: tuple[Row, ...] = (
        ("Request", "N-ACTION for up to 200 objects, on an association with this context alone."),
        (
            "Report",
            f"On that association for {LISTEN_S:g} s, or on one that the archive opens to the listener.",
        ),
        ("Objects that failed", "Sent again, five times; then shown to a person, and sent ever more slowly."),
        (
            "No report in time",
            "Asked again under a new transaction; after three times slowly, and shown; a week long.",
        ),
        ("A late or repeated report", "Late ones count, repeated ones change nothing."),
    )
    return Section(
        "Storage commitment (Push Model, SCU)",
        ("For destinations that are set to commit themselves.", Table(("Part", "Behaviour"), rows)),
    )


def _statuses() -> Section:
    rows: tuple[Row, ...] = (
        ("0000, 0111", "Delivered."),
        ("Bxxx", "Delivered; the warning is kept with the delivery."),
        (
            "A7xx, no answer, lost or rejected association",
            "Sent again without end: pauses grow to a minute where the archive is away, to an hour else.",
        ),
        (
            "0122, or no presentation context",
            "Not sent in this class: plainer objects that say the same go instead; without any, refused.",
        ),
        ("A9xx, Cxxx, others", "Refused: shown to a person, who may send it again; tried again slowly."),
    )
    return Section("C-STORE response statuses received", (Table(("Status", "What follows"), rows),))


def _profiles() -> Section:
    rows = tuple((profile.value, ", ".join(TITLE_OF[kind] for kind in profile.kinds)) for profile in Profile)
    text = "Each holds what the one before holds. Where a class is refused, the next lower one goes."
    return Section("Profiles", (text, Table(("Profile", "Objects"), rows)))
