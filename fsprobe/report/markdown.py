"""Markdown as GitHub and GitLab show it: for an issue, a comment, or the summary of a CI job.

Owns what is told first and what is left out where there is no room; knows nothing of checks. GitHub takes 65,536
characters in an issue or comment (and 1 MiB in a job summary), so details are added while there is room, and the end
says what was dropped.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fsprobe.report.causes import Block, blocks_of
from fsprobe.report.markdown_text import block, cell, code, details, prose, table
from fsprobe.report.matrix import unanswered
from fsprobe.report.ready import OUTCOME, answer_text, message, ready
from fsprobe.report.ready import details as details_of
from fsprobe.report.text import count, cut, micros
from fsprobe.report.words import EXIT_MEANING, LAYERS, VERDICT_STYLE, blamed, is_problem, serious

LIMIT = 65_000
"""Bytes, which are never fewer than characters: a margin for what is written around a pasted report."""

_CAUSES, _CAUSE_TEXT, _ROWS = 12, 1200, 60
_EXCHANGES, _LINE = 12, 600


def text(document: Mapping[str, Any]) -> str:
    """The document as Markdown of at most LIMIT bytes."""
    document = ready(document)
    head = [*_head(document), *_matrix(document), *_causes(document)]
    small = [_all_operations(document), _declined(document), _machine(document), _counts(document)]
    return fitted(head, _failed(document), "\n\n".join(part for part in small if part), LIMIT)


def fitted(head: Iterable[str], optional: Sequence[str], tail: str, limit: int) -> str:
    """The parts as one text: the head, as much of the optional ones as there is room for, and the tail."""
    said = "\n\n".join(head)
    room = limit - _bytes(tail) - 300
    if _bytes(said) > room:
        said = said.encode()[: room - 100].decode(errors="ignore").rpartition("\n\n")[0]
        said += "\n\n*(cut here: there is no room for more)*"
    dropped = 0
    for part in optional:
        if dropped or _bytes(said) + _bytes(part) + 2 > room:
            dropped += 1
        else:
            said += f"\n\n{part}"
    if dropped:
        told = count(dropped, "more is", "more are")
        said += f"\n\n*{told} left out here, to stay below the size that GitHub takes; the JSON and HTML have all.*"
    return f"{said}\n\n{tail}\n"


def _bytes(said: str) -> int:
    return len(said.encode())


def _head(document: Mapping[str, Any]) -> list[str]:
    good = document["summary"]["exit_code"] == 0
    title = f"## fsprobe: {code(cut(document['target']['name'], 200))}"
    sentences = [prose(cut(line, 1000)) for line in answer_text(document)]
    first = f"{'✅' if good else '❌'} **{sentences[0]}**"
    return [title, "\n".join([first, *(f"<br>{line}" for line in sentences[1:])])]


def _matrix(document: Mapping[str, Any]) -> list[str]:
    """Operations at fault × layers."""
    found = document["operations"]
    names = [name for name in blamed(document) if name in found]
    if not names:
        return []
    more = [f"… and {count(len(names) - _ROWS, 'more operation')}."] if len(names) > _ROWS else []
    return ["### At fault", _operations({name: found[name] for name in names[:_ROWS]}), *more]


def _operations(operations: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, op in operations.items():
        answers = [f"{reply} {n}" for reply, n in (op.get("replies") or {}).items()]
        replies = " · ".join([*answers, *unanswered(name, op)])
        layers = [op.get(layer) or "·" for layer in LAYERS]
        rows.append([code(name), *map(cell, layers), str(op.get("requests", 0)), cell(replies),
                     micros(op.get("p50_us")), micros(op.get("p99_us"))])  # fmt: skip
    return table(["operation", *LAYERS, "asked", "replies", "p50", "p99"], rows, right=(4, 6, 7))


def _causes(document: Mapping[str, Any]) -> list[str]:
    blocks = blocks_of(serious(document))
    if not blocks:
        return []
    parts = ["### Why, and what to do"]
    for number, one in enumerate(blocks[:_CAUSES], 1):
        parts.append(_cause(number, one, document))
    if len(blocks) > _CAUSES:
        parts.append(f"… and {count(len(blocks) - _CAUSES, 'more cause')}.")
    return parts


def _cause(number: int, one: Block, document: Mapping[str, Any]) -> str:
    first = one.first
    summary = first["summary"]
    if len(one.members) > 1:
        summary = f"{len(one.members)} operations are not implemented"
    known = ", known to the baseline" if all(member.get("known") for member in one.members) else ""
    lines = [f"**{number}. {prose(cut(summary, _CAUSE_TEXT))}** ({prose(first['cause'])}, {prose(first['confidence'])}"
             f"{known})"]  # fmt: skip
    if one.missing:
        lines.append(_handlers(one, document))
    elif first.get("evidence"):
        lines.append(block("\n".join(cut(line, _LINE) for line in first["evidence"][:8])))
    if len(one.members) == 1 and first.get("fix"):
        lines.append("To mend it:\n\n" + block(cut(first["fix"], _CAUSE_TEXT)))
    if one.checks:
        lines.append(f"Explains {count(len(one.checks), 'check')}, such as {code(one.checks[0])}.")
    return "\n\n".join(lines)


def _handlers(one: Block, document: Mapping[str, Any]) -> str:
    rows = []
    for member in one.members[:_ROWS]:
        op = document["operations"].get(member["op"]) or {}
        breaks = " ".join(op.get("breaks") or ())
        rows.append([code(member["op"]), code(op.get("handler") or "its handler"), cell(breaks)])
    return table(["operation", "write in the daemon", "and these work again"], rows)


def _failed(document: Mapping[str, Any]) -> list[str]:
    """A folded block for each check that needs a look, the heading with the first."""
    order = list(VERDICT_STYLE)
    checks = [check for check in document["checks"] if is_problem(check) or check["verdict"] == "WARN"]
    checks.sort(key=lambda check: order.index(check["verdict"]) if check["verdict"] in order else 0)
    parts = []
    for check in checks:
        title = f"{check['verdict']} {check['id']}: {cut(message(check), 160)}"
        lines = [cut(line, _LINE) for line in details_of(check, most=_EXCHANGES)]
        parts.append(details(title, block("\n".join(lines))))
    if parts:
        parts[0] = f"### Checks that need a look ({len(checks)})\n\n{parts[0]}"
    return parts


def _all_operations(document: Mapping[str, Any]) -> str:
    asked = {name: op for name, op in document["operations"].items() if op["verdict"] != "untested"}
    return details(f"All {len(asked)} operations that were asked", _operations(asked)) if asked else ""


def _declined(document: Mapping[str, Any]) -> str:
    rows: dict[tuple[str, str], int] = {}
    for check in document["checks"]:
        if OUTCOME.get(check["verdict"]) in ("skipped", "known") or check["verdict"] == "NOTRUN":
            key = (check["verdict"], cut(message(check), 200))
            rows[key] = rows.get(key, 0) + 1
    ordered = sorted(rows.items(), key=lambda item: -item[1])[:_ROWS]
    body = table(["checks", "verdict", "reason"], [[str(n), cell(verdict), cell(why)] for (verdict, why), n in ordered],
                 right=(0,))  # fmt: skip
    return details("What was not answered, and why", body) if rows else ""


def _machine(document: Mapping[str, Any]) -> str:
    target, environment = document["target"], document["environment"]
    facts = [
        ("command", shlex.join(target.get("argv") or ())), ("mounted", target.get("mount")),
        ("library", target.get("library")), ("sha256", target.get("binary_sha256")),
        ("protocol", environment.get("protocol")), ("kernel", environment.get("kernel")),
        ("uid", environment.get("uid")), ("fsprobe", environment.get("fsprobe")), ("seed", environment.get("seed")),
        *(("degraded", note) for note in environment.get("degraded") or ()),
    ]  # fmt: skip
    rows = [[cell(name), code(cut(str(value), _LINE))] for name, value in facts if value not in (None, "")]
    return details("What was tested, and where", table(["", ""], rows))


def _counts(document: Mapping[str, Any]) -> str:
    summary = document["summary"]
    counts = summary.get("counts") or {}
    told = " · ".join(f"{name} {counts[name]}" for name in VERDICT_STYLE if counts.get(name)) or "no check ran"
    total = f"{count(sum(counts.values()), 'check')} in {summary.get('seconds', 0):.1f} s"
    code_ = summary["exit_code"]
    return f"{told} · {total} · exit {code_}: {EXIT_MEANING.get(code_, '?')}"
