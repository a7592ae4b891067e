"""Why: the ranked root causes, what to write to mend them, and one example of each.

Owns this section; knows nothing of how a cause was found. All causes that say "not implemented" are one block
with a table of handlers, so that eight missing operations are eight lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from fsprobe.report.finding import finding
from fsprobe.report.text import WIDTH, count, fold, pack, pad
from fsprobe.report.words import is_problem

_INDENT = 3
_OP, _HANDLER = 16, 29
_EVIDENCE_SHOWN, _LAST_WORDS_SHOWN = 4, 10
_FIX_LINES = 8


@dataclass(frozen=True, slots=True)
class Block:
    """Diagnoses that are told together, the first one's rank being theirs."""

    members: tuple[Mapping[str, Any], ...]

    @property
    def first(self) -> Mapping[str, Any]:
        return self.members[0]

    @property
    def checks(self) -> list[str]:
        """Ids of every check that it explains, each once."""
        return list(dict.fromkeys(check for member in self.members for check in member.get("checks") or ()))


def causes(document: Mapping[str, Any], *, verbose: bool) -> list[Text]:
    """The section, nothing where no cause was found."""
    diagnoses = document.get("diagnoses") or []
    blocks = blocks_of([one for one in diagnoses if one.get("confidence") != "note"])
    lines: list[Text] = []
    if blocks:
        lines.append(Text("WHY, AND WHAT TO DO", "bold"))
    for number, block in enumerate(blocks, 1):
        lines += [*_block(number, block, document, verbose), Text()]
    notes = [one for one in diagnoses if one.get("confidence") == "note"]
    for note in notes if verbose else []:
        lines += [Text("note  " if index == 0 else " " * 6, "dim").append(line)
                  for index, line in enumerate(fold(note["summary"], WIDTH - 6))]
    return lines[:-1] if lines and not lines[-1].plain else lines


def blocks_of(diagnoses: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The diagnoses in their order, all `not-implemented` ones gathered at the place of the first."""
    blocks: list[Block] = []
    missing = tuple(one for one in diagnoses if one["cause"] == "not-implemented")
    for one in diagnoses:
        if one["cause"] != "not-implemented":
            blocks.append(Block((one,)))
        elif one is missing[0]:
            blocks.append(Block(missing))
    return blocks


def explained(document: Mapping[str, Any]) -> set[str]:
    """Ids of the checks for which some cause is named."""
    return {check for one in document.get("diagnoses") or () for check in one.get("checks") or ()}


def _block(number: int, block: Block, document: Mapping[str, Any], verbose: bool) -> list[Text]:
    first = block.first
    lines = _title(number, block)
    if first["cause"] == "not-implemented":
        lines += _handlers(block, document)
    example = _example(block, document)
    if len(block.members) == 1:
        told = () if example is None else (f"{example['id']}:",)  # the example says it in full
        evidence = [text for text in first.get("evidence") or () if not text.startswith(told)]
        most = _EVIDENCE_SHOWN if example else _LAST_WORDS_SHOWN
        shown = evidence if verbose else evidence[:most]
        lines += [_at(line, "dim") for text in shown for line in fold(text, WIDTH - _INDENT)]
    if verbose or len(block.members) == 1:  # in a table of many, the handlers' names say it already
        for member in block.members:
            lines += _fix(member, verbose)
    if example is None:
        return lines
    number_explained = len(block.checks)
    words = f"explains {count(number_explained, 'check')}" + (", for example:" if number_explained > 1 else ":")
    again = not example.get("reproduce") or example["reproduce"] not in (first.get("fix") or "")
    return [*lines, _at(words), *finding(example, _INDENT + 2, again=again)]


def _title(number: int, block: Block) -> list[Text]:
    first = block.first
    summary = first["summary"]
    if len(block.members) > 1:
        summary = f"{count(len(block.members), 'operation')} are not implemented"
    tag = f"{first['cause']}, {first['confidence']}"
    lines = fold(summary, WIDTH - _INDENT - len(tag) - 2)
    head = Text(pad(str(number), _INDENT), "bold").append(lines[0], "bold red")
    head.append(" " * (WIDTH - _INDENT - cell_len(lines[0]) - len(tag)) + tag, "dim")
    return [head, *(_at(line, "bold red") for line in lines[1:])]


def _handlers(block: Block, document: Mapping[str, Any]) -> list[Text]:
    """One row for each operation: the handler to write, and the commands that then work."""
    head = pad("operation", _OP) + pad("write in the daemon", _HANDLER) + "and these work again"
    lines = [_at(head, "dim")]
    for member in block.members:
        op = (document.get("operations") or {}).get(member["op"], {})
        handlers = pack((op.get("handler") or "?").split(), _HANDLER - 2, " ")
        breaks = pack(list(op.get("breaks") or ()), WIDTH - _INDENT - _OP - _HANDLER, " ")
        for row in range(max(len(handlers), len(breaks))):
            name = member["op"] if row == 0 else ""
            line = Text(" " * _INDENT).append(pad(name, _OP), "red")
            line.append(pad(handlers[row] if row < len(handlers) else "", _HANDLER), "bold")
            line.append(breaks[row] if row < len(breaks) else "")
            line.rstrip()
            lines.append(line)
    return lines


def _fix(member: Mapping[str, Any], verbose: bool) -> list[Text]:
    lines = [line for line in fold(member.get("fix") or "", WIDTH - _INDENT - 5) if line]
    hidden = 0 if verbose else max(0, len(lines) - _FIX_LINES)
    shown = lines[: len(lines) - hidden]
    text = [_at(("fix  " if index == 0 else " " * 5) + line) for index, line in enumerate(shown)]
    return text + ([_at(f"     … {count(hidden, 'line')} more with -v", "dim")] if hidden else [])


def _example(block: Block, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The most telling of the checks that it explains: one that failed, of the operation itself, with a trace."""
    ids = set(block.checks)
    checks = [check for check in document["checks"] if check["id"] in ids]
    failed = [check for check in checks if is_problem(check)] or checks
    telling = (check for check in failed if check["op"] == block.first["op"] and check.get("trace"))
    return next(telling, failed[0] if failed else None)


def _at(text: str, style: str = "") -> Text:
    return Text(" " * _INDENT).append(text, style)
