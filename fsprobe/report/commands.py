"""The commands that failed, each with the operation to blame.

Owns this section; knows nothing of causes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from fsprobe.report.text import WIDTH, cut, pad
from fsprobe.report.words import OP_STYLE, is_problem

_COMMAND, _OP = 16, 13
_TYPED = re.compile(r"`([^`]+)`")


def commands(checks: Sequence[Mapping[str, Any]]) -> list[Text]:
    """One line for each command and operation: the first thing that was seen of it."""
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for check in failed(checks):
        rows.setdefault((command_of(check), check["op"]), []).append(check)
    if not rows:
        return []
    heading = pad("COMMAND", _COMMAND) + pad("BECAUSE OF", _OP) + "WHAT IT SAYS"
    return [Text(heading, "bold"), *(_row(key, found) for key, found in rows.items())]


def failed(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The shell checks whose command did not do its work."""
    return [c for c in checks if c["layer"] == "shell" and is_problem(c) and c["verdict"] != "NOTRUN"]


def command_of(check: Mapping[str, Any]) -> str:
    """What is typed, as the sentence of a shell check quotes it first; else what its id says."""
    typed = _TYPED.search(check.get("title") or "")
    return typed[1] if typed else str(check["id"]).removeprefix("shell.")


def _row(key: tuple[str, str], found: Sequence[Mapping[str, Any]]) -> Text:
    command, op = key
    said = found[0].get("observed") or found[0]["verdict"]
    more = f" (+{len(found) - 1})" if len(found) > 1 else ""
    line = Text(pad(command, _COMMAND)).append(pad(op, _OP), OP_STYLE["ENOSYS"])
    return line.append(cut(said, WIDTH - _COMMAND - _OP - len(more))).append(more, "dim")
