"""What model.toml may say, starting from the examples that people are given."""

from __future__ import annotations

import tomllib

import pytest
from pydantic import ValidationError

from tests.bundles import examples
from wetread.infer.manifest import Manifest


def parse(text: str) -> Manifest:
    return Manifest.model_validate({**tomllib.loads(text), "files": {}})


@pytest.mark.parametrize("name", ["chest-labels", "bone-boxes", "picture"])
def test_every_example_in_the_description_is_a_manifest(name: str) -> None:
    manifest = parse(examples()[name])

    assert manifest.name == name
    assert manifest.is_guard is (name == "picture")


def test_there_is_an_example_of_every_kind() -> None:
    kinds = {parse(text).output.kind for text in examples().values()}

    assert kinds == {"classification", "detection", "picture"}


def test_what_is_left_out_has_the_default_that_is_told() -> None:
    manifest = parse(examples()["bone-boxes"])

    [finding] = manifest.findings
    assert manifest.channels == (0,)
    assert (finding.calibration.a, finding.calibration.b) == (1.0, 0.0)
    assert (manifest.input.mean, manifest.input.std) == ((0.0,), (1.0,))
    assert manifest.input.polarity == "dense_bright"
    assert manifest.reads.pictures == ("limb",)


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("chest-labels", "mean = [0.485, 0.456, 0.406]", "mean = [0.485, 0.456]", "2 numbers for 3"),
        ("chest-labels", "std = [0.229, 0.224, 0.225]", "std = [0.229, 0.224, 0]", "greater than 0"),
        ("chest-labels", "channel = 2", "channel = 1", "same channel"),
        ("chest-labels", "channel = 2", "channel = -1", "greater than or equal to 0"),
        ("chest-labels", "[reads]", "boxes = { threshold = 0.5 }\n[reads]", "heat_map"),
        ("chest-labels", "least_age_years = 18", "least_age_years = 18\nmost_age_years = 17", "most_age"),
        ("chest-labels", 'modalities = ["CR", "DX"]\n', "", "modalities"),
        ("chest-labels", 'kind = "classification"', 'kind = "segmentation"', "segmentation"),
        ("bone-boxes", "scale = 255.0", "scale = 0", "greater than 0"),
        ("bone-boxes", 'scores = "scores"', 'scores = "scores"\nactivation = "sigmoid"', "not permitted"),
        ("picture", '"other"]', '"limb"]', "same name"),
        ("picture", 'distance = "distance"\n', "", "most_distance needs"),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, old: str, new: str, says: str) -> None:
    text = examples()[name]
    assert old in text

    with pytest.raises(ValidationError, match=says):
        parse(text.replace(old, new))


def test_a_detector_of_several_findings_must_say_which_box_is_whose() -> None:
    text = examples()["bone-boxes"]
    second = text[text.index("[[findings]]") : text.index("[reads]")]

    with pytest.raises(ValidationError, match="classes"):
        parse(text.replace("[reads]", f"{second}[reads]"))

    several = parse(text.replace("[reads]", f"{second}[reads]").replace("[[find", 'classes = "c"\n[[find', 1))
    assert several.channels == (0, 1)


def test_a_guard_has_no_findings_and_a_reader_has_some() -> None:
    guard, reader = examples()["picture"], examples()["bone-boxes"]
    finding = reader[reader.index("[[findings]]") : reader.index("[reads]")]

    with pytest.raises(ValidationError, match="picture has no"):
        parse(guard + finding)
    with pytest.raises(ValidationError, match="there is none"):
        parse(reader.replace(finding, ""))
