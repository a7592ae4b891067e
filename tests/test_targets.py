"""The daemons of the tests themselves: without these, a fault of a target would look like one of fsprobe."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Command, User
from tests.leaks import LeakWatch
from tests.targets import TARGETS, make_tree

# Inside its own namespaces: start the daemon, wait for the mount, list it, try to write. The end of the
# first process takes all of it away.
TRY = """
mountpoint=$1; shift
"$@" >&2 &
i=0
until grep -q " $mountpoint fuse" /proc/mounts; do
  i=$((i + 1)); [ $i -lt 100 ] || { echo never mounted; exit 1; }
  sleep 0.05
done
timeout 10 ls "$mountpoint" >/dev/null || exit 1
timeout 10 sh -c "echo hello > '$mountpoint/new' && cat '$mountpoint/new'" || echo cannot write
"""


@pytest.mark.mount
@pytest.mark.parametrize("background", [False, True], ids=["foreground", "background"])
@pytest.mark.parametrize("name", TARGETS)
def test_real_daemon_mounts(
    name: str, background: bool, target_command: Callable[..., str], scratch: Path, leaks: LeakWatch
) -> None:
    """A user's daemon works by hand with the command line that the other tests give to fsprobe."""
    mountpoint, source = scratch / "mnt", scratch / "src"
    mountpoint.mkdir()
    source.mkdir()
    template = target_command(name, background=background)
    command = template.replace("{mountpoint}", str(mountpoint)).replace("{source}", str(source))
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    done = subprocess.run(
        [*namespaces, "sh", "-c", TRY, "sh", str(mountpoint), *shlex.split(command)],
        capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if "unshare" in done.stderr.partition(":")[0]:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == ("cannot write" if TARGETS[name].read_only else "hello")
    if "{source}" in template and name != "rclone":  # it uploads when it likes
        assert (source / "new").read_text() == "hello\n"


def test_leftover_process_is_seen(scratch: Path, leaks: LeakWatch) -> None:
    """Whatever fsprobe leaves running is noticed, also when its parent is gone."""
    subprocess.run(["sh", "-c", "sleep 300 & echo $! > pid"], cwd=scratch, check=True)
    pid = (scratch / "pid").read_text().strip()
    seen = leaks.now()
    subprocess.run(["kill", "-9", pid], check=True)
    assert [line for line in seen if line.startswith(f"process {pid} ")]
    assert leaks() == []


def test_leftover_file_is_seen(scratch: Path, leaks: LeakWatch) -> None:
    """Whatever fsprobe leaves in the temporary folder is noticed."""
    left = scratch / "fsprobe-abc"
    left.mkdir()
    assert leaks.now() == [f"file {left}"]
    left.rmdir()


@pytest.mark.unprivileged
def test_ordinary_user_can_run_fsprobe(unprivileged: User, scratch: Path) -> None:
    """Unprivileged runs are tested with an interpreter and a clone that the user can read."""
    code = "import os, fsprobe.checks, pexpect; print(os.getuid())"
    argv = unprivileged.wrap([unprivileged.python, "-P", "-c", code])
    done = subprocess.run(argv, cwd=scratch, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == str(unprivileged.uid), done.stderr


def test_command_that_never_ends_is_ended(
    scratch: Path, leaks: LeakWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hung fsprobe costs one test its time-out, never the whole session."""
    monkeypatch.setattr("tests.command.LAUNCHER", ("-c", "import time; time.sleep(300)"))
    running = Command(scratch, leaks.token).start("run")
    assert running.process.args[0] == sys.executable  # type: ignore[index]
    with pytest.raises(AssertionError, match="no end within"):
        running.wait(0.5)
    assert leaks() == []


def test_make_tree_is_the_same_each_time(tmp_path: Path) -> None:
    """Comparing a tree before and after a run means nothing if the tree itself varies."""
    make_tree(tmp_path / "one")
    make_tree(tmp_path / "two")
    compare = ["diff", "-r", "--no-dereference", str(tmp_path / "one"), str(tmp_path / "two")]
    assert subprocess.run(compare).returncode == 0
