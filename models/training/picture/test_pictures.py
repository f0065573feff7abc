"""The pictures that the guard is measured on: neither they nor drawings of their kinds were learnt from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.picture.drawn import Plane
from training.picture.drawn_for_test import TEST
from training.picture.films import CHEST, LIMB, Picture, draw_phantoms, load_films
from training.picture.strangers import TEST_PHOTOGRAPHS, find_photographs, read_objects
from training.picture.vary import SIDE, crop, to_unit
from wetread.infer.decode import read_image
from wetread.infer.prepare import to_display

_SEED = 4711
_FILM_SIDE = 512
_DRAWINGS, _CROPS = 30, 3
_PHANTOM_SEEDS = range(60)
_OTHER = {CHEST: LIMB, LIMB: CHEST}
_BOTH = (CHEST, LIMB)
# One file of each image of the DICOM set, by what its pixels show; the set repeats some in other encodings.
_DICOM_CHESTS = (
    "chest_PA_canon_dx_J2K",
    "chest_PA_fuji_mono1_440",
    "chest_PA_rsna_jpegbaseline",
    "chest_RG1_philips_J2K_lossy",
    "cr_konica_mono1_jpegbaseline_8bit",
)
_DICOM_LIMBS = ("extremity_RG3_fuji_RLE", "hand_PA_kodak_cr500_J2K_bad_SOT", "hip_RG2_fuji_RLE")
_DICOM_OTHERS = {
    "chest_PA_rsna_fake_mono1": "inverted chest",
    "chest_dx_rentgenprom_J2K_16bit_SCRUBBED": "inverted chest",
    "cr_agfa_16x16_cspine": "thumbnail",
    "cr_modality_lut_sequence_jpegll": "jaws",
    "cr_test_signed16_synthetic": "test pattern",
    "dx_fuji_small_8bit_mono1": "dog",
    "mg_ge_voilut_sequence_jpegll": "mammogram",
    "mg_siemens_overlay_out_of_bounds": "mammogram",
    "rf_siemens": "fluoroscopy",
    "xa_WG04_J2K": "angiogram",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One test picture, the set it belongs to, and the kinds whose models it is offered to."""

    plane: Plane
    name: str
    offered_to: tuple[str, ...]
    is_in_scope: bool


def in_scope(data: Path) -> Iterator[Shown]:
    """What must pass: films of the test splits, of the DICOM set, and QC phantoms that were not learnt."""
    for folder in ("chest", "fracture"):
        for split in ("internal_test", "external_test"):
            for film in load_films(data, folder, split, side=_FILM_SIDE):
                part = Path(film.source).name.split("_")[0] if split == "external_test" else ""
                name = " ".join(word for word in (folder, split.replace("_test", ""), part) if word)
                yield Shown(to_unit(film.image), name, (film.kind,), is_in_scope=True)
    for kind, stems in ((CHEST, _DICOM_CHESTS), (LIMB, _DICOM_LIMBS)):
        for stem in stems:
            yield Shown(_dicom(data, stem), "DICOM files", (kind,), is_in_scope=True)
    for phantom in draw_phantoms(_PHANTOM_SEEDS, side=_FILM_SIDE):
        yield Shown(to_unit(phantom.image), "QC phantoms", (phantom.kind,), is_in_scope=True)


def out_of_scope(data: Path, pictures: Path) -> Iterator[Shown]:
    """What must be turned away by the models that it is offered to."""
    rng = np.random.default_rng(_SEED)
    for folder in ("chest", "fracture"):
        for film in load_films(data, folder, "internal_test", side=_FILM_SIDE):
            yield from _spoilt(film, folder, rng)
    for stem in _DICOM_OTHERS:
        yield Shown(_dicom(data, stem), "DICOM files", _BOTH, is_in_scope=False)
    for picture in read_objects(pictures, side=_FILM_SIDE):
        yield Shown(to_unit(picture.image), "CT, MR, US, NM", _BOTH, is_in_scope=False)
    yield from _photographs(pictures, rng)
    for name, artist in TEST.items():
        for _ in range(_DRAWINGS):
            yield Shown(artist(rng, SIDE), f"drawn: {name.replace('_', ' ')}", _BOTH, is_in_scope=False)


def _photographs(pictures: Path, rng: np.random.Generator) -> Iterator[Shown]:
    for picture in find_photographs(pictures, TEST_PHOTOGRAPHS, side=_FILM_SIDE):
        plane = to_unit(picture.image)
        yield Shown(plane, "photographs", _BOTH, is_in_scope=False)
        for _ in range(_CROPS):
            yield Shown(crop(plane, rng), "parts of photographs", _BOTH, is_in_scope=False)


def _spoilt(film: Picture, folder: str, rng: np.random.Generator) -> Iterator[Shown]:
    """A test film offered to the other model, inverted, turned if a chest, burnt out, shrunk."""
    plane, own = to_unit(film.image), (film.kind,)
    yield Shown(plane, f"{folder} film to the other model", (_OTHER[film.kind],), is_in_scope=False)
    yield Shown(1 - plane, f"{folder} film inverted", own, is_in_scope=False)
    if film.kind == CHEST:
        for quarters in (1, 2, 3):
            turned = np.ascontiguousarray(np.rot90(plane, quarters))
            yield Shown(turned, f"chest film turned by {90 * quarters} degrees", own, is_in_scope=False)
    level = np.percentile(plane, 3 if rng.random() < 0.5 else 99)
    burnt = np.clip((plane - level) * 40 + 0.5, 0, 1).astype(np.float32)
    yield Shown(burnt, f"{folder} film burnt out", own, is_in_scope=False)
    yield Shown(
        np.ascontiguousarray(plane[::6, ::6]), f"{folder} film as a thumbnail", own, is_in_scope=False
    )


def _dicom(data: Path, stem: str) -> Plane:
    return to_display(read_image(data / "dicom" / f"{stem}.dcm"))
