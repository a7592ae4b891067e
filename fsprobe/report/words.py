"""The words of a report: their order, their colours, what makes a verdict a problem.

Owns these tables; knows nothing of documents. Colour only repeats what the word says already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsprobe.results.verdicts import STRICT_UNEXPECTED, UNEXPECTED, OpVerdict, Verdict

LAYERS = ("wire", "mount", "shell")

OP_ORDER = {verdict.value: rank for rank, verdict in enumerate(OpVerdict)}
"""Worst first."""

OP_STYLE = {
    "crash": "bold red", "hang": "bold red", "ENOSYS": "red", "wrong": "red", "partial": "yellow",
    "unsupported": "yellow", "ok": "green", "untested": "dim",
}  # fmt: skip

CELL = {"unsupported": "unsup", "partial": "part", "untested": "·"}
"""What a cell of the matrix says where the verdict's own word is too long or says nothing."""

VERDICT_STYLE = {
    "CRASH": "bold red", "HANG": "bold red", "FAIL": "bold red", "ERROR": "bold magenta", "NOTRUN": "red",
    "XPASS": "red", "WARN": "yellow", "UNSUPPORTED": "yellow", "SKIP": "cyan", "XFAIL": "dim", "INFO": "dim",
    "PASS": "green",
}  # fmt: skip
"""In the order of a summary line: what needs a look first."""

EXIT_MEANING = {
    0: "all as expected",
    1: "unexpected verdicts",
    2: "usage or configuration",
    3: "fsprobe's own error",
    4: "the target did not start, mount or answer INIT",
    5: "nothing was checked",
    6: "this machine cannot do what was asked",
    130: "interrupted; this report is partial",
}


def blamed(document: Mapping[str, Any]) -> set[str]:
    """Operations at fault. One that answers ENOSYS is not among them where nothing needs it: POLL, STATX, …"""
    by_checks = {check["op"] for check in document["checks"] if is_problem(check)}
    return by_checks | {one["op"] for one in document["diagnoses"] if one.get("confidence") != "note"}


def is_problem(check: Mapping[str, Any], *, strict: bool = False) -> bool:
    """Whether a check's verdict needs a look: what makes the exit code 1, and fsprobe's own errors."""
    try:
        verdict = Verdict(check["verdict"])
    except ValueError:
        return True
    return verdict in (STRICT_UNEXPECTED if strict else UNEXPECTED) or verdict is Verdict.ERROR
