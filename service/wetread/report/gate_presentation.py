"""What a presentation state must be, given the image it is laid over and what was found on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import GrayscaleSoftcopyPresentationStateStorage

from wetread.domain import Box, Finding, ObjectKind, Zone
from wetread.report import answer
from wetread.report.annotation import boxed, label_of, note_of
from wetread.report.gate_stamp import place_defects
from wetread.report.measurement_group import outline, whole_image
from wetread.report.presentation_state import LAYER_OF, NOTE_LAYER, layer_item
from wetread.report.results import ImageResult, Proof
from wetread.report.softcopy import softcopy_of
from wetread.report.source import pixel_aspect, pixel_spacing_mm

# Of an outline: dashes are four of seven parts.
_LEAST_DRAWN: Final = 0.5
# Pixels: coordinates are kept in single precision.
_NEAR: Final = 0.1
_MODALITY: Final = ("RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence")
_Point = tuple[float, float]


def presentation_defects(ds: Dataset, image: ImageResult, source: Dataset, *, proof: Proof) -> Iterator[str]:
    """Every way in which a presentation state is not what its image and answer call for."""
    if ds.SOPClassUID != GrayscaleSoftcopyPresentationStateStorage or ds.Modality != "PR":
        yield "not a Grayscale Softcopy Presentation State"
    if ds.get("ContentLabel") != "AI RESULT" or ds.get("ContentDescription") != answer.SAFETY_NOTE:
        yield "label or description is missing, or does not say what it is for"
    yield from place_defects(ds, image, ObjectKind.PRESENTATION_STATE, source=source)
    yield from _reference_defects(ds, image)
    yield from _grey_defects(ds, image, proof.window)
    yield from _area_defects(ds, image, source)
    yield from _layer_defects(ds)
    yield from _annotation_defects(ds, image)


def _reference_defects(ds: Dataset, image: ImageResult) -> Iterator[str]:
    header = image.instance.header
    named = [
        (series.get("SeriesInstanceUID"), *_named(item))
        for series in ds.get("ReferencedSeriesSequence") or []
        for item in series.get("ReferencedImageSequence") or []
    ]
    if named != [(header.SeriesInstanceUID, header.SOPClassUID, header.SOPInstanceUID)]:
        yield "ReferencedSeriesSequence does not name the source image, and it alone"
    holders = [
        *(ds.get("DisplayedAreaSelectionSequence") or []),
        *(ds.get("GraphicAnnotationSequence") or []),
    ]
    for item in (one for holder in holders for one in holder.get("ReferencedImageSequence") or []):
        if _named(item) != (header.SOPClassUID, header.SOPInstanceUID):
            yield "displayed area or annotation is of another image"


def _named(item: Dataset) -> tuple[object, object]:
    return item.get("ReferencedSOPClassUID"), item.get("ReferencedSOPInstanceUID")


def _grey_defects(ds: Dataset, image: ImageResult, window: tuple[float, float] | None) -> Iterator[str]:
    """Polarity, modality LUT and window against the source's own."""
    softcopy = softcopy_of(image, window=window)
    if ds.get("PresentationLUTShape") != ("INVERSE" if softcopy.is_inverted else "IDENTITY"):
        yield "PresentationLUTShape turns black and white round"
    if any(ds.get(keyword) != softcopy.modality.get(keyword) for keyword in _MODALITY):
        yield "the modality LUT is not the source's"
    items = list(ds.get("SoftcopyVOILUTSequence") or [])
    if len(items) != 1:
        yield "not exactly one window"
    elif (softcopy.states_voi or window) and items[0] != softcopy.voi:
        yield "the window is not the source's, nor the picture's"
    elif not softcopy.states_voi and not _shows_something(items[0], softcopy.voi):
        yield "the window shows nothing"


def _shows_something(voi: Dataset, whole: Dataset) -> bool:
    """Whether a window of our own meets that of all values which the source can store."""
    if "VOILUTFunction" in voi or not float(voi.get("WindowWidth") or 0) >= 1:
        return False
    (low, high), (least, most) = _ends(voi), _ends(whole)
    return low < most and least < high


def _ends(voi: Dataset) -> tuple[float, float]:
    centre, width = float(voi.get("WindowCenter") or 0), float(voi.get("WindowWidth") or 1)
    return centre - width / 2, centre + width / 2


def _area_defects(ds: Dataset, image: ImageResult, source: Dataset) -> Iterator[str]:
    areas = list(ds.get("DisplayedAreaSelectionSequence") or [])
    whole = whole_image(image)
    corners = [
        (a.get("DisplayedAreaTopLeftHandCorner"), a.get("DisplayedAreaBottomRightHandCorner")) for a in areas
    ]
    if corners != [([1, 1], [int(whole.right), int(whole.bottom)])]:
        yield "the displayed area is not the whole image"
        return
    if areas[0].get("PresentationSizeMode") != "SCALE TO FIT":
        yield "PresentationSizeMode is not SCALE TO FIT"
    spacing = pixel_spacing_mm(source)
    stated = areas[0].get("PresentationPixelSpacing")
    if (stated is None) != (spacing is None):
        yield "PresentationPixelSpacing is not the source's"
        return
    pair = [float(side) for side in stated or areas[0].get("PresentationPixelAspectRatio") or (0, 1)]
    wanted = spacing or (pixel_aspect(source), 1.0)
    if abs(pair[0] / pair[1] * wanted[1] / wanted[0] - 1) > 1e-3:
        yield "the pixels' shape is not the source's"
    if spacing and abs(pair[0] / spacing[0] - 1) > 1e-3:
        yield "PresentationPixelSpacing is not the source's"


def _layer_defects(ds: Dataset) -> Iterator[str]:
    """Each layer that is used, as white or coloured as people are to see it, and no other."""
    used = {item.get("GraphicLayer") for item in ds.get("GraphicAnnotationSequence") or []}
    names = [name for name in (*LAYER_OF.values(), NOTE_LAYER) if name in used]
    if used - set(names):
        yield "an annotation is on a layer that is not defined"
    asked = [layer_item(name, number) for number, name in enumerate(names, start=1)]
    if list(ds.get("GraphicLayerSequence") or []) != asked:
        yield "the layers are not those that are used"


def _annotation_defects(ds: Dataset, image: ImageResult) -> Iterator[str]:
    items = list(ds.get("GraphicAnnotationSequence") or [])
    marks = [item for item in items if item.get("GraphicObjectSequence")]
    for item in items:
        yield from _place_defects(item, image)
    found = boxed(image)
    if len(marks) != len(found):
        yield f"{len(marks)} boxes are drawn and {len(found)} were found"
        return
    if len(items) != len(found) + 1:
        yield "there is more than the boxes and the note"
    for number, (mark, (finding, box)) in enumerate(zip(marks, found, strict=True), start=1):
        yield from (
            f"box {number}: {defect}"
            for defect in _mark_defects(mark, finding, outlined=_corners(box, image))
        )
    notes = [text for item in items if item.get("GraphicLayer") == NOTE_LAYER for text in _texts(item)]
    if notes != [note_of(image)]:
        yield "the note is missing or says something else"


def _corners(box: Box, image: ImageResult) -> list[_Point]:
    return outline(box, within=whole_image(image))


def _mark_defects(mark: Dataset, finding: Finding, *, outlined: Sequence[_Point]) -> Iterator[str]:
    """One box: where it lies, how it is drawn, what stands beside it."""
    lines = [_points(item.get("GraphicData") or []) for item in mark.GraphicObjectSequence]
    drawn = [point for line in lines for point in line]
    length = sum(math.dist(*ends) for line in lines for ends in pairwise(line))
    if not drawn or not np.allclose(_bounds(drawn), _bounds(outlined), atol=_NEAR):
        yield "lies elsewhere than the finding"
    elif not all(_is_on_edge(point, _bounds(outlined)) for point in drawn):
        yield "leaves the finding's outline"
    elif length < _LEAST_DRAWN * sum(math.dist(*ends) for ends in pairwise(outlined)):
        yield "is hardly drawn"
    is_closed = len(lines) == 1 and len(lines[0]) == 5 and lines[0][0] == lines[0][-1]
    if is_closed != (finding.zone is Zone.POSITIVE):
        yield "is not closed as a positive one is, or dashed as a doubtful one"
    if mark.get("GraphicLayer") != LAYER_OF.get(finding.zone):
        yield "is on another zone's layer"
    if _texts(mark) != [label_of(finding)]:
        yield "does not say the finding"
    anchors = [text.get("AnchorPoint") or (-1, -1) for text in mark.get("TextObjectSequence") or []]
    if not all(_is_on_edge((float(x), float(y)), _bounds(outlined)) for x, y in anchors):
        yield "its words point elsewhere"


def _place_defects(item: Dataset, image: ImageResult) -> Iterator[str]:
    """Every coordinate is of a pixel of the image, and as many as are said."""
    texts, graphics = item.get("TextObjectSequence") or [], item.get("GraphicObjectSequence") or []
    numbers: list[float] = []
    units = [text.get("BoundingBoxAnnotationUnits") for text in texts]
    for text in texts:
        for keyword in ("BoundingBoxTopLeftHandCorner", "BoundingBoxBottomRightHandCorner", "AnchorPoint"):
            numbers += text.get(keyword) or []
    for graphic in graphics:
        units.append(graphic.get("GraphicAnnotationUnits"))
        numbers += graphic.get("GraphicData") or []
        yield from _line_defects(graphic)
    if not all(_has_area(text) for text in texts):
        yield "words have no room"
    if set(units) != {"PIXEL"}:
        yield "coordinates are not in pixels"
    whole = whole_image(image)
    if not all(
        -_NEAR <= x <= whole.right + _NEAR and -_NEAR <= y <= whole.bottom + _NEAR
        for x, y in _points(numbers)
    ):
        yield "an annotation leaves the image"


def _line_defects(graphic: Dataset) -> Iterator[str]:
    if len(graphic.get("GraphicData") or []) != 2 * (graphic.get("NumberOfGraphicPoints") or 0):
        yield "NumberOfGraphicPoints is not the number of points"
    if (graphic.get("GraphicType"), graphic.get("GraphicDimensions")) != ("POLYLINE", 2):
        yield "a line is not a polyline"
    if graphic.get("GraphicFilled") != "N":
        yield "a line is filled and hides what it is round"


def _has_area(text: Dataset) -> bool:
    left, top = text.get("BoundingBoxTopLeftHandCorner") or (0, 0)
    right, bottom = text.get("BoundingBoxBottomRightHandCorner") or (0, 0)
    return bool(right > left and bottom > top)


def _texts(item: Dataset) -> list[str]:
    return [str(text.get("UnformattedTextValue", "")) for text in item.get("TextObjectSequence") or []]


def _points(numbers: Sequence[float]) -> list[_Point]:
    return [(float(x), float(y)) for x, y in zip(numbers[0::2], numbers[1::2], strict=False)]


def _bounds(points: Sequence[_Point]) -> tuple[float, float, float, float]:
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across), min(down), max(across), max(down)


def _is_on_edge(point: _Point, bounds: tuple[float, float, float, float]) -> bool:
    x, y = point
    left, top, right, bottom = bounds
    return min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) <= _NEAR
