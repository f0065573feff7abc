"""The nouns every room shares: plain frozen values, no input or output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import NewType

SOFTWARE_VERSION = "0.1.0"
# PS3.7 annex D.3.3.2: names this implementation, not a release, so that a file kept before an upgrade
# and the same image sent again after it are the same bytes.
IMPLEMENTATION_CLASS_UID = "2.25.280915736420134918530617824095571032641"
IMPLEMENTATION_VERSION_NAME = "WETREAD"

# The reason of an analysis that ended its worker, or failed in it, too often.
ATTEMPTS_EXHAUSTED = "attempts_exhausted"
# The status of a delivery that waits for the hours of its destination.
OUTSIDE_HOURS = "outside_hours"

# When what only a person starts again is due, epoch seconds: a time that does not come.
NEVER = 2.0**40

StudyUid = NewType("StudyUid", str)
SopInstanceUid = NewType("SopInstanceUid", str)
SpoolKey = NewType("SpoolKey", str)
InstanceId = NewType("InstanceId", int)
AnalysisId = NewType("AnalysisId", int)
DeliveryId = NewType("DeliveryId", int)


class Zone(StrEnum):
    """Where a probability lies between a finding's two operating points."""

    POSITIVE = "positive"
    DOUBTFUL = "doubtful"
    NEGATIVE = "negative"


class Outcome(StrEnum):
    """The terminal answer of one study revision."""

    FINDINGS = "findings"
    NO_FINDINGS = "no_findings"
    NOT_EVALUABLE = "not_evaluable"


class Lane(StrEnum):
    """Priority lane of an analysis."""

    URGENT = "urgent"
    ROUTINE = "routine"


class AnalysisState(StrEnum):
    """Life of one instance x model. `DECLINED` and `FAILED` carry a reason code."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    DECLINED = "declined"
    FAILED = "failed"


class DeliveryState(StrEnum):
    """Life of one object x destination.

    `DEGRADED`: the destination takes no such object, and gets the plainer ones that say the same.
    """

    PENDING = "pending"
    SENT = "sent"
    COMMITTED = "committed"
    DEGRADED = "degraded"
    REFUSED = "refused"


class ObjectKind(StrEnum):
    """What a result object is. The two reports say the same in two SOP classes, for new and older PACS."""

    STRUCTURED_REPORT = "sr"
    COMPREHENSIVE_REPORT = "sr-comprehensive"
    CAPTURE = "capture"
    HEAT_MAP_CAPTURE = "heat-map-capture"
    PRESENTATION_STATE = "gsps"
    KEY_OBJECT = "ko"
    HEAT_MAP = "heat-map"


class Profile(StrEnum):
    """How much a destination gets; each profile holds all that the one before it does."""

    CAPTURES = "sc-only"
    REPORTS = "sc+sr"
    PRESENTATION = "sc+sr+gsps+ko"
    EVERYTHING = "everything"

    @property
    def kinds(self) -> tuple[ObjectKind, ...]:
        """The kinds of object in it, the most widely shown first."""
        ladder = list(Profile)
        return sum((_ADDED[step] for step in ladder[: ladder.index(self) + 1]), ())


_ADDED = MappingProxyType(
    {
        Profile.CAPTURES: (ObjectKind.CAPTURE,),
        Profile.REPORTS: (ObjectKind.STRUCTURED_REPORT,),
        Profile.PRESENTATION: (ObjectKind.PRESENTATION_STATE, ObjectKind.KEY_OBJECT),
        Profile.EVERYTHING: (ObjectKind.HEAT_MAP_CAPTURE, ObjectKind.HEAT_MAP),
    }
)


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: value, coding scheme designator, meaning (PS3.3 table 8.8-1)."""

    value: str
    scheme: str
    meaning: str


def agreed_side(of_image: str, of_series: str) -> str:
    """The side of an image whose header states it twice, '' where the two contradict each other."""
    return (of_image or of_series) if not (of_image and of_series) or of_image == of_series else ""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the original image.

    0-based; the outer corner of the first pixel is (0, 0); `right` and `bottom` are exclusive
    edges. `probability` 0..1 is the peak evidence inside.
    """

    left: float
    top: float
    right: float
    bottom: float
    probability: float


@dataclass(frozen=True, slots=True)
class OperatingPoints:
    """Two thresholds on the calibrated probability; `sensitive` <= `specific`."""

    sensitive: float
    specific: float

    def zone(self, probability: float) -> Zone:
        """Cut the probability in three."""
        if probability >= self.specific:
            return Zone.POSITIVE
        return Zone.DOUBTFUL if probability >= self.sensitive else Zone.NEGATIVE


@dataclass(frozen=True, slots=True)
class Finding:
    """One coded concept on one image, as one model sees it.

    `probability` is calibrated, 0..1. `boxes` are empty when negative. `heat_map` names a spool
    object: a NumPy .npy array (rows, columns), float16 0..1, spread over the whole image.
    """

    code: Code
    label: str
    probability: float
    zone: Zone
    operating_points: OperatingPoints
    boxes: tuple[Box, ...] = ()
    heat_map: SpoolKey | None = None


@dataclass(frozen=True, slots=True)
class ModelId:
    """A bundle by name and version; `digest` is the SHA-256 of its model.onnx."""

    name: str
    version: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What is read of one image before its pixels, normalised for routing.

    Text is upper case and stripped; '' or None where the object does not say.
    """

    SOPClassUID: str
    SOPInstanceUID: SopInstanceUid
    StudyInstanceUID: StudyUid
    SeriesInstanceUID: str
    TransferSyntaxUID: str
    Modality: str
    body_part: str
    view: str
    laterality: str
    age_years: float | None
    PhotometricInterpretation: str
    Rows: int
    Columns: int
    BitsStored: int
    SamplesPerPixel: int
    frames: int
    has_pixel_data: bool
    is_presentation: bool
    is_human: bool
    is_urgent: bool
    Manufacturer: str
    StudyDate: str
    StudyTime: str
    StudyDescription: str
    AccessionNumber: str
    PatientID: str
    PatientName: str
    PatientBirthDate: str
    PatientSex: str


@dataclass(frozen=True, slots=True)
class Instance:
    """One SOP instance as received and kept; `digest` is the SHA-256 of its data set bytes.

    `received_at` is seconds since the epoch, UTC.
    """

    id: InstanceId
    header: ImageHeader
    digest: str
    spool_key: SpoolKey
    size_bytes: int
    received_at: float
    calling_aet: str
    is_conflicting: bool = False


@dataclass(frozen=True, slots=True)
class Analysis:
    """One instance x one model x one version: unique, and the unit of work.

    `reason` is a stable code (such as `body_part_out_of_scope`) when declined or failed;
    `reason_text` says it to a person. `provider` is ONNX Runtime's execution provider.
    """

    id: AnalysisId
    instance_id: InstanceId
    model: ModelId
    state: AnalysisState
    lane: Lane = Lane.ROUTINE
    attempts: int = 0
    reason: str = ""
    reason_text: str = ""
    provider: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultObject:
    """One DICOM object Wetread made, durable in the spool before it is listed."""

    SOPInstanceUID: SopInstanceUid
    SOPClassUID: str
    SeriesInstanceUID: str
    kind: ObjectKind
    spool_key: SpoolKey
    size_bytes: int
    source: SopInstanceUid | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A study revision's answer and its objects: `answer` in words, of the images `inputs`.

    `inputs` is empty for a revision that an older program concluded: it did not note them.
    """

    study: StudyUid
    revision: int
    outcome: Outcome
    created_at: float
    objects: tuple[ResultObject, ...] = ()
    answer: str = ""
    inputs: tuple[SopInstanceUid, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One object x one destination; `claimed_by` is the publisher that took it last.

    `commit_lapses` counts the requests for storage commitment since it was sent that led to nothing.
    """

    id: DeliveryId
    object: ResultObject
    study: StudyUid
    destination: str
    state: DeliveryState
    attempts: int = 0
    created_at: float = 0.0
    next_attempt_at: float = 0.0
    last_status: str = ""
    last_error: str = ""
    sent_at: float | None = None
    claimed_by: str = ""
    commit_lapses: int = 0


@dataclass(frozen=True, slots=True)
class CommitmentReport:
    """A destination's answer to a request for storage commitment (PS3.4 J.3.3).

    `kept` it has committed itself to keep; `failed` it has not, each with the reason in words.
    """

    transaction_uid: str
    kept: frozenset[SopInstanceUid]
    failed: Mapping[SopInstanceUid, str]


@dataclass(frozen=True, slots=True)
class Tls:
    """How a connection is secured: whom we trust, and who we are (PEM files; both of ours or neither)."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    checks_host: bool = True


@dataclass(frozen=True, slots=True)
class Hours:
    """A daily time in local minutes since midnight; it passes midnight when `end` <= `start`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Destination:
    """Where results go.

    `objects` are the kinds it gets. `url` and `authorization` (a whole header value) are for DICOMweb.
    `calling_aet` '' means the listener's own. `per_minute` 0 and `hours` empty mean no limit.
    With `commits`, a delivery is done only when the destination has committed itself to keep the object.
    """

    name: str
    kind: str
    host: str = ""
    port: int = 0
    ae_title: str = ""
    objects: tuple[ObjectKind, ...] = Profile.REPORTS.kinds
    calling_aet: str = ""
    url: str = ""
    authorization: str = field(default="", repr=False)
    tls: Tls | None = None
    commits: bool = False
    commit_wait_s: float = 600.0
    per_minute: int = 0
    hours: tuple[Hours, ...] = ()

    def takes(self, kind: ObjectKind) -> bool:
        """Whether this destination wants objects of this kind."""
        return kind in self.objects
