"""What the HTTP door says, as JSON. DICOM values keep their keyword; times are ISO 8601, UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from wetread.api.problems import Problem
from wetread.domain import AnalysisState, DeliveryState, ObjectKind, Outcome, Zone

_EXAMPLE_UID: Final = "2.25.138472650917364820173645091827364509"

# PS3.5 9.1. An example keeps programs that try the API from guessing.
Uid = Annotated[str, Path(pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$", max_length=64, examples=[_EXAMPLE_UID])]


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class PatientOut(_Out):
    """As the images said; empty where they did not."""

    id: str = Field(examples=["PHANTOM-1"])
    name: str = Field(examples=["PHANTOM^QC"])
    birth_date: str = Field(examples=["19700101"])
    sex: str = Field(examples=["O"])


class CodeOut(_Out):
    """A coded concept (PS3.3 table 8.8-1)."""

    value: str = Field(examples=["125605004"])
    scheme: str = Field(examples=["SCT"])
    meaning: str = Field(examples=["Fracture of bone"])


class OperatingPointsOut(_Out):
    """Two thresholds on the probability; they cut it in negative, doubtful, positive."""

    sensitive: float = Field(ge=0, le=1, examples=[0.2])
    specific: float = Field(ge=0, le=1, examples=[0.6])


class BoxOut(_Out):
    """Pixels of the original image, 0-based; right and bottom are exclusive edges."""

    left: float
    top: float
    right: float
    bottom: float
    probability: float = Field(ge=0, le=1)


class FindingOut(_Out):
    """One coded concept on one image, as one model sees it."""

    code: CodeOut
    label: str = Field(examples=["Fracture"])
    probability: float = Field(ge=0, le=1, examples=[0.87])
    zone: Zone
    operating_points: OperatingPointsOut
    boxes: list[BoxOut]
    has_heat_map: bool


class ModelRef(_Out):
    """A model by name and version; `digest` is the SHA-256 of its network."""

    name: str = Field(examples=["fracture"])
    version: str = Field(examples=["1.0.0"])
    digest: str


class ReasonOut(_Out):
    """Why there is no answer: a stable code, and words for people."""

    code: str = Field(examples=["body_part_out_of_scope"])
    text: str = Field(examples=["body part ABDOMEN is not read by this model"])


class AnalysisOut(_Out):
    """One image x one model. `reason` is there when it was declined or failed."""

    model: ModelRef
    state: AnalysisState
    reason: ReasonOut | None
    provider: str = Field(examples=["CPUExecutionProvider"])
    attempts: int
    findings: list[FindingOut]


class ImageOut(_Out):
    """One image as received. A conflicting one has the UID of another with other bytes: not analysed."""

    SOPInstanceUID: str
    SOPClassUID: str
    modality: str = Field(examples=["DX"])
    body_part: str = Field(examples=["FOREARM"])
    view: str = Field(examples=["AP"])
    laterality: str = Field(examples=["R"])
    rows: int
    columns: int
    size_bytes: int
    received_at: datetime
    calling_aet: str
    is_conflicting: bool
    rendered: str = Field(description="Path of the picture; add ?overlay=boxes, heatmap or none.")
    analyses: list[AnalysisOut]


class FindingSummary(_Out):
    """One concept over a whole study, where it is most probable."""

    label: str
    probability: float = Field(ge=0, le=1)
    zone: Zone


class StudyLineOut(_Out):
    """One line of the worklist. `zone` and `outcome` are null until there is an answer."""

    StudyInstanceUID: str = Field(examples=[_EXAMPLE_UID])
    state: Literal["open", "concluded"]
    revision: int = Field(description="0 until the study is concluded for the first time.")
    outcome: Outcome | None
    zone: Zone | None
    is_urgent: bool
    first_image_at: datetime
    last_image_at: datetime
    concluded_at: datetime | None
    image_count: int
    unread_image_count: int = Field(description="Images that no model gave an answer for, so far or at all.")
    patient: PatientOut
    accession_number: str
    study_date: str
    study_time: str
    study_description: str
    findings: list[FindingSummary]
    problem: str = Field(description="Why the answer is held back; empty when it is not.")


class WorklistOut(_Out):
    """One page in triage order. `next_cursor` is null on the last page."""

    items: list[StudyLineOut]
    total: int
    next_cursor: str | None


class ObjectOut(_Out):
    """One DICOM object that Wetread made."""

    SOPInstanceUID: str
    SOPClassUID: str
    SeriesInstanceUID: str
    kind: ObjectKind
    size_bytes: int
    source: str | None = Field(description="The one image it shows, if it shows one.")
    href: str


class RevisionOut(_Out):
    """One terminal answer of a study."""

    revision: int
    outcome: Outcome
    created_at: datetime
    objects: list[ObjectOut]


class StepOut(_Out):
    """One step of the road. `at` is its end; `since_first_ms` counts from the first image."""

    step: str = Field(examples=["analyse.infer"])
    at: datetime
    since_first_ms: float
    duration_ms: float
    SOPInstanceUID: str | None
    revision: int
    detail: str


class DeliveryOut(_Out):
    """One object x one destination."""

    id: int
    StudyInstanceUID: str
    SOPInstanceUID: str
    kind: ObjectKind
    destination: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    last_status: str = Field(examples=["0x0000"])
    last_error: str
    sent_at: datetime | None


class HeldObjectOut(_Out):
    """One result object that failed the project's own checks and did not leave."""

    id: int
    at: datetime
    StudyInstanceUID: str
    revision: int
    kind: ObjectKind
    SOPInstanceUID: str = Field(description="What it would have had; the plainer one instead has it.")
    source: str | None = Field(description="The one image it is about, if it is about one.")
    reason: str = Field(examples=["PatientOrientation differs from the source"])


class StudyOut(StudyLineOut):
    """All that is known of one study."""

    images: list[ImageOut]
    revisions: list[RevisionOut]
    timeline: list[StepOut]
    deliveries: list[DeliveryOut]
    held: list[HeldObjectOut]


class HeldObjectsOut(_Out):
    """One page, oldest first."""

    items: list[HeldObjectOut]
    next_cursor: str | None


class DeliveriesOut(_Out):
    """One page, oldest first."""

    items: list[DeliveryOut]
    next_cursor: str | None


class QuarantinedOut(_Out):
    """One object that was not taken, and why."""

    id: int
    at: datetime
    reason: ReasonOut
    size_bytes: int
    SOPInstanceUID: str
    calling_aet: str
    peer: str
    door: str
    is_kept: bool = Field(description="Whether a bounded copy of its bytes is in the spool.")


class QuarantineOut(_Out):
    """One page, oldest first."""

    items: list[QuarantinedOut]
    next_cursor: str | None


class UploadedFile(_Out):
    """What became of one uploaded file. `problem` is there when it was not taken."""

    name: str
    status: int = Field(examples=[202])
    StudyInstanceUID: str | None = None
    SOPInstanceUID: str | None = None
    is_new: bool = False
    is_conflicting: bool = False
    analyses: int = Field(0, description="How many analyses it gave rise to.")
    problem: Problem | None = None


class UploadOut(_Out):
    """One entry per file, in the order they came."""

    files: list[UploadedFile]


class ModelFindingOut(_Out):
    """One finding a model answers."""

    label: str
    code: CodeOut
    operating_points: OperatingPointsOut


class ModelOut(_Out):
    """One model as it runs here. An empty list or null means any."""

    name: str = Field(examples=["fracture"])
    version: str = Field(examples=["1.0.0"])
    digest: str
    kind: Literal["classification", "detection", "picture"] = Field(
        description="`picture`: a guard, which finds nothing and keeps the others from what they do not read"
    )
    signed_by: str = Field(description="Id of the trusted key that signed the bundle; empty when unsigned.")
    title: str
    intended_use: str
    licence: str
    device_uid: str
    findings: list[ModelFindingOut]
    modalities: list[str]
    body_parts: list[str]
    views: list[str]
    pictures: list[str]
    least_age_years: float | None
    most_age_years: float | None
    least_rows: int
    least_columns: int


class ModelWithCard(ModelOut):
    """The same with its card, Markdown."""

    card: str


class ModelsOut(_Out):
    """Every model that runs here."""

    items: list[ModelOut]


class PartOut(_Out):
    """One living part of the service."""

    role: str = Field(examples=["analyse"])
    provider: str = Field(examples=["CPUExecutionProvider"])
    models: list[str] = Field(examples=[["fracture 1.0.0"]])
    started_at: datetime
    beat_at: datetime


class CheckOut(_Out):
    """One thing that must be well for the service to be ready."""

    ok: bool
    detail: str
    parts: list[PartOut] = Field(default_factory=list)


class HealthOut(_Out):
    """The process lives."""

    status: Literal["alive"] = "alive"


class ReadyOut(_Out):
    """`ready` when every check is."""

    status: Literal["ready", "not_ready"]
    version: str
    checks: dict[str, CheckOut]
