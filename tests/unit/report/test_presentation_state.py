"""Boxes and words as a layer: where they stand, how they differ, how the image under them is shown."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tests.conftest import find_tool
from tests.unit.report.studies import (
    PNEUMONIA,
    SourceImage,
    a_display,
    a_finding,
    a_study,
    an_image,
    done,
    write_source,
)
from wetread.domain import Box
from wetread.pipeline.film import Film
from wetread.report.annotation import Area, annotate, boxed
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.presentation_state import build_presentation_state, is_called_for
from wetread.report.results import ImageResult

BOX, OTHER_BOX, DOUBTFUL_BOX = (
    Box(100, 150, 180, 260, 0.9),
    Box(300, 400, 420, 520, 0.7),
    Box(20, 300, 90, 380, 0.4),
)


def read_image(folder: Path, source: SourceImage | None = None) -> ImageResult:
    """One image with two positive boxes and a doubtful one."""
    fracture = a_finding(0.87, BOX, OTHER_BOX)
    pneumonia = a_finding(0.4, DOUBTFUL_BOX, code=PNEUMONIA, label="Pneumonia")
    return an_image(write_source(folder, source or SourceImage()), done(pneumonia, fracture))


def state_of(image: ImageResult, *, window: tuple[float, float] | None = None) -> Dataset:
    """The built state, which the gate passes."""
    study = a_study(image)
    built = build_presentation_state(image, study, window=window)
    check(built, study)
    return built.ds


def lines_of(ds: Dataset, layer: str) -> list[list[float]]:
    return [
        list(graphic.GraphicData)
        for item in ds.GraphicAnnotationSequence
        if item.GraphicLayer == layer
        for graphic in item.get("GraphicObjectSequence") or []
    ]


def test_positive_box_is_one_closed_line_in_the_ledgers_own_coordinates(tmp_path: Path) -> None:
    ds = state_of(read_image(tmp_path))

    first, second = lines_of(ds, "AI POSITIVE")

    assert first == [100, 150, 180, 150, 180, 260, 100, 260, 100, 150]
    assert second[:2] == [300, 400]


def test_doubtful_box_is_dashed_so_that_every_viewer_shows_the_difference(tmp_path: Path) -> None:
    ds = state_of(read_image(tmp_path))

    dashes = lines_of(ds, "AI DOUBTFUL")

    assert len(dashes) == 16
    assert {len(dash) for dash in dashes} == {4}
    across = [x for dash in dashes for x in dash[0::2]]
    assert (min(across), max(across)) == (20, 90)


def test_words_say_finding_probability_and_zone(tmp_path: Path) -> None:
    ds = state_of(read_image(tmp_path))

    said = [t.UnformattedTextValue for i in ds.GraphicAnnotationSequence for t in i.TextObjectSequence]

    assert said == [
        "Fracture 87 %, positive",
        "Fracture 87 %, positive",
        "Pneumonia 40 %, doubtful",
        "AI result, research use only, not for primary diagnosis.\r\nfracture 1.0.0",
    ]


@pytest.mark.parametrize(
    "boxes",
    [
        (BOX, OTHER_BOX),
        (Box(0, 0, 60, 40, 0.9), Box(420, 560, 480, 600, 0.9)),
        (Box(0, 0, 480, 250, 0.9), Box(0, 260, 480, 600, 0.9)),
        tuple(Box(100, y, 300, y + 60, 0.9) for y in range(100, 500, 70)),
    ],
    ids=["two", "corners", "bands", "stack"],
)
def test_words_stand_inside_the_image_and_over_no_box_where_there_is_room(
    tmp_path: Path, boxes: tuple[Box, ...]
) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.87, *boxes)))

    marks, note = annotate(image)

    areas = [*(mark.text_area for mark in marks), note.area]
    assert all(0 <= a.left < a.right <= 480 and 0 <= a.top < a.bottom <= 600 for a in areas)
    if boxes[0].right < 480:
        outlines = [Area(box.left, box.top, box.right, box.bottom) for box in boxes]
        assert not any(area.overlaps(outline) for area in areas for outline in outlines)
        assert not any(one.overlaps(other) for one in areas for other in areas if one is not other)


@pytest.mark.parametrize("rows", [1, 16, 4000])
def test_annotations_stay_on_an_image_of_any_size(tmp_path: Path, rows: int) -> None:
    pixels = np.zeros((rows, 40), "<u2").tobytes()
    source = SourceImage(rows=8, columns=8, more={"Rows": rows, "Columns": 40, "PixelData": pixels})
    image = an_image(write_source(tmp_path, source), done(a_finding(0.87, Box(0, 0, 40, rows, 0.9))))

    ds = state_of(image)

    assert ds.DisplayedAreaSelectionSequence[0].DisplayedAreaBottomRightHandCorner == [40, rows]


def test_every_layer_used_is_defined_once_with_a_colour_and_an_order(tmp_path: Path) -> None:
    ds = state_of(read_image(tmp_path))

    layers = [(item.GraphicLayer, item.GraphicLayerOrder) for item in ds.GraphicLayerSequence]

    assert layers == [("AI POSITIVE", 1), ("AI DOUBTFUL", 2), ("AI NOTE", 3)]
    assert all(len(i.GraphicLayerRecommendedDisplayCIELabValue) == 3 for i in ds.GraphicLayerSequence)


@pytest.mark.parametrize(("photometric", "shape"), [("MONOCHROME1", "INVERSE"), ("MONOCHROME2", "IDENTITY")])
def test_polarity_is_stated_by_the_presentation_lut(tmp_path: Path, photometric: str, shape: str) -> None:
    source = SourceImage(more={"PhotometricInterpretation": photometric})

    ds = state_of(read_image(tmp_path, source))

    assert ds.PresentationLUTShape == shape
    assert "PixelOriginInterpretation" not in ds


def test_window_is_the_sources_first(tmp_path: Path) -> None:
    more: dict[str, object] = {"WindowCenter": ["2000", "1000"], "WindowWidth": ["2500", "800"]}

    ds = state_of(read_image(tmp_path, SourceImage(more=more)))

    (window,) = ds.SoftcopyVOILUTSequence
    assert (float(window.WindowCenter), float(window.WindowWidth)) == (2000, 2500)


@pytest.mark.parametrize(
    "more", [{}, {"WindowCenter": "100", "WindowWidth": "0"}, {"WindowCenter": "100"}], ids=str
)
def test_source_without_a_usable_window_gets_what_the_picture_shows_else_all_values(
    tmp_path: Path, more: dict[str, object]
) -> None:
    image = read_image(tmp_path, SourceImage(more=more))

    (given,) = state_of(image, window=(100, 2100)).SoftcopyVOILUTSequence
    (whole,) = state_of(image).SoftcopyVOILUTSequence

    assert (float(given.WindowCenter), float(given.WindowWidth)) == (1100.5, 2001)
    assert (float(whole.WindowCenter), float(whole.WindowWidth)) == (2048, 4096)


def test_window_through_which_nothing_is_seen_gives_way_to_what_the_picture_shows(tmp_path: Path) -> None:
    flat = {"WindowCenter": "60000", "WindowWidth": "10"}
    image = read_image(
        tmp_path, SourceImage(more=flat | {"PixelData": (a_display() * 4095).astype("<u2").tobytes()})
    )
    shown = Film(image).window

    (window,) = state_of(image, window=shown).SoftcopyVOILUTSequence

    assert shown is not None
    assert float(window.WindowWidth) == pytest.approx(shown[1] - shown[0] + 1)


def test_rescale_and_sigmoid_are_carried(tmp_path: Path) -> None:
    more = {"RescaleSlope": "2", "RescaleIntercept": "-100", "WindowCenter": "50", "WindowWidth": "300.5"}

    ds = state_of(read_image(tmp_path, SourceImage(more={**more, "VOILUTFunction": "SIGMOID"})))

    assert (float(ds.RescaleSlope), float(ds.RescaleIntercept), ds.RescaleType) == (2, -100, "US")
    assert ds.SoftcopyVOILUTSequence[0].VOILUTFunction == "SIGMOID"


def a_lut(*, bits: int, first: int = 0) -> Dataset:
    """256 entries, rising to the greatest value of so many bits."""
    table = Dataset()
    table.LUTDescriptor = [256, first, bits]
    table.add_new("LUTData", "OW", np.linspace(0, (1 << bits) - 1, 256).astype("<u2").tobytes())
    table["LUTDescriptor"].VR = "US"
    return table


def test_look_up_tables_are_carried_in_widths_that_a_state_allows(tmp_path: Path) -> None:
    modality = a_lut(bits=12)
    modality.ModalityLUTType = "OD"
    source = SourceImage(more={"ModalityLUTSequence": [modality], "VOILUTSequence": [a_lut(bits=10)]})

    ds = state_of(read_image(tmp_path, source))

    table = ds.SoftcopyVOILUTSequence[0].VOILUTSequence[0]
    assert list(table.LUTDescriptor) == [256, 0, 16]
    assert np.frombuffer(table.LUTData, "<u2")[[0, -1]].tolist() == [0, 65_535]
    assert ds.ModalityLUTSequence[0].ModalityLUTType == "OD"
    assert "RescaleSlope" not in ds


def test_broken_look_up_table_gives_way_to_the_window(tmp_path: Path) -> None:
    broken = a_lut(bits=12)
    broken.LUTData = broken.LUTData[:100]
    more = {"VOILUTSequence": [broken], "WindowCenter": "2000", "WindowWidth": "1000"}

    ds = state_of(read_image(tmp_path, SourceImage(more=more)))

    assert float(ds.SoftcopyVOILUTSequence[0].WindowCenter) == 2000


def test_pixels_keep_their_shape_with_and_without_a_spacing(tmp_path: Path) -> None:
    oblong = SourceImage(name="oblong", more={"PixelSpacing": ["0.2", "0.1"]})
    unmeasured = SourceImage(
        name="unmeasured",
        more={"PixelAspectRatio": ["4", "3"]},
        without=("PixelSpacing", "ImagerPixelSpacing"),
    )

    (spaced,) = state_of(read_image(tmp_path, oblong)).DisplayedAreaSelectionSequence
    (shaped,) = state_of(read_image(tmp_path, unmeasured)).DisplayedAreaSelectionSequence

    assert [float(side) for side in spaced.PresentationPixelSpacing] == [0.2, 0.1]
    assert list(shaped.PresentationPixelAspectRatio) == [4, 3]


def test_only_a_grey_image_with_a_box_gets_a_state(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage())
    colour = write_source(tmp_path, SourceImage(name="colour", more={"SamplesPerPixel": 3}))

    assert is_called_for(an_image(path, done(a_finding(0.87, BOX))))
    assert not is_called_for(an_image(path, done(a_finding(0.87))))
    assert not is_called_for(an_image(path, done(a_finding(0.03))))
    assert not is_called_for(an_image(path))
    assert not is_called_for(an_image(colour, done(a_finding(0.87, BOX))))


def test_worst_finding_comes_first(tmp_path: Path) -> None:
    image = read_image(tmp_path)

    assert [box for _, box in boxed(image)] == [BOX, OTHER_BOX, DOUBTFUL_BOX]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_image_under_a_state_looks_as_it_does_without(tmp_path: Path, photometric: str, bits: int) -> None:
    for tool in ("dcmp2pgm", "dcm2pnm"):
        find_tool(tool)
    kind = "u1" if bits == 8 else "<u2"
    pixels = (a_display() * ((1 << bits) - 1)).astype(kind).tobytes()
    more = {"PhotometricInterpretation": photometric, "PixelData": pixels}
    depth = {"BitsAllocated": 8 if bits == 8 else 16, "BitsStored": bits, "HighBit": bits - 1}
    window = {"WindowCenter": str(1 << (bits - 1)), "WindowWidth": str(3 << (bits - 2))}
    image = read_image(tmp_path, SourceImage(more={**more, **depth, **window}))
    state = tmp_path / "state"
    state.write_bytes(to_part10(state_of(image)))

    under = rendered(tmp_path, "dcmp2pgm", "-p", str(state), str(image.path))
    plain = rendered(tmp_path, "dcm2pnm", "+Wi", "1", str(image.path))

    assert under.shape == plain.shape
    assert np.abs(under - plain).max() <= 2


def rendered(folder: Path, *command: str) -> NDArray[np.int16]:
    """What a tool of DCMTK draws, grey values 0..255."""
    path = folder / "rendered.pgm"
    subprocess.run([*command, str(path)], check=True, capture_output=True)
    data = path.read_bytes()
    head = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data)
    assert head is not None
    columns, rows = (int(number) for number in head.groups())
    return np.frombuffer(data[head.end() :], np.uint8).reshape(rows, columns).astype(np.int16)
