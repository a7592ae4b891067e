"""What a live trace does with each request, without any: what was lost must be said, what stays open is counted."""

from __future__ import annotations

import time

from fsprobe.runners.tracing import Sink
from fsprobe.trace.entry import OPEN, Entry
from fsprobe.trace.filters import Filters
from fsprobe.trace.lines import Lines


def open_for(seconds: float, seq: int = 1) -> Entry:
    start = time.monotonic_ns() - int(seconds * 1e9)
    return Entry(seq, seq, 15, OPEN, start, None, None, 7, "dd", "READ /a", "", b"/a")


def made(filters: Filters | None = None) -> tuple[Sink, list[str], list[str]]:
    said: list[str] = []
    told: list[str] = []
    return Sink(filters or Filters(), Lines(0), said.append, told.append), said, told


def test_requests_that_were_not_recorded_are_told() -> None:
    """A trace with a hole that looks whole sends its reader on the wrong track."""
    sink, _, told = made()
    for dropped in (0, 0, 5, 5, 12):
        sink.lose(dropped)
    assert [text.split()[0] for text in told] == ["5", "7"]
    assert sink.finish([])["dropped"] == 12


def test_open_request_is_shown_when_it_is_suspicious() -> None:
    """Every request is open for a moment: only what stays so gets a line, and once."""
    sink, said, _ = made()
    sink.waiting([open_for(0.1)])
    assert said == []
    slow = open_for(1.5)
    sink.waiting([slow])
    sink.waiting([slow])
    assert len(said) == 1
    summary = sink.finish([(slow, True)])
    assert said[1].endswith("taken by the daemon and not answered>")
    assert (summary["open"], summary["operations"]["READ"]["replies"]) == (1, {})


def test_filter_holds_for_open_requests() -> None:
    """Whoever asks for WRITE is not shown a READ because it hangs."""
    sink, said, _ = made(Filters(ops=frozenset({"WRITE"})))
    sink.waiting([open_for(2.0)])
    assert sink.finish([(open_for(2.0), None)])["shown"] == 0
    assert said == []
