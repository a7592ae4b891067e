"""The end of the screen: every verdict counted, what was not asked and why, the exit code and its meaning.

Owns these lines; knows nothing of operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from fsprobe.report.text import WIDTH, count, cut, labelled, pack
from fsprobe.report.words import EXIT_MEANING, VERDICT_STYLE

_REASONS_SHOWN = 4
_COLUMN = 13
_NAMES_SHOWN = 4
_NOT_ANSWERED = ("UNSUPPORTED", "SKIP", "NOTRUN")


def footer(document: Mapping[str, Any], *, verbose: bool) -> list[Text]:
    """Reasons of what was not answered, leftovers, then the line of counts, last so that it is seen."""
    lines: list[Text] = []
    for verdict in _NOT_ANSWERED:
        checks = [check for check in document["checks"] if check["verdict"] == verdict]
        lines += _by_operation(checks) if verdict == "UNSUPPORTED" and not verbose else []
        lines += _reasons(checks, verdict, verbose) if verdict != "UNSUPPORTED" or verbose else []
    lines += _processes(document["processes"], verbose)
    if lines:
        lines.append(Text())
    return [*lines, *_counts(document["summary"])]


def _by_operation(checks: list[Mapping[str, Any]]) -> list[Text]:
    """Which optional operations were declined, and in how many checks: why stands in the matrix."""
    counts = Counter(check["op"] for check in checks).most_common()
    lines = pack([f"{op} {number}" for op, number in counts], WIDTH - _COLUMN)
    return [line for index, text in enumerate(lines) if text
            for line in labelled("UNSUPPORTED" if index == 0 else "", text, 0, _COLUMN)]


def _reasons(checks: list[Mapping[str, Any]], verdict: str, verbose: bool) -> list[Text]:
    reasons = Counter(_reason(check) for check in checks)
    shown = reasons.most_common(None if verbose else _REASONS_SHOWN)
    lines: list[Text] = []
    for index, (reason, number) in enumerate(shown):
        text = f"{number} × {reason}"
        text = text if verbose else cut(text, WIDTH - _COLUMN)
        lines += labelled(verdict if index == 0 else "", text, 0, _COLUMN)
    hidden = len(reasons) - len(shown)
    return lines + (labelled("", f"{count(hidden, 'reason')} more with -v", 0, _COLUMN, "dim") if hidden else [])


def _reason(check: Mapping[str, Any]) -> str:
    text = check.get("reason") or check.get("observed") or "no reason given"
    return f"{check['op']}: {text}" if check["verdict"] == "UNSUPPORTED" and check["op"] not in text else str(text)


def _processes(processes: Mapping[str, Any], verbose: bool) -> list[Text]:
    """How the daemon fared. Most of its exits are fsprobe's own doing, so they are told only where asked for."""
    lines: list[Text] = []
    for end in processes["daemon_exits"] if verbose else ():
        lines += labelled("daemon", f"start {end.get('start')}: {end.get('how')}", indent=0, column=_COLUMN)
    if processes.get("restarts"):
        lines += labelled("restarts", f"the daemon was started anew {count(processes['restarts'], 'time')}", 0, _COLUMN)
    for kind, names in (processes.get("leaked") or {}).items():
        if names:
            listed = _few(names) if isinstance(names, list) else str(names)
            lines += labelled("left behind", f"{kind}: {listed}", indent=0, column=_COLUMN, style="bold red")
    return lines


def _few(names: list[Any]) -> str:
    """The first names, and how many more there are: the JSON has them all."""
    shown = ", ".join(str(name) for name in names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown} and {len(names) - _NAMES_SHOWN} more"


def _counts(summary: Mapping[str, Any]) -> list[Text]:
    counts = summary.get("counts") or {}
    ordered = [name for name in VERDICT_STYLE if counts.get(name)]
    ordered += [name for name in counts if name not in VERDICT_STYLE and counts[name]]
    line = Text()
    for name in ordered:
        line.append(" · " if line.plain else "").append(f"{name} {counts[name]}", VERDICT_STYLE.get(name, ""))
    if not ordered:
        line.append("no check ran", "bold yellow")
    total = f"{count(sum(counts.values()), 'check')} in {summary.get('seconds', 0):.1f} s"
    code = summary["exit_code"]
    end = Text(f"exit {code}", "bold green" if code == 0 else "bold red")
    end.append(f": {EXIT_MEANING.get(code, '?')}")
    space = WIDTH - line.cell_len - len(total)
    if space >= 2:
        return [line.append(" " * space + total, "dim"), end]
    return [line, Text(total, "dim"), end]
