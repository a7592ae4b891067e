"""The end of a live trace: a table of its operations.

Owns the table's words; knows nothing of where the numbers come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fsprobe.report.text import count, cut, micros

_WIDTH = 80
_OK = "ok"


def table(summary: Mapping[str, Any], reason: str) -> Iterable[str]:
    """The lines: one an operation, the busiest first; then how many there were in all and what ended the trace."""
    rows = sorted(summary["operations"].items(), key=lambda item: (-item[1]["requests"], item[0]))
    if rows:
        yield f"{'OPERATION':<18}{'COUNT':>8}{'ERRORS':>8}{'P50':>8}{'P99':>8}{'MAX':>8}  REPLIES"
    for op, row in rows:
        errors = sum(number for word, number in row["replies"].items() if word != _OK)
        replies = " ".join(f"{word} {number}" for word, number in row["replies"].items() if word != _OK)
        times = "".join(f"{micros(row[key]):>8}" for key in ("p50_us", "p99_us", "max_us"))
        yield cut(f"{op:<18}{row['requests']:>8}{errors or '':>8}{times}  {replies}".rstrip(), _WIDTH)
    yield _totals(summary, reason)


def _totals(summary: Mapping[str, Any], reason: str) -> str:
    shown, seen = summary["shown"], summary["requests"]
    words = [count(seen, "request") if shown == seen else f"{shown} of {count(seen, 'request')}"]
    words[0] += f" in {summary['seconds']:.1f} s"
    if summary["open"]:
        words.append(f"{summary['open']} without an answer")
    if summary["dropped"]:
        words.append(f"{summary['dropped']} not recorded")
    return " · ".join([*words, reason] if reason else words)
