"""What the exchanges of a check show of what a success came to: nothing, or another size than was asked for.

Owns the reading of such lines in a trace; knows nothing of other checks.
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
_READ = re.compile(r"^READ .* offset=(?P<offset>\d+) size=(?P<asked>\d+)\b.* → (?:(?P<count>\d+) bytes|OK)")
_SHARED = re.compile(r"\bnlink=(?!1\b)")
_NAMING = ("LOOKUP", "CREATE", "MKNOD", "MKDIR", "SYMLINK")


# After these a size is not followed any more.
_LOSES_TRACK = ("RENAME", "RENAME2", "UNLINK", "LINK", "FALLOCATE", "COPY_FILE_RANGE", "COPY_FILE_RANGE_64", "TMPFILE")


def wrong_size(check: CheckResult) -> str:
    """Whose answer about a size is wrong: SETATTR's or WRITE's own, that of who told one which another reply
    contradicts (GETATTR, LOOKUP, …), or that of the operation by which a new file had the links of another, and so its
    data.

    "" where the sizes told are those that the requests make. WRITE stands accused where a file has another size after
    it, unless READ gives more than that size, or the right one is told later with no further request to change it.
    """
    sizes: dict[str, int] = {}
    written: set[str] = set()
    accused: dict[str, int] = {}
    by: dict[str, str] = {}
    shared = ""
    for line in check.trace:
        match = _LINE.match(line)
        if match is None or "(deleted)" in line or match["op"] in _LOSES_TRACK:
            sizes.clear()
            continue
        if match["op"] in ("CREATE", "MKNOD") and _SHARED.search(match["answer"]):
            shared = match["op"]
        path, answer = _path(match), _attributes(match["answer"]) if "file " in match["answer"] else None
        wanted = dict(_ASKED.findall(match["asked"])).get("size")
        if match["op"] == "SETATTR" and answer and wanted and answer["size"] != int(wanted):
            return "SETATTR"
        given = _READ.search(line)
        if path in accused and given and int(given["offset"]) + int(given["count"] or 0) > accused[path]:
            return by[path]
        if match["op"] == "SETATTR" or "O_TRUNC" in match["asked"]:
            written.discard(path)
            sizes.pop(path, None)
        elif answer and path in written and path in sizes:
            if answer["size"] == sizes[path] and path in accused:
                return by[path]
            if answer["size"] != sizes[path]:
                accused[path] = answer["size"]
                by.setdefault(path, match["op"])
                continue
        if answer:
            sizes[path] = answer["size"]
        done = _WRITTEN.search(line)
        if done and path in sizes:
            sizes[path] = max(sizes[path], int(done["offset"]) + int(done["count"]))
            written.add(path)
    return (shared or "WRITE") if accused else ""


def short_read(check: CheckResult) -> bool:
    """Whether a READ gave less than there is, by the size that was told last and all that was written since."""
    sizes: dict[str, int] = {}
    for line in check.trace:
        match = _LINE.match(line)
        if match is None or "(deleted)" in line or match["op"] in _LOSES_TRACK:
            sizes.clear()
            continue
        path, answer = _path(match), _attributes(match["answer"]) if "file " in match["answer"] else None
        if answer:
            sizes[path] = answer["size"]
        elif match["op"] == "SETATTR" or "O_TRUNC" in match["asked"]:
            sizes.pop(path, None)
        given = _READ.search(line)
        due = min(int(given["asked"]), sizes[path] - int(given["offset"])) if given and path in sizes else 0
        if given and int(given["count"] or 0) < due:
            return True
    return False


def _path(match: re.Match[str]) -> str:
    inside = match["op"] in _NAMING and match["name"] is not None
    return f"{match['path'].rstrip('/')}/{match['name']}" if inside else match["path"]


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
        path = _path(match)
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
    group = wanted.pop("gid", before["gid"])  # a group that stays may be the set-up's: chgrp to what it is already
    if "uid" in wanted and group == before["gid"] != after["gid"]:
        return [True]  # another one than was asked for, but something
    return [before[name] != after[name] for name, value in wanted.items() if before[name] != value]
