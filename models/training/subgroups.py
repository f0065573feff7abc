"""Which parts of a test set are measured apart."""

from __future__ import annotations

import pandas as pd

LEAST_IMAGES = 15


def subgroups_of(table: pd.DataFrame, task: str) -> dict[str, pd.DataFrame]:
    """Named parts, each with at least `LEAST_IMAGES` images."""
    parts = _chest(table) if task == "chest" else _limb(table)
    return {name: part for name, part in parts.items() if len(part) >= LEAST_IMAGES}


def _chest(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    if "subset" in table:
        parts = {f"set: {name}": part for name, part in table.groupby("subset")}
        kermany = table[table["subset"] == "kermany"]
        for kind in ("bacteria", "virus"):
            parts[f"set: kermany, {kind} against normal"] = kermany[
                kermany["sublabel"].isin([kind, "normal"])
            ]
        return parts
    age = pd.to_numeric(table["age"])
    return {
        "opacity against Normal": table[table["rsna_class"] != "No Lung Opacity / Not Normal"],
        "view: PA": table[table["view"] == "PA"],
        "view: AP": table[table["view"] == "AP"],
        "age: 18 and over": table[age >= 18],
        "age: under 18": table[age < 18],
        "sex: F": table[table["sex"] == "F"],
        "sex: M": table[table["sex"] == "M"],
    }


def _limb(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    parts = {f"body part: {name}": part for name, part in table.groupby("body_part")}
    parts["without hardware"] = table[~table["hardware"].isin(["1", "1.0"])]
    for view in ("frontal", "lateral", "oblique"):
        parts[f"view: {view}"] = table[table["views"] == view]
    return parts
