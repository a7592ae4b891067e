"""What a failed check, and the end of a run, say in pytest's report.

Owns these lines, made harmless for any terminal; knows nothing of pytest's hooks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fsprobe.report.finding import finding
from fsprobe.report.text import WIDTH, clean, count, fold, listing
from fsprobe.report.words import serious
from fsprobe.results.plain import plain
from fsprobe.results.records import CheckResult, Diagnosis

_COLUMN = 12
_EVIDENCE_SHOWN, _FIX_SHOWN = 4, 8


def shown(result: CheckResult | Diagnosis) -> dict[str, Any]:
    """A record as plain values whose texts no terminal acts upon."""
    made: dict[str, Any] = clean(plain(result))
    return made


def failure(check: Mapping[str, Any], cause: Diagnosis | None) -> str:
    """Everything about one check that failed: expected, observed, exchanges, why, how to see it again."""
    lines = [line.plain.rstrip() for line in finding(check, 0)]
    if cause is not None:
        told = shown(cause)
        lines += _labelled("why", f"{told['summary']} ({told['cause']}, {told['confidence']})")
        for text in told["evidence"][:_EVIDENCE_SHOWN]:
            lines += _labelled("", text)
        fix = [text for text in told["fix"].split("\n") if "fsprobe run " not in text]
        lines += _labelled("fix", "\n".join(fix))[:_FIX_SHOWN] if fix else []
    return "\n".join(lines)


def _labelled(label: str, text: str) -> list[str]:
    first, *rest = fold(text, WIDTH - _COLUMN)
    return [f"  {label:<{_COLUMN - 2}}{first}".rstrip(), *(" " * _COLUMN + line for line in rest)]


def headline(check: Mapping[str, Any]) -> str:
    """One line for the short summary: `SETATTR: expected …, observed …`."""
    if check["verdict"] in ("NOTRUN", "ERROR", "XPASS"):
        told = check["reason"] or check["observed"]
    elif check["verdict"] in ("HANG", "CRASH"):
        told = check["observed"]
    else:
        told = f"expected {check['expected'] or 'success'}, observed {check['observed']}"
    about = "" if told.startswith(f"{check['op']}: ") else f"{check['op']}: "
    return " ".join(f"{check['verdict']} {about}{told}".split())


def warning(check: Mapping[str, Any]) -> str:
    """What a WARN says in the section of a check that passes all the same."""
    return "\n".join(line.plain.rstrip() for line in finding(check, 0))


def causes(document: Mapping[str, Any]) -> list[str]:
    """One line a root cause, worst first, then what was left behind."""
    lines = []
    for one in clean(serious(document)):
        explained = one.get("checks") or ()
        more = f" [{one['cause']}, {one['confidence']}; {count(len(explained), 'check')}]"
        lines.append(" ".join(one["summary"].split()) + more)
    for kind, left in clean(document["processes"]["leaked"]).items():
        if left:
            lines.append(f"left behind: {kind}: {listing(list(map(str, left)), 5)}")
    return lines


def baseline(document: Mapping[str, Any]) -> list[str]:
    """Entries of the file of known failures that hold no more."""
    told = document.get("baseline") or {}
    return [
        f"{told['file']}: the entry for {name} {why}"
        for key, why in (("stale", "names no check"), ("expired", "has expired"))
        for name in clean(list(told.get(key) or ()))
    ]


def warned(document: Mapping[str, Any]) -> Sequence[str]:
    """Ids of the checks that warn."""
    return [check["id"] for check in document["checks"] if check["verdict"] == "WARN"]
