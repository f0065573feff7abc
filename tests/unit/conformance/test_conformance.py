"""What the statement says is what the program does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.unit.report.studies import (
    SourceImage,
    a_finding,
    a_study,
    an_image,
    declined,
    done,
    write_source,
)
from wetread.cli import main
from wetread.config import Settings
from wetread.conformance.codes import codes_section
from wetread.conformance.document import Document, Section, Table, to_html, to_markdown
from wetread.conformance.statement import statement
from wetread.domain import Box, ObjectKind
from wetread.infer.bundle import load_bundles
from wetread.receive.contexts import supported_contexts
from wetread.report.structured_report import build_report

DESTINATIONS = (
    {"name": "pacs", "port": 104, "ae_title": "PACS", "profile": "everything", "commitment": True},
    {"name": "night", "port": 105, "ae_title": "OLD", "report": "comprehensive", "hours": ["22:00-06:00"]},
    {
        "name": "web",
        "kind": "dicomweb",
        "url": "https://archive/dicom-web",
        "authorization": "Basic c2VjcmV0",
    },
)


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Three destinations of different kinds."""
    return Settings.model_validate({"destinations": DESTINATIONS})


@pytest.fixture(scope="module")
def text(settings: Settings) -> str:
    """The statement with the shipped models."""
    return to_markdown(statement(settings, load_bundles(settings.models_folder)))


def codes_of(ds: Dataset) -> Iterator[tuple[str, str]]:
    """Every coded concept in a data set, at every depth."""
    for element in ds.iterall():
        if element.VR == "SQ":
            yield from (
                (str(item.CodeValue), str(item.CodingSchemeDesignator))
                for item in element.value
                if "CodeValue" in item
            )


def test_statement_names_every_class_and_syntax_that_the_listener_accepts(text: str) -> None:
    contexts = supported_contexts()

    named = {str(context.abstract_syntax) for context in contexts}
    named |= {str(syntax) for context in contexts for syntax in context.transfer_syntax}

    assert [uid for uid in named if f"| {uid} |" not in text] == []


def test_statement_names_every_kind_of_result_and_who_gets_it(text: str) -> None:
    rows = [line for line in text.splitlines() if line.startswith("| ")]

    sent_to = {row.split(" | ")[1]: row.split(" | ")[2] for row in rows if row.count(" | ") == 2}

    assert sent_to["1.2.840.10008.5.1.4.1.1.88.33"] == "night |"
    assert sent_to["1.2.840.10008.5.1.4.1.1.88.34"] == "pacs, web |"
    assert sent_to["1.2.840.10008.5.1.4.1.1.30"] == "pacs |"
    assert len([row for row in rows if "| 990" in row]) == len(ObjectKind)


def test_statement_tells_how_each_destination_is_reached_and_no_secret(text: str) -> None:
    assert "| pacs | DICOM (C-STORE) | 127.0.0.1:104 | PACS | WETREAD | no | awaited, 600 s | none |" in text
    assert "22:00-06:00 local time" in text
    assert "https://archive/dicom-web" in text
    assert "c2VjcmV0" not in text


def test_statement_lists_every_code_that_a_report_holds(tmp_path: Path) -> None:
    located = done(a_finding(0.87, Box(100, 150, 180, 260, 0.9)))
    study = a_study(
        an_image(write_source(tmp_path, SourceImage(name="read")), located),
        an_image(write_source(tmp_path, SourceImage(name="not")), declined("view_out_of_scope", "view")),
    )
    bundles = load_bundles(Settings().models_folder)

    used = set(codes_of(build_report(study).ds))

    [table] = [part for part in codes_section(bundles).parts if isinstance(part, Table)]
    assert used - {(row[0], row[1]) for row in table.rows} == set()


def test_a_document_is_numbered_and_its_cells_cannot_break_a_table() -> None:
    table = Table(("a", "b"), (("x|y", "<z>"),))
    document = Document(
        "NAME", "Title", "Lead.", (Section("One", (table,), (Section("Below"),)), Section("Two"))
    )

    markdown, html = to_markdown(document), to_html(document)

    assert [line for line in markdown.splitlines() if line.startswith("##")] == [
        "## 1. One",
        "### 1.1 Below",
        "## 2. Two",
    ]
    assert "| x\\|y | <z> |" in markdown
    assert "<td>&lt;z&gt;</td>" in html


def test_the_verb_writes_both_documents_in_both_forms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path / "home"))

    status = main(["conformance", "--out", str(tmp_path / "out")])

    assert status == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "AIR_CAPABILITIES.html",
        "AIR_CAPABILITIES.md",
        "DICOM_CONFORMANCE.html",
        "DICOM_CONFORMANCE.md",
    ]
    assert capsys.readouterr().out.count("\n") == 4


def test_a_folder_that_cannot_be_made_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path / "home"))
    (tmp_path / "file").write_text("")

    status = main(["conformance", "--out", str(tmp_path / "file")])

    assert status == 2
    assert capsys.readouterr().err.startswith("wetread: --out: ")
