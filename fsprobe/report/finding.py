"""One check that needs a look, in full: its sentence, expected, observed, exchanges, how to see it again.

Owns these lines; knows nothing of causes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from fsprobe.report.text import cut, fold, fold_command, screen_width
from fsprobe.report.words import VERDICT_STYLE

_TRACE_SHOWN = 3
_TRACE_LINES = 3  # of the screen, for one exchange: a name may have 255 bytes
_EVIDENCE_SHOWN = 3
_LABEL = 10
# What a reply says that is no success: an error name, or that none came, or that the relay had to say something.
_BAD = re.compile(r"→ (?:E[A-Z0-9]+\b|no reply|malformed)|\]$")


def finding(check: Mapping[str, Any], indent: int = 2, *, verbose: bool = False) -> list[Text]:
    """A block of about eight lines."""
    verdict = check["verdict"]
    line = Text(" " * indent).append(verdict, VERDICT_STYLE.get(verdict, "bold red"))
    name = cut(check["id"], screen_width() - indent - 24)
    line.append(f"  {name}", "bold").append(f"  {check.get('level', '')}", "dim")
    lines = [line]
    sentence = fold(check.get("title") or "", screen_width() - indent - 2)
    lines += [Text(" " * (indent + 2) + part) for part in sentence if part]
    for label in ("expected", "observed", "reason"):
        if check.get(label):
            lines += _field(indent + 2, label, check[label])
    if check["verdict"] == "ERROR":  # fsprobe's own fault: the end of a traceback is what mends it
        for index, text in enumerate((check.get("evidence") or ())[-_EVIDENCE_SHOWN:]):
            lines += _field(indent + 2, "because" if index == 0 else "", text, "dim")
    lines += _exchanges(check, indent + 2, verbose)
    if check.get("reproduce"):
        lines += _again(check, indent + 2)
    return lines


def _again(check: Mapping[str, Any], indent: int) -> list[Text]:
    """The command that repeats it, which can be copied though it may need several lines."""
    parts = fold_command(check["reproduce"], screen_width() - indent - _LABEL)
    first = Text(" " * indent).append(f"{'again':<{_LABEL}}", "dim").append(parts[0])
    return [first, *(Text(" " * (indent + _LABEL) + part) for part in parts[1:])]


def _exchanges(check: Mapping[str, Any], indent: int, verbose: bool) -> list[Text]:
    trace = list(check.get("trace") or ())
    telling = exchanges(trace, check["op"], check.get("errno") or "")
    label = "exchange" if len(trace) == 1 else "exchanges"
    label = f"{len(telling)} of {len(trace)}" if len(trace) > len(telling) else label
    lines: list[Text] = []
    for index, text in enumerate(telling):
        text = text if verbose else _within(text, (screen_width() - indent - _LABEL) * _TRACE_LINES - _LABEL)
        lines += _field(indent, label if index == 0 else "", text, "dim")
    return lines


def exchanges(trace: Sequence[str], op: str, errno: str = "") -> list[str]:
    """The few exchanges that tell, in their order: the failing one is always among them.

    First those of the operation to blame that were answered with the error which the check met; else any of it that
    failed; else any at all that failed; else the last of the operation. The last ones of a check are mostly its
    own tidying up.
    """
    own = [line for line in trace if line.startswith(f"{op} ")]
    for group in (
        [line for line in own if errno and f"→ {errno} " in f"{line} "],
        [line for line in trace if errno and f"→ {errno} " in f"{line} "],
        [line for line in own if _BAD.search(line)],
        own,
        [line for line in trace if _BAD.search(line)],
    ):
        if group:
            return list(group[:1] if errno else group[-_TRACE_SHOWN:])
    return list(trace[-_TRACE_SHOWN:])


def _within(text: str, width: int) -> str:
    """Cut in the request, never in the reply, which stands at the end."""
    request, arrow, reply = text.rpartition(" → ")
    if len(text) <= width or not arrow or len(reply) > width // 2:
        return cut(text, width)
    return cut(request, width - len(arrow + reply)) + arrow + reply


def _field(indent: int, label: str, text: str, style: str = "") -> list[Text]:
    parts = fold(text, screen_width() - indent - _LABEL)
    first = Text(" " * indent).append(f"{label:<{_LABEL}}", "dim").append(parts[0], style)
    return [first, *(Text(" " * (indent + _LABEL)).append(part, style) for part in parts[1:])]
