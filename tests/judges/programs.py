"""One judge, one function: what a program says against a file, line by line."""

from __future__ import annotations

import subprocess
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray

from tests.conftest import find_tool, need

_LIMIT_S: Final = 120
_LONG_LIMIT_S: Final = 1800
_PIXELMED: Final = Path("/usr/share/java/pixelmed.jar")
# Without these, OpenJDK 17 refuses the validator's long path expressions.
_NO_XPATH_LIMITS: Final = (
    "-Djdk.xml.xpathExprGrpLimit=0",
    "-Djdk.xml.xpathExprOpLimit=0",
    "-Djdk.xml.xpathTotalOpLimit=0",
)
_DRIVER: Final = Path(__file__).with_name("JudgeReports.java")
# The whole range of stored values: what a source that states no window is compared by.
_NO_WINDOW: Final = ("+Wm",)
_LIKE: Final = 0.9
# Grey levels of 255 that two renderers may differ by.
_ROUNDING: Final = 2
PROGRAMS: Final = (
    "dciodvfy", "dcentvfy", "dcmconv", "dcmdump", "dsrdump", "dsr2html", "dsr2xml", "xmllint", "dcmpschk",
    "dcmp2pgm", "dcm2pnm", "gdcminfo", "gdcmconv", "java", "javac",
)  # fmt: skip


def need_all() -> None:
    """Skip by name (in CI: fail) when a judge is not installed."""
    for program in PROGRAMS:
        find_tool(program)
    need(_PIXELMED.is_file(), f"PixelMed's validator, {_PIXELMED} (see `make tools`)")


def dciodvfy(path: Path) -> list[str]:
    """dicom3tools: the information object's modules, attributes, values. Its exit status says nothing."""
    return _starting(_run("dciodvfy", "-new", path)[1], "Error", "Warning", "Abort")


def dcmdump(path: Path) -> list[str]:
    """DCMTK: the encoding."""
    return _of_dcmtk("dcmdump", path, "EFW")


def dsrdump(path: Path) -> list[str]:
    """DCMTK: the content tree of a report."""
    return _of_dcmtk("dsrdump", path, "EFW")


def dsr2html(path: Path) -> list[str]:
    """DCMTK: whether a report can be shown as a page."""
    with tempfile.TemporaryDirectory() as folder:
        return _of_dcmtk("dsr2html", path, "EF", "+U8", output=Path(folder, "page.html"))


def dsr2xml(path: Path) -> list[str]:
    """DCMTK, then xmllint: whether a report can be written as XML, and well-formed."""
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder, "report.xml")
        said = _of_dcmtk("dsr2xml", path, "EF", "+U8", output=xml)
        return said or _run("xmllint", "--noout", xml)[1]


def dcmpschk(path: Path) -> list[str]:
    """DCMTK: a presentation state."""
    said = _run("dcmpschk", path)[1]
    passed = any("Test passed" in line for line in said)
    return _starting(said, "E:", "F:") + ([] if passed else ["test not passed"])


def gdcminfo(path: Path) -> list[str]:
    """GDCM: whether it takes the object for an image."""
    code, said = _run("gdcminfo", path)
    wrong = [line for line in said if "Error" in line or "Assert" in line]
    return wrong + ([f"exit status {code}"] if code else [])


def gdcm_and_dcmtk_pixels(path: Path) -> list[str]:
    """GDCM rewrites the picture uncompressed, DCMTK turns that into a PNG: both can decode it."""
    with tempfile.TemporaryDirectory() as folder:
        raw, png = Path(folder, "raw.dcm"), Path(folder, "picture.png")
        code, said = _run("gdcmconv", "--raw", path, raw)
        if code or any("rror" in line for line in said):
            return [f"gdcmconv: exit status {code}", *said]
        return _of_dcmtk("dcm2pnm", raw, "EF", "--write-png", output=png)


def polarity(path: Path, source: Path) -> list[str]:
    """DCMTK shows the source through the presentation state, and by its own header: the same picture.

    A state that turns the grey scale round passes every validator, and inverts the radiograph.
    """
    with tempfile.TemporaryDirectory() as folder:
        readable, shown, plain = (Path(folder, name) for name in ("raw.dcm", "shown.pgm", "plain.pgm"))
        readable_source(source, readable)
        for command in (
            ("dcmp2pgm", "-p", path, readable, shown),
            ("dcm2pnm", *_window_options(readable), readable, plain),
        ):
            code, said = _run(*command)
            if code or not Path(command[-1]).is_file():
                return [f"{command[0]}: exit status {code}", *_starting(said, "E:", "F:")]
        options = _window_options(readable)
        return _difference(_grey(shown), _grey(plain), is_same_window=options != _NO_WINDOW)


def readable_source(source: Path, target: Path) -> None:
    """The source uncompressed and in UTF-8, each where it can be done; else as it is.

    Debian's DCMTK decodes no JPEG 2000, and dcentvfy compares text byte by byte.
    """
    target.write_bytes(source.read_bytes())
    mended = target.with_suffix(".mended")
    for command in (("gdcmconv", "--raw"), ("dcmconv", "+U8")):
        code, _ = _run(*command, target, mended)
        if code == 0 and mended.is_file():
            mended.replace(target)
        elif command[0] == "dcmconv":
            _to_utf8(target)


def _to_utf8(path: Path) -> None:
    # DCMTK on the GNU C library's tables knows no ISO 2022.
    with warnings.catch_warnings(action="ignore"):
        ds = pydicom.dcmread(path, force=True)
        if any("2022" in name for name in ds.get("SpecificCharacterSet") or ()):
            ds.decode()
            ds.SpecificCharacterSet = "ISO_IR 192"
            ds.save_as(path)


def pixelmed(paths: Sequence[Path]) -> dict[Path, list[str]]:
    """PixelMed: the templates of reports and key objects, many in one virtual machine."""
    if not paths:
        return {}
    command = ("-Xmx1g", *_NO_XPATH_LIMITS, "-cp", _PIXELMED, _DRIVER, *paths)
    code, said = _run("java", *command, limit_s=_LONG_LIMIT_S)
    by_path: dict[str, list[str]] = defaultdict(list)
    name = ""
    for line in said:
        if line.startswith("== "):
            name = line[3:]
        else:
            by_path[name].append(line)
    assert code == 0, f"java: exit status {code}: {by_path[''][:3]}"
    return {path: list(_against(by_path[str(path)])) for path in paths}


def dcentvfy(paths: Sequence[Path]) -> list[str]:
    """dicom3tools: whether objects of one patient, study or series agree about it."""
    return _starting(_run("dcentvfy", *paths)[1], "Error", "Warning")


def _against(said: list[str]) -> Iterator[str]:
    yield from (line for line in said if line.startswith(("Error", "Warning")) or "Exception" in line)
    if not any("Found Root Template" in line for line in said):
        yield "Error: no root template"


def _of_dcmtk(program: str, path: Path, levels: str, *options: str, output: Path | None = None) -> list[str]:
    code, said = _run(program, *options, path, *([output] if output else []))
    wrong = _starting(said, *(f"{level}:" for level in levels))
    return wrong + ([f"exit status {code}"] if code else [])


def _starting(lines: list[str], *starts: str) -> list[str]:
    return [line for line in lines if line.startswith(starts)]


def _window_options(path: Path) -> tuple[str, ...]:
    ds = pydicom.dcmread(path, specific_tags=["WindowCenter", "WindowWidth", "VOILUTSequence"], force=True)
    if ds.get("WindowCenter") is not None and ds.get("WindowWidth") is not None:
        return ("+Wi", "1")
    return ("+Wl", "1") if ds.get("VOILUTSequence") else _NO_WINDOW


def _grey(path: Path) -> NDArray[np.int16]:
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert picture is not None, f"not a picture: {path.name}"
    return picture.astype(np.int16)


def _difference(shown: NDArray[np.int16], plain: NDArray[np.int16], *, is_same_window: bool) -> list[str]:
    if shown.shape != plain.shape:
        return [f"shown as {shown.shape}, the source is {plain.shape}"]
    if not is_same_window:
        likeness = float(np.corrcoef(shown.ravel(), plain.ravel())[0, 1])
        return [] if likeness > _LIKE else [f"the picture is like the source's by {likeness:.2f} only"]
    most = int(np.abs(shown - plain).max())
    return [f"the picture differs from the source's by {most} of 255"] if most > _ROUNDING else []


def _run(program: str, *arguments: object, limit_s: float = _LIMIT_S) -> tuple[int, list[str]]:
    command = [find_tool(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=limit_s, check=False)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace").splitlines()
