"""Operations × layers: the matrix.

Owns its rows and columns; knows nothing of checks. Problems come first, the worst on top, then what works in
the order of the result; what nobody asked for is one line.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from rich.text import Text

from fsprobe.report.text import WIDTH, cut, fold, micros, pack, pad
from fsprobe.report.words import CELL, LAYERS, OP_ORDER, OP_STYLE

# operation 19, three layers of 7, requests 7, replies 19, two latencies of 7: 80 cells
_NAME, _LAYER, _NUMBER, _REPLIES, _LATENCY = 19, 7, 7, 19, 7
_LEGEND = {None: "· not asked there", "unsupported": "unsup: declined in a way that the kernel allows"}
# absent, and nothing needs it
_OPTIONAL = {**OP_STYLE, "ENOSYS": "yellow"}


def matrix(operations: Mapping[str, Mapping[str, Any]], blamed: Set[str], *, verbose: bool = False) -> list[Text]:
    """The table with its heading, nothing where there is no operation. blamed: those at fault."""
    asked = {name: op for name, op in operations.items() if op["verdict"] != "untested"}
    untested = [name for name, op in operations.items() if op["verdict"] == "untested"]
    if not asked:
        return [Text(f"all {len(untested)} operations are untested", "dim")] if untested else []
    lines = [_heading()]
    order = {name: (name not in blamed, OP_ORDER.get(op["verdict"], 0)) for name, op in asked.items()}
    for name in sorted(asked, key=lambda name: order[name]):
        at_fault = name in blamed
        lines += _row(name, asked[name], OP_STYLE if at_fault else _OPTIONAL, whole=verbose or at_fault)
    if untested:
        text = f"untested ({len(untested)}): {' '.join(untested)}"
        lines += [Text(line, "dim") for line in fold(text, WIDTH)]
    cells = {op.get(layer) for op in asked.values() for layer in LAYERS}
    legend = [text for word, text in _LEGEND.items() if word in cells]
    return [*lines, Text("   ".join(legend), "dim")] if legend else lines


def _heading() -> Text:
    heads = [pad("OPERATION", _NAME), *(pad(layer.upper(), _LAYER) for layer in LAYERS)]
    heads += [pad("ASKED", _NUMBER - 1, right=True), " ", pad("REPLIES", _REPLIES)]
    heads += [pad("P50", _LATENCY, right=True), pad("P99", _LATENCY, right=True)]
    return Text("".join(heads), "bold")


def _row(name: str, op: Mapping[str, Any], style: Mapping[str, str], *, whole: bool) -> list[Text]:
    """whole: every errno is named, on further lines where one is not enough."""
    verdict = op["verdict"]
    line = Text(pad(cut(name, _NAME - 1), _NAME), "" if verdict == "ok" else style.get(verdict, "red"))
    for layer in LAYERS:
        word = op.get(layer) or "untested"
        line.append(pad(CELL.get(word, word), _LAYER), style.get(word, "red"))
    line.append(pad(str(op.get("requests", 0)), _NUMBER - 1, right=True) + " ")
    replies = pack(_replies(op.get("replies") or {}), _REPLIES)
    if len(replies) > 1 and not whole:
        replies = [_in_short(op["replies"])]
    line.append(pad(replies[0], _REPLIES))
    line.append(pad(micros(op.get("p50_us")), _LATENCY, right=True), "dim")
    line.append(pad(micros(op.get("p99_us")), _LATENCY, right=True), "dim")
    line.rstrip()
    rest = [Text(" " * (_NAME + 3 * _LAYER + _NUMBER) + part) for part in replies[1:]]
    if op.get("detail"):
        rest.append(Text("  " + cut(op["detail"], WIDTH - 2), "dim"))
    return [line, *rest]


def _in_short(replies: Mapping[str, int]) -> str:
    ok = replies.get("ok", 0)
    return f"ok {ok} · errors {sum(replies.values()) - ok}"


def _replies(replies: Mapping[str, int]) -> list[str]:
    """`ok 41`, `ENOENT 7`: successes first, then the commonest."""
    ordered = sorted(replies.items(), key=lambda item: (item[0] != "ok", -item[1], item[0]))
    return [f"{name} {number}" for name, number in ordered]
