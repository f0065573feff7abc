"""Makes every object of every profile of every study of the corpus and has all judges look: `make validate`.

Writes `sources`, `readable` (the same, uncompressed and in UTF-8) and `results` into a folder, prints a
table and ALL-CLEAN, or what the judges say against which object.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.corpus.objects import write_all
from tests.corpus.studies import real_cases, wrapped_cases
from tests.judges.bench import Exhibit, Verdict, against, compare, judge
from tests.judges.programs import readable_source


def main() -> int:
    """Exit status 1 when a judge says something that counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.validate", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for sources and results")
    parser.add_argument("--data", type=Path, default=os.environ.get("WETREAD_TEST_DATA"))
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("say where the real radiographs are: --data FOLDER or WETREAD_TEST_DATA")
    exhibits = write_corpus(arguments.data, arguments.out)
    started = time.monotonic()
    verdicts = [*judge(exhibits), *compare(exhibits)]
    print(table(exhibits, verdicts))
    print(f"{len(exhibits)} objects judged in {time.monotonic() - started:.0f} s")
    complaints = against(verdicts)
    print("\n".join(complaints) or "ALL-CLEAN")
    return 1 if complaints else 0


def write_corpus(data: Path, out: Path) -> list[Exhibit]:
    """Sources and results of the whole corpus in a folder of which nothing else is left."""
    folders = [out / name for name in ("sources", "readable", "results")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.dcm"):
            path.unlink()
    sources, readable, results = folders
    cases = (case for make in (wrapped_cases, real_cases) for case in make(data, sources))
    exhibits = list(write_all(cases, results))
    for source in sources.glob("*.dcm"):
        readable_source(source, readable / source.name)
    return exhibits


def table(exhibits: Sequence[Exhibit], verdicts: Sequence[Verdict]) -> str:
    """Objects by kind, then what is let pass, with its reason and how often."""
    kinds = Counter(exhibit.kind.value for exhibit in exhibits)
    lines = [f"{count:6} {kind}" for kind, count in sorted(kinds.items())]
    passed = Counter((v.judge, v.because) for v in verdicts if v.because)
    lines += [f"{count:6} let pass: {judge}: {because}" for (judge, because), count in sorted(passed.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
