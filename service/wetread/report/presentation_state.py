"""Boxes and words as a layer that a viewer can take off: a Grayscale Softcopy Presentation State.

One for each image with a box. An image without one gets none: there is nothing to point at, and its
answer in words stands in the report and in the capture.
"""

from __future__ import annotations

from fractions import Fraction
from types import MappingProxyType
from typing import Final

from highdicom.color import CIELabColor
from pydicom.dataset import Dataset
from pydicom.uid import GrayscaleSoftcopyPresentationStateStorage
from pydicom.valuerep import format_number_as_ds

from wetread.domain import ObjectKind, Zone
from wetread.report import answer, identity
from wetread.report.annotation import Area, Mark, Points, annotate, boxed
from wetread.report.band import COLOUR_OF
from wetread.report.heading import add_series, heading, instance_number, reference_to
from wetread.report.results import BuiltObject, ImageResult, Proof, StudyResult
from wetread.report.softcopy import Softcopy, softcopy_of
from wetread.report.source import pixel_aspect, pixel_spacing_mm, quiet, source_of
from wetread.report.stamp import add_equipment, stamp

LAYER_OF: Final = MappingProxyType({Zone.POSITIVE: "AI POSITIVE", Zone.DOUBTFUL: "AI DOUBTFUL"})
NOTE_LAYER: Final = "AI NOTE"
_DESCRIPTION_OF: Final = MappingProxyType(
    {
        LAYER_OF[Zone.POSITIVE]: "AI findings, positive: solid boxes",
        LAYER_OF[Zone.DOUBTFUL]: "AI findings, doubtful: dashed boxes",
        NOTE_LAYER: "AI result: what made it, what it is for",
    }
)
_TONE_OF: Final = MappingProxyType(
    {
        LAYER_OF[Zone.POSITIVE]: answer.Tone.POSITIVE,
        LAYER_OF[Zone.DOUBTFUL]: answer.Tone.DOUBTFUL,
        NOTE_LAYER: answer.Tone.NOT_EVALUABLE,
    }
)
_WHITE: Final = 0xFFFF
_FINEST_ASPECT: Final = 10_000


def is_called_for(image: ImageResult) -> bool:
    """Whether an image gets a presentation state: it has a box, and is a grey image."""
    return bool(boxed(image)) and image.instance.header.SamplesPerPixel == 1


def build_presentation_state(
    image: ImageResult, study: StudyResult, *, window: tuple[float, float] | None = None
) -> BuiltObject:
    """The image as its source shows it, its boxes and what they mean.

    `window`: the least and greatest modality value shown, where the picture shows the image's own range.
    Raises Unreadable when the source header cannot be read.
    """
    source = source_of(image)
    kind = ObjectKind.PRESENTATION_STATE
    with quiet():
        ds = heading(study, kind, modality="PR")
        add_series(ds, image, kind, source=source)
        ds.SOPClassUID = GrayscaleSoftcopyPresentationStateStorage
        ds.SOPInstanceUID = identity.image_object_uid(kind, image)
        ds.InstanceNumber = instance_number(source)
        _relate(ds, image)
        _show(ds, image, source)
        _transform(ds, softcopy_of(image, window=window))
        _annotate(ds, image)
        add_equipment(ds, answer.done(image))
        stamp(ds, source=source, at=study.concluded_at)
        _name(ds)
    return BuiltObject(ds, kind, image.instance.header.SOPInstanceUID, proof=Proof(window=window))


def _name(ds: Dataset) -> None:
    """Presentation State Identification module (PS3.3 C.11.10); it has creation where others have content."""
    ds.PresentationCreationDate, ds.PresentationCreationTime = ds.ContentDate, ds.ContentTime
    del ds.ContentDate, ds.ContentTime
    ds.ContentLabel = "AI RESULT"
    ds.ContentDescription = answer.SAFETY_NOTE
    # No person made it, and the device is named as equipment.
    ds.ContentCreatorName = ""


def _relate(ds: Dataset, image: ImageResult) -> None:
    """Presentation State Relationship module (PS3.3 C.11.11)."""
    series = Dataset()
    series.SeriesInstanceUID = image.instance.header.SeriesInstanceUID
    series.ReferencedImageSequence = [reference_to(image)]
    ds.ReferencedSeriesSequence = [series]


def _show(ds: Dataset, image: ImageResult, source: Dataset) -> None:
    """The whole image, its pixels in their shape (PS3.3 C.10.4: pixels count from 1)."""
    area = Dataset()
    area.ReferencedImageSequence = [reference_to(image)]
    area.DisplayedAreaTopLeftHandCorner = [1, 1]
    header = image.instance.header
    area.DisplayedAreaBottomRightHandCorner = [max(header.Columns, 1), max(header.Rows, 1)]
    area.PresentationSizeMode = "SCALE TO FIT"
    spacing = pixel_spacing_mm(source)
    if spacing is None:
        shape = Fraction(pixel_aspect(source)).limit_denominator(_FINEST_ASPECT)
        area.PresentationPixelAspectRatio = [shape.numerator, shape.denominator]
    else:
        area.PresentationPixelSpacing = [format_number_as_ds(side) for side in spacing]
    ds.DisplayedAreaSelectionSequence = [area]


def _transform(ds: Dataset, softcopy: Softcopy) -> None:
    """Modality LUT, VOI and polarity: without them a viewer applies none (PS3.4 N.2)."""
    for element in softcopy.modality:
        ds.add(element)
    ds.SoftcopyVOILUTSequence = [softcopy.voi]
    # Here the image's photometric interpretation has no say: PS3.3 C.11.6.1.2.
    ds.PresentationLUTShape = "INVERSE" if softcopy.is_inverted else "IDENTITY"


def _annotate(ds: Dataset, image: ImageResult) -> None:
    marks, note = annotate(image)
    ds.GraphicAnnotationSequence = [_mark_item(mark, image) for mark in marks]
    item = _item(NOTE_LAYER, image)
    item.TextObjectSequence = [_text(note.text, note.area)]
    ds.GraphicAnnotationSequence.append(item)
    used = {one.GraphicLayer for one in ds.GraphicAnnotationSequence}
    layers = [name for name in _DESCRIPTION_OF if name in used]
    ds.GraphicLayerSequence = [layer_item(name, number) for number, name in enumerate(layers, start=1)]


def layer_item(name: str, order: int) -> Dataset:
    item = Dataset()
    item.GraphicLayer, item.GraphicLayerOrder = name, order
    item.GraphicLayerRecommendedDisplayGrayscaleValue = _WHITE
    item.GraphicLayerRecommendedDisplayCIELabValue = list(
        CIELabColor.from_rgb(*COLOUR_OF[_TONE_OF[name]]).value
    )
    item.GraphicLayerDescription = _DESCRIPTION_OF[name]
    return item


def _item(layer: str, image: ImageResult) -> Dataset:
    item = Dataset()
    item.ReferencedImageSequence = [reference_to(image)]
    item.GraphicLayer = layer
    return item


def _mark_item(mark: Mark, image: ImageResult) -> Dataset:
    item = _item(LAYER_OF[mark.zone], image)
    text = _text(mark.text, mark.text_area)
    text.AnchorPointAnnotationUnits = "PIXEL"
    text.AnchorPoint = list(mark.anchor)
    # A line from words to box only where they do not stand beside each other.
    text.AnchorPointVisibility = "N" if mark.is_beside else "Y"
    item.TextObjectSequence = [text]
    item.GraphicObjectSequence = [_polyline(points) for points in mark.lines]
    return item


def _text(words: str, area: Area) -> Dataset:
    text = Dataset()
    text.BoundingBoxAnnotationUnits = "PIXEL"
    text.UnformattedTextValue = words
    text.BoundingBoxTopLeftHandCorner = [area.left, area.top]
    text.BoundingBoxBottomRightHandCorner = [area.right, area.bottom]
    text.BoundingBoxTextHorizontalJustification = "LEFT"
    return text


def _polyline(points: Points) -> Dataset:
    graphic = Dataset()
    graphic.GraphicAnnotationUnits = "PIXEL"
    graphic.GraphicDimensions = 2
    graphic.NumberOfGraphicPoints = len(points)
    graphic.GraphicData = [number for point in points for number in point]
    graphic.GraphicType = "POLYLINE"
    graphic.GraphicFilled = "N"
    return graphic
