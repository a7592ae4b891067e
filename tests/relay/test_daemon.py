"""Whose end is told: an orphan of a check's command that ends must not pass for a daemon that died."""

from __future__ import annotations

from typing import Any

import pytest

from fsprobe.relay.daemon import Daemon
from fsprobe.relay.loop import Loop
from fsprobe.relay.recorder import Recorder
from fsprobe.relay.rules import RuleSet


@pytest.mark.parametrize(
    ("known", "pid", "told"),
    [
        (None, 20, True),  # before a worker was made all that ends is the daemon's: what went to the background
        ({10, 11}, 10, True),
        ({10, 11}, 11, True),
        ({10, 11}, 20, False),  # `git gc --auto` in the background
    ],
)
def test_only_its_own_processes_end_as_the_daemons(known: set[int] | None, pid: int, told: bool) -> None:
    """A report would list an exit of the daemon, unexpected, where nothing of it ended."""
    events: list[dict[str, Any]] = []
    daemon = Daemon(Loop(), Recorder(), RuleSet(), None, events.append)
    daemon.pid, daemon.known = 10, known
    daemon.reaped(pid, 0)
    assert [event["pid"] for event in events] == [pid] * told
    assert daemon.exits == ({pid: 0} if told else {})
