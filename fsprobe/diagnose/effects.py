"""Whether the exchanges of a check show that what was answered with success changed nothing.

Owns the reading of SETATTR's lines in a trace; knows nothing of other checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fsprobe.results.records import CheckResult

# `SETATTR /f mode=0600 fh=0x1 → file 0644 size=4 nlink=1 uid=0 gid=0 23 µs`: what is asked, what is answered.
_LINE = re.compile(r"^(?P<op>[A-Z_0-9]+) (?P<path>/\S*)(?: \"(?P<name>[^\"]*)\")?(?P<asked>.*?) → (?P<answer>.*)$")
_ATTRIBUTES = re.compile(r"\b(?:file|directory|symlink|FIFO|socket|device) (?P<mode>0?[0-7]{4}) size=(?P<size>\d+)"
                         r"(?: nlink=\d+)? uid=(?P<uid>\d+) gid=(?P<gid>\d+)")  # fmt: skip
_ASKED = re.compile(r"\b(mode|size|uid|gid)=(\d+)\b")
_WRITTEN = re.compile(r"^WRITE .* offset=(?P<offset>\d+) .* → (?P<count>\d+) bytes")
_NAMING = ("LOOKUP", "CREATE", "MKNOD", "MKDIR", "SYMLINK")


def set_nothing(check: CheckResult) -> bool:
    """Whether every SETATTR that asked for something new was answered with the attributes of before, one at least."""
    if check.op != "SETATTR" or check.errno:
        return False
    before: dict[str, dict[str, int]] = {}
    outcomes = []
    for line in check.trace:
        match = _LINE.match(line)
        answer = _attributes(match["answer"]) if match else None
        if match is None:
            continue
        path = match["path"]
        if match["op"] in _NAMING and match["name"] is not None:
            path = f"{path.rstrip('/')}/{match['name']}"
        if match["op"] == "SETATTR" and answer and path in before:
            outcomes += _effects(match["asked"], before[path], answer)
        if answer:
            before[path] = answer
        written = _WRITTEN.search(line)
        if written and path in before:
            end = int(written["offset"]) + int(written["count"])
            before[path] = before[path] | {"size": max(before[path]["size"], end)}
    return bool(outcomes) and not any(outcomes)


def _attributes(text: str) -> dict[str, int] | None:
    match = _ATTRIBUTES.search(text)
    return _numbers(match.groupdict()) if match else None


def _numbers(told: Mapping[str, str]) -> dict[str, int]:
    return {name: int(value, 8 if name == "mode" else 10) for name, value in told.items()}


def _effects(asked: str, before: dict[str, int], after: dict[str, int]) -> list[bool]:
    """For each attribute that was to become another: whether it changed at all."""
    wanted = _numbers(dict(_ASKED.findall(asked)))
    return [before[name] != after[name] for name, value in wanted.items() if before[name] != value]
