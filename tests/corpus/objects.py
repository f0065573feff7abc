"""Every kind of object of a study, built as the service builds them, each passed by the gate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.corpus.studies import Case
from tests.judges.bench import Exhibit
from wetread.domain import ObjectKind, ResultObject, SpoolKey
from wetread.report import answer, key_object, presentation_state
from wetread.report.capture import build_capture, build_heat_map_capture
from wetread.report.comprehensive import as_comprehensive
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.heat_map import build_heat_map
from wetread.report.results import BuiltObject, ImageResult
from wetread.report.source import reading_once
from wetread.report.structured_report import build_report


def write_all(cases: Iterable[Case], folder: Path) -> Iterator[Exhibit]:
    """Every object as a file `<case>-<number>-<kind>.dcm`.

    An object of an earlier revision that stands in a later one too is written once, as it is sent once.
    """
    seen: set[str] = set()
    for case in cases:
        paths = {image.instance.header.SOPInstanceUID: image.path for image in case.result.images}
        for number, built in enumerate(build_all(case), start=1):
            if built.ds.SOPInstanceUID in seen:
                continue
            seen.add(built.ds.SOPInstanceUID)
            path = folder / f"{case.name}-{number:02}-{built.kind.value}.dcm"
            path.write_bytes(to_part10(built.ds))
            sources = (paths[built.source],) if built.source else tuple(paths.values())
            yield Exhibit(path, built.kind, case.result.study, sources)


def build_all(case: Case) -> Iterator[BuiltObject]:
    """The objects of profile `everything` and the Comprehensive report. Raises InvalidObject."""
    sources = reading_once()
    for built in build_each(case):
        check(built, case.result, sources=sources)
        yield built


def build_each(case: Case) -> Iterator[BuiltObject]:
    """The same objects, not yet checked."""
    study = case.result
    report = build_report(study)
    yield report
    yield as_comprehensive(report)
    captures: list[ResultObject] = []
    for image in [image for image in study.images if answer.done(image)] or list(study.images[:1]):
        for built in _of_image(image, case):
            captures += [_listed(built)] if built.kind is ObjectKind.CAPTURE else []
            yield built
    if key_object.is_called_for(study):
        yield key_object.build_key_object(study, captures)


def _of_image(image: ImageResult, case: Case) -> Iterator[BuiltObject]:
    study, uid = case.result, image.instance.header.SOPInstanceUID
    display, evidence = case.displays[uid], case.evidence[uid]
    yield build_capture(image, display, study)
    if display is not None and evidence:
        yield build_heat_map_capture(image, display, study, evidence)
    if presentation_state.is_called_for(image):
        yield presentation_state.build_presentation_state(image, study)
    yield from (build_heat_map(image, study, item) for item in evidence)


def _listed(built: BuiltObject) -> ResultObject:
    """An object as the ledger has it."""
    ds = built.ds
    return ResultObject(
        SOPInstanceUID=ds.SOPInstanceUID,
        SOPClassUID=ds.SOPClassUID,
        SeriesInstanceUID=ds.SeriesInstanceUID,
        kind=built.kind,
        spool_key=SpoolKey(""),
        size_bytes=0,
        source=built.source,
    )
