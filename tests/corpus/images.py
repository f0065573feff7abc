"""The 50 wrapped test images: each a real picture, stored and headed in a way that hospitals do.

Together: both polarities, 8 to 16 bits, signed too; square and other pixels, stated in every way;
portrait and landscape, chest and limb, from 400 x 300 to 3,000 x 2,500; headers that lack things;
names in six scripts; studies of one to three views; no box to five of them; every reason for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NOTHING: Mapping[str, object] = MappingProxyType({})

NO_TYPE_2: Mapping[str, object] = MappingProxyType(
    dict.fromkeys(
        (
            "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "AccessionNumber",
            "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName",
        )
    )
)  # fmt: skip
NOBODY: Mapping[str, object] = MappingProxyType(
    {"PatientName": "", "PatientID": "", "PatientBirthDate": "", "PatientSex": "", "PatientAge": None}
)
NO_BODY_PART: Mapping[str, object] = MappingProxyType({"BodyPartExamined": None, "Laterality": None})
NO_SPACING: Mapping[str, object] = MappingProxyType({"ImagerPixelSpacing": None})
CALIBRATED: Mapping[str, object] = MappingProxyType(
    {
        "PixelSpacing": ["0.35", "0.35"],
        "PixelSpacingCalibrationType": "GEOMETRY",
        "PixelSpacingCalibrationDescription": "ball of 25 mm",
    }
)
OBLONG: Mapping[str, object] = MappingProxyType({"PixelSpacing": ["0.2", "0.1"]})
OBLONG_DETECTOR: Mapping[str, object] = MappingProxyType({"ImagerPixelSpacing": ["0.1", "0.15"]})
RATIO: Mapping[str, object] = MappingProxyType({"ImagerPixelSpacing": None, "PixelAspectRatio": [4, 3]})
ORDERED: Mapping[str, object] = MappingProxyType({"TimezoneOffsetFromUTC": "+0930"})


def named(name: str, character_set: str | list[str]) -> Mapping[str, object]:
    """A patient whose name is written in this character set."""
    return {"SpecificCharacterSet": character_set, "PatientName": name}


JAPANESE = named("Yamada^Tarou=山田^太郎=やまだ^たろう", ["", "ISO 2022 IR 87"])
KOREAN = named("Hong^Gildong=洪^吉洞=홍^길동", ["", "ISO 2022 IR 149"])


@dataclass(frozen=True, slots=True)
class Image:
    """One test image. `answer` is a key of `answers.ANSWERS`; `more` overrides elements, None removes one.

    `size` is (rows, columns), None: as the picture is. `is_negative`: MONOCHROME1. `is_cr`: CR, not DX.
    """

    name: str
    answer: str
    study: str = ""
    is_chest: bool = False
    bits: int = 12
    is_signed: bool = False
    is_negative: bool = False
    is_cr: bool = False
    is_landscape: bool = False
    size: tuple[int, int] | None = None
    more: Mapping[str, object] = field(default_factory=lambda: _NOTHING)


IMAGES: tuple[Image, ...] = (
    # Depth and polarity.
    Image("limb-08", "one box", bits=8),
    Image("limb-08-negative", "two boxes", bits=8, is_negative=True),
    Image("limb-10", "no finding", bits=10),
    Image("limb-10-negative", "one doubtful", bits=10, is_negative=True),
    Image("limb-12-negative", "three boxes", is_negative=True),
    Image("limb-14", "four boxes", bits=14),
    Image("limb-14-negative", "five boxes", bits=14, is_negative=True),
    Image("limb-16", "two doubtful", bits=16),
    Image("limb-16-negative", "positive, not located", bits=16, is_negative=True),
    Image("limb-12-signed", "one box", is_signed=True, is_cr=True),
    Image("limb-16-signed-negative", "two boxes", bits=16, is_signed=True, is_negative=True, is_cr=True),
    Image("chest-08", "two boxes", bits=8, is_chest=True),
    Image("chest-10-negative", "no finding", bits=10, is_negative=True, is_chest=True),
    Image("chest-14-negative", "one box", bits=14, is_negative=True, is_chest=True),
    Image("chest-16", "two findings", bits=16, is_chest=True),
    # Pixels that are not square, and distances stated in every way.
    Image("limb-calibrated", "one box", more=CALIBRATED),
    Image("limb-oblong", "two boxes", more=OBLONG),
    Image("limb-oblong-detector", "one doubtful", more=OBLONG_DETECTOR, is_negative=True),
    Image("limb-aspect-ratio", "one box", more=RATIO, is_cr=True),
    Image("limb-no-spacing", "one box", more=NO_SPACING, is_cr=True),
    Image("chest-zero-spacing", "no finding", more={"PixelSpacing": ["0.000", "0.000"]}, is_chest=True),
    # Sizes and formats.
    Image("limb-small", "one box", size=(400, 300), more=CALIBRATED),
    Image("limb-small-landscape", "two boxes", size=(300, 400), is_landscape=True),
    Image("limb-landscape", "three boxes", is_landscape=True),
    Image("limb-large", "one box", size=(3000, 2500), bits=14, more=CALIBRATED),
    Image("chest-large-landscape", "two findings", size=(2500, 3000), is_negative=True, is_chest=True),
    Image("limb-narrow", "one doubtful", size=(900, 180)),
    Image("limb-thumbnail", "no finding", size=(64, 48), is_cr=True),
    # Headers that lack what others have.
    Image("limb-no-orientation", "one box", more={"PatientOrientation": None}),
    Image("limb-no-body-part", "one doubtful", more=NO_BODY_PART, is_cr=True),
    Image("limb-no-type-2", "two boxes", more=NO_TYPE_2),
    Image("limb-nobody", "one box", more=NOBODY),
    Image("limb-right", "no finding", more={"Laterality": "R"}, is_cr=True),
    Image("limb-unknown-side", "one doubtful", more={"ImageLaterality": "U"}),
    Image("limb-both", "one box", more={"ImageLaterality": "B"}),
    Image("limb-ordered", "one box", more=ORDERED),
    Image("limb-japanese", "one box", more=JAPANESE),
    Image("limb-cyrillic", "two boxes", more=named("Иванов^Пётр", "ISO_IR 144")),
    Image("chest-latin", "no finding", more=named("Müller^Jörg", "ISO_IR 100"), is_chest=True),
    Image("chest-korean", "one box", more=KOREAN, is_chest=True),
    Image("limb-chinese", "one doubtful", more=named("Wang^XiaoDong=王^小东", "GB18030")),
    # Not evaluable.
    Image("limb-declined", "declined"),
    Image("limb-undecodable", "undecodable"),
    Image("chest-turned-away", "picture turned away", is_chest=True),
    Image("chest-one-network-failed", "one network failed", is_chest=True),
    # Several views.
    Image("views-front", "one box", study="views", more={"ImageLaterality": "L"}),
    Image("views-side", "one doubtful", study="views", is_negative=True, more={"ImageLaterality": "R"}),
    Image("three-front", "two boxes", study="three", more=CALIBRATED),
    Image("three-oblique", "at the edge", study="three", bits=10),
    Image("three-side", "undecodable", study="three", is_landscape=True),
)  # fmt: skip
