"""A benchmark against an earlier one: what has become slower than the tolerance allows.

Owns the comparison; knows nothing of screens. Ratios to the native directory of the same turns are compared where both
have them, so that another day's load of the machine is no regression; else medians. What is further apart than the
tolerance, but not further than the samples of both are uncertain, is no regression either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

MEMORY = "memory of the daemon at most"


@dataclass(frozen=True, slots=True)
class Regression:
    """One cell that is worse. before, now: ratios to native or medians, or a mark; times: how much worse, None where
    there is no figure any more. within: how uncertain that is.
    """

    row: str
    target: str
    before: str
    now: str
    times: float | None
    within: float

    def told(self) -> dict[str, Any]:
        """For the result file."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Comparison:
    """compared: cells that both have. notes: what makes the two less comparable."""

    slower: tuple[Regression, ...]
    compared: int
    notes: tuple[str, ...]


def compare(before: Mapping[str, Any], now: Mapping[str, Any], tolerance: float) -> Comparison:
    """What is worse by more than the tolerance (0.25 is 25 %)."""
    found: list[Regression] = []
    compared = 0
    for name, row, was, cell in _cells(before, now):
        compared += 1
        worse = _worse(name, row, was, cell, tolerance)
        found += [worse] if worse is not None else []
    memory = list(_memory(before, now, tolerance))
    return Comparison((*found, *(one for one in memory if one is not None)), compared + len(memory),
                      tuple(_notes(before, now)))  # fmt: skip


def _cells(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any, Any]]:
    """Name, row, the cell then and now, where both did the same work in the same way and there was a figure then."""
    old = {(row["id"], row["tool"]): row for row in before["rows"]}
    for row in now["rows"]:
        for name, cell in row["cells"].items():
            was = old.get((row["id"], row["tool"]), {}).get("cells", {}).get(name)
            if name != "native" and was is not None and "median" in was:
                yield name, row, was, cell


def _worse(name: str, row: Mapping[str, Any], was: Mapping[str, Any], cell: Mapping[str, Any],
           tolerance: float) -> Regression | None:  # fmt: skip
    if "mark" in cell:
        if cell["mark"] == "not run" and cell.get("detail") == "interrupted":
            return None
        return Regression(row["id"], name, _figure(was, row), cell["mark"], None, 0.0)
    key = "to_native" if was.get("to_native") and cell.get("to_native") else "median"
    times = cell[key] / was[key] if row["better"] == "lower" else was[key] / cell[key]
    within = sum((one.get("to_native_within") or 0.0) ** 2 for one in (was, cell)) ** 0.5
    if times <= 1 + tolerance or times <= 1 + within:
        return None
    then, after = (f"{one[key]:.3g} × native" if key == "to_native" else _figure(one, row) for one in (was, cell))
    return Regression(row["id"], name, then, after, times, within)


def _memory(before: Mapping[str, Any], now: Mapping[str, Any], tolerance: float) -> Iterator[Regression | None]:
    """The most memory that a daemon had, where the same work was done: a regression, or None where it is none."""
    if any(before["options"].get(key) != now["options"].get(key) for key in ("quick", "only")):
        return
    then = {target["name"]: (target.get("usage") or {}).get("rss_max") for target in before["targets"]}
    for target in now["targets"]:
        was, is_now = then.get(target["name"]), (target.get("usage") or {}).get("rss_max")
        if was and is_now:
            worse = is_now / was > 1 + tolerance
            said = [f"{value / 1e6:.1f} MB" for value in (was, is_now)]
            yield Regression(MEMORY, target["name"], said[0], said[1], is_now / was, 0.0) if worse else None


def _notes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key, said in (("kernel", "kernel"), ("processors", "number of processors"), ("architecture", "architecture")):
        then, after = (one["machine"].get(key) for one in (before, now))
        if then != after:
            yield f"another {said}: {then} then, {after} now"
    then, after = (_native_type(one) for one in (before, now))
    if then != after:
        yield f"another native file system: {then} then, {after} now"
    if bool(before["options"].get("inject")) != bool(now["options"].get("inject")):
        yield "one of the two was measured through the relay, as --inject needs it"
    if before.get("interrupted"):
        yield "the earlier one was interrupted"


def _native_type(made: Mapping[str, Any]) -> str:
    return next((str(target["fs_type"]) for target in made["targets"] if target["name"] == "native"), "none")


def _figure(cell: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    return f"{cell['median']:.4g} {row['unit']}"
