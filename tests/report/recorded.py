"""Documents of real runs, made small and the same on every machine, for the tests of the screens.

Owns what is kept of a run and how it is filled up again. To record one anew, from the root of the clone:

    fsprobe run vexfs:before-fix --json /tmp/result.json
    python -m tests.report.recorded /tmp/result.json before-fix

and then `FSPROBE_GOLDEN=write pytest tests/report`: read the difference.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

RUNS = Path(__file__).with_name("runs")
NAMES = ("good", "before-fix", "lost-reply", "not-mounted")

_QUIET = ("PASS", "SKIP", "INFO", "NOTRUN")
_DEFAULTS: dict[str, Any] = {
    "ops": [], "declared": "", "title": "", "level": "MUST", "expected": "", "observed": "", "errno": "",
    "seconds": 0.0, "reference": "", "trace": [], "reproduce": "", "reason": "", "blocked_by": "", "notes": [],
    "evidence": [], "main": False,
}  # fmt: skip
_TRACE_KEPT = 4
_LEAKED_KEPT = 8
# What differs from run to run or from machine to machine, and what stands in its place.
_VOLATILE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\.fsprobe-[0-9a-f]{8}-"), ".fsprobe-0123abcd-"),
    (re.compile(r"/fsprobe-shell-\w{8}"), "/fsprobe-shell-AbCdEfGh"),
    (re.compile(r"--seed \d+"), "--seed 1"),
    (re.compile(r"(→.*) \d+(?:\.\d+)? (?:µs|ms|s)(?= \[|$)"), r"\1 40 µs"),
    (re.compile(r"0x[0-9a-f]{7,}"), "0x7f0000000000"),
    (re.compile(r"\bsed\w{6}\b"), "sedAbCdEf"),
    (re.compile(r"daemon \d+ thread \d+"), "daemon 2 thread 2"),
)
_TIMES = {"p50_us": 31.4, "p99_us": 118.0, "max_us": 411.0}


def load(name: str) -> dict[str, Any]:
    """The document of that name, whole again."""
    document: dict[str, Any] = json.loads((RUNS / f"{name}.json").read_text())
    document["checks"] = [{**_DEFAULTS, **check} for check in document["checks"]]
    return document


def made_small(document: dict[str, Any]) -> dict[str, Any]:
    """What the screens need of a document, without what differs from run to run."""
    small: dict[str, Any] = _steady(document)
    small["checks"] = [_check(check) for check in small["checks"]]
    small["target"] |= {"argv": ["/usr/bin/python3", *small["target"]["argv"][1:]], "binary_sha256": "9f2c4b7a10d3" * 5}
    small["target"]["pid"] = small["target"]["pid"] and 4
    if "mount" in small["target"]:
        behind = small["target"]["mount"].partition(" /")[2].partition(" ")[2].partition(" ")[2]
        small["target"]["mount"] = f"88 61 0:41 / /run/fsprobe/m {behind}"
    small["environment"] |= {"kernel": "6.18.44", "seed": 1}
    small["summary"]["seconds"] = 3.2
    small["processes"]["leaked"]["files"] = _leaked(small["processes"]["leaked"]["files"])
    for op in small["operations"].values():
        op |= {key: value for key, value in _TIMES.items() if op[key] is not None}
    return small


def _steady(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, steady in _VOLATILE:
            value = pattern.sub(steady, value)
        return value
    if isinstance(value, dict):
        return {key: _steady(item) for key, item in value.items()}
    return [_steady(item) for item in value] if isinstance(value, list) else value


def _check(check: dict[str, Any]) -> dict[str, Any]:
    """Of one that is only counted, little; of a trace its beginning, its end, and all that failed."""
    kept = {key: value for key, value in check.items() if key != "seconds" and value != _DEFAULTS.get(key, "")}
    if check["verdict"] in _QUIET:
        named = ("id", "layer", "op", "verdict", "reason")
        more = ("title", "reproduce") if check["verdict"] == "NOTRUN" else ()
        return {key: kept[key] for key in (*named, *more) if key in kept}
    if check["verdict"] in ("UNSUPPORTED", "WARN"):
        return {key: value for key, value in kept.items() if key not in ("trace", "reproduce", "evidence", "notes")}
    trace = check["trace"]
    failed = [line for line in trace if re.search(r"→ (?:E[A-Z]+|no reply)", line)][-_TRACE_KEPT:]
    ends = {*trace[:2], *trace[-2:], *failed}
    return {**kept, "trace": [line for line in trace if line in ends]}


def _leaked(files: list[str]) -> list[str]:
    """As many as there were, which is what the screen tells, but of one name."""
    return files[:_LEAKED_KEPT] + [files[0]] * (len(files) - _LEAKED_KEPT) if len(files) > _LEAKED_KEPT else files


def _text(document: dict[str, Any]) -> str:
    """A line for each check and operation, so that a difference can be read."""
    parts = []
    for key, value in document.items():
        if isinstance(value, list):
            rows = ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in value)
            parts.append(f"{json.dumps(key)}: [\n  {rows}\n]" if value else f"{json.dumps(key)}: []")
        elif key == "operations":
            rows = ",\n  ".join(f"{json.dumps(op)}: {json.dumps(row, ensure_ascii=False)}" for op, row in value.items())
            parts.append(f"{json.dumps(key)}: {{\n  {rows}\n}}")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    result, name = sys.argv[1:]
    RUNS.mkdir(exist_ok=True)
    (RUNS / f"{name}.json").write_text(_text(made_small(json.loads(Path(result).read_text()))))
