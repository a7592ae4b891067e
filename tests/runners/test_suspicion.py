"""From looks at a daemon to a proof: too early it slanders a slow daemon, too late it costs everybody time."""

from __future__ import annotations

from typing import Any

import pytest

from fsprobe.results.verdicts import Cause
from fsprobe.runners import stuck, suspicion
from fsprobe.runners.suspicion import LOOKS, Suspicion
from tests.runners.test_stuck import FOR_EVER, IDLE, LOCKED, daemon, request, thread

IN_USE = {**IDLE, "fuse": True}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(suspicion.time, "monotonic", lambda: now[0])
    return now


def look(looking: Suspicion, *threads: dict[str, Any], about: object = 2, **more: Any) -> Cause | None:
    processes = daemon(*threads)
    processes[0] |= more
    found = looking.look(about, processes, [request()], may_be_lost=True)
    return found.cause if found else None


def test_a_reply_is_lost_when_the_daemon_is_seen_idle_again_and_again() -> None:
    """One look could fall between the daemon's answer and its arrival."""
    looking = Suspicion()
    assert [look(looking, IN_USE) for _ in range(LOOKS)] == [None] * (LOOKS - 1) + [Cause.LOST_REPLY]


@pytest.mark.parametrize("other", [{**IDLE, "fuse": False}, thread("hrtimer_nanosleep"), thread("", state="R")])
def test_another_thread_may_answer(other: dict[str, Any]) -> None:
    """It waits for a server of its own, sleeps or works: slow, and not proven to be stuck."""
    looking = Suspicion()
    assert [look(looking, IN_USE, other) for _ in range(2 * LOOKS)] == [None] * 2 * LOOKS


def test_a_timer_or_a_child_may_wake_it() -> None:
    """A daemon that answers from a signal handler is idle meanwhile."""
    looking = Suspicion()
    assert [look(looking, IN_USE, wakes_itself=True) for _ in range(2 * LOOKS)] == [None] * 2 * LOOKS


def test_another_request_begins_anew() -> None:
    """Two requests that each were a little late would be one that is lost."""
    looking = Suspicion()
    assert [look(looking, IN_USE, about=n) for n in range(2 * LOOKS)] == [None] * 2 * LOOKS


def test_a_deadlock_is_proven_once_nothing_ran_for_a_moment(clock: list[float]) -> None:
    """Threads that hand a lock to each other are all seen waiting, each time by chance."""
    looking, seen = Suspicion(), []
    for switches in (1, 2, 3, 3, 3):
        seen.append(look(looking, {**LOCKED, "switches": switches}))
        clock[0] += stuck.STEADY * 0.6
    assert seen == [None, None, None, None, Cause.DEADLOCK_LOCK]


def test_who_computes_is_told_by_the_time_it_used(clock: list[float]) -> None:
    """An endless loop would be called a lost reply."""
    looking = Suspicion()
    running = thread("0", "running", state="R")
    look(looking, {**running, "ticks": 100})
    clock[0] += 1.0
    look(looking, {**running, "ticks": 190})
    found = looking.guess(daemon(running), [request()])
    assert found is not None and (found.cause, found.proven) == (Cause.BUSY_LOOP, False)
    clock[0] += 99.0
    look(looking, {**running, "ticks": 195})
    assert looking.guess(daemon(running), [request()]) is None, "it hardly ran"


@pytest.mark.parametrize(
    ("threads", "proven"),
    [
        ([("a", 8), ("b", 7)], True),
        ([("a", 7)], True),
        ([("a", 8), ("b", 7), ("idle", 0)], True),
        ([("a", 8), ("b", 7), ("works", 0)], False),
        ([("a", 8), ("works", 0)], None),
    ],
)
def test_a_ring_of_locks(threads: list[tuple[str, int]], proven: bool | None) -> None:
    """Two threads that took two locks in two orders; an idle third does not help them, a working one might."""
    rows = []
    for number, (kind, owner) in enumerate(threads, 7):
        base = {"idle": IN_USE, "works": thread("", state="R")}.get(kind, thread("futex_do_wait", FOR_EVER))
        rows.append({**base, "tid": number, "owner": owner})
    found = stuck.why(daemon(*rows), [request()], frozenset())
    assert (found.proven if found else None) is proven
    if found:
        assert found.cause is Cause.DEADLOCK_LOCK and found.threads == tuple(range(7, 7 + min(2, len(threads))))
