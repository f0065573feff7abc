"""Folders of DICOM files; where labels go by name, the files need no content."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from wetread.evaluate.folder import read_folder


def write_object(path: Path, uid: str) -> None:
    """A DICOM file that says who it is and nothing else."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = SecondaryCaptureImageStorage
    ds.SOPInstanceUID = uid
    path.parent.mkdir(exist_ok=True)
    ds.save_as(path, enforce_file_format=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two series whose files are named alike."""
    write_object(tmp_path / "s1" / "IM0001", "1.2.3.1")
    write_object(tmp_path / "s2" / "IM0001", "1.2.3.2")
    return tmp_path


def test_files_of_one_name_in_two_series_stay_two_cases_when_labelled_by_instance(folder: Path) -> None:
    (folder / "labels.csv").write_text("SOPInstanceUID,label\n1.2.3.1,1\n1.2.3.2,0\n", encoding="utf-8")

    cases = read_folder(folder)

    assert [(case.name, case.label) for case in cases.cases] == [("s1/IM0001", 1), ("s2/IM0001", 0)]
