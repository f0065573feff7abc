"""`wetread evaluate`: reads labelled images by the service's road and writes what it measured."""

from __future__ import annotations

import importlib.util
import math
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wetread.config import Settings, load_settings
from wetread.errors import Misconfigured, WetreadError

if TYPE_CHECKING:
    from wetread.evaluate.cases import CaseSet
    from wetread.evaluate.comparison import Rival
    from wetread.evaluate.figures import Figures
    from wetread.evaluate.reading import Answer, Subject

# Images between two lines of progress.
_PROGRESS = 100
# In findings and splits may stand what a folder cannot be named.
_NO_FILE_NAME = re.compile(r"[^\w.-]+")
_LIBRARIES = ("scipy", "sklearn", "statsmodels", "matplotlib")


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for. `out` None: a folder in `WETREAD_HOME`."""

    source: Path
    model: str
    split: str | None = None
    finding: str | None = None
    out: Path | None = None
    prevalence: float | None = None
    compare: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    limit: int | None = None

    @property
    def command(self) -> str:
        """The same as typed, without the folders of this machine."""
        words = ["wetread evaluate", self.source.name, "--model", Path(self.model).name]
        for name in ("split", "finding", "prevalence", "limit"):
            value = getattr(self, name)
            words += [] if value is None else [f"--{name}", str(value)]
        for name in ("compare", "by"):
            words += [f"--{name} {Path(value).name}" for value in getattr(self, name)]
        return " ".join(words)


def run(request: Request) -> int:
    """Read, measure, write, and print the headline; 1 when no case could be evaluated."""
    figures, folder = evaluate(request, load_settings())
    from wetread.evaluate.words import headline

    for line in headline(figures):
        print(line)
    print(f"report: {folder / 'report.html'}  (holds images of the cases: treat it as patient data)")
    return 0 if figures["zones"] else 1


def evaluate(request: Request, settings: Settings) -> tuple[Figures, Path]:
    """Read and measure; writes report.html, evaluation.json and cases.csv, and gives figures and folder.

    Raises Misconfigured, in one line, for whatever is wrong with what was asked.
    """
    _need_libraries()
    _check(request)
    from wetread.evaluate import page, records, summary

    cases = _find_cases(request)
    subject = _find_subject(request.model, request, settings)
    folder = _make_folder(request, settings, default_name(request, subject, cases.split))
    answers = _read_all(subject, cases, settings)
    wishes = summary.Wishes(
        request.command,
        request.prevalence,
        request.by,
        tuple(_rival(name, request, cases, settings) for name in request.compare),
    )
    figures = summary.summarise(subject, cases, answers, wishes)
    records.write_text(folder / records.FIGURES_NAME, records.to_json(figures))
    records.write_text(folder / records.CASES_NAME, records.to_csv(answers))
    records.write_text(folder / records.PAGE_NAME, page.render(figures, cases, answers))
    return figures, folder


def _need_libraries() -> None:
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise Misconfigured(f"evaluate needs {', '.join(missing)}: pip install 'wetread[evaluate]'")


def _check(request: Request) -> None:
    if not request.source.exists():
        raise Misconfigured(f"no such file or folder: {request.source}")
    if request.limit is not None and request.limit < 1:
        raise Misconfigured("--limit: at least 1")
    if request.prevalence is not None and not 0 < request.prevalence < 1:
        raise Misconfigured("--prevalence: between 0 and 1")


def _find_cases(request: Request) -> CaseSet:
    from wetread.evaluate.cases import limited
    from wetread.evaluate.folder import read_folder
    from wetread.evaluate.manifest import read_manifest

    if request.source.is_dir():
        if request.split:
            raise Misconfigured("--split: a folder has none")
        cases = read_folder(request.source)
    else:
        cases = read_manifest(request.source, split=request.split)
    if not cases.cases:
        first = f" (the first: {cases.exclusions[0].reason})" if cases.exclusions else ""
        raise WetreadError(f"{request.source.name}: no case to read{first}")
    return replace(cases, cases=limited(cases.cases, request.limit))


def _find_subject(name: str, request: Request, settings: Settings) -> Subject:
    from wetread.evaluate.reading import find_subject

    return find_subject(settings, name, finding=request.finding)


def default_name(request: Request, subject: Subject, split: str) -> str:
    """The folder of an evaluation without `--out`: who was measured, on what; a manifest with its folder."""
    source = request.source.resolve()
    on = (source.name,) if source.is_dir() else (source.parent.name, source.stem)
    who = (subject.bundle.id.name, subject.bundle.id.version, request.finding)
    return "-".join(_NO_FILE_NAME.sub("_", part) for part in (*who, *on, split) if part)


def _make_folder(request: Request, settings: Settings, name: str) -> Path:
    folder = request.out or settings.home / "evaluations" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"--out: {error.strerror}: {folder}") from error
    return folder


def _read_all(subject: Subject, cases: CaseSet, settings: Settings) -> list[Answer]:
    from wetread.evaluate.reading import opened

    answers = []
    with opened(subject, threads=settings.worker.threads) as reader:
        for answer in reader.read_all(cases.cases):
            answers.append(answer)
            if len(answers) % _PROGRESS == 0:
                print(f"{subject.title}: {len(answers)} of {len(cases.cases)}", file=sys.stderr, flush=True)
    return answers


def _rival(name: str, request: Request, cases: CaseSet, settings: Settings) -> Rival:
    """Another evaluation, a column of the manifest that holds scores, or another model, read now."""
    from wetread.evaluate.comparison import Rival
    from wetread.evaluate.records import read_rival

    if name.endswith(".json"):
        return read_rival(Path(name), cases.cases)
    if name in cases.columns:
        return Rival(name, _scores(name, cases))
    other = _find_subject(name, request, settings)
    answers = _read_all(other, cases, settings)
    scores = {answer.case.name: answer.probability for answer in answers if answer.is_evaluable}
    return Rival(other.title, scores, other.points)


def _scores(column: str, cases: CaseSet) -> dict[str, float]:
    scores: dict[str, float] = {}
    for case in cases.cases:
        if not (text := case.facts.get(column, "")):
            continue
        scores[case.name] = _number(text)
        if not math.isfinite(scores[case.name]):
            where = f"{cases.name}, row {case.row}"
            raise Misconfigured(f"{where}: {column} is {text[:20]!r}, not a finite number")
    return scores


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
