"""One image's pixels for its result objects: decoded when first asked for, and once."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wetread.domain import ATTEMPTS_EXHAUSTED
from wetread.errors import Rejected
from wetread.infer.decode import DecodedImage, read_image
from wetread.infer.greyscale import GreyScale, grey_scale_of
from wetread.report.answer import done
from wetread.report.results import BuiltObject, ImageResult
from wetread.report.source_pixels import SAMPLES_A_SIDE, sample_decoded


class Film:
    """The pixels of one image; what cannot be decoded raises Rejected each time it is asked for."""

    def __init__(self, image: ImageResult) -> None:
        self._image = image

    @property
    def is_dangerous(self) -> bool:
        """Whatever ended the workers that decoded it would end this process too."""
        return any(analysis.reason == ATTEMPTS_EXHAUSTED for analysis in self._image.analyses)

    @cached_property
    def display(self) -> NDArray[np.float32]:
        """As shown to a person: (rows, columns), 0..1."""
        return self._scale.apply(self._decoded)

    @cached_property
    def window(self) -> tuple[float, float] | None:
        """The modality values shown where no window of the image shows anything; None where one does."""
        return self._scale.own_range

    @cached_property
    def stored(self) -> NDArray[np.int64] | None:
        """What the gate compares the picture with: stored values, taken before any grey scale."""
        return sample_decoded(self._decoded.stored, self._decoded.ds, SAMPLES_A_SIDE)

    def with_proof(self, built: BuiltObject) -> BuiltObject:
        """The same picture with the stored values beside it, where it shows a radiograph."""
        if built.proof.film is None:
            return built
        return replace(built, proof=replace(built.proof, stored=self.stored))

    def display_if_any(self) -> NDArray[np.float32] | None:
        """The display; None where there is none to be had, and the image's analyses say so.

        Raises Rejected when a network has read the image and it cannot be decoded any more.
        """
        if self.is_dangerous:
            return None
        try:
            return self.display
        except Rejected:
            if done(self._image):
                raise
            return None

    @cached_property
    def _scale(self) -> GreyScale:
        return grey_scale_of(self._decoded)

    @cached_property
    def _decoded(self) -> DecodedImage:
        return read_image(self._image.path)
