"""From samples to the numbers that are shown: medians, spread, ratios, percentiles.

Owns the arithmetic; knows nothing of where samples come from.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from fsprobe.trace.stats import percentile

NOTCH = 1.57
"""Of the distance of the quartiles over the root of the number: 95 % of medians lie within (McGill, Tukey, Larsen,
Variations of Box Plots, 1978)."""


def summary(samples: Sequence[float]) -> dict[str, Any]:
    """Median, spread (the distance of the quartiles over the median; None of fewer than three) and the samples."""
    median = statistics.median(samples)
    return {"median": median, "spread": _spread(samples), "samples": list(samples)}


def _spread(samples: Sequence[float]) -> float | None:
    median = statistics.median(samples) if len(samples) >= 3 else 0.0
    if not median:
        return None
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return (high - low) / median


def uncertainty(samples: Sequence[float]) -> float | None:
    """How far the median may be from that of endless samples, as a part of it; None of fewer than three."""
    spread = _spread(samples)
    return None if spread is None else NOTCH * spread / math.sqrt(len(samples))


def times(values: Sequence[float]) -> dict[str, float]:
    """Mean, p50, p95 and p99 of times, in their own unit."""
    ordered = sorted(values)
    found = {f"p{percent}": percentile(ordered, percent) for percent in (50, 95, 99)}
    return {"mean": statistics.fmean(ordered), **found}


def pairs(cell: Mapping[str, Any], base: Mapping[str, Any]) -> list[float]:
    """How often the base's value a cell is, in each turn that has both; empty where either has no figure."""
    if "samples" not in cell or "samples" not in base:
        return []
    if "rounds" not in cell or "rounds" not in base:
        return [a / b for a, b in zip(cell["samples"], base["samples"], strict=False) if b]
    mine, theirs = (dict(zip(one["rounds"], one["samples"], strict=True)) for one in (cell, base))
    return [mine[turn] / theirs[turn] for turn in mine if theirs.get(turn)]


def ratio(cell: Mapping[str, Any], base: Mapping[str, Any]) -> float | None:
    """The median over turns of the ratio within each, as drift cancels there. None where either has no figure."""
    found = pairs(cell, base)
    return statistics.median(found) if found else None
