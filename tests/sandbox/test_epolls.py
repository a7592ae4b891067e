"""Loops of epoll that wait for a request and nothing else: only of those an open request is proven to be lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from fsprobe.sandbox import epolls, evidence

# The child tells the link of its connection, then waits.
LOOP = """
import os, select, socket, sys, time
kind = sys.argv[1]
connection, kernel = socket.socketpair()
kernel = os.dup(kernel.fileno())
print(os.readlink(f"/proc/self/fd/{connection.fileno()}"), flush=True)
poll = select.epoll()
poll.register(connection, 0 if kind == "disarmed" else select.EPOLLIN)
mine, own = socket.socketpair()
if kind != "alone":
    poll.register(mine, select.EPOLLIN)
if kind == "pipe":
    poll.register(0, select.EPOLLIN)
if kind == "network":
    server = socket.create_server(("127.0.0.1", 0))
    poll.register(server, select.EPOLLIN)
if kind == "eventfd":
    poll.register(os.eventfd(0), select.EPOLLIN)
poll.poll(30 if kind == "timer" else 86400 if kind == "a day" else None)
"""


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    made: list[subprocess.Popen[str]] = []
    yield made
    for child in made:
        child.kill()
        child.communicate()


@pytest.mark.parametrize(
    ("kind", "waits"),
    [("alone", True), ("pair", True), ("a day", True), ("timer", False), ("pipe", False), ("network", False),
     ("eventfd", False), ("disarmed", False)],
)  # fmt: skip
def test_what_else_could_wake_a_loop(kind: str, waits: bool, children: list[subprocess.Popen[str]]) -> None:
    """A daemon that waits for its server would be told that it has lost a reply, proven."""
    pipe = subprocess.PIPE
    child = subprocess.Popen([sys.executable, "-c", LOOP, kind], stdin=pipe, stdout=pipe, text=True)
    children.append(child)
    assert child.stdout is not None
    link = child.stdout.readline().strip()
    deadline = time.monotonic() + 10
    while not (found := evidence.threads(child.pid)) or not found[0].wchan.startswith(epolls.PLACES):
        if not found or not found[0].wchan:
            pytest.skip("this user is not told where a process sleeps")
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    assert epolls.waits_for_requests(child.pid, found[0].to_wire(), link) == waits
    assert not epolls.waits_for_requests(child.pid, found[0].to_wire(), "socket:[1]")


def test_a_process_that_is_gone() -> None:
    """A daemon may end while it is looked at."""
    thread = {"wchan": "ep_poll", "syscall": "232 0x3 0x0 0x1 0xffffffff 0x0 0x0"}
    assert not epolls.waits_for_requests(os.getpid(), {**thread, "syscall": "running"}, "/dev/fuse")
    assert not epolls.waits_for_requests(999999999, thread, "/dev/fuse")
