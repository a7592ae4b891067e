"""What a Go program prints on SIGQUIT: its goroutines, and what those wait for that serve a request.

Owns the reading of that text; knows nothing of how it was got.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fsprobe.results.verdicts import Cause

MOST, _SHOWN, _WIDTH = 64, 8, 500
_HEAD = re.compile(r"^goroutine (\d+)(?: gp=\S+ m=\S+(?: mp=\S+)?)? \[([^\],]+)(?:, (\d+) minutes)?[^\]]*\]:$")
_CALL = re.compile(r"^(\S.*)\([^()]*\)$")
_PLACE = re.compile(r"^\s+(\S+:\d+)(?: .*)?$")
_LOCKS = ("semacquire", "sync.Mutex.Lock", "sync.RWMutex", "sync.Cond.Wait", "sync.WaitGroup.Wait")
_OUTSIDE = ("chan receive", "chan send", "select", "IO wait", "sleep", "syscall")
# Frames that are nobody's own code; the FUSE libraries' loops serve without being a handler.
_FOREIGN = re.compile(
    r"^(?:runtime|sync|syscall|time|os|os/signal|io|net|net/http|context|internal/[\w/]+|created by .*)\.|"
    r"^(?:github\.com/hanwen/go-fuse|bazil\.org/fuse|github\.com/jacobsa/fuse|golang\.org/x/)"
)
_SERVES = re.compile(r"go-fuse(?:/v2)?/fuse\.\(\*(?:Server|protocolServer)\)\.handleRequest"
                     r"|bazil\.org/fuse/fs\.\(\*Server\)\.(?:serve|handleRequest)"
                     r"|jacobsa/fuse/fuseutil\.\(\*fileSystemServer\)\.handleOp")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Goroutine:
    """One goroutine: what it waits for in Go's words, and its frames `function (file:line)`, the innermost first."""

    number: int
    state: str
    frames: tuple[str, ...]

    @property
    def serves(self) -> bool:
        """Whether it is at work for a request of the kernel."""
        return any(_SERVES.search(frame) for frame in self.frames)

    @property
    def own(self) -> str:
        """The innermost frame of the author's own code."""
        return next((frame for frame in self.frames if not _FOREIGN.match(frame)), "")


def parse(lines: Sequence[str]) -> list[Goroutine]:
    """The goroutines in a dump, those that serve a request first."""
    found: list[tuple[int, str, list[str]]] = []
    for line in lines:
        if head := _HEAD.match(line.strip()):
            found.append((int(head[1]), head[2], []))
        elif not found:
            continue
        elif place := _PLACE.match(line):
            frames = found[-1][2]
            if frames and not frames[-1].endswith(")"):
                frames[-1] += f" ({place[1]})"
        elif call := _CALL.match(line.strip()):
            found[-1][2].append(call[1] + "…" * call[1].endswith(")"))  # so that only a place ends in a bracket
    read = [Goroutine(number, state, tuple(frames)) for number, state, frames in found]
    return sorted(read, key=lambda one: not one.serves)[:MOST]


def why(goroutines: Sequence[Goroutine]) -> tuple[Cause, str] | None:
    """What those that serve a request wait for; None where none tells. It is likely, never proven.

    Where one waits for something else than a lock, the others may well wait for the lock that it holds.
    """
    serving = [one for one in goroutines if one.serves]
    outside = next((one for one in serving if one.state.startswith(_OUTSIDE)), None)
    if outside is not None:
        where = f", in {outside.own}" if outside.own else ""
        return Cause.BLOCKED_IO, f"goroutine {outside.number} of the daemon waits: {outside.state}{where}"
    locked = next((one for one in serving if one.state.startswith(_LOCKS)), None)
    if locked is not None:
        where = f" in {locked.own}" if locked.own else ""
        return Cause.DEADLOCK_LOCK, f"goroutine {locked.number} of the daemon waits for a lock{where} ({locked.state})"
    return None


def lines(goroutines: Sequence[Goroutine]) -> tuple[str, ...]:
    """One line for each that serves a request, the runtime's own frames left out."""
    found = []
    for one in goroutines:
        frames = [frame for frame in one.frames if not frame.startswith("runtime.")]
        if one.serves:
            found.append(f"goroutine {one.number} [{one.state}]: {' < '.join(frames)}"[:_WIDTH])
    return tuple(found[:_SHOWN])
