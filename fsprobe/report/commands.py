"""The commands that failed, each with the operation to blame.

Owns this section; knows nothing of causes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from fsprobe.report.text import WIDTH, cut, pad
from fsprobe.report.words import OP_STYLE, is_problem

_COMMAND, _OP = 14, 12
_STATUS = re.compile(r"^exit \d+: ")
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
    said = _said(found[0], command)
    more = f" (+{len(found) - 1})" if len(found) > 1 else ""
    line = Text(pad(cut(command, _COMMAND - 1), _COMMAND)).append(pad(cut(op, _OP - 1), _OP), OP_STYLE["ENOSYS"])
    return line.append(_fitted(said, WIDTH - _COMMAND - _OP - len(more))).append(more, "dim")


def _said(check: Mapping[str, Any], command: str) -> str:
    """The program's own words, without its exit status and its name, which the row has already."""
    said = _STATUS.sub("", check.get("observed") or check["verdict"])
    return said.removeprefix(f"{command.split()[0]}: ")


def _fitted(said: str, width: int) -> str:
    """Cut in the middle where the end is the error itself: `Function not implemented` must not be lost."""
    rest, colon, error = said.rpartition(": ")
    if cell_len(said) <= width or not rest or cell_len(error) > width // 2:
        return cut(said, width)
    return cut(rest, width - cell_len(colon + error)) + colon + error
