"""Operations × layers: the matrix.

Owns its rows and columns; knows nothing of checks. First what is at fault, the worst on top; then what is absent and
optional, with what the kernel makes of it; what works is packed, several to a line; what nobody asked for is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.report.text import cut, fold, labelled, micros, pack, pad, screen_width
from fsprobe.report.words import CELL, INSTEAD, LAYERS, OP_ORDER, OP_STYLE

Operation = Mapping[str, Any]

# operation 19, three layers of 7, requests 7, replies 19, two latencies of 7: 80 cells
_NAME, _LAYER, _NUMBER, _REPLIES, _LATENCY = 19, 7, 7, 19, 7
_LEGEND = {
    "untested": "· not asked there", "unsupported": "unsup: declined in a way that the kernel allows",
    "partial": "part: some kinds fail",
}  # fmt: skip
# absent, and nothing needs it
_OPTIONAL = {**OP_STYLE, "ENOSYS": "yellow"}
_FAULTY = ("crash", "hang", "wrong", "partial")
_GAP = "   "
_MOST_COLUMNS = 4
_UNTESTED_NAMED = 20
"""More are untested only where few checks were asked for."""


def matrix(operations: Mapping[str, Operation], blamed: Sequence[str], *, verbose: bool = False) -> list[Text]:
    """The whole section, nothing where there is no operation. blamed: those at fault, the worst first."""
    asked = {name: op for name, op in operations.items() if op["verdict"] != "untested"}
    untested = [name for name, op in operations.items() if op["verdict"] == "untested"]
    if not asked:
        return [Text(f"all {len(untested)} operations are untested", "dim")] if untested else []
    faulty = {name: op for name, op in asked.items() if name in blamed or op["verdict"] in _FAULTY}
    rank = {name: index for index, name in enumerate(blamed)}
    faulty = dict(sorted(faulty.items(), key=lambda item: (rank.get(item[0], len(rank)), _badness(item[1]))))
    rest = {name: op for name, op in asked.items() if name not in faulty}
    works = {name: op for name, op in rest.items() if not verbose and _is_plain(op)}
    rest = {name: op for name, op in rest.items() if name not in works}
    lines: list[Text] = []
    if faulty or rest:
        lines.append(_heading("AT FAULT" if faulty else "OPERATION"))
    lines += _rows(faulty, OP_STYLE, verbose=verbose)
    absent = {name: op for name, op in rest.items() if op["verdict"] != "ok" or not _is_plain(op)}
    if absent:
        lines += [_optional_note(absent), *_absent(absent, verbose)]
    if len(absent) < len(rest):
        lines += [Text("WORKING", "bold green")] if lines[1:] else []
        lines += _rows({name: op for name, op in rest.items() if name not in absent}, OP_STYLE, verbose=True)
    full = [*faulty.values(), *rest.values()]
    cells = {op.get(layer) or "untested" for op in full for layer in LAYERS}
    legend = [text for word, text in _LEGEND.items() if word in cells]
    lines += [Text(line, "dim") for line in pack(legend, screen_width(), _GAP) if line]
    lines += _packed(works)
    if untested:
        told = " ".join(untested) if len(untested) <= _UNTESTED_NAMED or verbose else "all others"
        lines += labelled("", f"untested ({len(untested)}): {told}", 0, 0, "dim")
    return lines


def _badness(op: Operation) -> int:
    return OP_ORDER.get(op["verdict"], 0)


def _is_plain(op: Operation) -> bool:
    """Whether it works wherever it was asked, so that its row would say `ok` three times."""
    return op["verdict"] == "ok" and all(op.get(layer) in (None, "ok") for layer in LAYERS) and not op.get("detail")


def _heading(first: str) -> Text:
    heads = [pad(first, _NAME), *(pad(layer.upper(), _LAYER) for layer in LAYERS)]
    heads += [pad("ASKED", _NUMBER - 1, right=True), " ", pad("REPLIES", _REPLIES)]
    heads += [pad("P50", _LATENCY, right=True), pad("P99", _LATENCY, right=True)]
    return Text("".join(heads), "bold")


def _absent(rest: Mapping[str, Operation], verbose: bool) -> list[Text]:
    """What is optional and not offered, or not all of it: harmless, and said to be."""
    order = sorted(rest.items(), key=lambda item: _badness(item[1]))
    return list(_rows(dict(order), _OPTIONAL, verbose=verbose, harmless=True))


def _optional_note(rest: Mapping[str, Operation]) -> Text:
    replaced = any(op["verdict"] == "ENOSYS" and name in INSTEAD for name, op in rest.items())
    told = "not offered, and nothing failed for want of it"
    return Text("OPTIONAL", "bold").append(f"  {told}" + ("; →: what programs get" if replaced else ""), "dim")


def _rows(
    operations: Mapping[str, Operation], style: Mapping[str, str], *, verbose: bool, harmless: bool = False
) -> Iterable[Text]:
    for name, op in operations.items():
        yield from _row(name, op, style, whole=verbose or not harmless, harmless=harmless)


def _row(name: str, op: Operation, style: Mapping[str, str], *, whole: bool, harmless: bool) -> list[Text]:
    """whole: every errno is named, on further lines where one is not enough."""
    verdict = op["verdict"]
    line = Text(pad(cut(_shown(name), _NAME - 1), _NAME), "" if verdict == "ok" else style.get(verdict, "red"))
    for layer in LAYERS:
        word = op.get(layer) or "untested"
        line.append(pad(CELL.get(word, word), _LAYER), style.get(word, "red"))
    line.append(pad(_number(op), _NUMBER - 1, right=True) + " ")
    answers = op.get("replies") or {}
    replies = pack([*_replies(answers), *unanswered(name, op)], _REPLIES)
    if harmless and set(answers) == {"ENOSYS"} and name in INSTEAD:
        replies = [f"ENOSYS → {INSTEAD[name]}"]  # as many as were asked
    elif len(replies) > 1 and not whole:
        replies = [_in_short(answers)]
    line.append(pad(replies[0], _REPLIES))
    line.append(pad(micros(op.get("p50_us")), _LATENCY, right=True), "dim")
    line.append(pad(micros(op.get("p99_us")), _LATENCY, right=True), "dim")
    line.rstrip()
    rest = [Text(" " * (_NAME + 3 * _LAYER + _NUMBER) + part) for part in replies[1:]]
    if op.get("detail"):
        rest.append(Text("  " + cut(op["detail"], screen_width() - 2), "dim"))
    return [line, *rest]


def _packed(works: Mapping[str, Operation]) -> list[Text]:
    """What works, as many to a line as fit, read downwards; the errors among the replies below."""
    if not works:
        return []
    seen = any(op.get("requests") for op in works.values())
    entries = [_entry(name, op, seen) for name, op in works.items()]
    told = "w m s: asked in the wire, mount, shell layer" + ("; requests, p50, p99" if seen else "")
    number = sum(name in OPERATIONS for name in works)
    heading = Text(f"WORKING ({number})", "bold green").append(f"  {told}", "dim")
    lines = [heading, *_columns(entries)]
    errors = [(_shown(name), [text for text in _replies(op.get("replies") or {}) if not text.startswith("ok ")])
              for name, op in works.items()]
    told = " · ".join(" ".join([name, *texts]) for name, texts in errors if texts)
    return lines + [Text(line, "dim") for line in fold("errors among the replies: " + told, screen_width()) if told]


def _entry(name: str, op: Operation, seen: bool) -> tuple[str, ...]:
    layers = "".join(layer[0] if op.get(layer) else "·" for layer in LAYERS)
    numbers = (_number(op), micros(op.get("p50_us")), micros(op.get("p99_us"))) if seen else ()
    return (_shown(name), layers, *numbers)


def _columns(entries: Sequence[tuple[str, ...]]) -> list[Text]:
    """Column-major, each column as wide as it must be."""
    for columns in range(_MOST_COLUMNS, 0, -1):
        height = -(-len(entries) // columns)
        blocks = [_aligned(entries[start : start + height]) for start in range(0, len(entries), height)]
        width = sum(cell_len(block[0]) for block in blocks) + len(_GAP) * (len(blocks) - 1)
        if width <= screen_width() or columns == 1:
            break
    return [
        Text(_GAP.join(block[row] for block in blocks if row < len(block)).rstrip()) for row in range(height)
    ]


def _aligned(entries: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows of equal width: the name and the layers to the left, numbers to the right."""
    widths = [max(cell_len(entry[index]) for entry in entries) for index in range(len(entries[0]))]
    return [
        " ".join(pad(cell, widths[index], right=index > 1) for index, cell in enumerate(entry)) for entry in entries
    ]


def _shown(name: str) -> str:
    """`unknown 2047` for a number that is no operation: that fsprobe asks for it is a question of its own."""
    return name.replace("OPCODE_", "unknown ") if name.startswith("OPCODE_") else name


def _number(op: Operation) -> str:
    return str(op.get("requests", 0))


def unanswered(name: str, op: Operation) -> list[str]:
    """`no reply 2`, where one was due. INTERRUPT may go without."""
    row = OPERATIONS.get(name)
    open_ = op.get("requests", 0) - sum((op.get("replies") or {}).values())
    return [f"no reply {open_}"] if row and row.replies and name != "INTERRUPT" and open_ > 0 else []


def _in_short(replies: Mapping[str, int]) -> str:
    ok = replies.get("ok", 0)
    return f"ok {ok} · errors {sum(replies.values()) - ok}"


def _replies(replies: Mapping[str, int]) -> list[str]:
    """`ok 41`, `ENOENT 7`: successes first, then the commonest."""
    ordered = sorted(replies.items(), key=lambda item: (item[0] != "ok", -item[1], item[0]))
    return [f"{name} {number}" for name, number in ordered]
