"""TAP version 14 (testanything.org): one line for each check, and a YAML block where there is more to say.

Owns that syntax; knows nothing of checks. A known failure (XFAIL) is `not ok … # TODO`, which no harness counts;
an unexpected pass is `not ok`, since `ok … # TODO` would be green.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fsprobe.report.ready import Case, answer_text, cases, few, ready

_OK = ("passed", "skipped")
_MOST_EXCHANGES = 40


def text(document: Mapping[str, Any]) -> str:
    """The document as TAP."""
    document = ready(document)
    found = cases(document)
    told = [f"fsprobe {document['environment'].get('fsprobe', '')}: {document['target']['name']}"]
    lines = ["TAP version 14", f"1..{len(found)}" + ("" if found else " # SKIP nothing was checked")]
    lines += [f"# {line}" for line in (*told, *answer_text(document))]
    for number, case in enumerate(found, 1):
        lines += _lines(number, case)
    return "\n".join(lines) + "\n"


def _lines(number: int, case: Case) -> Iterator[str]:
    word = "ok" if case.outcome in _OK else "not ok"
    yield f"{word} {number} - {_escaped(case.id)}{_directive(case)}"
    if case.verdict != "PASS":
        yield "  ---"
        for key, value in _block(case):
            yield from _yaml(key, value)
        yield "  ..."


def _directive(case: Case) -> str:
    if case.outcome == "skipped":
        return f" # SKIP {_escaped(case.message)}"
    return f" # TODO {_escaped(case.message)}" if case.outcome == "known" else ""


def _escaped(told: str) -> str:
    """`#` would begin a directive."""
    return told.replace("\\", "\\\\").replace("#", "\\#")


def _block(case: Case) -> Iterator[tuple[str, Any]]:
    check = case.check
    yield "verdict", case.verdict
    yield "message", case.message
    for key, name in (("operation", "op"), ("layer", "layer"), ("level", "level"), ("title", "title"),
                      ("expected", "expected"), ("observed", "observed")):  # fmt: skip
        if check.get(name):
            yield key, check[name]
    trace = list(check.get("trace") or ())
    if case.outcome in ("failed", "error", "known"):
        yield "exchanges", few(trace, check, _MOST_EXCHANGES) if trace else []
        yield "evidence", list(check.get("evidence") or ())
        yield "reproduce", check.get("reproduce") or ""


def _yaml(key: str, value: Any) -> Iterator[str]:
    """JSON is YAML, and needs no library: every scalar is a double-quoted string."""
    if isinstance(value, list):
        if value:
            yield f"  {key}:"
            yield from (f"    - {json.dumps(item)}" for item in value)
    elif value:
        yield f"  {key}: {json.dumps(value)}"
