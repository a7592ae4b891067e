"""One request and its reply, as the relay saw them pass.

Owns the record; knows nothing of how it was taken or of what the bytes mean (`fsprobe.wire` does).
"""

from __future__ import annotations

from dataclasses import dataclass

# Enough for every fixed part and a name of 255 bytes, or two; the data of a WRITE or READ is cut here.
REQUEST_HEAD = 40 + 600
# out header 16 + entry_out 128 + open_out 16 = 160, the longest fixed reply that is not data; plus a
# READLINK target or a few directory entries to show.
REPLY_HEAD = 400


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request read from the kernel side and what the daemon answered.

    `seq` counts requests since the run began; `start` is the ordinal of the daemon's start (each has its
    own nodeids). `request` and `reply` hold the first bytes of the message, headers included; the whole
    lengths are beside them. `error` is a positive errno, 0 for success, None where no reply came (yet, or
    ever: FORGET has none). Times are CLOCK_MONOTONIC nanoseconds. `layer` is "wire", "mount" or "shell".
    `note` says what the relay has to add: "answered by the relay", or why a reply was refused.
    """

    seq: int
    start: int
    layer: str
    unique: int
    opcode: int
    nodeid: int
    uid: int
    gid: int
    pid: int
    request: bytes
    request_len: int
    reply: bytes | None
    reply_len: int
    error: int | None
    sent_ns: int
    replied_ns: int | None
    note: str = ""

    @property
    def latency_us(self) -> float | None:
        """Microseconds from the relay's reading the request to its reading the reply."""
        return None if self.replied_ns is None else (self.replied_ns - self.sent_ns) / 1000
