"""Live lines of a trace, as strace writes them, one an exchange.

Owns how a line is put together and when a request that stays open gets one; knows nothing of where lines go.

    21:14:03.512345 cat[812]          READ /a fh=1 offset=0 size=4096 → 5 bytes "hello" 61 µs
    21:14:04.013001 touch[815]        SETATTR /a mtime=now <unfinished …>
    21:14:07.512345 touch[815]        <… SETATTR /a mtime=now resumed> → OK 3.50 s
"""

from __future__ import annotations

import time

from fsprobe.trace.entry import ANSWERED, LOST, SILENT, Entry
from fsprobe.trace.text import duration, safe

_CALLER = 17
KERNEL = "kernel"
"""Who asks where the protocol names nobody: readahead, writing back, or a process outside the mounter's namespace."""


class Lines:
    """Makes lines; remembers which requests were shown as unfinished. offset_ns: from monotonic to wall clock time."""

    def __init__(self, offset_ns: int) -> None:
        self.offset_ns = offset_ns
        self._unfinished: set[int] = set()

    def line(self, entry: Entry) -> str:
        """A request that is over; its second line where it was shown before."""
        words = [entry.request]
        resumed = entry.seq in self._unfinished
        when = entry.start_ns
        if resumed:
            self._unfinished.discard(entry.seq)
            words = [f"<… {entry.request} resumed>"]
            when = entry.end_ns or when
        if entry.state == ANSWERED:
            words.append(entry.result)
            if entry.latency_us is not None:
                words.append(duration(entry.latency_us))
        elif entry.state == LOST:
            words.append("→ no reply")
        if entry.note:
            words.append(f"[{safe(entry.note.encode('utf-8', 'surrogateescape'))}]")
        return f"{self._head(entry, when)} {' '.join(word for word in words if word)}"

    def unfinished(self, entry: Entry) -> str:
        """An open request, the first time; "" after that."""
        if entry.seq in self._unfinished or entry.state == SILENT:
            return ""
        self._unfinished.add(entry.seq)
        return f"{self._head(entry, entry.start_ns)} {entry.request} <unfinished …>"

    def left_open(self, entry: Entry, now_ns: int, taken: bool | None) -> str:
        """An open request at the end of the trace. taken: whether the daemon has read it, None where nobody knows."""
        how = {True: ", taken by the daemon and not answered", False: ", not read by the daemon", None: ""}[taken]
        age = duration(entry.age_us(now_ns))
        return f"{self._head(entry, entry.start_ns)} {entry.request} <unfinished … open for {age}{how}>"

    def _head(self, entry: Entry, at_ns: int) -> str:
        return f"{clock(at_ns + self.offset_ns)} {caller(entry):<{_CALLER}}"


def caller(entry: Entry) -> str:
    """`cat[812]`."""
    if not entry.pid:
        return KERNEL
    return f"{safe(entry.command.encode('utf-8', 'surrogateescape')) or '?'}[{entry.pid}]"


def clock(ns: int) -> str:
    """Local time of day with microseconds."""
    return f"{time.strftime('%H:%M:%S', time.localtime(ns // 1_000_000_000))}.{ns // 1000 % 1_000_000:06d}"
