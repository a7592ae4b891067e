"""A trace as a file for other programs: JSON lines, and Chrome trace events for Perfetto or chrome://tracing.

Owns both formats; knows nothing of filters and screens. Each line or event is written as it comes, so that a trace that
is killed leaves what it saw. The JSON lines are described by trace.schema.json beside this file.
"""

from __future__ import annotations

import json
import time
from typing import IO, Any

from fsprobe.results.plain import plain, plain_text
from fsprobe.trace.entry import ANSWERED, OPEN, SILENT, Entry
from fsprobe.trace.lines import KERNEL

SCHEMA = "fsprobe.trace/1"


class JsonLines:
    """One JSON object a line: a `trace` first, then `exchange`s in the order of their ends, a `summary` last."""

    def __init__(self, file: IO[str], offset_ns: int, about: dict[str, Any]) -> None:
        self._file, self._offset_ns = file, offset_ns
        self._write({"record": "trace", "schema": SCHEMA, "started": round(time.time(), 6), **about})

    def entry(self, entry: Entry, now_ns: int) -> None:
        """Write one request, an open one too."""
        self._write({
            "record": "exchange", "seq": entry.seq, "unique": entry.unique,
            "time": round((entry.start_ns + self._offset_ns) / 1e9, 6), "op": entry.op, "opcode": entry.opcode,
            "state": entry.state, "errno": entry.errno or None,
            "latency_us": None if entry.latency_us is None else round(entry.latency_us, 3),
            "age_us": round(entry.age_us(now_ns), 3) if entry.state == OPEN else None,
            "pid": entry.pid, "command": entry.command, "uid": _told(entry.uid), "gid": _told(entry.gid),
            "nodeid": _told(entry.nodeid), "path": _path(entry.path), "to": _path(entry.to), "request": entry.request,
            "result": entry.result.removeprefix("→ "), "request_bytes": entry.request_bytes,
            "reply_bytes": entry.reply_bytes, "note": entry.note,
        })  # fmt: skip

    def close(self, summary: dict[str, Any]) -> None:
        """Write the last line."""
        self._write({"record": "summary", **summary})

    def _write(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(plain(record), ensure_ascii=True) + "\n")
        self._file.flush()


def _told(number: int) -> int | None:
    return None if number < 0 else number


def _path(path: bytes | None) -> str | None:
    return None if path is None else plain_text(path)


class ChromeTrace:
    """A JSON array of trace events, one row a caller and as many lanes as it has requests at once.

    Perfetto nests what overlaps in one lane, which would show two requests side by side as one within the other: so
    each lane holds only requests that follow each other.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._file.write("[\n")
        self._first = True
        self._rows: dict[tuple[int, str], int] = {}
        self._lanes: dict[int, list[int]] = {}

    def entry(self, entry: Entry, now_ns: int) -> None:
        """Write one request; an open one lasts until now."""
        end = entry.end_ns or (now_ns if entry.state == OPEN else entry.start_ns)
        row = self._row(entry)
        lane = self._lane(row, entry.start_ns, end)
        event: dict[str, Any] = {
            "name": entry.op + (f" {entry.errno}" if entry.errno else ""), "cat": entry.op, "pid": row, "tid": lane,
            "ts": entry.start_ns / 1000,
            "args": {"request": entry.request, "result": entry.result.removeprefix("→ "), "state": entry.state,
                     "path": _path(entry.path), "unique": entry.unique},
        }  # fmt: skip
        if entry.state == SILENT:
            self._write({**event, "ph": "i", "s": "t"})
            return
        if entry.state != ANSWERED:
            event["name"] = f"{entry.op} ({'unfinished' if entry.state == OPEN else 'no reply'})"
            event["cname"] = "terrible"
        self._write({**event, "ph": "X", "dur": (end - entry.start_ns) / 1000})

    def close(self, summary: dict[str, Any]) -> None:
        """End the array: a file that was cut off can be opened, too, but is no JSON."""
        self._file.write("\n]\n")
        self._file.flush()

    def _row(self, entry: Entry) -> int:
        """The caller's row, which is named the first time. A thread that has become another program has another one."""
        key = (entry.pid, entry.command)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = len(self._rows) + 1
            name = f"{entry.command or '?'} {entry.pid}" if entry.pid else KERNEL
            self._write({"name": "process_name", "ph": "M", "pid": row, "args": {"name": name}})
        return row

    def _lane(self, row: int, start: int, end: int) -> int:
        """The first lane whose last request had ended. They come in the order of their ends, so only that matters."""
        ends = self._lanes.setdefault(row, [])
        for lane, last in enumerate(ends):
            if last <= start:
                ends[lane] = end
                break
        else:
            lane = len(ends)
            ends.append(end)
            self._write({"name": "thread_name", "ph": "M", "pid": row, "tid": row * 1000 + lane,
                         "args": {"name": f"lane {lane + 1}"}})  # fmt: skip
        return row * 1000 + lane

    def _write(self, event: dict[str, Any]) -> None:
        self._file.write(("" if self._first else ",\n") + json.dumps(plain(event), ensure_ascii=True))
        self._file.flush()
        self._first = False
