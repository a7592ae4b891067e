"""From samples to the numbers that are shown: medians, spread, ratios, percentiles.

Owns the arithmetic; knows nothing of where samples come from.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from fsprobe.trace.stats import percentile


def summary(samples: Sequence[float]) -> dict[str, Any]:
    """Median, spread (the distance of the quartiles over the median; None of fewer than three) and the samples."""
    median = statistics.median(samples)
    spread = None
    if len(samples) >= 3 and median:
        low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
        spread = (high - low) / median
    return {"median": median, "spread": spread, "samples": list(samples)}


def times(values: Sequence[float]) -> dict[str, float]:
    """Mean, p50, p95 and p99 of times, in their own unit."""
    ordered = sorted(values)
    found = {f"p{percent}": percentile(ordered, percent) for percent in (50, 95, 99)}
    return {"mean": statistics.fmean(ordered), **found}


def ratio(cell: Mapping[str, Any], base: Mapping[str, Any]) -> float | None:
    """How often the base's value a cell is: the median over rounds of the ratio within each, as drift cancels there.

    None where either has no figure.
    """
    if "samples" not in cell or "samples" not in base:
        return None
    if "rounds" in cell and "rounds" in base:
        mine, theirs = (dict(zip(one["rounds"], one["samples"], strict=True)) for one in (cell, base))
        pairs = [mine[n] / theirs[n] for n in mine if theirs.get(n)]
    else:
        pairs = [a / b for a, b in zip(cell["samples"], base["samples"], strict=False) if b]
    return statistics.median(pairs) if pairs else None
