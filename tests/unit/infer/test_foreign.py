"""Models of other people: a folder with a manifest and a network serves, whatever kind it is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.bundles import (
    TRUST,
    brightness_classifier,
    brightness_guard,
    drop,
    examples,
    quadrant_detector,
)
from wetread.domain import Box, Zone
from wetread.errors import Misconfigured, NotFound
from wetread.infer.bundle import load_bundles
from wetread.infer.engine import Engine, Reading
from wetread.infer.picture import Picture

# In a 640 x 320 film in 640 x 640 the image fills columns 160 to 480, a pixel to a pixel.
QUADRANT_BOXES = ((100, 50, 300, 250), (400, 0, 540, 200), (0, 400, 150, 500), (300, 500, 400, 600))


def display(rows: int = 640, columns: int = 320, *, grey: float = 0.5) -> NDArray[np.float32]:
    return np.full((rows, columns), grey, dtype=np.float32)


def read(models: Path, name: str, image: NDArray[np.float32]) -> Reading:
    with Engine(load_bundles(models, TRUST), threads=1) as engine:
        return engine.read(name, image)


def look(models: Path, image: NDArray[np.float32]) -> Picture:
    with Engine(load_bundles(models, TRUST), threads=1) as engine:
        return engine.picture("picture", image)


def test_a_softmax_of_several_labels_gives_each_finding_its_own_channel(tmp_path: Path) -> None:
    # Red is (0.5 - 0.485) / 0.229: logits 0, 8 and -8 times that, the first for "nothing".
    drop(
        tmp_path,
        examples()["chest-labels"],
        brightness_classifier(gains=((0, 8, -8), (0, 0, 0), (0, 0, 0))),
    )
    red = (0.5 - 0.485) / 0.229
    shares = np.exp([0, 8 * red, -8 * red])

    opacity, effusion = read(tmp_path, "chest-labels", display()).findings

    assert opacity.finding.probability == pytest.approx(shares[1] / shares.sum(), rel=1e-3)
    # Calibrated: the odds of the share, to the power of a, times e to the b.
    odds = shares[2] / (shares.sum() - shares[2])
    raised = odds**0.9 * math.exp(-0.4)
    assert effusion.finding.probability == pytest.approx(raised / (1 + raised), rel=1e-3)
    assert opacity.finding.code.meaning == "Abnormal opacity"
    assert opacity.finding.zone is Zone.DOUBTFUL


def test_a_softmax_that_is_certain_stays_a_number(tmp_path: Path) -> None:
    drop(
        tmp_path,
        examples()["chest-labels"],
        brightness_classifier(gains=((0, 1e6, -1e6), (0, 0, 0), (0, 0, 0))),
    )

    opacity, effusion = read(tmp_path, "chest-labels", display(grey=1.0)).findings

    assert opacity.finding.probability == 1.0
    assert effusion.finding.probability == 0.0


def test_a_model_without_a_heat_map_speaks_of_the_whole_image(tmp_path: Path) -> None:
    drop(
        tmp_path,
        examples()["chest-labels"],
        brightness_classifier(gains=((0, 8, -8), (0, 0, 0), (0, 0, 0))),
    )

    opacity = read(tmp_path, "chest-labels", display()).findings[0]

    assert opacity.heat_map is None
    assert opacity.finding.boxes == opacity.candidates == ()


@pytest.mark.parametrize(("channel", "mean", "std"), [(0, 0.485, 0.229), (2, 0.406, 0.225)])
def test_each_colour_has_its_own_mean_and_standard_deviation(
    tmp_path: Path, channel: int, mean: float, std: float
) -> None:
    gains = tuple((0.0, 1.0 if row == channel else 0.0, 0.0) for row in range(3))
    manifest = examples()["chest-labels"].replace('"softmax"', '"sigmoid"')
    drop(tmp_path, manifest, brightness_classifier(gains=gains))

    opacity = read(tmp_path, "chest-labels", display(grey=0.75)).findings[0]

    logit = (0.75 - mean) / std
    assert opacity.finding.probability == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-3)


def test_a_network_that_wants_the_negative_gets_it(tmp_path: Path) -> None:
    manifest = (
        examples()["chest-labels"]
        .replace('"softmax"', '"sigmoid"')
        .replace("mean = [0.485, 0.456, 0.406]", 'mean = 0.0\npolarity = "dense_dark"')
        .replace("std = [0.229, 0.224, 0.225]", "std = 1.0\nscale = 2.0")
    )
    drop(tmp_path, manifest, brightness_classifier(gains=((0, 1, 0), (0, 0, 0), (0, 0, 0))))

    opacity = read(tmp_path, "chest-labels", display(grey=0.2)).findings[0]

    assert opacity.finding.probability == pytest.approx(1 / (1 + math.exp(-1.6)), rel=1e-3)


def test_a_detectors_boxes_come_in_pixels_of_the_image_clipped_to_it(tmp_path: Path) -> None:
    drop(tmp_path, examples()["bone-boxes"], quadrant_detector(boxes=QUADRANT_BOXES))
    image = display()
    image[:320, :160], image[:320, 160:], image[320:, :160], image[320:, 160:] = 0.9, 1.0, 0.95, 0.7

    [fracture] = read(tmp_path, "bone-boxes", image).findings

    # Half of each quadrant is letterbox, and the third box lies there; the fourth is too weak to show.
    assert fracture.finding.boxes == (
        Box(240, 0, 320, 200, pytest.approx(0.5, abs=1e-3)),
        Box(0, 50, 140, 250, pytest.approx(0.45, abs=1e-3)),
    )
    assert fracture.finding.probability == pytest.approx(0.5, abs=1e-3)
    assert fracture.finding.zone is Zone.POSITIVE
    assert [round(box.probability, 2) for box in fracture.candidates] == [0.5, 0.45, 0.35]


def test_a_finding_whose_boxes_are_all_weak_shows_the_strongest(tmp_path: Path) -> None:
    drop(tmp_path, examples()["bone-boxes"], quadrant_detector(boxes=QUADRANT_BOXES))
    image = display(grey=0.6)
    image[:320, :160] = 0.7

    [fracture] = read(tmp_path, "bone-boxes", image).findings

    assert fracture.finding.zone is Zone.DOUBTFUL
    assert fracture.finding.boxes == (Box(0, 50, 140, 250, pytest.approx(0.35, abs=1e-3)),)


def test_a_detector_that_finds_nothing_is_negative(tmp_path: Path) -> None:
    drop(tmp_path, examples()["bone-boxes"], quadrant_detector(boxes=QUADRANT_BOXES))

    [fracture] = read(tmp_path, "bone-boxes", display(grey=0.0)).findings

    assert fracture.finding.zone is Zone.NEGATIVE
    assert fracture.finding.probability == pytest.approx(1e-6)
    assert fracture.finding.boxes == fracture.candidates == ()


def test_a_guard_says_what_a_picture_is_and_how_far_from_all_it_knows(tmp_path: Path) -> None:
    drop(tmp_path, examples()["picture"], brightness_guard())

    near = look(tmp_path, display(96, 96, grey=0.1))
    far = look(tmp_path, display(96, 96, grey=0.9))

    assert near.kind == "chest_frontal"
    assert near.probabilities["chest_frontal"] == pytest.approx(math.e / (math.e + 4), rel=1e-3)
    assert sum(near.probabilities.values()) == pytest.approx(1)
    assert (near.distance, near.is_strange) == (pytest.approx(10, rel=1e-3), False)
    assert (far.distance, far.is_strange) == (pytest.approx(90, rel=1e-3), True)


def test_a_guard_reads_no_findings_and_a_reader_is_no_guard(tmp_path: Path) -> None:
    drop(tmp_path, examples()["picture"], brightness_guard())
    drop(tmp_path, examples()["bone-boxes"], quadrant_detector(boxes=QUADRANT_BOXES))

    assert read(tmp_path, "picture", display()).findings == ()
    with Engine(load_bundles(tmp_path, TRUST), threads=1) as engine, pytest.raises(NotFound):
        engine.picture("bone-boxes", display())


def test_a_guard_with_another_number_of_kinds_is_refused(tmp_path: Path) -> None:
    drop(tmp_path, examples()["picture"], brightness_guard(kinds=4))

    with pytest.raises(Misconfigured, match="4 logits for 5 kinds"):
        Engine(load_bundles(tmp_path, TRUST), threads=1)


def test_scores_that_are_no_probabilities_are_refused(tmp_path: Path) -> None:
    # Not scaled to 0..255, and off by so much that even an empty picture scores above one.
    manifest = examples()["bone-boxes"].replace("scale = 255.0", "mean = -300.0")
    drop(tmp_path, manifest, quadrant_detector(boxes=QUADRANT_BOXES))

    with pytest.raises(Misconfigured, match=r"leaves 0\.\.1"):
        Engine(load_bundles(tmp_path, TRUST), threads=1)
