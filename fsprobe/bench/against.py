"""A benchmark against an earlier one: what has become slower than the tolerance allows.

Owns the comparison; knows nothing of screens. Where both have the native directory, ratios to it are compared, so that
another day's load of the machine is no regression; else medians.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Regression:
    """One cell that is worse. before, now: ratios to native or medians, or a mark; times: how much worse."""

    row: str
    target: str
    before: str
    now: str
    times: float | None


def regressions(before: Mapping[str, Any], now: Mapping[str, Any], tolerance: float) -> tuple[list[Regression], int]:
    """What is worse by more than the tolerance (0.25 is 25 %), and how many cells could be compared."""
    old = {row["id"]: row for row in before["rows"]}
    found: list[Regression] = []
    compared = 0
    for row in now["rows"]:
        for name, cell in row["cells"].items():
            was = old.get(row["id"], {}).get("cells", {}).get(name)
            if name == "native" or was is None or "median" not in was:
                continue
            compared += 1
            if "mark" in cell:
                found.append(Regression(row["id"], name, _figure(was, row), cell["mark"], None))
                continue
            key = "to_native" if was.get("to_native") and cell.get("to_native") else "median"
            times = cell[key] / was[key] if row["better"] == "lower" else was[key] / cell[key]
            if times > 1 + tolerance:
                said = [f"{one[key]:.2f} × native" if key == "to_native" else _figure(one, row) for one in (was, cell)]
                found.append(Regression(row["id"], name, said[0], said[1], times))
    return found, compared


def _figure(cell: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    return f"{cell['median']:.4g} {row['unit']}"
