"""QC phantoms as samples: they teach the network the synthetic films that test the machinery."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from training.dataset import Sample, side_size
from wetread.phantom.chest import draw_chest
from wetread.phantom.film import Phantom
from wetread.phantom.limb import draw_limb

LIMB_VIEWS = ("AP", "LATERAL")


def draw_case(task: str, seed: int, *, lesion: bool) -> Phantom:
    """Draw one phantom; odd limb seeds are lateral views."""
    if task == "chest":
        return draw_chest(seed, opacity=lesion)
    return draw_limb(seed, broken=lesion, view=LIMB_VIEWS[seed % 2])


def phantom_samples(task: str, seeds: range, *, stored_size: int) -> Iterator[Sample]:
    """Every seed with its lesion and without; the whole one is looked at where the lesion would be."""
    for seed in seeds:
        lesioned = to_sample(draw_case(task, seed, lesion=True), task, seed, stored_size=stored_size)
        whole = to_sample(draw_case(task, seed, lesion=False), task, seed, stored_size=stored_size)
        yield replace(lesioned, focus=lesioned.boxes)
        yield replace(whole, focus=lesioned.boxes)


def to_sample(phantom: Phantom, task: str, seed: int, *, stored_size: int) -> Sample:
    """Shrink to `stored_size` and 8 bits, full 12-bit range."""
    rows, columns = phantom.pixels.shape
    scale = stored_size / max(rows, columns)
    size = (round(columns * scale), round(rows * scale))
    grey = cv2.resize(
        phantom.pixels.astype(np.float32) * (255.0 / 4095.0), size, interpolation=cv2.INTER_AREA
    )
    boxes = np.asarray(phantom.boxes, np.float32).reshape(-1, 4) * scale
    side = np.full(side_size(task), -1.0, np.float32)
    name, label = f"phantom-{seed}-{len(boxes)}", int(len(boxes) > 0)
    return Sample(name, np.round(grey).astype(np.uint8), boxes, label, f"phantom-{seed}", side)
