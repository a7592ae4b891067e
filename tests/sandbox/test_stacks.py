"""The stacks of a stuck process: the line that tells an author where to look, and nothing stopped or stuck for it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fsprobe.sandbox import evidence, stacks

Start = Callable[..., int]
PROGRAM = """
#include <pthread.h>
#include <unistd.h>
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static void take_it_again(void) { pthread_mutex_lock(&one); }
int main(void) { pthread_mutex_lock(&one); write(1, "!", 1); take_it_again(); return 0; }
"""
LOCKED = "import threading, sys\nclass Store:\n def find(self):\n  lock = threading.Lock(); lock.acquire()\n" \
         "  print('!', flush=True); lock.acquire()\nStore().find()\n"  # fmt: skip


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a program and wait until it says `!` and sleeps."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*command: str) -> int:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        running.append(process)
        assert process.stdout is not None and process.stdout.read(1) == b"!"
        deadline = time.monotonic() + 5
        while evidence.threads(process.pid)[0].state != "S" and time.monotonic() < deadline:
            time.sleep(0.01)
        return process.pid

    yield begin
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def deadlocked(start: Start, tmp_path: Path) -> int:
    """A C program that waits for its own lock."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    (tmp_path / "a.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-g", "-O0", "-pthread", "a.c", "-o", "a"], cwd=tmp_path, check=True)
    return start(str(tmp_path / "a"))


def test_python_frames_with_file_and_line(start: Start) -> None:
    """ "It waits for a lock" is of use only with the line that takes it."""
    (told,) = stacks.collect([start(sys.executable, "-c", LOCKED)])
    if not told["tool"] and "not installed" in told["note"]:
        pytest.skip(told["note"])
    assert (told["language"], told["tool"], told["note"]) == ("python", "py-spy", "")
    assert told["threads"][0]["frames"][0].endswith("find (<string>:5)")


def test_native_frames_and_the_owner_of_the_lock(deadlocked: int) -> None:
    """Which function waits, and that the thread which holds the lock is itself: proof of a deadlock."""
    (told,) = stacks.collect([deadlocked])
    if not told["tool"]:
        pytest.skip(told["note"])
    names = [frame.split(" ")[0] for frame in told["threads"][0]["frames"]]
    assert "take_it_again" in names and names.index("take_it_again") < names.index("main")
    assert any(frame.endswith("a.c:5)") for frame in told["threads"][0]["frames"])
    (thread,) = evidence.threads(deadlocked)
    assert thread.owner == thread.tid == deadlocked and thread.state == "S", "it is left as it was"


def test_a_stopped_process_is_let_alone(deadlocked: int) -> None:
    """A debugger would wait for it, or let it continue."""
    os.kill(deadlocked, signal.SIGSTOP)
    deadline = time.monotonic() + 5
    while evidence.threads(deadlocked)[0].state != "T" and time.monotonic() < deadline:
        time.sleep(0.01)
    (told,) = stacks.collect([deadlocked])
    assert told["threads"] == [] and "stopped" in told["note"]
    assert evidence.threads(deadlocked)[0].state == "T"


def test_a_tool_that_does_not_end_is_ended(deadlocked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsprobe would hang beside the daemon that it looks at."""
    slow = tmp_path / "eu-stack"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(stacks, "_tool", lambda name: str(slow))
    monkeypatch.setattr(stacks, "TOOL_TIME", 0.3)
    began = time.monotonic()
    (told,) = stacks.collect([deadlocked])
    assert told["threads"] == [] and "not done within 0.3 s" in told["note"]
    assert time.monotonic() - began < 3


def test_gdb_says_the_same() -> None:
    """Where there is no elfutils, gdb's words are read."""
    text = """Thread 2 (Thread 0x7f (LWP 12) "d"):
#0  futex_wait (private=0) at ../sysdeps/nptl/futex-internal.h:146
#4  0x0000560cede6f185 in work_one () at /src/a.c:4
#5  0x00007f3ae04fa1f5 in start_thread () from /lib/libc.so.6

Thread 1 (process 11):
#0  0x00007f3ae04fa1f5 in main () at /src/a.c:9"""
    assert stacks.read_gdb(text.splitlines()) == [
        {"tid": 12, "name": "", "frames": ["futex_wait (../sysdeps/nptl/futex-internal.h:146)", "work_one (/src/a.c:4)",
                                           "start_thread"]},
        {"tid": 11, "name": "", "frames": ["main (/src/a.c:9)"]},
    ]  # fmt: skip


def test_what_a_process_uses() -> None:
    """A daemon that has no descriptor left is known by these two numbers."""
    told = evidence.limits(os.getpid())
    assert 3 <= told["files"] <= told["files_limit"] and told["resident_kib"] > 1000


def test_nobody_reads_the_pipe() -> None:
    """A pipe that somebody reads slowly is no deadlock."""
    read, write = os.pipe()
    try:
        link = os.readlink(f"/proc/self/fd/{write}")
        assert evidence.readers([os.getpid()], link) == [os.getpid()]
        os.close(read)
        assert evidence.readers([os.getpid()], link) == []
    finally:
        os.close(write)
