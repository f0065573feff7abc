"""What made a set of weights, beside its settings: software, machine, and the commit it was made from."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "torch",
    "monai",
    "numpy",
    "opencv-python-headless",
    "pandas",
    "scikit-learn",
    "onnx",
    "onnxruntime",
)


def describe_surroundings(folder: Path = Path(__file__).parent) -> dict[str, object]:
    """Versions, machine and commit, for a run record; `folder` lies in the repository, if there is one."""
    return {
        "versions": {"python": platform.python_version(), **package_versions()},
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "commit": commit_of(folder),
    }


def package_versions() -> dict[str, str]:
    """The versions of those `PACKAGES` that are installed."""
    return {name: version for name in PACKAGES if (version := _version(name)) is not None}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def commit_of(folder: Path) -> str | None:
    """The commit checked out there, with `+changes` when tracked files differ; None outside a repository."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    return commit + ("+changes" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")


def _git(folder: Path, *words: str) -> str:
    program = shutil.which("git")
    if program is None:
        return ""
    done = subprocess.run([program, "-C", str(folder), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
