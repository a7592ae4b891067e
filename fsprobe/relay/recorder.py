"""What passed through the relay, kept until the session fetches it.

Owns a bounded list of raw records and their numbering; decodes nothing: that would cost the traffic its speed.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from typing import Any

from fsprobe.trace.exchange import Exchange

# A run fetches after every check, so these bound one check's traffic: records of about 1 KiB, of up to 64 KiB
# where entries are kept whole, all of which cross the pipe to the session in one message.
CAPACITY = 200_000
CAPACITY_BYTES = 128 << 20
IN_HEADER = struct.Struct("=IIQQIIIHH")  # len opcode unique nodeid uid gid pid total_extlen padding

# seq, start, layer, request head, request length, reply head or None, reply length, error or None,
# sent ns, replied ns or None, note
Record = tuple[int, int, str, bytes, int, bytes | None, int, int | None, int, int | None, str]


class Recorder:
    """Numbers requests across all starts of the daemon and keeps what the session has not fetched."""

    def __init__(self) -> None:
        self.records: deque[Record] = deque()
        self._bytes = 0
        self.next_seq = 0
        self.start = 0
        self.layer = ""
        self.dropped = 0
        self.callers: list[tuple[int, int, str]] | None = None
        """Where names of callers are wanted: (seq, thread id, command) for each that is new or has changed."""
        self._commands: dict[int, str] = {}

    def number(self) -> int:
        """The ordinal of a request just read."""
        self.next_seq += 1
        return self.next_seq

    def keep(self, record: Record) -> None:
        """Add a finished record, dropping the oldest when full."""
        if self.callers is not None:
            self._note_caller(record[0], IN_HEADER.unpack_from(record[3])[6])
        self.records.append(record)
        self._bytes += len(record[3]) + len(record[5] or b"")
        while len(self.records) > CAPACITY or self._bytes > CAPACITY_BYTES:
            oldest = self.records.popleft()
            self._bytes -= len(oldest[3]) + len(oldest[5] or b"")
            self.dropped += 1

    def _note_caller(self, seq: int, pid: int) -> None:
        """A caller's name is read while the reply is on its way to it; one that ended all the same keeps its last."""
        name = self.command(pid)
        if name and self._commands.get(pid) != name and self.callers is not None:
            self._commands[pid] = name
            self.callers.append((seq, pid, name))

    @staticmethod
    def command(pid: int) -> str:
        """The name of a thread, "" where it has ended or is not of this namespace."""
        try:
            fd = os.open(f"/proc/{pid}/comm", os.O_RDONLY)
        except OSError:
            return ""
        try:
            return os.read(fd, 64).decode("utf-8", "backslashreplace").rstrip("\n")
        except OSError:
            return ""
        finally:
            os.close(fd)

    def take_callers(self) -> list[tuple[int, int, str]]:
        """The names since the last call, which are kept from now on."""
        taken, self.callers = self.callers or [], []
        return taken

    def take(self) -> list[Record]:
        """All records since the last call."""
        taken = list(self.records)
        self.records.clear()
        self._bytes = 0
        return taken


def exchange(record: Record | list[Any]) -> Exchange:
    """A record as the typed exchange that the rest of fsprobe works with."""
    seq, start, layer, request, request_len, reply, reply_len, error, sent, replied, note = record
    _, opcode, unique, nodeid, uid, gid, pid, _, _ = IN_HEADER.unpack_from(request)
    return Exchange(
        seq, start, layer, unique, opcode, nodeid, uid, gid, pid, request, request_len, reply, reply_len,
        error, sent, replied, note,
    )  # fmt: skip
