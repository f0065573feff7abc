"""The applicability guard: looks at an image before a model that wants it looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wetread.domain import ModelId
from wetread.errors import Misconfigured
from wetread.infer.bundle import Bundle
from wetread.infer.exposure import check_exposure
from wetread.infer.manifest import PictureSpec
from wetread.infer.picture import check_picture

if TYPE_CHECKING:
    # The listener asks which guard there is, and never loads ONNX Runtime.
    from wetread.infer.engine import Engine


class Guard:
    """Asks the bundle of kind `picture`. Safe to call from several threads."""

    def __init__(self, engine: Engine, bundles: Sequence[Bundle]) -> None:
        guard = find_guard(bundles)
        self._engine = engine
        self._name = guard.id.name if guard else ""
        self._pictures = {bundle.id: bundle.manifest.reads.pictures for bundle in bundles}

    def is_asked_by(self, model: ModelId) -> bool:
        """Whether a model reads certain pictures alone."""
        return bool(self._pictures[model])

    def check(self, model: ModelId, display: NDArray[np.float32]) -> None:
        """Let pass what such a model may read; `display` (rows, columns), 0..1, dense tissue bright.

        Raises Rejected `picture_...` as `check_exposure` and `check_picture` do, and what `Engine.picture`
        raises.
        """
        check_exposure(display)
        check_picture(self._engine.picture(self._name, display), self._pictures[model])


def find_guard(bundles: Sequence[Bundle]) -> Bundle | None:
    """The one bundle that says what a picture is; None when there is none and no model wants it.

    Raises Misconfigured when a model wants pictures looked at and nobody can, when the guard does not know
    a kind that a model names, or when there are two guards.
    """
    guards = [bundle for bundle in bundles if bundle.manifest.is_guard]
    if len(guards) > 1:
        raise Misconfigured(f"models: {guards[0].id.name} and {guards[1].id.name} are both of kind picture")
    for bundle in bundles:
        wanted = bundle.manifest.reads.pictures
        if wanted and not guards:
            raise Misconfigured(
                f"models: {bundle.id.name} {bundle.id.version} reads pictures of kind {', '.join(wanted)}"
                " alone: a bundle of kind picture must be installed beside it (models/picture)"
            )
        known = _kinds(guards[0]) if guards else ()
        if unknown := set(wanted) - set(known):
            raise Misconfigured(
                f"models: {bundle.id.name} {bundle.id.version} reads pictures of kind {min(unknown)},"
                f" which {guards[0].id.name} {guards[0].id.version} does not know"
            )
    return guards[0] if guards else None


def _kinds(guard: Bundle) -> tuple[str, ...]:
    output = guard.manifest.output
    return output.kinds if isinstance(output, PictureSpec) else ()
