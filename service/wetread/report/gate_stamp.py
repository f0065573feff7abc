"""What every object says of its patient, its maker and its moment, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from wetread.domain import SOFTWARE_VERSION, ModelId, ObjectKind
from wetread.report import codes, identity
from wetread.report.capture import series_description
from wetread.report.content import values_by_tag
from wetread.report.heading import add_series, instance_number
from wetread.report.results import ImageResult
from wetread.report.source import IDENTITY, local_time

_MAKER: Final = (
    ("Manufacturer", identity.MANUFACTURER),
    ("ManufacturerModelName", identity.MODEL_NAME),
    ("SoftwareVersions", SOFTWARE_VERSION),
    ("InstanceCreatorUID", identity.OBSERVER_UID),
)
_LENT: Final = tuple((tag_for_keyword(keyword) or 0, keyword) for keyword in (*IDENTITY, "StudyInstanceUID"))
_PLACE: Final = ("BodyPartExamined", "Laterality", "ImageLaterality")


def stamp_defects(ds: Dataset, kind: ObjectKind, *, source: Dataset, at: float) -> Iterator[str]:
    """Compare with the image that lends patient and study, and with `at`, seconds since the epoch."""
    said, asked = values_by_tag(ds), values_by_tag(source)
    for tag, keyword in _LENT:
        if (tag in said) != (tag in asked) or str(said.get(tag) or "") != str(asked.get(tag) or ""):
            yield f"{keyword} differs from the source"
    for keyword, value in _MAKER:
        if ds.get(keyword) != value:
            yield f"{keyword} is not this software's"
    if ds.get("SeriesDescription") != series_description(kind):
        yield "SeriesDescription is not the one of its kind"
    if ds.get("SeriesNumber") != identity.SERIES_NUMBER[kind]:
        yield "SeriesNumber is not the one of its kind"
    yield from _moment_defects(ds, kind, source=source, at=at)


def _moment_defects(ds: Dataset, kind: ObjectKind, *, source: Dataset, at: float) -> Iterator[str]:
    """When the study was concluded, in the time zone of the source (PS3.3 C.12.1.1.8)."""
    moment = local_time(at, source)
    content = "PresentationCreation" if kind is ObjectKind.PRESENTATION_STATE else "Content"
    for prefix in (content, "InstanceCreation"):
        if ds.get(f"{prefix}Date") != moment.strftime("%Y%m%d"):
            yield f"{prefix}Date is not that of the conclusion"
        if ds.get(f"{prefix}Time") != moment.strftime("%H%M%S"):
            yield f"{prefix}Time is not that of the conclusion"
    if ds.TimezoneOffsetFromUTC != moment.strftime("%z")[:5]:
        yield "TimezoneOffsetFromUTC is not the source's"


def place_defects(
    ds: Dataset, image: ImageResult, kind: ObjectKind, *, source: Dataset, place: int = 0
) -> Iterator[str]:
    """Part of the body, side and number of an object about one image, against the source's."""
    wanted = Dataset()
    add_series(wanted, image, kind, source=source)
    for keyword in _PLACE:
        if ds.get(keyword) != wanted.get(keyword):
            yield f"{keyword} differs from the source"
    if ds.InstanceNumber != instance_number(source, place=place):
        yield "InstanceNumber is not the source's"


def equipment_defects(ds: Dataset, models: Iterable[ModelId]) -> Iterator[str]:
    """Contributed have the networks that ran, and nobody else."""
    said = [_equipment(item) for item in ds.get("ContributingEquipmentSequence") or []]
    if sorted(said) != sorted(_network(model) for model in set(models)):
        yield "the contributing equipment is not the networks that ran"


def _equipment(item: Dataset) -> tuple[str, ...]:
    keywords = ("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "DeviceUID")
    purposes = item.get("PurposeOfReferenceCodeSequence") or [Dataset()]
    digest = str(item.get("ContributionDescription", "")).rpartition(" SHA-256 ")[2]
    told = (str(item.get(keyword, "")) for keyword in keywords)
    purpose = (str(purposes[0].get(k, "")) for k in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"))
    return (*told, digest, *purpose)


def _network(model: ModelId) -> tuple[str, ...]:
    made = (identity.MANUFACTURER, model.name[:64], model.version[:64], identity.device_uid(model))
    purpose = codes.PROCESSING_ALGORITHM
    return (*made, model.digest or "Neural network", purpose.value, purpose.scheme, purpose.meaning)
