"""A folder dropped into models.path serves: every door of the real service, a modality, a PACS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.builders import small_film, write
from tests.bundles import PUBLIC_KEY, brightness_classifier, drop, examples


def test_a_chest_is_answered_by_a_model_that_nobody_wrote_code_for(tmp_path: Path) -> None:
    gains = ((0.0, -4.0, 4.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    drop(tmp_path / "models", examples()["chest-labels"], brightness_classifier(gains=gains))
    (tmp_path / "films").mkdir()
    write(small_film("chest", body_part="CHEST", view="PA"), tmp_path / "films")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WETREAD_")}
    settings = {
        "WETREAD_HOME": str(tmp_path / "home"),
        "WETREAD_MODELS__PATH": str(tmp_path / "models"),
        "WETREAD_MODELS__TRUSTED_KEYS": json.dumps([PUBLIC_KEY]),
    }

    done = subprocess.run(
        [sys.executable, "-m", "wetread", "demo", "--images", str(tmp_path / "films")],
        env=kept | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "lung opacity" in done.stdout.lower()
    assert "1 of 1 studies answered" in done.stdout
