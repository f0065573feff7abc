"""Runs every judge that knows a kind of object over many objects, and then those that compare objects."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tests.judges import programs
from tests.judges.allowed import DROPPED, INHERITED, reason
from wetread.domain import ObjectKind

Judge = Callable[[Path], list[str]]
_PARALLEL: Final = 2
_ELEMENT: Final = re.compile(r"Element=<(\w+)>")
_REPORT: Final[tuple[Judge, ...]] = (programs.dsrdump, programs.dsr2html, programs.dsr2xml)
_PICTURE: Final[tuple[Judge, ...]] = (programs.gdcminfo, programs.gdcm_and_dcmtk_pixels)
_ANY: Final[tuple[Judge, ...]] = (programs.dciodvfy, programs.dcmdump)
JUDGES_OF: Final[Mapping[ObjectKind, tuple[Judge, ...]]] = MappingProxyType(
    {
        ObjectKind.STRUCTURED_REPORT: _ANY + _REPORT,
        ObjectKind.COMPREHENSIVE_REPORT: _ANY + _REPORT,
        ObjectKind.KEY_OBJECT: _ANY + _REPORT,
        ObjectKind.CAPTURE: _ANY + _PICTURE,
        ObjectKind.HEAT_MAP_CAPTURE: _ANY + _PICTURE,
        ObjectKind.PRESENTATION_STATE: (*_ANY, programs.dcmpschk),
        # GDCM 3.0 and PixelMed of Debian 12 know no Parametric Map.
        ObjectKind.HEAT_MAP: _ANY,
    }
)
# Their templates are judged by PixelMed.
_TEMPLATED: Final = frozenset(
    {ObjectKind.STRUCTURED_REPORT, ObjectKind.COMPREHENSIVE_REPORT, ObjectKind.KEY_OBJECT}
)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One object as a file. `sources` are the images it answers, alone the one that it shows."""

    path: Path
    kind: ObjectKind
    study: str
    sources: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one judge says against one file or study. `because`: why it is let pass, '' where it counts."""

    judge: str
    about: str
    text: str
    because: str


def judge(exhibits: Sequence[Exhibit]) -> list[Verdict]:
    """What every judge says against every object."""
    of_sources = _Sources()
    with ThreadPoolExecutor(_PARALLEL) as pool:
        reports = [exhibit.path for exhibit in exhibits if exhibit.kind in _TEMPLATED]
        templates = [pool.submit(programs.pixelmed, reports[n::_PARALLEL]) for n in range(_PARALLEL)]
        judged = pool.map(lambda exhibit: _judge_one(exhibit, of_sources), exhibits)
        verdicts = [verdict for found in judged for verdict in found]
        for part in templates:
            for path, said in part.result().items():
                verdicts += [Verdict("pixelmed", path.name, text, reason("pixelmed", text)) for text in said]
    return verdicts


def compare(exhibits: Sequence[Exhibit]) -> list[Verdict]:
    """What dcentvfy says of all objects together, and of each study's together with its sources.

    Let pass is what it says of the sources alone just so: files of two patients under one number.
    """
    with tempfile.TemporaryDirectory() as folder:
        readable: dict[str, list[Path]] = defaultdict(list)
        study_of = {exhibit.path: exhibit.study for exhibit in exhibits}
        for source, study in sorted({(s, e.study) for e in exhibits for s in e.sources}):
            target = Path(folder, source.name)
            programs.readable_source(source, target)
            readable[study].append(target)
            study_of[target] = study
        return _compare(exhibits, readable, study_of)


def against(verdicts: Sequence[Verdict]) -> list[str]:
    """What counts, one line each."""
    return [f"{v.judge}: {v.about}: {v.text}" for v in verdicts if not v.because]


class _Sources:
    """What dciodvfy says against sources, each asked once."""

    def __init__(self) -> None:
        self._said: dict[Path, frozenset[str]] = {}

    def say(self, paths: Sequence[Path]) -> frozenset[str]:
        """All complaints about these files."""
        for path in paths:
            if path not in self._said:
                self._said[path] = frozenset(programs.dciodvfy(path))
        return frozenset[str]().union(*(self._said[path] for path in paths))


def _judge_one(exhibit: Exhibit, of_sources: _Sources) -> list[Verdict]:
    judges = {one.__name__: one for one in JUDGES_OF[exhibit.kind]}
    if exhibit.kind is ObjectKind.PRESENTATION_STATE:
        judges["polarity"] = partial(programs.polarity, source=exhibit.sources[0])
    return [
        Verdict(name, exhibit.path.name, text, reason(name, text) or _inherited(text, exhibit, of_sources))
        for name, one in judges.items()
        for text in one(exhibit.path)
    ]


def _inherited(text: str, exhibit: Exhibit, of_sources: _Sources) -> str:
    # Patient and study are the source's word for word: to mend them would make them somebody else's.
    return INHERITED if text in of_sources.say(exhibit.sources) else ""


def _compare(
    exhibits: Sequence[Exhibit], readable: Mapping[str, Sequence[Path]], study_of: Mapping[Path, str]
) -> list[Verdict]:
    of_sources = _Sources()
    by_themselves = programs.dcentvfy([path for paths in readable.values() for path in paths])
    known = {_subject(text, study_of) for text in by_themselves}
    said = [("all results", text) for text in programs.dcentvfy([e.path for e in exhibits])]
    complaints: dict[str, frozenset[str]] = {"all results": frozenset()}
    for study, paths in readable.items():
        own = [exhibit for exhibit in exhibits if exhibit.study == study]
        name = own[0].path.name
        said += [(name, text) for text in programs.dcentvfy([*paths, *(e.path for e in own)])]
        complaints[name] = of_sources.say(sorted({s for e in own for s in e.sources}))
    return [
        Verdict(
            "dcentvfy",
            about,
            text,
            reason("dcentvfy", text)
            or _dropped(text, complaints[about])
            or (INHERITED if _subject(text, study_of) in known else ""),
        )
        for about, text in said
    ]


def _subject(text: str, study_of: Mapping[Path, str]) -> tuple[str, frozenset[str]]:
    """What a complaint is about: the element (or all of it) and the studies of the files it names."""
    element = _ELEMENT.search(text)
    names = re.findall(r"(?:file|versus) <([^>]+)>", text)
    studies = frozenset(study_of.get(Path(name), name) for name in names)
    return (element[1] if element else text), studies


def _dropped(text: str, complaints: Iterable[str]) -> str:
    element = _ELEMENT.search(text)
    is_wrong = element and any(f"/{element[1]}(" in complaint for complaint in complaints)
    return DROPPED if is_wrong else ""
