"""One check that needs a look, in full: its sentence, expected, observed, exchanges, how to see it again.

Owns these lines; knows nothing of causes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from fsprobe.report.text import WIDTH, cut, fold
from fsprobe.report.words import VERDICT_STYLE

_TRACE_SHOWN = 4
_LABEL = 10


def finding(check: Mapping[str, Any], indent: int = 2) -> list[Text]:
    """A block of about eight lines."""
    verdict = check["verdict"]
    line = Text(" " * indent).append(verdict, VERDICT_STYLE.get(verdict, "bold red"))
    name = cut(check["id"], WIDTH - indent - 24)
    line.append(f"  {name}", "bold").append(f"  {check.get('level', '')}", "dim")
    lines = [line]
    sentence = fold(check.get("title") or "", WIDTH - indent - 2)
    lines += [Text(" " * (indent + 2) + part) for part in sentence if part]
    for label in ("expected", "observed", "reason"):
        if check.get(label):
            lines += _field(indent + 2, label, check[label])
    trace = list(check.get("trace") or ())
    for index, text in enumerate(trace[-_TRACE_SHOWN:]):
        lines += _field(indent + 2, "exchanges" if index == 0 else "", text, "dim")
    if len(trace) > _TRACE_SHOWN:
        lines += _field(indent + 2, "", f"the last {_TRACE_SHOWN} of {len(trace)}", "dim")
    if check.get("reproduce"):
        lines += _field(indent + 2, "again", check["reproduce"])
    return lines


def _field(indent: int, label: str, text: str, style: str = "") -> list[Text]:
    parts = fold(text, WIDTH - indent - _LABEL)
    first = Text(" " * indent).append(f"{label:<{_LABEL}}", "dim").append(parts[0], style)
    return [first, *(Text(" " * (indent + _LABEL)).append(part, style) for part in parts[1:])]
