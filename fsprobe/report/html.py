"""One self-contained HTML page: the matrix, the causes, every check with its exchanges, the traffic, latencies.

Owns what stands on the page; its looks are in `page/`. The page loads nothing and runs one script, whose hash its own
policy names, so that text of a file system that got past the escaping would still do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.report import charts
from fsprobe.report.causes import Block, blocks_of
from fsprobe.report.commands import command_of, failed
from fsprobe.report.finding import exchanges
from fsprobe.report.headline import headline
from fsprobe.report.matrix import unanswered
from fsprobe.report.ready import OUTCOME, message, ready
from fsprobe.report.text import count, micros
from fsprobe.report.words import (
    EXIT_MEANING,
    INSTEAD,
    LAYERS,
    OP_ORDER,
    VERDICT_STYLE,
    blamed,
    charged,
    is_problem,
    root_of,
    serious,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_PAGE = Path(__file__).with_name("page")
_FAULTY = ("crash", "hang", "wrong", "partial")
_ORDER = list(VERDICT_STYLE)

TONE = {
    "crash": "bad", "hang": "bad", "ENOSYS": "bad", "wrong": "bad", "partial": "warn", "unsupported": "warn",
    "ok": "ok", "untested": "none", "FAIL": "bad", "HANG": "bad", "CRASH": "bad", "ERROR": "own", "NOTRUN": "bad",
    "XPASS": "bad", "WARN": "warn", "UNSUPPORTED": "warn", "SKIP": "none", "XFAIL": "none", "INFO": "none",
    "PASS": "ok",
}  # fmt: skip
"""Which of the few colours of the page a verdict has; the word itself is always there."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of the matrix under one heading."""

    heading: str
    note: str
    operations: dict[str, Mapping[str, Any]]
    harmless: bool = False


def text(document: Mapping[str, Any]) -> str:
    """The page."""
    document = ready(document)
    sentences, style = headline(document)
    operations = document["operations"]
    scale = charts.scale_of(operations)
    code = document["summary"]["exit_code"]
    checks = _checks(document)
    page = environment().get_template("report.html")
    return page.render(
        target=document["target"], environment=document["environment"], sentences=sentences,
        good="green" in style, code=code, meaning=EXIT_MEANING.get(code, "?"), facts=_facts(document),
        summary=document["summary"], counts=_counts(document), groups=_groups(document),
        untested=[name for name, op in operations.items() if op["verdict"] == "untested"],
        operations=operations, layers=LAYERS, scale=scale,
        unanswered={name: unanswered(name, op) for name, op in operations.items()},
        drawn={name: charts.distribution(op, scale) for name, op in operations.items()},
        blocks=[_cause(one, document, checks) for one in blocks_of(serious(document))],
        notes=[one for one in document["diagnoses"] if one.get("confidence") == "note"],
        commands=_commands(document), checks=checks, places=_places(checks),
        asked=sorted({op for check in checks for op in check["about"]}),
        processes=_processes(document["processes"]), left=_left(document["processes"]),
        chart=charts.timeline(document.get("timeline")),
        traffic=document.get("timeline") or {}, instead=INSTEAD,
    )  # fmt: skip


@cache
def environment() -> Environment:
    """Templates in which everything is escaped that is not a template's own."""
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(_PAGE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    style, script = ((_PAGE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    made.globals |= {
        "style": Markup(style), "script": Markup(script), "style_hash": _hash(style), "script_hash": _hash(script),
        "tone": TONE, "micros": micros, "count": count, "bar_height": charts.BAR_HEIGHT, "lane": charts.LANE,
        "span": charts.SPAN,
    }  # fmt: skip
    return made


def _hash(content: str) -> str:
    """As a content security policy names an inline script or style (W3C CSP3)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    target, machine = document["target"], document["environment"]
    told = [
        ("command", shlex.join(target.get("argv") or ())), ("library", target.get("library")),
        ("mounted", target.get("mount") or target.get("fs_type")), ("sha256", target.get("binary_sha256")),
        ("protocol", " · ".join(filter(None, (machine.get("protocol"), " ".join(machine.get("init_flags") or ()))))),
        ("machine", f"Linux {machine.get('kernel')}, uid {machine.get('uid')}"), ("fsprobe", machine.get("fsprobe")),
        ("began", str(machine.get("started") or "").replace("T", " ").replace("+00:00", " UTC")),
        ("seed", machine.get("seed")), ("masked", " ".join(machine.get("masked") or ())),
        ("kept in", machine.get("kept")),
    ]  # fmt: skip
    return [(name, str(value)) for name, value in told if value not in (None, "")]


def _counts(document: Mapping[str, Any]) -> list[tuple[str, int]]:
    counts = document["summary"].get("counts") or {}
    return [(name, counts[name]) for name in (*_ORDER, *(set(counts) - set(_ORDER))) if counts.get(name)]


def _groups(document: Mapping[str, Any]) -> list[Group]:
    """What is at fault, what is optional and absent, what works: as on the terminal."""
    asked = {name: op for name, op in document["operations"].items() if op["verdict"] != "untested"}
    rank = {name: index for index, name in enumerate(blamed(document))}
    faulty = [name for name in asked if name in rank or asked[name]["verdict"] in _FAULTY]
    faulty.sort(key=lambda name: (rank.get(name, len(rank)), OP_ORDER.get(asked[name]["verdict"], 0)))
    absent = [name for name in asked if name not in faulty and asked[name]["verdict"] != "ok"]
    works = [name for name in asked if name not in faulty and name not in absent]
    note = "optional, and nothing failed for want of it"
    groups = [
        Group("At fault", "", {name: asked[name] for name in faulty}),
        Group("Works", "", {name: asked[name] for name in works}),
        Group("Not offered", note, {name: asked[name] for name in absent}, True),
    ]
    return [group for group in groups if group.operations]


def _checks(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What needs a look first."""
    known = charged(document)
    made = []
    for check in document["checks"]:
        trace = list(check.get("trace") or ())
        made.append({
            **check, "message": "" if check["verdict"] == "PASS" else message(check), "problem": is_problem(check),
            "about": sorted({check["op"], *(check.get("ops") or ()), root_of(check, known)} - {""}),
            "telling": set(exchanges(trace, check["op"], check.get("errno") or "")),
            "outcome": OUTCOME.get(check["verdict"], "error"), "root": root_of(check, known),
        })  # fmt: skip
    order = {name: index for index, name in enumerate(_ORDER)}
    return sorted(made, key=lambda check: (order.get(check["verdict"], -1), LAYERS.index(check["layer"])))


def _places(checks: list[dict[str, Any]]) -> dict[str, int]:
    return {check["id"]: index for index, check in enumerate(checks)}


def _cause(block: Block, document: Mapping[str, Any], checks: list[dict[str, Any]]) -> dict[str, Any]:
    first = block.first
    many = len(block.members) > 1
    handlers = []
    for member in block.members if block.missing else ():
        op = document["operations"].get(member["op"]) or {}
        row = OPERATIONS.get(member["op"])
        handlers.append((member["op"], op.get("handler") or "", list(op.get("breaks") or (row.breaks if row else ()))))
    ids = set(block.checks)
    return {
        "title": f"{count(len(block.members), 'operation')} are not implemented" if many else first["summary"],
        "cause": first["cause"], "confidence": first["confidence"], "handlers": handlers,
        "known": all(member.get("known") for member in block.members),
        "evidence": [] if many else list(first.get("evidence") or ()), "fix": "" if many else first.get("fix") or "",
        "checks": [check["id"] for check in checks if check["id"] in ids],
    }  # fmt: skip


def _commands(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    known = charged(document)
    return [
        {"command": command_of(check), "op": root_of(check, known), "id": check["id"],
         "said": check.get("observed") or message(check)}
        for check in failed(document["checks"])
    ]


def _processes(processes: Mapping[str, Any]) -> list[str]:
    """How the daemon fared, and what was left behind."""
    said = [f"start {end.get('start')}: {end.get('how')}" for end in processes.get("daemon_exits") or ()
            if not end.get("expected", True)]  # fmt: skip
    if processes.get("restarts"):
        said.append(f"the daemon was started anew {count(processes['restarts'], 'time')}")
    for kind, names in _left(processes).items():
        said.append(f"{len(names)} {kind} left behind, {'the first: ' if len(names) > 1 else ''}{names[0]}")
    return said


def _left(processes: Mapping[str, Any]) -> dict[str, list[str]]:
    leaked = processes.get("leaked") or {}
    return {kind: [str(name) for name in names] for kind, names in leaked.items() if isinstance(names, list) and names}
