"""`fsprobe trace` as a person uses it: on targets that it starts, on mounts that are there, and however it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsprobe.sandbox import mounts
from tests.command import LAUNCHER, Command, Running, User
from tests.leaks import LeakWatch, fuse_mounts, settled
from tests.standing import Standing

pytestmark = pytest.mark.mount
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
DO = "echo hello > a && mkdir d && mv a d/b && cat d/b"


def until(running: Running, text: str, timeout: float = 15.0) -> str:
    """What it has said on standard error, once that holds a text."""
    deadline = time.monotonic() + timeout
    while text not in (said := running.stderr_now()):
        assert time.monotonic() < deadline and running.process.poll() is None, said
        time.sleep(0.02)
    return said


def mountpoint(running: Running) -> str:
    """Where it says that others can work."""
    found = re.search(r"mounted on (\S+) \(pid", until(running, "Ctrl-C ends it"))
    assert found is not None
    return found[1]


def outside(script: str, place: str) -> subprocess.CompletedProcess[str]:
    """Somebody else's shell at another terminal, which may hang without us."""
    return subprocess.run(["timeout", "-s", "KILL", "10", "sh", "-c", script], cwd="/", capture_output=True, text=True,
                          timeout=20, env={**os.environ, "M": place})  # fmt: skip


def test_command_is_traced_line_by_line(fsprobe: Command, scratch: Path) -> None:
    """What strace shows of system calls: a line a request with caller, path, arguments, result, latency; a table."""
    done = fsprobe("trace", "vexfs:raw", "--do", DO, "--chrome", str(scratch / "t.json"))
    assert done.exit_code == 0, done
    assert done.stdout == "hello\n"
    varying = re.compile(r"^\d\d:\d\d:\d\d\.\d{6} |(?<=\[)\d+(?=\] )|(?<= )\d[\d.]* [µm]s$|(?<=node )\d+|(?<=fh=)\d+")
    shown = [re.sub(" {2,}", "  ", varying.sub("_", line)) for line in done.stderr.splitlines()]
    owner = f"uid={os.getuid()} gid={os.getgid()}"
    for expected in (
        '_sh[_]  CREATE / "a" flags=O_WRONLY|O_CREAT|O_TRUNC|O_LARGEFILE mode=0644 umask=0022 → '
        f"node _ file 0644 size=0 nlink=1 {owner} fh=_ _",
        '_sh[_]  WRITE /a fh=_ offset=0 size=6 "hello\\n" → 6 bytes _',
        '_mv[_]  RENAME2 / "a" to /d/ "b" flags=RENAME_NOREPLACE → OK _',
    ):
        assert expected in shown, done
    assert re.search(r"^OPERATION +COUNT +ERRORS +P50 +P99 +MAX", done.stderr, re.M)
    assert re.search(r"^RENAME2 +1 +\d.*s$", done.stderr, re.M), done
    assert "· the command exited with status 0" in done.stderr
    events = json.loads((scratch / "t.json").read_text())
    assert {"RENAME2", "LOOKUP ENOENT"} <= {event["name"] for event in events}


def test_filters_and_json(fsprobe: Command, scratch: Path) -> None:
    """Only what is asked for is shown, exported and counted; a failing command is told."""
    path = scratch / "t.jsonl"
    done = fsprobe("trace", "vexfs:missing-setattr", "--do", "touch a; touch b", "--op", "SETATTR", "--errno", "any",
                   "--path", "/b", "--json", str(path), "-o", str(scratch / "lines"))  # fmt: skip
    assert done.exit_code == 1, done
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    kinds = {tuple(row[key] for key in ("record", "op", "path", "errno", "command")) for row in rows[1:-1]}
    assert kinds == {("exchange", "SETATTR", "/b", "ENOSYS", "touch")}
    assert rows[-1]["shown"] == len(rows) - 2 < rows[-1]["requests"]
    assert (scratch / "lines").read_text().count("\n") == len(rows) - 2
    assert "→" not in done.stderr
    assert re.search(r"^\d of \d+ requests in .*the command exited with status 1$", done.stderr, re.M), done


def test_another_terminal_works_on_it_until_ctrl_c(fsprobe: Command, leaks: LeakWatch, scratch: Path) -> None:
    """The mount is where others reach it, their pids are shown, an open request too; then nothing is left."""
    running = fsprobe.start("trace", "vexfs:lost-reply=FSYNC", "-o", str(scratch / "lines"))
    place = mountpoint(running)
    assert outside('echo x > "$M/f" && cat "$M/f"', place).stdout == "x\n"
    stuck = subprocess.Popen(["python3", "-c", f"import os; os.fsync(os.open('{place}/f', os.O_RDWR))"], cwd="/",
                             stderr=subprocess.DEVNULL)  # fmt: skip
    assert settled(lambda: [] if "<unfinished …>" in (scratch / "lines").read_text() else ["not yet"], 5) == []
    running.signal(signal.SIGINT, group=True)
    done = running.wait(20)
    assert done.exit_code == 0, done
    assert stuck.wait(5) != 0, "its caller is freed"
    lines = (scratch / "lines").read_text()
    assert re.search(rf"python3\[{stuck.pid}\] +FSYNC /f .*<unfinished …>$", lines, re.M)
    assert re.search(r"FSYNC /f .*<unfinished … open for [\d.]+ m?s, taken by the daemon and not answered>$", lines,
                     re.M)  # fmt: skip
    assert re.search(r"1 without an answer · interrupted", done.stdout), done
    assert leaks() == []


@pytest.mark.parametrize("at", [False, True], ids=["fresh", "at"])
@pytest.mark.parametrize("both", [False, True], ids=["session", "all-at-once"])
def test_killed_trace_leaves_nothing(fsprobe: Command, leaks: LeakWatch, scratch: Path, at: bool, both: bool) -> None:
    """SIGKILL is how an impatient user ends it: no mount, process or file stays, at a place of the user's neither."""
    mine = scratch / "mine"
    mine.mkdir()
    running = fsprobe.start("trace", "vexfs:raw:lost-reply", *(["--at", str(mine)] if at else []))
    place = mountpoint(running)
    assert (place == str(mine)) is at
    stuck = subprocess.Popen(["sh", "-c", f"echo x > {place}/f; touch {place}/f"], cwd="/", stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
    relays = [int(pid) for pid in children if b"fsprobe.relay.host" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(relays) == 1
    running.process.kill()
    if both:
        os.kill(relays[0], signal.SIGKILL)
    running.process.wait(5)
    assert stuck.wait(15) != 0
    assert leaks(15.0) == []
    assert mounts.find(str(mine)) is None
    assert os.listdir(mine) == [], "the user's own directory stays as it was"


def test_killed_trace_of_a_command_leaves_nothing(fsprobe: Command, leaks: LeakWatch) -> None:
    """The command may be waiting for the daemon at that moment."""
    running = fsprobe.start("trace", "vexfs:raw:lost-reply", "--do", "echo x > f; touch f")
    until(running, "<unfinished …>")
    running.process.kill()
    running.process.wait(5)
    assert leaks(10.0) == []


def test_daemon_that_dies_ends_the_trace(fsprobe: Command) -> None:
    """The last requests before a crash are what the trace is for."""
    done = fsprobe("trace", "vexfs:raw:crash-on-truncate", "--do", "truncate -s 2T f; sleep 5")
    assert done.exit_code == 0, done
    assert re.search(r"SETATTR /f .*size=2199023255552.* → no reply", done.stderr), done
    assert "the target was killed by SIGABRT" in done.stderr


def test_unmounting_ends_the_trace(fsprobe: Command) -> None:
    """The mount can be given back as any other: by umount."""
    running = fsprobe.start("trace", "vexfs:raw")
    place = mountpoint(running)
    subprocess.run(["umount" if os.geteuid() == 0 else "fusermount3", *(["-u"] if os.geteuid() else []), place],
                   check=True, timeout=10)  # fmt: skip
    done = running.wait(20)
    assert done.exit_code == 0, done
    assert "it was unmounted" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--mount", "/proc"], 2, "it lies on proc"),
        (["vexfs", "--mount", "/proc"], 2, "stands in place of TARGET"),
        (["--mount", "/proc", "--path", "x"], 2, "tell no paths"),
        (["--mount", "/proc", "--do", "ls"], 2, "exclude each other"),
        (["vexfs", "--at", "/no/such"], 2, "there is no such directory"),
        (["vexfs", "--at", "/usr"], 2, "is not empty"),
        (["vexfs", "--op", "SETATR"], 2, "did you mean SETATTR"),
        (["vexfs", "-o", "/no/such/file"], 2, "cannot be written"),
        (["vexfs:not-mounted", "--start-timeout", "0.5"], 4, "did not mount"),
    ],
)
def test_wrong_words_are_told(fsprobe: Command, words: list[str], code: int, says: str) -> None:
    """A slip of the fingers costs a line, not a mount."""
    done = fsprobe("trace", *words)
    assert done.exit_code == code, done
    assert says in done.stderr, done


@pytest.mark.unprivileged
def test_ordinary_user_traces_a_target(fsprobe: Command, unprivileged: User, leaks: LeakWatch) -> None:
    """Authors are no root on their own machines: the same lines, by fusermount3 or a user namespace."""
    if not unprivileged.device:
        pytest.skip("/dev/fuse cannot be opened by others")
    done = fsprobe("trace", "vexfs:raw", "--do", DO, user=unprivileged)
    assert done.exit_code == 0, done
    assert re.search(r'mv\[\d+\] +RENAME2 / "a" to /d/ "b" .*→ OK', done.stderr), done
    assert leaks() == []


# -- a mount that is there already


@pytest.fixture
def standing(scratch: Path, leaks: LeakWatch) -> Iterator[Standing]:
    """A sound daemon that somebody else started."""
    one = Standing.vexfs(scratch)
    yield one
    one.end()


def instances(helper: int) -> list[str]:
    """Trace instances of a helper, looked for in a private mount of tracefs."""
    script = "mount -t tracefs none /sys/kernel/tracing && ls /sys/kernel/tracing/instances"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=10)
    return [name for name in done.stdout.split() if name.startswith(f"fsprobe-{helper}-")]


def traced(one: Standing, *arguments: str) -> tuple[subprocess.Popen[str], int]:
    """`fsprobe trace --mount` where the mount is seen, once it watches; and its helper's pid."""
    argv = one.inside([sys.executable, *LAUNCHER, "trace", "--mount", str(one.mountpoint), *arguments])
    running = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)  # fmt: skip
    one.processes.append(running)
    assert running.stderr is not None
    said = running.stderr.readline()
    if "has no tracepoint" in said or "cannot be used" in said:
        running.wait(5)
        pytest.skip(said)
    assert f"connection {one.minor}" in said
    helper = int(Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()[0])
    assert len(instances(helper)) == 1
    return running, helper


@ROOT
def test_mount_of_somebody_else_is_traced(standing: Standing, scratch: Path) -> None:
    """A daemon in production cannot be restarted under a tool: its requests are seen all the same."""
    running, helper = traced(standing, "--json", str(scratch / "t.jsonl"))
    assert standing.call("echo x > $M/f; cat $M/nope").wait(10) == 1
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=10)
    assert running.returncode == 0, err
    assert re.search(r"sh\[\d+\] +CREATE \d+ bytes → OK \d+ bytes \d", out), out
    assert re.search(r"cat\[\d+\] +LOOKUP \d+ bytes → ENOENT \d", out), out
    rows = [json.loads(line) for line in (scratch / "t.jsonl").read_text().splitlines()]
    assert rows[0]["source"] == "tracepoints"
    assert rows[0]["connection"] == standing.minor
    assert rows[-1]["operations"]["LOOKUP"]["replies"]["ENOENT"] >= 1
    assert instances(helper) == []


@ROOT
def test_killed_trace_leaves_no_instance(standing: Standing) -> None:
    """A trace instance costs the kernel memory until somebody removes it: SIGKILL of the command, and of its helper."""
    running, helper = traced(standing)
    running.kill()
    running.communicate(timeout=5)
    assert settled(lambda: instances(helper), 5.0) == []
    running, helper = traced(standing)
    os.kill(helper, signal.SIGKILL)
    running.communicate(timeout=5)
    running, _ = traced(standing)
    assert instances(helper) == [], "the next start removes it, whosever that is"
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=10)


@pytest.mark.unprivileged
def test_tracepoints_are_refused_to_users_with_the_way_out(
    fsprobe: Command, unprivileged: User, scratch: Path, leaks: LeakWatch
) -> None:
    """A user hears that it takes root, not a traceback."""
    running = fsprobe.start("trace", "vexfs:raw", "-c")
    place = mountpoint(running)
    assert any(mount.startswith(f"{place} ") for mount in fuse_mounts())
    done = fsprobe("trace", "--mount", place, user=unprivileged)
    running.signal(signal.SIGTERM)
    running.wait(20)
    assert done.exit_code == 6, done
    assert "for root only" in done.stderr
    assert "sudo fsprobe trace --mount" in done.stderr
