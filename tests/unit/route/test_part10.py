from __future__ import annotations

import random
import subprocess
import sys
import tracemalloc
import zlib
from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from tests.builders import small_film, to_bytes, to_dataset
from wetread.errors import Unreadable
from wetread.route.header import read_header
from wetread.route.part10 import FileParts, make_prefix, parse_data_set, split_file

LIMIT = 1 << 24
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about odd bytes


def file_in(syntax: UID) -> bytes:
    ds = to_dataset(small_film("part10", rows=40, columns=30))
    if syntax == RLELossless:
        ds.PixelData = encapsulate([b"\x01" * 64])
        ds["PixelData"].VR = "OB"
    ds.file_meta.TransferSyntaxUID = syntax
    return to_bytes(ds) if syntax != ExplicitVRBigEndian else _big_endian(ds)


def _big_endian(ds: FileDataset) -> bytes:
    buffer = BytesIO()
    plain = pydicom.Dataset({tag: ds[tag] for tag in ds.keys() if tag != 0x7FE00010})  # noqa: SIM118  # tags
    plain.file_meta = ds.file_meta
    plain.add_new(0x7FE00010, "OW", b"\0" * len(ds.PixelData))
    pydicom.dcmwrite(buffer, plain, enforce_file_format=True)
    return buffer.getvalue()


def parse(parts: FileParts) -> pydicom.Dataset:
    return parse_data_set(parts.data_set, transfer_syntax_uid=parts.transfer_syntax_uid, limit_bytes=LIMIT)


def with_data_set(data_set: bytes, syntax: UID = ExplicitVRLittleEndian) -> FileParts:
    return FileParts("1.2", "1.2", str(syntax), memoryview(data_set))


def code_of(data: bytes | FileParts) -> str:
    with pytest.raises(Unreadable) as raised:
        parse(split_file(data) if isinstance(data, bytes) else data)
    return raised.value.code


SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_a_header_reads_the_same_in_every_syntax_and_leaves_the_pixels_out(syntax: UID) -> None:
    parts = split_file(file_in(syntax))

    ds = parse(parts)

    header = read_header(ds, transfer_syntax_uid=parts.transfer_syntax_uid)
    assert (header.Rows, header.Columns, header.body_part, header.has_pixel_data) == (40, 30, "HAND", True)
    assert header.SOPInstanceUID == parts.sop_instance_uid
    assert ds.PixelData == b""


def test_a_file_is_put_together_again_byte_for_byte_behind_a_preamble_of_zeros() -> None:
    data = bytearray(file_in(ExplicitVRLittleEndian))
    data[:128] = b"MZ" + b"\x90" * 126

    parts = split_file(bytes(data))
    prefix = make_prefix(
        sop_class_uid=parts.sop_class_uid,
        sop_instance_uid=parts.sop_instance_uid,
        transfer_syntax_uid=parts.transfer_syntax_uid,
    )

    assert prefix[:132] == b"\0" * 128 + b"DICM"
    again = pydicom.dcmread(BytesIO(prefix + parts.data_set))
    assert again == pydicom.dcmread(BytesIO(bytes(data)))
    assert again.file_meta.MediaStorageSOPInstanceUID == parts.sop_instance_uid


def test_the_same_arguments_give_the_same_prefix_in_every_process() -> None:
    code = (
        "from wetread.route.part10 import make_prefix; import sys;"
        "sys.stdout.write(make_prefix(sop_class_uid='1.2.3', sop_instance_uid='1.2.4',"
        " transfer_syntax_uid='1.2.840.10008.1.2.1').hex())"
    )

    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONPATH": "service"}
        ).stdout
        for _ in range(2)
    ]

    assert runs[0] == runs[1]
    assert len(runs[0]) > 264


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_an_object_that_ends_early_is_unreadable_wherever_it_was_cut(syntax: UID) -> None:
    whole = file_in(syntax)
    starts_at = len(whole) - len(split_file(whole).data_set)
    choose = random.Random(1)

    for end in sorted(choose.sample(range(starts_at + 1, len(whole) - 1), 60)):
        try:
            ds = parse(split_file(whole[:end]))
        except Unreadable:
            continue
        # Cut exactly between two elements, nothing shows that more was to come.
        assert "PixelData" not in ds


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless])
def test_pixel_data_that_ends_early_is_called_truncated(syntax: UID) -> None:
    assert code_of(file_in(syntax)[:-10]) == "truncated"


def test_a_header_that_ends_inside_a_value_is_called_truncated() -> None:
    whole = file_in(ExplicitVRLittleEndian)

    assert code_of(whole[: whole.index(b"Test^part10") + 5]) == "truncated"


def test_an_empty_data_set_is_unreadable() -> None:
    assert code_of(with_data_set(b"")) == "empty"


@pytest.mark.parametrize("data", [b"", b"DICM", b"\0" * 131, b"\0" * 128 + b"NOPE", b"%PDF-1.7" * 100])
def test_what_is_no_dicom_file_is_told_so(data: bytes) -> None:
    assert code_of(data) == "not_dicom"


def test_a_file_without_meta_information_is_unreadable() -> None:
    assert code_of(b"\0" * 128 + b"DICM") == "meta_unreadable"


def test_a_file_whose_meta_names_a_path_is_unreadable() -> None:
    whole = file_in(ExplicitVRLittleEndian)
    uid = split_file(whole).sop_instance_uid
    attack = "../../../../etc/cron.d/x".ljust(len(uid), "x")

    assert code_of(whole.replace(uid.encode(), attack.encode())) == "uid_malformed"


def test_a_deflate_bomb_stops_at_the_limit() -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(deflater.compress(b"\0" * (1 << 20)) for _ in range(256)) + deflater.flush()
    tracemalloc.start()

    code = code_of(with_data_set(bomb, DeflatedExplicitVRLittleEndian))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert code == "too_large"
    assert len(bomb) < 400_000
    assert peak < 3 * LIMIT


def test_a_deflated_object_that_ends_early_is_called_truncated() -> None:
    assert code_of(file_in(DeflatedExplicitVRLittleEndian)[:-40]) == "truncated"


def test_sequences_nested_without_end_are_unreadable_and_stop_nobody() -> None:
    nest = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"

    assert code_of(with_data_set(nest * 20_000)) == "data_set_unreadable"


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_nothing_but_unreadable_comes_of_broken_bytes(syntax: UID) -> None:
    whole, choose = file_in(syntax), random.Random(7)
    readable = 0

    for _ in range(400):
        try:
            parts = split_file(_broken(whole, choose))
            read_header(parse(parts), transfer_syntax_uid=parts.transfer_syntax_uid)
            readable += 1
        except Unreadable:
            continue

    assert readable < 400


def _broken(whole: bytes, choose: random.Random) -> bytes:
    """One to eight faults: bytes changed, cut out, doubled or put in, mostly where the header is."""
    data = bytearray(whole)
    for _ in range(choose.randint(1, 8)):
        at = choose.randrange(128, min(len(data), 1600))
        run = choose.randint(1, 12)
        match choose.randrange(5):
            case 0:
                data[at] = choose.randrange(256)
            case 1:
                del data[at : at + run]
            case 2:
                data[at:at] = data[at : at + run]
            case 3:
                data[at : at + run] = choose.randbytes(run)
            case _:
                data[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(data)
