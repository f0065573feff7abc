"""Runs every judge that knows a kind of object over many objects, and then those that compare objects."""

from __future__ import annotations

import re
import tempfile
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
        ObjectKind.HEAT_MAP: (*_ANY, programs.gdcminfo),
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
    """What dcentvfy says of all objects together, and of each study's together with its sources."""
    said = programs.dcentvfy([exhibit.path for exhibit in exhibits])
    verdicts = [Verdict("dcentvfy", "all results", text, reason("dcentvfy", text)) for text in said]
    of_sources = _Sources()
    for study in sorted({exhibit.study for exhibit in exhibits}):
        verdicts += _compare_study([e for e in exhibits if e.study == study], of_sources)
    return verdicts


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


def _compare_study(exhibits: Sequence[Exhibit], of_sources: _Sources) -> list[Verdict]:
    sources = sorted({source for exhibit in exhibits for source in exhibit.sources})
    with tempfile.TemporaryDirectory() as folder:
        readable = [Path(folder, source.name) for source in sources]
        for source, target in zip(sources, readable, strict=True):
            programs.readable_source(source, target)
        said = programs.dcentvfy([*readable, *(exhibit.path for exhibit in exhibits)])
    complaints = of_sources.say(sources)
    return [
        Verdict(
            "dcentvfy", exhibits[0].path.name, text, reason("dcentvfy", text) or _dropped(text, complaints)
        )
        for text in said
    ]


def _dropped(text: str, complaints: Iterable[str]) -> str:
    element = re.search(r"Element=<(\w+)>", text)
    is_wrong = element and any(f"/{element[1]}(" in complaint for complaint in complaints)
    return DROPPED if is_wrong else ""
