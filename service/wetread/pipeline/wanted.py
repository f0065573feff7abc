"""Which objects a revision calls for, and the ways to make each: the full one first, then plainer ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from wetread.domain import Finding, ModelId, ObjectKind, ResultObject, SopInstanceUid, SpoolKey, Zone
from wetread.errors import Rejected
from wetread.pipeline.film import Film
from wetread.report import key_object, presentation_state
from wetread.report.answer import done
from wetread.report.capture import build_capture, build_heat_map_capture, build_plain_capture
from wetread.report.comprehensive import as_comprehensive
from wetread.report.heat_map import build_heat_map
from wetread.report.identity import PLAIN, heat_map_uid, image_object_uid, study_object_uid
from wetread.report.results import BuiltObject, Evidence, ImageResult, StudyResult
from wetread.report.softcopy import softcopy_of
from wetread.report.structured_report import build_plain_report, build_report
from wetread.spool.objects import Spool

Form = Callable[[], BuiltObject]
# Made even where neither is sent: a revision names the report before it, and pages list the capture.
_ALWAYS = frozenset({ObjectKind.STRUCTURED_REPORT, ObjectKind.CAPTURE})


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object and its `forms`, the fullest first; `source` is the one image it is about, if any."""

    kind: ObjectKind
    uid: SopInstanceUid
    forms: tuple[Form, ...]
    source: SopInstanceUid | None = None


class Catalogue:
    """Says what is called for; nothing is made before a form is called.

    `kinds` are those that some destination takes. `max_side` in pixels and `max_bytes` bound pictures.
    """

    def __init__(self, *, spool: Spool, kinds: Collection[ObjectKind], max_side: int, max_bytes: int) -> None:
        self._spool = spool
        self._kinds = _ALWAYS | frozenset(kinds)
        self._capture = partial(build_capture, max_side=max_side, max_bytes=max_bytes)
        self._plain_capture = partial(build_plain_capture, max_side=max_side, max_bytes=max_bytes)
        self._heat_map_capture = partial(build_heat_map_capture, max_side=max_side, max_bytes=max_bytes)

    def reports(self, result: StudyResult, *, is_plain: bool = False) -> list[Wanted]:
        """The report in each class that somebody takes; `is_plain`: of what the ledger knows alone."""
        full, plain = cache(partial(build_report, result)), cache(partial(build_plain_report, result))
        forms: tuple[Form, ...] = (plain,) if is_plain else (full, plain)
        is_earlier_made = result.predecessor is None or result.predecessor.has_comprehensive
        older: tuple[Form, ...] = tuple(
            partial(_as_comprehensive, form, is_earlier_made=is_earlier_made) for form in forms
        )
        made = {ObjectKind.STRUCTURED_REPORT: forms, ObjectKind.COMPREHENSIVE_REPORT: older}
        words = (PLAIN,) if is_plain else ()
        return self._taken(
            Wanted(kind, study_object_uid(kind, result, *words), ways) for kind, ways in made.items()
        )

    def of_image(self, image: ImageResult, result: StudyResult, *, is_plain: bool = False) -> list[Wanted]:
        """What shows one image and its answer, the capture first; `is_plain`: a card, and no file is read."""
        if is_plain:
            return self._taken([_of(ObjectKind.CAPTURE, image, self._to_plain_card(image, result))])
        film = Film(image)
        return self._taken(
            (
                self._to_capture(image, result, film),
                *_presentation_states(image, result, film),
                *self._heat_maps(image, result, film),
            )
        )

    def key_objects(self, result: StudyResult, captures: Sequence[ResultObject]) -> list[Wanted]:
        """What points at the images with a positive finding and at those of `captures` that show them."""
        if not key_object.is_called_for(result):
            return []
        kind, form = ObjectKind.KEY_OBJECT, partial(key_object.build_key_object, result, captures)
        return self._taken([Wanted(kind, study_object_uid(kind, result), (form,))])

    def _taken(self, wanted: Iterable[Wanted]) -> list[Wanted]:
        return [item for item in wanted if item.kind in self._kinds]

    def _to_capture(self, image: ImageResult, result: StudyResult, film: Film) -> Wanted:
        def picture() -> BuiltObject:
            return film.with_proof(self._capture(image, film.display_if_any(), result))

        card = partial(self._capture, image, None, result)
        return _of(ObjectKind.CAPTURE, image, picture, card, self._to_plain_card(image, result))

    def _to_plain_card(self, image: ImageResult, result: StudyResult) -> Form:
        return partial(self._plain_capture, image, result)

    def _heat_maps(self, image: ImageResult, result: StudyResult, film: Film) -> Iterator[Wanted]:
        """One picture of the finding that leads, and every map as numbers."""
        seen = [(a.model, finding) for a in done(image) for finding in a.findings if finding.heat_map]

        def picture() -> BuiltObject:
            evidence = [self._evidence(model, finding) for model, finding in seen]
            return film.with_proof(self._heat_map_capture(image, film.display, result, evidence))

        # Over a negative answer it would be a film with nothing on it.
        is_found = any(finding.zone is not Zone.NEGATIVE for _, finding in seen)
        if is_found and not film.is_dangerous:
            yield _of(ObjectKind.HEAT_MAP_CAPTURE, image, picture)
        for model, finding in seen:
            form = partial(self._numbers, image, result, model, finding)
            uid = heat_map_uid(image, model, finding)
            yield Wanted(ObjectKind.HEAT_MAP, uid, (form,), image.instance.header.SOPInstanceUID)

    def _numbers(
        self, image: ImageResult, result: StudyResult, model: ModelId, finding: Finding
    ) -> BuiltObject:
        return build_heat_map(image, result, self._evidence(model, finding))

    def _evidence(self, model: ModelId, finding: Finding) -> Evidence:
        key = finding.heat_map or SpoolKey("")
        return Evidence(model, finding, np.load(self._spool.path(key), allow_pickle=False))


def _presentation_states(image: ImageResult, result: StudyResult, film: Film) -> Iterator[Wanted]:
    def layer() -> BuiltObject:
        return presentation_state.build_presentation_state(image, result, window=_window_of(image, film))

    if presentation_state.is_called_for(image):
        yield _of(ObjectKind.PRESENTATION_STATE, image, layer)


def _window_of(image: ImageResult, film: Film) -> tuple[float, float] | None:
    """The range that the picture shows; None where that is the source's window, or all there is to go by."""
    if film.is_dangerous:
        return None
    try:
        return film.window
    except Rejected:
        if not softcopy_of(image).states_voi:
            raise
        return None


def _of(kind: ObjectKind, image: ImageResult, *forms: Form) -> Wanted:
    return Wanted(kind, image_object_uid(kind, image), forms, image.instance.header.SOPInstanceUID)


def _as_comprehensive(form: Form, *, is_earlier_made: bool) -> BuiltObject:
    return as_comprehensive(form(), is_earlier_made=is_earlier_made)
