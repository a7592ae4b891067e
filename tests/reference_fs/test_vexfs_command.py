"""The command line of VexFS: mistakes are told in one line, starting is fast, the background works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reference_fs.options import parse_options
from tests.reference_fs.mounted import ROOT, on_mount
from tests.reference_fs.test_fronts import pytestmark as needs_a_mount


def vexfs(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reference_fs", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize(("arguments", "says"), [
    ((), "MOUNTPOINT"), (("/nowhere/at/all", "-f"), "not a directory"), (("/tmp", "--front", "x"), "--front"),
    (("/tmp", "--profile", "befor-fix"), "before-fix"),
    (("/tmp", "--profile", "before-fix", "--front", "fusepy"), "raw"),
    (("/tmp", "-o", "size=many"), "size=many"), (("/tmp", "--bad"), "--bad"),
])  # fmt: skip
def test_mistakes(arguments: tuple[str, ...], says: str) -> None:
    """One line, exit 2, and nothing mounted."""
    done = vexfs(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and says in done.stderr


def test_profiles_are_listed() -> None:
    """How to find out what can be broken."""
    done = vexfs("--list-profiles")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()][:2] == ["before-fix", "after-fix"]


def test_options() -> None:
    """Ours are understood, the rest goes to the mount as it stands."""
    options = parse_options(["size=2m,ro", "attr_timeout=1.5,no_default_permissions,max_read=4096"])
    assert (options.size, options.attr_timeout, options.default_permissions) == (2 << 20, 1.5, False)
    assert options.rest == {"ro": True, "max_read": "4096"}


def test_a_daemon_that_never_mounts() -> None:
    """Alive, silent but for its last words, and ends when told to."""
    command = [sys.executable, "-m", "reference_fs", "/tmp", "-f", "--profile", "not-mounted"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stderr is not None and "waiting" in daemon.stderr.readline()
        assert daemon.poll() is None
        daemon.terminate()
        assert daemon.wait(5) == -15


@pytest.mark.parametrize("front", [pytest.param(front, marks=needs_a_mount) for front in ("fusepy", "raw")])
def test_it_goes_to_the_background(front: str, tmp_path: Path) -> None:
    """Without -f the command returns when the mount is there."""
    place = tmp_path / "second"
    place.mkdir()
    work = (
        f"cd /; $PYTHON -m reference_fs {place} --front {front}; echo $?; echo x > {place}/f; cat {place}/f;"
        f"umount {place}; sleep 0.2; pgrep -c -f 'reference_fs {place}'"
    )
    assert on_mount(tmp_path / "mnt", work, "--front", "raw").lines == ["0", "x", "0"]


@pytest.mark.parametrize("front", [pytest.param(front, marks=needs_a_mount) for front in ("fusepy", "raw")])
def test_it_starts_fast(front: str, tmp_path: Path) -> None:
    """Every restart after a crash costs this. In time of the processor, which a busy machine does not stretch."""
    ticks = on_mount(tmp_path / "mnt", "awk '{print $14 + $15}' /proc/$DAEMON/stat", "--front", front).lines[0]
    assert int(ticks) / os.sysconf("SC_CLK_TCK") < 0.3, "0.06 to 0.12 s as measured"
