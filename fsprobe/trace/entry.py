"""One request as a live trace tells it, whoever saw it: the relay (decoded) or the kernel's tracepoints (not).

Owns the record and its making out of an exchange; knows nothing of screens and files.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsprobe import wire
from fsprobe.results.errnos import errno_name
from fsprobe.trace.describe import Describer
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import Opcode, opcode_name

ANSWERED, SILENT, OPEN, LOST = "answered", "silent", "open", "lost"
"""States: a reply came; none is due (FORGET, …); none came so far; none came and none will."""

_IN_HEADER = struct.Struct("=IIQQIII")  # len opcode unique nodeid uid gid pid, of fuse_in_header
_SILENT = wire.NO_REPLY | {Opcode.INTERRUPT}


@dataclass(frozen=True, slots=True)
class Entry:
    """A request and what became of it. Times are CLOCK_MONOTONIC nanoseconds, end_ns None where no reply came.

    pid: the calling thread, 0 for the kernel itself or a process that the mounter cannot see; command: its name, ""
    where that is not known. path, to: from the mount's root; None where not known. request: its words, the operation
    first; result: the words from the arrow on. error: an errno, 0 for success, None without a reply. nodeid, uid, gid:
    -1 where nobody tells. note: what the relay has to add.
    """

    seq: int
    unique: int
    opcode: int
    state: str
    start_ns: int
    end_ns: int | None
    error: int | None
    pid: int
    command: str
    request: str
    result: str
    path: bytes | None = None
    to: bytes | None = None
    nodeid: int = -1
    uid: int = -1
    gid: int = -1
    request_bytes: int = 0
    reply_bytes: int = 0
    note: str = ""

    @property
    def op(self) -> str:
        """The operation's name."""
        return opcode_name(self.opcode)

    @property
    def errno(self) -> str:
        """The errno's name, "" for success or no reply."""
        return errno_name(self.error) if self.error else ""

    @property
    def latency_us(self) -> float | None:
        """Microseconds until the reply."""
        return None if self.end_ns is None else (self.end_ns - self.start_ns) / 1000

    def age_us(self, now_ns: int) -> float:
        """Microseconds until the reply, or until now."""
        return ((self.end_ns or now_ns) - self.start_ns) / 1000


class Decoder:
    """Entries out of exchanges, which it must see in order: paths are learnt on the way."""

    def __init__(self) -> None:
        self._describer = Describer()

    def entry(self, exchange: Exchange, command: str = "") -> Entry:
        """The entry of an exchange that is over."""
        made = self._made(exchange, command, _state(exchange))
        self._describer.feed(exchange)
        return made

    def open(self, request: Mapping[str, Any], command: str = "") -> Entry:
        """The entry of an open request, as the sandbox's `status` gives it."""
        _, opcode, unique, nodeid, uid, gid, pid = _IN_HEADER.unpack_from(request["head"])
        exchange = Exchange(
            request["seq"], 0, "mount", unique, opcode, nodeid, uid, gid, pid, request["head"], request["length"],
            None, 0, None, request["sent_ns"], None, request["note"],
        )  # fmt: skip
        return self._made(exchange, command, OPEN)

    def _made(self, one: Exchange, command: str, state: str) -> Entry:
        path, to = self._describer.subjects(one)
        return Entry(
            one.seq, one.unique, one.opcode, state, one.sent_ns, one.replied_ns if state == ANSWERED else None,
            one.error if state == ANSWERED else None, one.pid, command, self._describer.request(one),
            self._describer.reply(one) if state == ANSWERED else "", path, to, one.nodeid, one.uid, one.gid,
            one.request_len, one.reply_len, one.note,
        )  # fmt: skip


def _state(exchange: Exchange) -> str:
    if exchange.reply is not None:
        return ANSWERED
    return SILENT if exchange.opcode in _SILENT else LOST
