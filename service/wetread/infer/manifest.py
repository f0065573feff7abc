"""What a bundle's model.toml may say, schema version 2; `models/README.md` tells it to people."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from wetread.domain import Code, OperatingPoints

VERSION: Final = re.compile(r"\d+(\.\d+)*")

Text = Annotated[str, Field(min_length=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Years = Annotated[float, Field(ge=0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# One number for every channel, or a list with one for each.
_ALONE_OR_LIST = BeforeValidator(lambda value: value if isinstance(value, (list, tuple)) else (value,))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class InputSpec(_Part):
    """The tensor a model takes: float32 (N, channels, rows, columns).

    The displayed image, 0..1 with dense tissue bright, is fitted (`letterbox` keeps the aspect, centred,
    filled up with air; `square` resizes plainly and loses the aspect), turned to its negative where
    `polarity` says so, multiplied by `scale`, and then (x - mean) / std: one number, or one per channel.
    """

    name: Text
    rows: Annotated[int, Field(ge=16, le=4096)]
    columns: Annotated[int, Field(ge=16, le=4096)]
    channels: Literal[1, 3]
    fit: Literal["letterbox", "square"]
    mean: Annotated[tuple[float, ...], _ALONE_OR_LIST] = (0.0,)
    std: Annotated[tuple[Positive, ...], _ALONE_OR_LIST] = (1.0,)
    scale: Positive = 1.0
    polarity: Literal["dense_bright", "dense_dark"] = "dense_bright"

    @model_validator(mode="after")
    def _has_a_number_per_channel(self) -> Self:
        for name, value in (("mean", self.mean), ("std", self.std)):
            if len(value) not in (1, self.channels):
                raise ValueError(f"{name} has {len(value)} numbers for {self.channels} channels")
        return self


class ClassificationSpec(_Part):
    """Names of the ONNX outputs: logits (N, C) and, optional, heat map (N, C or 1, h, w), 0..1."""

    kind: Literal["classification"]
    logits: Text
    activation: Literal["sigmoid", "softmax"]
    heat_map: Text | None = None


class DetectionSpec(_Part):
    """Names of the ONNX outputs, float32 where nothing else is said.

    boxes (N, K, 4): left, top, right, bottom in pixels of the network's input; scores (N, K): 0..1, 0 for
    padding; classes (N, K), float32 or int64: the channel of the finding that a box belongs to; logits
    (N, C): the answer for the whole image, else the logit of the best score; heat map (N, C or 1, h, w).
    """

    kind: Literal["detection"]
    boxes: Text
    scores: Text
    classes: Text | None = None
    logits: Text | None = None
    heat_map: Text | None = None


class PictureSpec(_Part):
    """A guard: says what kind of picture it is shown.

    Names of the ONNX outputs: logits (N, kinds), softmax over `kinds`, and, optional, distance (N, 1): how
    far the picture is from all that the guard knows; beyond `most_distance` it is none of its kinds. A model
    reads a picture when the kinds that it may read add up to `least_probability`.
    """

    kind: Literal["picture"]
    logits: Text
    kinds: Annotated[tuple[Text, ...], Field(min_length=2)]
    least_probability: Annotated[float, Field(gt=0, lt=1)] = 0.5
    distance: Text | None = None
    most_distance: Positive | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if len(set(self.kinds)) != len(self.kinds):
            raise ValueError("two kinds have the same name")
        if self.most_distance is not None and self.distance is None:
            raise ValueError("most_distance needs the name of the distance output")
        return self


OutputSpec = Annotated[ClassificationSpec | DetectionSpec | PictureSpec, Field(discriminator="kind")]


class CodeSpec(_Part):
    """A coded concept (PS3.3 table 8.8-1)."""

    value: Text
    scheme: Text
    meaning: Text

    def to_code(self) -> Code:
        """The same as a noun of the domain."""
        return Code(self.value, self.scheme, self.meaning)


class OperatingPointsSpec(_Part):
    """Two thresholds on the calibrated probability."""

    sensitive: Probability
    specific: Probability

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.sensitive > self.specific:
            raise ValueError("sensitive must not exceed specific")
        return self

    def to_operating_points(self) -> OperatingPoints:
        """The same as a noun of the domain."""
        return OperatingPoints(self.sensitive, self.specific)


class Calibration(_Part):
    """Platt scaling: probability = sigmoid(a * logit + b)."""

    a: Positive = 1.0
    b: float = 0.0


class BoxesSpec(_Part):
    """Which boxes are shown: those of the detector whose score is at least `threshold`, else (classification)
    the connected components of the heat map at or above it."""

    threshold: Annotated[float, Field(gt=0, le=1)]


class FindingSpec(_Part):
    """One finding of a model. `channel` is its logit and class; absent, its position among the findings."""

    label: Text
    code: CodeSpec
    operating_points: OperatingPointsSpec
    calibration: Calibration = Calibration()
    channel: Annotated[int, Field(ge=0)] | None = None
    boxes: BoxesSpec | None = None


class Reads(_Part):
    """What a model may read. Empty lists and absent limits mean any; limits are themselves inside.

    Only a guard, which reads nothing, may leave out `modalities` and `sop_classes`.
    Body parts and views are upper-case DICOM defined terms (PS3.16 annex L). `pictures` are kinds of the
    guard; empty, the guard is not asked.
    """

    modalities: tuple[Text, ...] = ()
    sop_classes: tuple[Text, ...] = ()
    body_parts: tuple[Text, ...] = ()
    views: tuple[Text, ...] = ()
    pictures: tuple[Text, ...] = ()
    least_age_years: Years | None = None
    most_age_years: Years | None = None
    least_rows: Annotated[int, Field(ge=1)] = 1
    least_columns: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if (self.least_age_years or 0) > (self.most_age_years or float("inf")):
            raise ValueError("least_age_years must not exceed most_age_years")
        return self


class Manifest(_Part):
    """A bundle's model.toml, schema version 2."""

    schema_version: Literal[2] = Field(alias="schema")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    version: Annotated[str, Field(pattern=rf"^{VERSION.pattern}$")]
    title: Text
    intended_use: Text
    licence: Text
    device_uid: Annotated[str, Field(pattern=r"^[0-2](\.(0|[1-9]\d*))+$", max_length=64)]
    input: InputSpec
    output: OutputSpec
    findings: tuple[FindingSpec, ...] = ()
    reads: Reads = Reads()
    files: dict[str, Digest]

    @property
    def is_guard(self) -> bool:
        """Whether it says what a picture is, and reads no findings."""
        return isinstance(self.output, PictureSpec)

    @property
    def channels(self) -> tuple[int, ...]:
        """The channel of every finding, in their order."""
        return tuple(
            position if finding.channel is None else finding.channel
            for position, finding in enumerate(self.findings)
        )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.is_guard:
            if self.findings:
                raise ValueError("a model of kind picture has no [[findings]]")
            return self
        if not self.findings:
            raise ValueError("[[findings]]: there is none")
        if not (self.reads.modalities and self.reads.sop_classes):
            raise ValueError("[reads] names modalities and sop_classes, at least one of each")
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("two findings have the same channel")
        self._check_places()
        return self

    def _check_places(self) -> None:
        output = self.output
        if isinstance(output, ClassificationSpec) and output.heat_map is None and self._has_boxes():
            raise ValueError("[findings.boxes] needs the name of the heat_map output")
        if isinstance(output, DetectionSpec) and output.classes is None and len(self.findings) > 1:
            raise ValueError("several findings need the name of the classes output")

    def _has_boxes(self) -> bool:
        return any(finding.boxes is not None for finding in self.findings)
