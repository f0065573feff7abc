"""Reports read back as another program reads them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pydicom
from highdicom import sr
from pydicom.dataset import Dataset

from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.results import StudyResult
from wetread.report.structured_report import build_report


def read_back(result: StudyResult) -> sr.Comprehensive3DSR:
    """Build, check, encode and decode again."""
    built = build_report(result)
    check(built, result)
    return sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(BytesIO(to_part10(built.ds))))


def groups_of(report: sr.Comprehensive3DSR) -> list[Any]:
    """The groups as highdicom reads them: each of its properties may be None, so they go unchecked."""
    content = report.content
    assert isinstance(content, sr.MeasurementReport)
    return content.get_planar_roi_measurement_groups()


def evaluations(group: Any) -> dict[str, str]:
    return {e.name.value: e.value.value for e in group.get_qualitative_evaluations()}


def texts_of(group: Any) -> list[str]:
    return [item.TextValue for item in group[0].ContentSequence if item.ValueType == "TEXT"]


def summary_of(report: Dataset) -> list[tuple[str, str]]:
    """The sentences about the whole study, each with its name."""
    found = [i for i in report.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == "C0034375"]
    texts = [item for item in found[0].ContentSequence if item.ValueType == "TEXT"]
    return [(item.ConceptNameCodeSequence[0].CodeMeaning, item.TextValue) for item in texts]
