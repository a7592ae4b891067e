"""`fsprobe diagnose` on daemons that somebody else started: real ones, stuck in every way there is."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fsprobe.sandbox import fusectl
from tests.command import LAUNCHER, Command, Result, User
from tests.leaks import LeakWatch
from tests.standing import Standing, hangs

pytestmark = [
    pytest.mark.mount,
    pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace without a user namespace needs root"),
]

LIMIT = 2.0
BUSY = 1.5  # tasks a processor, beyond which nothing is as quick as it should be
PATIENT = ("--patience", "8")
Make = Callable[..., Standing]


@pytest.fixture
def standing(scratch: Path, leaks: LeakWatch, shared: Path) -> Iterator[Make]:
    """`standing("--profile", NAME)` is vexfs, `standing(c=FAULT)` the C program; freed and ended afterwards."""
    made: list[Standing] = []

    def make(*arguments: str, c: str = "") -> Standing:
        if c:
            fault, *options = c.split()
            made.append(Standing(scratch, [hangs(shared), fault, "{mountpoint}", "-f", *options]))
        else:
            made.append(Standing.vexfs(scratch, *arguments))
        return made[-1]

    yield make
    for one in made:
        one.end()


def watched(fsprobe: Command, token: str, *args: str) -> Result:
    """Run the command; fail where one of its processes is seen waiting for a disk or a mount (state D)."""
    running = fsprobe.start(*args)
    while running.process.poll() is None:
        for pid in _family(running.process.pid):
            try:
                state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
                wchan = Path(f"/proc/{pid}/wchan").read_text()
            except OSError:
                continue
            assert state != "D" or ("fuse" not in wchan and wchan != "request_wait_answer"), f"{pid} waits in {wchan}"
        time.sleep(0.01)
    return running.wait(5)


def _family(root: int) -> list[int]:
    found = [root]
    for pid in found:
        try:
            found += [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            continue
    return found


def stop(one: Standing) -> None:
    os.kill(one.pid, signal.SIGSTOP)
    one.call("ls $M")


KINDS = [
    ("lost-reply", {"profile": "lost-reply"}, "echo x > $M/f; touch $M/f", "SETATTR", "lost-reply", True, "raw_device"),
    ("own-mount", {"profile": "own-mount"}, "stat -f $M", "STATFS", "deadlock-own-mount", True, "use_own_mount"),
    ("relock", {"profile": "search-relock"}, "echo 1,2 > $M/a.vec; echo 1,2 > $M/_vexfs/search", "WRITE",
     "deadlock-lock", True, "vector_index.py"),
    ("stderr", {"profile": "stderr-pipe"}, "while :; do echo x > $M/f; done", "WRITE", "blocked-output", True,
     "/fd/2 > /dev/null"),
    ("stopped", {}, stop, "GETATTR", "stopped", True, "kill -CONT"),
    ("C-relock", {"c": "relock"}, "cat $M/data", "READ", "deadlock-lock", True, "relock"),
    ("C-abba", {"c": "abba"}, "cat $M/data", "READ", "deadlock-lock", True, "take_both"),
    ("C-own-mount", {"c": "own-mount -s"}, "cat $M/data", "READ", "deadlock-own-mount", True, "its own LOOKUP"),
    ("C-fifo", {"c": "fifo"}, "cat $M/data", "READ", "blocked-io", False, "FIFO"),
    ("C-sleep", {"c": "sleep"}, "cat $M/data", "READ", "blocked-io", False, "sleep"),
]  # fmt: skip


@pytest.mark.parametrize(("how", "script", "op", "cause", "proven", "says"), [row[1:] for row in KINDS],
                         ids=[row[0] for row in KINDS])  # fmt: skip
def test_stuck_daemon_is_told_from_another_terminal(
    how: dict[str, str], script: Any, op: str, cause: str, proven: bool, says: str,
    standing: Make, fsprobe: Command, leaks: LeakWatch, scratch: Path,
) -> None:  # fmt: skip
    """A production mount hangs and nobody dares to touch it: the cause in 2 s, and nobody else gets stuck by asking."""
    one = standing(*(("--profile", how["profile"]) if "profile" in how else ()), c=how.get("c", ""))
    if callable(script):
        script(one)
    else:
        one.call(script)
    one.wait_until_stuck()
    path = scratch / "found.json"
    done = watched(fsprobe, leaks.token, "diagnose", str(one.pid), "--json", str(path), *PATIENT)
    assert done.exit_code == 1, done
    record = json.loads(path.read_text())
    verdict = record["verdict"]
    assert (verdict["stuck"], verdict["cause"], verdict["proven"]) == (True, cause, proven), done
    assert op in [caller["op"] for caller in record["callers"]], done
    assert all(caller["sure"] and caller["path"].startswith(str(one.mountpoint)) for caller in record["callers"]), done
    assert says in done.stdout, done
    if os.getloadavg()[0] < BUSY * (os.cpu_count() or 1):
        assert done.seconds < LIMIT


def test_page_fault_on_a_stuck_mount_is_found(
    standing: Make, fsprobe: Command, leaks: LeakWatch, scratch: Path
) -> None:
    """Its caller makes no system call, waits for a page and may hold its memory's lock: reading there could hang us."""
    one = standing("--profile", "lost-reply=READ")
    one.call("head -c 9000 /dev/zero > $M/f; exec python3 -c \"import mmap; f = open('$M/f', 'r+b'); "
             'mmap.mmap(f.fileno(), 0)[5000]"')  # fmt: skip
    one.wait_until_stuck()
    path = scratch / "found.json"
    done = watched(fsprobe, leaks.token, "diagnose", str(one.pid), "--json", str(path), *PATIENT)
    record = json.loads(path.read_text())
    assert (record["verdict"]["cause"], record["verdict"]["proven"]) == ("lost-reply", True), done
    told = [(caller["op"], caller["call"], caller["path"], caller["state"]) for caller in record["callers"]]
    assert told == [("READ", "", f"{one.mountpoint}/f", "D")], done


def test_abort_frees_the_callers_of_that_mount_alone(standing: Make, fsprobe: Command, scratch: Path) -> None:
    """The way out of a hang must not cost the other mounts of the machine."""
    one = standing("--profile", "lost-reply")
    other_place = scratch / "other"
    other_place.mkdir()
    other = Standing.vexfs(other_place, "--profile", "lost-reply")
    try:
        caller, spared = one.call("echo x > $M/f; touch $M/f"), other.call("echo x > $M/f; touch $M/f")
        one.wait_until_stuck()
        other.wait_until_stuck()
        os.killpg(caller.pid, signal.SIGKILL)  # its request is with the daemon: it cannot die before it is answered
        done = subprocess.run(
            one.inside([sys.executable, *LAUNCHER, "diagnose", f"{one.mountpoint}/no/such/../name", "--abort",
                        *PATIENT]),
            capture_output=True, text=True, timeout=20, env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert f"connection {one.minor} was aborted: no caller waits any more" in done.stdout
        shown = " ".join(done.stdout.split())
        assert re.search(r"touch\[\d+\] waits for SETATTR \S+/f .*\(state D\)", shown), done.stdout
        assert spared.poll() is None
        assert fusectl.waiting(other.minor) == 1
    finally:
        other.end()


def test_sound_daemon_is_not_stuck_and_not_aborted(standing: Make, fsprobe: Command) -> None:
    """`--abort` on the wrong mount would take a sound file system away from its users."""
    one = standing()
    done = fsprobe("diagnose", str(one.pid), "--abort", *PATIENT)
    assert done.exit_code == 0, done
    assert "nothing waits" in done.stdout
    assert "was not aborted" in done.stdout
    assert fusectl.waiting(one.minor) == 0


def test_busy_daemon_is_not_stuck(standing: Make, fsprobe: Command) -> None:
    """A daemon under load always has a request open; calling that stuck would have it aborted."""
    one = standing()
    one.call("while :; do ls $M > /dev/null; done")
    time.sleep(0.5)
    done = fsprobe("diagnose", str(one.pid), *PATIENT)
    assert done.exit_code == 0, done


def test_lock_that_is_waited_for_is_no_hang(standing: Make, fsprobe: Command) -> None:
    """A lock is answered when it is free: aborting the mount for it would cost everybody's work."""
    one = standing("--front", "raw")
    one.call("echo x > $M/f; exec flock $M/f sleep 60")
    one.call("sleep 0.7; exec flock $M/f true")
    one.wait_until_stuck()
    done = fsprobe("diagnose", str(one.pid), *PATIENT)
    assert done.exit_code == 0, done
    assert "wait for a lock on a file" in done.stdout


def test_dead_daemon_is_told(standing: Make) -> None:
    """Every call says "Transport endpoint is not connected"; the mount is still there, and how it goes is said."""
    one = standing()
    holder = one.call("exec sleep 60")  # keeps the namespace
    time.sleep(0.3)
    one.daemon.kill()
    one.daemon.wait(5)
    command = ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", "--", sys.executable, *LAUNCHER, "diagnose"]
    done = subprocess.run([*command, str(one.mountpoint)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1, done.stderr
    assert "the daemon is gone" in done.stdout
    assert f"fusermount3 -uz {one.mountpoint}" in done.stdout


def test_wrong_words_are_told(standing: Make, fsprobe: Command) -> None:
    """A pid that is no daemon, and a path that is no FUSE mount, name the ones that there are."""
    one = standing()
    none = fsprobe("diagnose", "999999999")
    assert none.exit_code == 2
    assert "there is no process 999999999" in none.stderr
    assert f"{one.pid} (" in none.stderr
    own = fsprobe("diagnose", str(os.getpid()))
    assert own.exit_code == 2
    assert "serves no FUSE mount" in own.stderr
    path = fsprobe("diagnose", "/proc")
    assert path.exit_code == 2
    assert "it lies on proc" in path.stderr


def test_mount_of_fsprobe_itself_is_told(fsprobe: Command, scratch: Path) -> None:
    """The relay in between would be taken for a daemon that waits for something."""
    running = fsprobe.start("trace", "vexfs:raw", "-c")
    while "mounted on" not in (said := running.stderr_now()):
        assert running.process.poll() is None
        time.sleep(0.02)
    done = fsprobe("diagnose", said.split("mounted on ")[1].split()[0])
    running.signal(signal.SIGTERM)
    running.wait(20)
    assert done.exit_code == 2
    assert "served through fsprobe itself" in done.stderr


@pytest.mark.unprivileged
def test_ordinary_user_is_told_what_was_not_seen(standing: Make, fsprobe: Command, unprivileged: User) -> None:
    """Without root most is hidden: an answer that does not say so would be taken for the truth."""
    one = standing()
    done = fsprobe("diagnose", str(one.pid), user=unprivileged)
    assert done.exit_code == 6, done
    assert "belongs to another user" in done.stderr
    assert f"sudo fsprobe diagnose {one.pid}" in done.stderr
