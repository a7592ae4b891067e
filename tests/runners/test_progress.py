"""Slow or stuck: what tells them apart."""

from __future__ import annotations

import time

from fsprobe.runners.progress import Progress, callers_sign


def test_quiet_lasts_as_long_as_nothing_changes():
    """A check that gets on is left to get on, one that does not is not."""
    signs = [1, 1, 2, 2]
    progress = Progress(lambda: signs.pop(0))
    progress.quiet()
    time.sleep(0.02)
    assert progress.quiet() >= 0.02
    assert progress.quiet() < 0.02  # it changed
    time.sleep(0.02)
    assert progress.quiet() >= 0.02


def test_a_running_thread_is_progress():
    """A worker that computes is not stuck in the mount."""
    waiting = {"tid": 1, "state": "S", "syscall": "0 0x3"}
    assert callers_sign({"threads": [waiting]}) == ((1, "0 0x3"),)
    assert callers_sign({"threads": [waiting, {"tid": 2, "state": "R", "syscall": "running"}]}) is None
