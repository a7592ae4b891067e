"""The first file system of most people who write one in Python: what is fusepy's and no fault is told as that."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.command import Command


@pytest.mark.mount
def test_a_usual_loopback_is_no_false_alarm(fsprobe: Command, shared: Path) -> None:
    """Times that went through a double, and names that fusepy cannot decode, made a red run of a sound daemon."""
    pytest.importorskip("fuse")
    script = shared / "programs" / "fusepy_loopback.py"
    select = [f"--select=posix.{name}" for name in ("setattr.times", "readlink.exact", "read.exact", "rename.moves")]
    result = fsprobe("run", f"{sys.executable} {script} {{source}} {{mountpoint}}", *select)
    assert result.exit_code == 0 and result.document, result
    checks = {check["id"]: check for check in result.document["checks"]}
    assert {id: check["verdict"] for id, check in checks.items()} == {
        "posix.setattr.times": "WARN", "posix.readlink.exact": "WARN", "posix.read.exact": "PASS",
        "posix.rename.moves": "PASS",
    }  # fmt: skip
    assert "use_ns" in checks["posix.setattr.times"]["observed"]
    assert checks["posix.readlink.exact"]["observed"].startswith("EINVAL")


@pytest.mark.mount
def test_one_of_two_times_is_told_as_what_libfuse_does(fsprobe: Command, shared: Path) -> None:
    """`touch -m` changes nothing though utimens is right: libfuse 2 does not call it."""
    pytest.importorskip("fuse")
    script = shared / "programs" / "fusepy_loopback.py"
    result = fsprobe("run", f"{sys.executable} {script} {{source}} {{mountpoint}}", "--select=*.setattr.one-time")
    assert result.exit_code == 1 and result.document, result
    (cause,) = [one for one in result.document["diagnoses"] if one["confidence"] != "note"]
    assert cause["op"] == "SETATTR" and "UTIME_OMIT" in cause["fix"]
