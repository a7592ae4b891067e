"""One check that needs a look, in full: its sentence, expected, observed, exchanges, how to see it again.

Owns these lines; knows nothing of causes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from fsprobe.report.text import WIDTH, cut, fold
from fsprobe.report.words import VERDICT_STYLE

_TRACE_SHOWN = 3
_EVIDENCE_SHOWN = 3
_LABEL = 10


def finding(check: Mapping[str, Any], indent: int = 2, *, again: bool = True) -> list[Text]:
    """A block of about eight lines. again: with the command that repeats it."""
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
    if check["verdict"] == "ERROR":  # fsprobe's own fault: the end of a traceback is what mends it
        for index, text in enumerate((check.get("evidence") or ())[-_EVIDENCE_SHOWN:]):
            lines += _field(indent + 2, "because" if index == 0 else "", text, "dim")
    trace = list(check.get("trace") or ())
    telling = exchanges(trace, check["op"])
    for index, text in enumerate(telling):
        lines += _field(indent + 2, "exchanges" if index == 0 else "", text, "dim")
    if len(trace) > len(telling):
        lines += _field(indent + 2, "", f"{len(telling)} of {len(trace)}, all of them in the JSON", "dim")
    if again and check.get("reproduce"):
        lines += _field(indent + 2, "again", check["reproduce"])
    return lines


def exchanges(trace: Sequence[str], op: str) -> list[str]:
    """The few exchanges that tell: those of the operation to blame, its errors before its successes.

    The last ones of a check are mostly its own tidying up.
    """
    own = [line for line in trace if line.startswith(f"{op} ")]
    bad = [line for line in own if "→ OK" not in line]
    return list((bad or own or trace)[-_TRACE_SHOWN:])


def _field(indent: int, label: str, text: str, style: str = "") -> list[Text]:
    parts = fold(text, WIDTH - indent - _LABEL)
    first = Text(" " * indent).append(f"{label:<{_LABEL}}", "dim").append(parts[0], style)
    return [first, *(Text(" " * (indent + _LABEL)).append(part, style) for part in parts[1:])]
