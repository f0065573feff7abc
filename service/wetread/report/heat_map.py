"""Where a network saw what it saw, as numbers: a Parametric Map of 32-bit floating point values 0..1.

A radiograph has no place in space, and a Parametric Map must have one. So it gets a surrogate: a plane with
the image's first pixel at the origin, rows along x, columns along y. The map keeps the network's own
resolution and covers the whole image.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Final

import highdicom as hd
import numpy as np
from highdicom import sr
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from wetread.domain import SOFTWARE_VERSION, ObjectKind
from wetread.report import answer, codes, identity
from wetread.report.heading import add_series, heading, instance_number, reference_to
from wetread.report.items import concept
from wetread.report.results import BuiltObject, Evidence, ImageResult, Proof, StudyResult
from wetread.report.source import pixel_aspect, pixel_spacing_mm, quiet, source_of
from wetread.report.stamp import add_equipment, stamp

SURROGATE_NOTE: Final = (
    "Surrogate geometry: a projection has no position in space. Origin at the centre of the source image's "
    "first pixel, x along its rows, y along its columns; the map covers the whole source image."
)
_UNCALIBRATED_NOTE: Final = "The source states no spacing: 1 mm across a pixel is a surrogate as well."
_THICKNESS_MM: Final = 1.0


def build_heat_map(image: ImageResult, study: StudyResult, evidence: Evidence) -> BuiltObject:
    """One finding's evidence over one image, 0 none to 1 full, which is no probability of the finding.

    Raises Unreadable when the source header cannot be read.
    """
    source, kind = source_of(image), ObjectKind.HEAT_MAP
    with quiet():
        made = _map(image, source, evidence)
        ds = heading(study, kind, modality="OT")
        add_series(ds, image, kind, source=source)
        for element in made:
            if element.tag not in ds:
                ds.add(element)
        ds.SOPInstanceUID = identity.heat_map_uid(image, evidence.model, evidence.finding)
        _derive(ds, image, source)
        add_equipment(ds, (a for a in answer.done(image) if a.model == evidence.model))
        stamp(ds, source=source, at=study.concluded_at)
    return BuiltObject(ds, kind, image.instance.header.SOPInstanceUID, proof=Proof(evidence=evidence))


def spacing_mm(image: ImageResult, source: Dataset) -> tuple[float, float]:
    """Rows' and columns' spacing that the surrogate gives the image: the source's, or its pixels' shape."""
    return pixel_spacing_mm(source) or (pixel_aspect(source), 1.0)


def surrogate_note(source: Dataset) -> str:
    """What of the map's place and size is not the source's."""
    return SURROGATE_NOTE if pixel_spacing_mm(source) else f"{SURROGATE_NOTE} {_UNCALIBRATED_NOTE}"


def geometry(image: ImageResult, source: Dataset, shape: tuple[int, int]) -> tuple[list[float], list[float]]:
    """Position of the first cell's centre (x, y, z) and spacing (down, across) of a map of that shape, in mm.

    So that the map's outer edges are the image's. Source: PS3.3 C.7.6.2.1.1.
    """
    header = image.instance.header
    down, across = spacing_mm(image, source)
    tall, wide = max(header.Rows, 1) * down / shape[0], max(header.Columns, 1) * across / shape[1]
    return [(wide - across) / 2, (tall - down) / 2, 0.0], [tall, wide]


def _map(image: ImageResult, source: Dataset, evidence: Evidence) -> Dataset:
    position, spacing = geometry(image, source, evidence.heat_map.shape)
    return hd.pm.ParametricMap(
        source_images=[_placed(image, source)],
        pixel_array=values_of(evidence),
        series_instance_uid=identity.image_series_uid(ObjectKind.HEAT_MAP, image),
        series_number=identity.SERIES_NUMBER[ObjectKind.HEAT_MAP],
        sop_instance_uid=identity.heat_map_uid(image, evidence.model, evidence.finding),
        instance_number=instance_number(source, place=place_of(image, evidence)),
        manufacturer=identity.MANUFACTURER,
        manufacturer_model_name=identity.MODEL_NAME,
        software_versions=SOFTWARE_VERSION,
        device_serial_number=SOFTWARE_VERSION,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[_meaning(evidence)],
        voi_lut_transformations=[
            hd.VOILUTTransformation(window_center=0.5, window_width=1.0, voi_lut_function="LINEAR_EXACT")
        ],
        transfer_syntax_uid=ExplicitVRLittleEndian,
        content_description=description_of(evidence),
        content_label="HEAT_MAP",
        pixel_measures=hd.PixelMeasuresSequence(pixel_spacing=spacing, slice_thickness=_THICKNESS_MM),
        plane_orientation=hd.PlaneOrientationSequence("PATIENT", [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        plane_positions=[hd.PlanePositionSequence("PATIENT", position)],
    )


def values_of(evidence: Evidence) -> NDArray[np.float32]:
    """The map's values, (rows, columns), 0..1."""
    return np.asarray(np.clip(np.nan_to_num(evidence.heat_map.astype(np.float32)), 0.0, 1.0), np.float32)


def description_of(evidence: Evidence) -> str:
    """What a map is of, at most 64 characters."""
    return f"{evidence.finding.label}: AI heat map, research use only"[:64]


def place_of(image: ImageResult, evidence: Evidence) -> int:
    """The map's place among the image's, from 1."""
    uids = [identity.heat_map_uid(image, a.model, f) for a in answer.done(image) for f in a.findings]
    wanted = identity.heat_map_uid(image, evidence.model, evidence.finding)
    return uids.index(wanted) + 1 if wanted in uids else 1


def _placed(image: ImageResult, source: Dataset) -> Dataset:
    """The source's header with the surrogate's frame of reference."""
    # Setting a value in a shallow copy would set it in the source too.
    placed = deepcopy(source)
    header = image.instance.header
    # Of a multi-frame class highdicom would want frames; the true references are set afterwards.
    placed.SOPClassUID = ComputedRadiographyImageStorage
    placed.Rows, placed.Columns = max(header.Rows, 1), max(header.Columns, 1)
    placed.FrameOfReferenceUID = identity.derive_uid("frame of reference", header.SOPInstanceUID)
    placed.PositionReferenceIndicator = ""
    placed.PixelSpacing = list(spacing_mm(image, source))
    placed.SliceThickness = _THICKNESS_MM
    placed.ImagePositionPatient, placed.ImageOrientationPatient = (
        [0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    )
    return placed


def _meaning(evidence: Evidence) -> hd.pm.RealWorldValueMapping:
    """What a value means: class activation for the finding, without unit (CID 7469, CID 7181)."""
    meaning = hd.pm.RealWorldValueMapping(
        lut_label="ACTIVATION",
        lut_explanation=f"Class activation, {evidence.finding.label}"[:64],
        unit=concept(codes.NO_UNITS),
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
        quantity_definition=concept(codes.CLASS_ACTIVATION),
    )
    finding = sr.CodeContentItem(name=concept(codes.FINDING), value=concept(evidence.finding.code))
    meaning.QuantityDefinitionSequence.append(finding)
    return meaning


def _derive(ds: Dataset, image: ImageResult, source: Dataset) -> None:
    """What the map was made of, and that its place is a surrogate (PS3.3 C.7.6.16.2.6)."""
    # highdicom draws this one.
    dimensions = identity.derive_uid("dimensions", ds.SOPInstanceUID)
    for item in (*ds.DimensionOrganizationSequence, *ds.DimensionIndexSequence):
        item.DimensionOrganizationUID = dimensions
    origin = reference_to(image)
    origin.PurposeOfReferenceCodeSequence = [concept(codes.SOURCE_IMAGE)]
    ds.SourceImageSequence = [origin]
    series = Dataset()
    series.SeriesInstanceUID = image.instance.header.SeriesInstanceUID
    series.ReferencedInstanceSequence = [reference_to(image)]
    ds.ReferencedSeriesSequence = [series]
    derivation = Dataset()
    derivation.DerivationDescription = f"{surrogate_note(source)} {answer.SAFETY_NOTE}."
    derivation.DerivationCodeSequence = [concept(codes.UNSPECIFIED_METHOD)]
    derivation.SourceImageSequence = [origin]
    for frame in ds.PerFrameFunctionalGroupsSequence:
        frame.DerivationImageSequence = [derivation]
