"""The whole road once: every file of the data set and some wrapped images, from DCMTK to Orthanc."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from tests.builders import Film, chest_films, fracture_films, read_uids, with_own_identity, write
from tests.system.dcmtk import ENCODINGS, Encoding, Sent, dcmsend, storescu
from tests.system.orthanc import Held, Orthanc, new_orthanc, running_orthanc
from tests.system.wetread_service import Wetread, make_settings, wait_until_settled
from wetread.domain import Analysis, AnalysisState, Instance, Outcome, StudyUid
from wetread.ledger import Ledger

TABLE = Path(__file__).parent / "outcomes.toml"
ANSWERED = "answered"
QUIET_S = 1.0
_SETTLED_S = 200.0
_MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of one file, as the table writes it.

    `status` is the C-STORE answer; `kept` what became of the bytes when all files were sent as they are:
    `yes`, `other_bytes` (an instance of the same UID was there first), or the reason in quarantine.
    `outcome` is the image's, `fracture` and `pneumonia` each model's: `answered` or the reason why not;
    for `other_bytes` they are those of the same file sent again under a UID of its own.
    """

    status: str
    kept: str
    outcome: str = ""
    fracture: str = ""
    pneumonia: str = ""


@dataclass(frozen=True, slots=True)
class Road:
    """The running service after everything that was sent has its answer."""

    wetread: Wetread
    orthanc: Orthanc
    as_they_are: list[Sent]
    on_their_own: list[Sent]
    wrapped: list[Sent]
    films: list[Film]
    held: list[Held] = field(default_factory=list)

    @property
    def sent(self) -> list[Sent]:
        """Everything that was sent."""
        return [*self.as_they_are, *self.on_their_own, *self.wrapped]


@contextmanager
def travelled(folder: Path, *, models: Path, data: Path, queue: str) -> Iterator[Road]:
    """Start the service and an Orthanc, send everything, wait until all of it has its end."""
    orthanc = new_orthanc()
    settings = make_settings(orthanc.destination, queue=queue, quiet_s=QUIET_S)
    wetread = Wetread(folder / "wetread", models, settings)
    with running_orthanc(folder / "orthanc", orthanc, wetread_port=wetread.dicom_port), wetread.running():
        road = _send_all(folder, wetread, orthanc, data)
        wait_until_settled(wetread, within_s=_SETTLED_S)
        road.held.extend(orthanc.held())
        yield road


def read_table() -> dict[str, Outcomes]:
    """The proper outcome of every file, by file name."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {
        name: Outcomes(**{key: row[key] for key in row if key != "because"}) for name, row in rows.items()
    }


def observe(road: Road) -> dict[str, Outcomes]:
    """What became of every file of the data set."""
    own = {sent.path.name: sent for sent in road.on_their_own}
    with road.wetread.ledger() as ledger:
        refused = {entry.sop_instance_uid: entry.reason for entry in ledger.quarantine.page(limit=_MOST_ROWS)}
        return {
            sent.path.name: _observe_one(ledger, sent, own.get(sent.path.name), refused)
            for sent in road.as_they_are
        }


def uids_of(sent: Sent) -> tuple[str, str]:
    """Study and instance UID of what was sent, '' where it has none."""
    return read_uids(sent.path.read_bytes())


def _send_all(folder: Path, wetread: Wetread, orthanc: Orthanc, data: Path) -> Road:
    # The data set holds versions of the same image under the same UIDs: first all as they are,
    # in order of name, then those that met a namesake under UIDs of their own.
    files = sorted((data / "dicom").glob("*.dcm"))
    as_they_are = dcmsend(wetread.modality, files, report=folder / "as-they-are.txt")
    own = _with_own_identities(files, folder / "own")
    on_their_own = dcmsend(wetread.modality, own, report=folder / "own.txt")
    films = fracture_films(data, positive=3, negative=3) + chest_films(data, positive=3, negative=3)
    (folder / "wrapped").mkdir()
    wrapped = [
        _send_encoded(wetread, write(film, folder / "wrapped"), encoding)
        for film, encoding in zip(films, cycle(ENCODINGS), strict=False)
    ]
    return Road(wetread, orthanc, as_they_are, on_their_own, wrapped, films)


def _send_encoded(wetread: Wetread, path: Path, encoding: Encoding) -> Sent:
    encoding.apply(path)
    return storescu(wetread.modality, path, options=[encoding.proposal])[0]


def _with_own_identities(files: list[Path], folder: Path) -> list[Path]:
    folder.mkdir()
    seen: set[str] = set()
    made: list[Path] = []
    for path in files:
        _, instance = read_uids(path.read_bytes())
        if instance in seen:
            made.append(folder / path.name)
            made[-1].write_bytes(with_own_identity(path.read_bytes(), path.name))
        seen.add(instance)
    return made


def _observe_one(ledger: Ledger, sent: Sent, own: Sent | None, refused: dict[str, str]) -> Outcomes:
    study, uid = uids_of(sent)
    status = f"0x{sent.status:04X}"
    if sent.status:
        return Outcomes(status, refused.get(uid, "no row in quarantine"))
    if own is None:
        return _answer_of(ledger, status, "yes", study, uid)
    return _answer_of(ledger, f"0x{own.status:04X}", "other_bytes", *uids_of(own))


def _answer_of(ledger: Ledger, status: str, kept: str, study: str, uid: str) -> Outcomes:
    instances = [i for i in ledger.instances.of_study(StudyUid(study)) if i.header.SOPInstanceUID == uid]
    analyses = ledger.analyses.of_study(StudyUid(study))
    answers = {a.model.name: _said(a) for i in _first(instances) for a in analyses.get(i.id, [])}
    outcome = ANSWERED if ANSWERED in answers.values() else Outcome.NOT_EVALUABLE.value
    return Outcomes(status, kept, outcome if answers else "", **answers)


def _first(instances: list[Instance]) -> list[Instance]:
    return [instance for instance in instances if not instance.is_conflicting]


def _said(analysis: Analysis) -> str:
    return ANSWERED if analysis.state is AnalysisState.DONE else analysis.reason
