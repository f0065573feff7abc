"""A document of sections and tables, written as Markdown or as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Final

Row = tuple[str, ...]

# Readable on paper, which is where such documents end up.
_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b2126}"
    "h1{font-size:1.6rem}"
    "h2{font-size:1.25rem;margin-top:2.2rem;border-bottom:1px solid #c9d1d8}"
    "h3{font-size:1.05rem;margin-top:1.5rem}table{border-collapse:collapse;width:100%;margin:.6rem 0}"
    "th,td{border:1px solid #c9d1d8;padding:.3rem .5rem;text-align:left;vertical-align:top;"
    "overflow-wrap:break-word;font-size:.87rem}th{background:#eef2f5}"
    "@media print{h2,h3{break-after:avoid}tr{break-inside:avoid}}"
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of plain text under a head; every row is as long as the head."""

    head: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, its paragraphs and tables in order, and what stands under it."""

    title: str
    parts: tuple[str | Table, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """`name` is that of its file, without an ending."""

    name: str
    title: str
    lead: str
    sections: tuple[Section, ...] = field(default=())


def to_markdown(document: Document) -> str:
    """The document as Markdown with pipe tables; sections are numbered."""
    lines = [f"# {document.title}", "", document.lead, ""]
    for depth, title, parts in _numbered(document.sections):
        lines += [f"{'#' * (depth + 1)} {title}", ""]
        for part in parts:
            lines += [_pipe_table(part) if isinstance(part, Table) else part, ""]
    return "\n".join(lines)


def to_html(document: Document) -> str:
    """The same as one page that needs nothing else."""
    body = [f"<h1>{escape(document.title)}</h1>", f"<p>{escape(document.lead)}</p>"]
    for depth, title, parts in _numbered(document.sections):
        body.append(f"<h{depth + 1}>{escape(title)}</h{depth + 1}>")
        body += [_html_table(p) if isinstance(p, Table) else f"<p>{escape(p)}</p>" for p in parts]
    head = f'<meta charset="utf-8"><title>{escape(document.title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def _numbered(
    sections: tuple[Section, ...], above: str = "", depth: int = 1
) -> Iterator[tuple[int, str, tuple[str | Table, ...]]]:
    for number, section in enumerate(sections, start=1):
        place = f"{above}{number}"
        yield depth, f"{place}{'.' if depth == 1 else ''} {section.title}", section.parts
        yield from _numbered(section.sections, f"{place}.", depth + 1)


def _pipe_table(table: Table) -> str:
    lines = [table.head, tuple("---" for _ in table.head), *table.rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in table.head)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(t)}</td>' for t in row)}</tr>" for row in table.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
