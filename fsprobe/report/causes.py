"""Why: the ranked root causes, what to write to mend them, and one example of each.

Owns this section; knows nothing of how a cause was found. All causes that say "not implemented" are one block
with a table of handlers, so that eight missing operations are eight lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from fsprobe.diagnose.handlers import in_the_best_known
from fsprobe.report.finding import finding
from fsprobe.report.text import count, cut, fold, pack, pad, screen_width
from fsprobe.report.words import is_failure, serious

_INDENT = 3
_OP, _HANDLER = 16, 29
_EVIDENCE_SHOWN, _LAST_WORDS_SHOWN = 3, 10
_EVIDENCE_LINES = 2
_REGISTERS = re.compile(r"(, syscall \d+)(?: 0x[0-9a-f]+)+")
_FIX_LINES = 8
_IN_FULL = 4
"""Blocks told with an example; the ones behind are a few lines each."""
_MORE = "an example of each with -v; one of them again: the same command with --select and its id"
_REPEAT, _NEEDED = "Repeat it: ", "It is needed by "
_LAYER_ORDER = ("shell", "mount", "wire")


@dataclass(frozen=True, slots=True)
class Block:
    """Diagnoses that are told together, the first one's rank being theirs."""

    members: tuple[Mapping[str, Any], ...]

    @property
    def first(self) -> Mapping[str, Any]:
        return self.members[0]

    @property
    def missing(self) -> bool:
        """Whether it is the table of handlers."""
        return bool(self.first["cause"] == "not-implemented" and self.first["op"])

    @property
    def checks(self) -> list[str]:
        """Ids of every check that it explains, each once."""
        return list(dict.fromkeys(check for member in self.members for check in member.get("checks") or ()))


def causes(document: Mapping[str, Any], *, verbose: bool) -> list[Text]:
    """The section, nothing where no cause was found."""
    blocks = blocks_of(serious(document))
    lines: list[Text] = []
    if blocks:
        lines.append(Text("WHY, AND WHAT TO DO", "bold"))
    for number, block in enumerate(blocks, 1):
        full = verbose or number <= _IN_FULL
        lines += [*_block(number, block, document, verbose, full), Text()]
    if len(blocks) > _IN_FULL and not verbose:
        lines += [_at(text, "dim") for text in fold(_MORE, screen_width() - _INDENT)]
    notes = [one for one in document.get("diagnoses") or () if one.get("confidence") == "note"]
    for note in notes if verbose else []:
        for text in (note["summary"], *(note.get("evidence") or ())):
            lines += [Text("note  " if index == 0 else " " * 6, "dim").append(line)
                      for index, line in enumerate(fold(text, screen_width() - 6))]
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


def _block(number: int, block: Block, document: Mapping[str, Any], verbose: bool, full: bool) -> list[Text]:
    example = _example(block, document)
    lines = _title(number, block, cut_wish=full and example is not None)
    if block.missing:
        lines += _handlers(block, document)
    lines += _evidence(block, example, verbose, full)
    for member in block.members if verbose or len(block.members) == 1 else ():
        lines += _fix(member, block, verbose)  # in a table of many, the handlers' names say it already
    if example is None:
        return lines
    total = len(block.checks)
    if not full:
        return [*lines, _at(f"explains {count(total, 'check')}" + ", the first" * (total > 1) + f": {example['id']}")]
    words = f"explains {count(total, 'check')}" + (", for example:" if total > 1 else ":")
    return [*lines, _at(words), *finding(example, _INDENT + 2, verbose=verbose)]


def _title(number: int, block: Block, *, cut_wish: bool) -> list[Text]:
    """cut_wish: what was expected and observed stands in the example below."""
    first = block.first
    summary = first["summary"]
    if len(block.members) > 1:
        summary = f"{count(len(block.members), 'operation')} are not implemented"
    elif cut_wish:
        summary = summary.partition(": expected ")[0]
    tag = f"{first['cause']}, {first['confidence']}"
    lines = fold(summary, screen_width() - _INDENT)
    head = Text(pad(str(number), _INDENT), "bold").append(lines[0], "bold red")
    rest = [_at(line, "bold red") for line in lines[1:]]
    room = screen_width() - _INDENT - cell_len(lines[-1]) - len(tag)
    if room >= 2:
        (rest[-1] if rest else head).append(" " * room + tag, "dim")
    else:
        rest.append(Text(" " * (screen_width() - len(tag))).append(tag, "dim"))
    return [head, *rest]


def _handlers(block: Block, document: Mapping[str, Any]) -> list[Text]:
    """For each operation the handler to write, and the commands that then work.

    Where the library is not known its handlers are told as the best known libraries name them.
    """
    found = document.get("operations") or {}
    named = {member["op"]: str((found.get(member["op"]) or {}).get("handler") or "") for member in block.members}
    library = str(document["target"].get("library") or "unknown")
    if not any(named.values()) and library == "unknown":
        return _unrecognised(list(named))
    head = pad("operation", _OP) + pad("write in the daemon", _HANDLER) + "and these work again"
    lines = [_at(head, "dim")]
    for op, handler in named.items():
        handlers = pack(handler.split() or ["no handler in this library"], _HANDLER - 2, " ")
        breaks = pack(list((found.get(op) or {}).get("breaks") or ()), screen_width() - _INDENT - _OP - _HANDLER, " ")
        for row in range(max(len(handlers), len(breaks))):
            line = Text(" " * _INDENT).append(pad(op if row == 0 else "", _OP), "red")
            line.append(pad(handlers[row] if row < len(handlers) else "", _HANDLER), "bold")
            line.append(breaks[row] if row < len(breaks) else "")
            line.rstrip()
            lines.append(line)
    return lines


def _unrecognised(ops: Sequence[str]) -> list[Text]:
    lines = [_at(pad("operation", _OP) + "write in the daemon (its library was not recognised)", "dim")]
    for op in ops:
        for row, text in enumerate(fold(in_the_best_known(op) or "its handler", screen_width() - _INDENT - _OP)):
            lines.append(Text(" " * _INDENT).append(pad(op if row == 0 else "", _OP), "red").append(text, "bold"))
    return lines


def _evidence(block: Block, example: Mapping[str, Any] | None, verbose: bool, full: bool) -> list[Text]:
    """What speaks for it, but not what the commands' table or the example says already."""
    if len(block.members) > 1:
        return []
    evidence = list(block.first.get("evidence") or ())
    if not verbose:
        told = (f"{example['id']}:",) if example is not None and full else ()
        seen = example.get("observed") if example is not None and full else ""
        evidence = [text for text in evidence if not text.startswith(("exit ", *told)) and text != seen]
        evidence = evidence[: (_EVIDENCE_SHOWN if full else 0) if example is not None else _LAST_WORDS_SHOWN]
        lines = dict.fromkeys(map(_without_registers, evidence))
        evidence = [cut(text, (screen_width() - _INDENT) * _EVIDENCE_LINES) for text in lines]
    return [_at(line, "dim") for text in evidence for line in fold(text, screen_width() - _INDENT)]


def _without_registers(text: str) -> str:
    """A thread's line without the arguments of its system call, which -v and the JSON show."""
    return _REGISTERS.sub(r"\1", text)


def _fix(member: Mapping[str, Any], block: Block, verbose: bool) -> list[Text]:
    """What to write or to do; not again what stands beside it: the commands, and how to repeat the example."""
    said = [line for line in (member.get("fix") or "").split("\n") if not line.startswith(_REPEAT)]
    if block.missing:
        said = [line for line in said if not line.startswith(_NEEDED)]
    lines = [line for line in fold("\n".join(said), screen_width() - _INDENT - 5) if line]
    hidden = 0 if verbose else max(0, len(lines) - _FIX_LINES)
    shown = lines[: len(lines) - hidden]
    text = [_at(("fix  " if index == 0 else " " * 5) + line) for index, line in enumerate(shown)]
    return text + ([_at(f"     … {count(hidden, 'line')} more with -v", "dim")] if hidden else [])


def _example(block: Block, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The most telling of the checks that it explains: a failed one of the operation itself, with a trace.

    For what is not implemented it is a command that everybody knows; for what is wrong the check that the diagnosis
    was made from.
    """
    ids = set(block.checks)
    checks = [check for check in document["checks"] if check["id"] in ids]
    failed = [check for check in checks if is_failure(check)] or checks
    fix = block.first.get("fix") or ""
    for check in failed:
        if check.get("reproduce") and _REPEAT + check["reproduce"] in fix:
            return dict(check)
    telling = [check for check in failed if check["op"] == block.first["op"] and check.get("trace")] or failed
    if block.missing:
        telling = sorted(telling, key=lambda check: _LAYER_ORDER.index(check["layer"]))
    return telling[0] if telling else None


def _at(text: str, style: str = "") -> Text:
    return Text(" " * _INDENT).append(text, style)
