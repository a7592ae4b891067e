"""The commands that failed, each with the operation to blame.

Owns this section, and what a command is called; knows nothing of how a cause was found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from fsprobe.report.text import cut, pad, screen_width
from fsprobe.report.words import OP_STYLE, is_failure, root_of

_COMMAND, _OP = 14, 12
_STATUS = re.compile(r"^exit \d+: ")
_SPEAKER = re.compile(r"^exit \d+: (?:[\w.-]+/)*([\w-]+): ")
_TYPED = re.compile(r"`([^`]+)`")
_SHELLS = ("bash", "sh", "dash")


def commands(checks: Sequence[Mapping[str, Any]], known: Mapping[str, str]) -> list[Text]:
    """One line for each program and operation: the first thing that was seen of it. known: roots by check."""
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for check in failed(checks):
        rows.setdefault((program_of(check), root_of(check, known)), []).append(check)
    if not rows:
        return []
    heading = pad("COMMAND", _COMMAND) + pad("BECAUSE OF", _OP) + "WHAT IT SAYS"
    return [Text(heading, "bold"), *(_row(op, found) for (_, op), found in rows.items())]


def failed(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The shell checks whose command did not do its work."""
    shell = [check for check in checks if check["layer"] == "shell"]
    return [check for check in shell if is_failure(check) and check["verdict"] != "ERROR"]


def not_run(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The shell checks that were spared the operation that hung or crashed."""
    return [check for check in checks if check["layer"] == "shell" and check["verdict"] == "NOTRUN"]


def command_of(check: Mapping[str, Any]) -> str:
    """What is typed: as the sentence of the check quotes it first, else the program that spoke, else by its id."""
    typed = _TYPED.search(check.get("title") or "")
    if typed:
        return typed[1]
    spoke = _SPEAKER.match(check.get("observed") or "")
    if spoke and spoke[1] not in _SHELLS:
        return spoke[1]
    return str(check["id"]).rpartition(".")[2].partition("-")[0]


def program_of(check: Mapping[str, Any]) -> str:
    """The command without its arguments: `touch` for `touch -d`."""
    return command_of(check).split()[0]


def _row(op: str, found: Sequence[Mapping[str, Any]]) -> Text:
    command = command_of(found[0])
    said = _said(found[0], command)
    more = f" (+{len(found) - 1})" if len(found) > 1 else ""
    line = Text(pad(cut(command, _COMMAND - 1), _COMMAND)).append(pad(cut(op, _OP - 1), _OP), OP_STYLE["ENOSYS"])
    return line.append(_fitted(said, screen_width() - _COMMAND - _OP - len(more))).append(more, "dim")


def _said(check: Mapping[str, Any], command: str) -> str:
    """The program's own words, without its exit status and its name, which the row has already."""
    observed, expected = check.get("observed") or check["verdict"], check.get("expected") or ""
    said = _STATUS.sub("", observed)
    if said == observed and expected and check.get("observed") and " is still " not in said:
        return f"{_short_wish(expected)}, got {said}"
    for name in (command.split()[0], *_SHELLS):
        said = said.removeprefix(f"{name}: ")
    return said


def _short_wish(expected: str) -> str:
    return "expected " + expected.removeprefix("output of ")


def _fitted(said: str, width: int) -> str:
    """Cut in the middle where the end is the error itself: `Function not implemented` must not be lost."""
    if cell_len(said) <= width:
        return said
    for colon in (": ", ", got "):
        rest, found, error = said.rpartition(colon)
        if found and cell_len(found + error) <= width * 2 // 3:
            return cut(rest, width - cell_len(found + error)) + found + error
    return cut(said, width)
