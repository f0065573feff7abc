"""Known holes stay shut: least versions, pinned by hash, from locks that name no address."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-gpu.lock")

# What a release below has: a hole that is known, or a fault that was measured.
LEAST = {
    "celery": ("5.7.0", "with kombu below, never resumes a silently dead Redis link"),
    "kombu": ("5.7.0", "5.6.2 never resumes a silently dead Redis link"),
    "pillow": ("12.2", "known holes"),
    "pydicom": ("3.0.2", "known holes"),
    "pynetdicom": ("3.0.4", "the release that was tested under attack"),
    "starlette": ("0.49.1", "a known hole"),
    "urllib3": ("2.7.0", "known holes"),
}
# Never in the runtime: `onnx` reads files that a model names (CVE-2026-27489), GDCM is unsafe on hostile
# input (CVE-2026-3650).
NEVER = ("onnx", "python-gdcm", "gdcm")


def pins_of(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, flags=re.M | re.I))


def askers_of(lock: str, name: str) -> set[str]:
    """Who brings a package into a lock: the images leave out what only the group `dev` asks for."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    entry = re.search(rf"^{re.escape(name)}==.*?# via(.*?)(?=^[a-z0-9]|\Z)", text, flags=re.M | re.S | re.I)
    return {line.strip(" #") for line in entry.group(1).splitlines() if line.strip(" #")} if entry else set()


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_no_release_with_a_known_hole(lock: str, name: str) -> None:
    least, why = LEAST[name]

    assert Version(pins_of(lock)[name]) >= Version(least), why


@pytest.mark.parametrize("name", LEAST)
def test_what_is_installed_has_no_known_hole(name: str) -> None:
    assert Version(version(name)) >= Version(LEAST[name][0])


@pytest.mark.parametrize("name", NEVER)
@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_unsafe_on_hostile_input_is_asked_for_by_tests_alone(lock: str, name: str) -> None:
    assert askers_of(lock, name) <= {"wetread (pyproject.toml:dev)"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=[a-zA-Z0-9])", text) if "==" in entry]

    assert len(entries) > 20
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links|git\+|file:", text) == []


def test_the_cpu_lock_has_the_cpu_runtime_and_the_gpu_lock_the_other() -> None:
    assert "onnxruntime" in pins_of("requirements.lock")
    assert "onnxruntime-gpu" not in pins_of("requirements.lock")
    assert "onnxruntime-gpu" in pins_of("requirements-gpu.lock")


def test_who_asks_for_a_package_is_read_from_a_lock() -> None:
    assert askers_of("requirements.lock", "onnx") == {"wetread (pyproject.toml:dev)"}
    assert askers_of("requirements.lock", "kombu") == {"celery"}
