"""Folders of DICOM files; where labels go by name, the files need no content."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from wetread.errors import Misconfigured
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


@pytest.mark.parametrize("content", [b"", b"\xff\xfen\x00o\x00t\x00e\x00", b"name,value\n", b"\x00\xe9"])
def test_a_table_that_holds_no_labels_is_passed_over(content: bytes, folder: Path) -> None:
    (folder / "notes.csv").write_bytes(content)

    cases = read_folder(folder)

    assert [case.label for case in cases.cases] == [None, None]


def test_labels_that_cannot_be_read_to_the_end_are_one_line_and_not_passed_over(folder: Path) -> None:
    (folder / "labels.csv").write_bytes(b"SOPInstanceUID,label,note\n1.2.3.1,1,caf\xe9\n")

    with pytest.raises(Misconfigured, match=r"^labels\.csv: not UTF-8 text$"):
        read_folder(folder)
