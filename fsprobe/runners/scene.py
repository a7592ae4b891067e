"""What is taken down when a request hangs, before anything is freed: one record for the result file, and its lines.

Owns the gathering (each part bounded in time) and how it is told in words; draws no conclusions.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from fsprobe.results.records import CheckResult, Incident
from fsprobe.results.verdicts import Cause
from fsprobe.runners.stuck import Stuck
from fsprobe.sandbox.callers import call_name
from fsprobe.wire import opcode_name

STACKS_TIMEOUT = 6.0
OUTPUT_LINES = 40
_LAST_EXCHANGES = 12
_SHOWN_OUTPUT, _SHOWN_FRAMES, _SHOWN_THREADS = 6, 5, 12
# Frames that an author did not write: the C library's, the interpreter's own library, the FUSE library's loop.
_FOREIGN_FILE = re.compile(r"/lib/python3[\d.]*/(?!(?:site|dist)-packages/)|\bm?fuse(?:py)?\.py\b|/pyfuse3/|<frozen")
_FOREIGN_NAME = re.compile(
    r"^(?:_|fuse_|pthread_|futex|lll_|syscall|nanosleep|usleep|sleep|read\b|write\b|open|poll|select|recv|send|accept|"
    r"connect|clock_|start_thread|clone|abort|raise|main_arena|std::|core::|runtime\.|syscall\.|sync\.|internal/|\?|"
    r"0x|flock|fcntl|lockf|sem_|pause|wait)"
)
_PLACE = re.compile(r"^(.*) \((.*):(\d+)\)$")


class Witness(Protocol):
    """What is asked: the sandbox."""

    def call(self, name: str, timeout: float = ..., **args: Any) -> Any:
        """A call to the sandbox's first process."""


def take(witness: Witness, worker: int, *, stacks: bool) -> dict[str, Any]:
    """Open requests, callers, the daemon's threads, their stacks, its limits and its last output."""
    status = witness.call("status")
    processes = witness.call("evidence") or []
    return {
        "open": [_request(one) for one in status["open"]],
        "callers": [_caller(one) for one in (witness.call("caller", pid=worker) or {}).get("threads", [])],
        "daemon": [{key: value for key, value in one.items() if key != "maps"} for one in processes],
        "stacks": (witness.call("stacks", STACKS_TIMEOUT) or []) if stacks and processes else [],
        "limits": witness.call("limits") or {},
        "output": words(status["output"], OUTPUT_LINES),
    }


def words(output: bytes, most: int) -> list[str]:
    """The last lines that the daemon printed."""
    return output.decode("utf-8", "backslashreplace").strip().splitlines()[-most:]


def _request(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"unique": one["unique"], "op": opcode_name(one["opcode"]), "seconds": round(one["age"], 3),
            "taken": one["taken"], "request": ""}  # fmt: skip


def _caller(thread: Mapping[str, Any]) -> dict[str, Any]:
    return {**thread, "call": call_name(thread)}


def lines(scene: Mapping[str, Any]) -> tuple[str, ...]:
    """The record in words: the daemon's threads and where they are, open requests, callers, limits, output."""
    frames = {one["tid"]: one["frames"] for told in scene["stacks"] for one in told["threads"]}
    found: list[str] = []
    for process in scene["daemon"]:
        for thread in process["threads"][:_SHOWN_THREADS]:
            found.append(f"daemon {process['pid']} thread {thread['tid']} {thread['name']}: {thread['state']} "
                         f"in {thread['wchan'] or '?'}, syscall {thread['syscall'] or '?'}")  # fmt: skip
            if frames.get(thread["tid"]):
                stack = " < ".join(map(_short, frames[thread["tid"]][:_SHOWN_FRAMES]))
                found.append(f"stack of thread {thread['tid']}: {stack}")
    found += [f"no stack of {told['pid']}: {told['note']}" for told in scene["stacks"] if told["note"]]
    found += [open_line(one) for one in scene["open"]]
    found += [f"caller {one['tid']} {one['name']}: {one['state']} in {one['wchan']}, {one['call'] or 'no system call'}"
              for one in scene["callers"] if one["wchan"] and one["state"] != "Z"][:4]  # fmt: skip
    found += [f"daemon {pid} uses {_limits(told)}" for pid, told in scene["limits"].items() if told]
    return (*found, *(f"daemon said: {line}" for line in scene["output"][-_SHOWN_OUTPUT:]))


def open_line(one: Mapping[str, Any]) -> str:
    """`open: WRITE /a fh=1 … for 0.2 s, taken`."""
    return f"open: {one['request'] or one['op']} for {one['seconds']:.1f} s, {'taken' if one['taken'] else 'not read'}"


def _limits(told: Mapping[str, Any]) -> str:
    of = f" of {told['files_limit']}" if told.get("files_limit") is not None else ""
    return f"{told.get('files', '?')}{of} descriptors, {told.get('resident_kib', 0) // 1024} MiB of memory"


def _short(frame: str) -> str:
    """A frame with the last two parts of its file's path."""
    match = _PLACE.match(frame)
    if match is None:
        return frame
    return f"{match[1]} ({'/'.join(match[2].split(os.sep)[-2:])}:{match[3]})"


def own_frame(frames: Sequence[str]) -> str:
    """The innermost frame of the author's own code, shortened; "" where there is none."""
    for frame in frames:
        match = _PLACE.match(frame)
        name = match[1] if match else frame
        foreign = _FOREIGN_FILE.search(match[2]) if match else None
        if foreign is None and not _FOREIGN_NAME.match(name.lstrip("(")):
            return _short(frame)
    return ""


def at(found: Stuck, scene: Mapping[str, Any]) -> str:
    """The explanation with the place in the author's code where the threads that show it are."""
    frames = {one["tid"]: own_frame(one["frames"]) for told in scene["stacks"] for one in told["threads"]}
    places = {tid: frames[tid] for tid in found.threads if frames.get(tid)}
    if not places:
        return found.sentence
    first = places.get(found.threads[0], "")
    if found.cause is Cause.DEADLOCK_LOCK and len(found.threads) > 1 and "ring" in found.sentence:
        return f"{found.sentence}: " + "; ".join(f"{tid} in {place}" for tid, place in places.items())
    if not first:
        tid, first = next(iter(places.items()))
        return f"{found.sentence} (thread {tid} is in {first})"
    lock = "waits for a lock"
    if found.cause is Cause.DEADLOCK_LOCK and lock in found.sentence:
        return found.sentence.replace(lock, f"{lock} in {first}", 1)
    return f"{found.sentence}, in {first}"


def noted(incident: Incident, result: CheckResult) -> tuple[Incident, CheckResult]:
    """Both, linked by the check's id, the open requests with paths and arguments as the check's trace has them."""
    facts = {"check": result.id, "exchanges": list(result.trace[-_LAST_EXCHANGES:]), **incident.facts}
    lines, path = list(result.evidence), incident.path
    opened = []
    for one in facts.get("open", ()):
        asked = next((line for line in reversed(result.trace) if _is_open(line, one["op"])), "")
        whole = {**one, "request": asked.partition(" → ")[0]}
        lines = [open_line(whole) if line == open_line(one) else line for line in lines]
        opened.append(whole)
        words = [*whole["request"].split(" "), "", ""]
        if not path and one["unique"] == incident.unique and words[1].startswith("/"):
            path = words[1]
    facts |= {"open": opened} if opened else {}
    evidence = tuple(lines)
    return replace(incident, facts=facts, path=path, evidence=evidence), replace(
        result, incident=result.id, evidence=evidence
    )


def _is_open(line: str, op: str) -> bool:
    return line.startswith(f"{op} ") and "→ no reply" in line


def entries(incidents: Sequence[Incident]) -> list[dict[str, Any]]:
    """`incidents` of the document: what went wrong with the target, in order."""
    return [
        {
            "id": one.facts.get("check") or f"preparing {one.opcode}", "check": one.facts.get("check", ""),
            "kind": one.kind, "op": one.opcode, "path": one.path, "cause": str(one.cause), "proven": one.proven,
            "detail": one.detail, **{key: value for key, value in one.facts.items() if key != "check"},
        }
        for one in incidents if one.kind != "worker"
    ]  # fmt: skip
