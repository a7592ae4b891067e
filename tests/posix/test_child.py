"""Child processes: the parent always gets an answer in time, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import time

import pytest

from fsprobe.posix.child import Child, ChildDied, ChildError, ChildTimeout


def test_a_result_comes_back():
    """Checks in another process would have no result."""
    assert Child(lambda: {"a": [1, b"\xff"]}).result(5) == {"a": [1, b"\xff"]}


def test_a_large_result_does_not_block():
    """More than a pipe holds would hang until the deadline."""
    assert len(Child(lambda: b"x" * 1_000_000).result(5)) == 1_000_000


def test_errors_come_back_as_what_they_were():
    """EACCES met by another user would be lost."""
    with pytest.raises(FileNotFoundError):
        Child(lambda: os.stat("/does/not/exist")).result(5)
    with pytest.raises(ChildError, match="ZeroDivisionError"):
        Child(lambda: 1 // 0).result(5)


def test_a_death_by_signal_is_named():
    """SIGBUS on a mapped page would look like nothing."""
    with pytest.raises(ChildDied, match="SIGKILL"):
        Child(lambda: os.kill(os.getpid(), signal.SIGKILL)).result(5)


def test_a_stuck_child_is_given_up_in_time():
    """A hung system call would hang the worker as well."""
    child = Child(lambda: time.sleep(60))
    began = time.monotonic()
    with pytest.raises(ChildTimeout):
        child.result(0.1)
    assert time.monotonic() - began < 2
    assert not os.path.exists(f"/proc/{child.pid}")


def test_waiting_is_seen():
    """A lock that a child waits for would be released before it waits."""
    child = Child(lambda: time.sleep(60))
    assert child.waits(2)
    assert not child.ended_within(0.01)
    child.kill()
    assert child.ended_within(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_user_is_another_user():
    """Permission checks would all run as root."""
    assert Child(lambda: (os.getuid(), os.getgid(), os.getgroups()), uid=65534).result(5) == (65534, 65534, [])
