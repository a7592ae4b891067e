"""Entries out of what the kernel's FUSE tracepoints print: who asked what, and how it ended; no path, no payload.

Owns reading those lines and joining a request to its end; knows nothing of tracefs. A line reads

    cat-812   [001] ...1. 11141.503905: fuse_request_send: connection 40 req 4 opcode 3 (FUSE_GETATTR) len 56
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from fsprobe.results.errnos import errno_name
from fsprobe.trace.entry import ANSWERED, OPEN, Entry
from fsprobe.wire import opcode_name

_EVENT = re.compile(r"^\s*(?P<command>.+)-(?P<pid>\d+)\s+\[\d+\]\s+\S+\s+(?P<seconds>\d+)\.(?P<micros>\d+): \w+: ")
_SEND = re.compile(r"fuse_request_send: connection (\d+) req (\d+) opcode (\d+) \(.*?\) len (\d+)")
_END = re.compile(r"fuse_request_end: connection (\d+) req (\d+) len (\d+) error (-?\d+)")
_LOST = re.compile(r"LOST (\d+) EVENTS")
UNKNOWN = "<...>"
"""What the kernel prints for a command whose name it no longer keeps."""


@dataclass(slots=True)
class Assembler:
    """Joins the lines. name(pid) is asked for commands that the kernel does not know.

    earlier: replies to requests that were sent before the trace began. dropped: events that the kernel could not keep.
    """

    name: Callable[[int], str]
    earlier: int = 0
    dropped: int = 0
    _seq: int = 0
    _open: dict[int, Entry] = field(default_factory=dict)

    def feed(self, lines: Iterable[str]) -> list[Entry]:
        """The entries that ended in these lines, in that order."""
        found = [self._line(line) for line in lines]
        return [entry for entry in found if entry is not None]

    def open(self) -> list[Entry]:
        """Those without an end, the oldest first."""
        return list(self._open.values())

    def _line(self, line: str) -> Entry | None:
        lost = _LOST.search(line)
        if lost:
            self.dropped += int(lost[1])
            return None
        head = _EVENT.match(line)
        if head is None:
            return None
        at = int(head["seconds"]) * 1_000_000_000 + int(head["micros"].ljust(9, "0")[:9])
        sent = _SEND.search(line)
        if sent is not None:
            self._send(head, at, sent)
            return None
        end = _END.search(line)
        return self._end(at, end) if end is not None else None

    def _send(self, head: re.Match[str], at: int, sent: re.Match[str]) -> None:
        self._seq += 1
        unique, opcode, length = int(sent[2]), int(sent[3]), int(sent[4])
        pid, command = int(head["pid"]), head["command"].strip()
        if command == UNKNOWN:
            command = self.name(pid)
        self._open[unique] = Entry(
            self._seq, unique, opcode, OPEN, at, None, None, pid, command, f"{opcode_name(opcode)} {length} bytes", "",
            request_bytes=length,
        )  # fmt: skip

    def _end(self, at: int, end: re.Match[str]) -> Entry | None:
        begun = self._open.pop(int(end[2]), None)
        if begun is None:
            self.earlier += 1
            return None
        length, error = int(end[3]), -int(end[4])
        result = f"→ {errno_name(error)}" if error else f"→ OK {length} bytes"
        return replace(
            begun, state=ANSWERED, end_ns=max(at, begun.start_ns), error=error, result=result, reply_bytes=length
        )
