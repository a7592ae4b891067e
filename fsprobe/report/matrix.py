"""Operations × layers: the matrix.

Owns its rows and columns; knows nothing of checks. Problems come first, the worst on top, then what works in
the order of the result; what nobody asked for is one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from fsprobe.report.text import WIDTH, cut, fold, micros, pack, pad
from fsprobe.report.words import CELL, LAYERS, OP_ORDER, OP_STYLE

# operation 18, three layers of 7, requests 7, replies 20, two latencies of 7: 80 cells
_NAME, _LAYER, _NUMBER, _REPLIES, _LATENCY = 18, 7, 7, 20, 7


def matrix(operations: Mapping[str, Mapping[str, Any]]) -> list[Text]:
    """The table with its heading, nothing where there is no operation."""
    asked = {name: op for name, op in operations.items() if op["verdict"] != "untested"}
    untested = [name for name, op in operations.items() if op["verdict"] == "untested"]
    if not asked and not untested:
        return []
    lines = [_heading()] if asked else []
    for name, op in sorted(asked.items(), key=lambda item: OP_ORDER.get(item[1]["verdict"], 0)):
        lines += _row(name, op)
    if untested:
        text = f"untested ({len(untested)}): {' '.join(untested)}"
        lines += [Text(line, "dim") for line in fold(text, WIDTH)]
    if any(op["verdict"] == "unsupported" for op in asked.values()):
        lines.append(Text("unsup = an optional operation, declined in a way that the kernel allows", "dim"))
    return lines


def _heading() -> Text:
    heads = [pad("OPERATION", _NAME), *(pad(layer.upper(), _LAYER) for layer in LAYERS)]
    heads += [pad("ASKED", _NUMBER - 1, right=True), " ", pad("REPLIES", _REPLIES)]
    heads += [pad("P50", _LATENCY, right=True), pad("P99", _LATENCY, right=True)]
    return Text("".join(heads), "bold")


def _row(name: str, op: Mapping[str, Any]) -> list[Text]:
    verdict = op["verdict"]
    line = Text(pad(name, _NAME), "" if verdict == "ok" else OP_STYLE.get(verdict, "red"))
    for layer in LAYERS:
        word = op.get(layer) or "untested"
        line.append(pad(CELL.get(word, word), _LAYER), OP_STYLE.get(word, "red"))
    line.append(pad(str(op.get("requests", 0)), _NUMBER - 1, right=True) + " ")
    replies = pack(_replies(op.get("replies") or {}), _REPLIES)
    line.append(pad(replies[0], _REPLIES))
    line.append(pad(micros(op.get("p50_us")), _LATENCY, right=True), "dim")
    line.append(pad(micros(op.get("p99_us")), _LATENCY, right=True), "dim")
    line.rstrip()
    rest = [Text(" " * (_NAME + 3 * _LAYER + _NUMBER) + part) for part in replies[1:]]
    if op.get("detail"):
        rest.append(Text("  " + cut(op["detail"], WIDTH - 2), "dim"))
    return [line, *rest]


def _replies(replies: Mapping[str, int]) -> list[str]:
    """`ok 41`, `ENOENT 7`: successes first, then the commonest."""
    ordered = sorted(replies.items(), key=lambda item: (item[0] != "ok", -item[1], item[0]))
    return [f"{name} {number}" for name, number in ordered]
