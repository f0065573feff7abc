"""`wetread conformance`: writes the DICOM Conformance Statement and the AIR capability document."""

from __future__ import annotations

from pathlib import Path

from wetread.config import load_settings
from wetread.conformance.air import air_document
from wetread.conformance.document import to_html, to_markdown
from wetread.conformance.statement import statement
from wetread.errors import Misconfigured
from wetread.pipeline.parts import read_bundles


def run(out: Path | None) -> int:
    """Print both as Markdown, or write them as Markdown and HTML into the folder `out`."""
    settings = load_settings()
    documents = (statement(settings, read_bundles(settings)), air_document())
    if out is None:
        print("\n".join(to_markdown(document) for document in documents))
        return 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        for document in documents:
            for ending, text in (("md", to_markdown(document)), ("html", to_html(document))):
                path = out / f"{document.name}.{ending}"
                path.write_text(text, encoding="utf-8")
                print(path)
    except OSError as error:
        raise Misconfigured(f"--out: {error.strerror}: {out}") from error
    return 0
