"""What was not answered and why; and the end of the screen: every verdict counted, the answer, the exit code.

Owns these lines; knows nothing of operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from fsprobe.report.header import answer
from fsprobe.report.text import count, cut, labelled, pack, screen_width
from fsprobe.report.words import EXIT_MEANING, VERDICT_STYLE

_REASONS_SHOWN = 3
_COLUMN = 13
_IN_MATRIX = ("ENOSYS", "unsupported")
_SHOWN_WHOLE = 24
"""Lines of a report that fit on the smallest screen: a longer one says its answer again at its end."""


def unanswered(document: Mapping[str, Any], *, verbose: bool) -> list[Text]:
    """Reasons of what was declined, skipped or not run."""
    lines: list[Text] = []
    for verdict in ("XPASS", "XFAIL", "UNSUPPORTED", "SKIP", "NOTRUN"):
        checks = [check for check in document["checks"] if check["verdict"] == verdict]
        if verdict == "UNSUPPORTED" and not verbose:
            lines += _declined(checks, document["operations"])
        else:
            lines += _reasons(checks, verdict, verbose)
    return lines


def footer(document: Mapping[str, Any], *, verbose: bool, lines_above: int = 0) -> list[Text]:
    """How the daemon fared, leftovers, then counts, answer and exit code, last so that they are seen."""
    lines = _processes(document["processes"], verbose)
    if lines:
        lines.append(Text())
    repeated = answer(document) if lines_above > _SHOWN_WHOLE else []
    return [*lines, *_counts(document["summary"]), *repeated, _exit(document["summary"]["exit_code"])]


def _declined(checks: list[Mapping[str, Any]], operations: Mapping[str, Any]) -> list[Text]:
    """Operations that work but for something optional: the matrix does not show these, as it does the others."""
    counts = Counter(
        check["op"] for check in checks if (operations.get(check["op"]) or {}).get("verdict") not in _IN_MATRIX
    )
    lines = pack([f"{op} {number}" for op, number in counts.most_common()], screen_width() - _COLUMN)
    return [line for index, text in enumerate(lines) if text
            for line in labelled("UNSUPPORTED" if index == 0 else "", "in part: " * (index == 0) + text, 0, _COLUMN)]


def _reasons(checks: list[Mapping[str, Any]], verdict: str, verbose: bool) -> list[Text]:
    reasons = Counter(_reason(check) for check in checks)
    shown = reasons.most_common(None if verbose else _REASONS_SHOWN)
    hidden = len(reasons) - len(shown)
    lines: list[Text] = []
    for index, (reason, number) in enumerate(shown):
        more = f" (+{count(hidden, 'reason')}, -v)" if hidden and index == len(shown) - 1 else ""
        text = f"{number} × {reason}"
        text = text if verbose else cut(text, screen_width() - _COLUMN - len(more)) + more
        lines += labelled(verdict if index == 0 else "", text, 0, _COLUMN)
    return lines


def _reason(check: Mapping[str, Any]) -> str:
    text = check.get("reason") or check.get("observed") or "no reason given"
    return f"{check['op']}: {text}" if check["verdict"] == "UNSUPPORTED" and check["op"] not in text else str(text)


def _processes(processes: Mapping[str, Any], verbose: bool) -> list[Text]:
    """How the daemon fared: its own deaths, and with -v those that fsprobe brought about."""
    lines: list[Text] = []
    for end in processes["daemon_exits"]:
        if verbose or not end.get("expected", True):
            lines += labelled("daemon", f"start {end.get('start')}: {end.get('how')}", indent=0, column=_COLUMN)
    if processes.get("restarts"):
        lines += labelled("restarts", f"the daemon was started anew {count(processes['restarts'], 'time')}", 0, _COLUMN)
    for kind, names in (processes.get("leaked") or {}).items():
        if names:
            listed = _few(names, kind, verbose) if isinstance(names, list) else f"{kind}: {names}"
            lines += labelled("left behind", listed, indent=0, column=_COLUMN, style="bold red")
    return lines


def _few(names: list[Any], kind: str, verbose: bool) -> str:
    """How many, and one of them: the JSON has them all."""
    if verbose or len(names) == 1:
        return f"{kind}: {', '.join(str(name) for name in names)}"
    return cut(f"{len(names)} {kind}, all named in the JSON, the first: {names[0]}", screen_width() - _COLUMN)


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
    space = screen_width() - line.cell_len - len(total)
    if space >= 2:
        return [line.append(" " * space + total, "dim")]
    return [line, Text(total, "dim")]


def _exit(code: int) -> Text:
    end = Text(f"exit {code}", "bold green" if code == 0 else "bold red")
    return end.append(f": {EXIT_MEANING.get(code, '?')}")
