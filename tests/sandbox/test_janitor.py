"""The janitor takes away what a run left, and never what a mount shows."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from fsprobe.sandbox import janitor, mounts, process


def test_it_waits_for_the_end_of_the_run(tmp_path: Path) -> None:
    """Too early, and it takes away the directory in which a run is working."""
    (tmp_path / "run" / "deep").mkdir(parents=True)
    keeper = janitor.launch(uuid.uuid4().hex, str(tmp_path / "run"))
    assert keeper.stdin is not None
    time.sleep(0.2)
    assert (tmp_path / "run" / "deep").exists()
    keeper.stdin.close()
    assert keeper.wait(5) == 0 and not (tmp_path / "run").exists()


def test_it_ends_what_carries_the_tag(tmp_path: Path) -> None:
    """A daemon that went to the background outlives every killed run."""
    token = uuid.uuid4().hex
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = subprocess.Popen(sleep, env={process.RUN_TAG: token})
    other = subprocess.Popen(sleep, env={process.RUN_TAG: "another"})
    try:
        janitor.clean(token, str(tmp_path / "run"), grace=0.05)
        assert child.wait(1) == -9 and other.poll() is None
    finally:
        for started in (child, other):
            started.kill()
            started.wait(1)


def test_it_removes_nothing_below_a_mount_that_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a mount that could not be taken away it would empty somebody's bucket."""
    (tmp_path / "mnt").mkdir()
    (tmp_path / "mnt" / "precious").write_text("data")
    line = f"1 2 0:99 / {tmp_path}/mnt rw - fuse.x x rw"
    monkeypatch.setattr(janitor, "_PATIENCE", 0.1)
    monkeypatch.setattr(mounts, "below", lambda directory: [mounts.parse_line(line)])
    tried: list[str] = []
    monkeypatch.setattr(janitor, "_unmount", tried.append)
    janitor.clean(uuid.uuid4().hex, str(tmp_path))
    assert tried and set(tried) == {f"{tmp_path}/mnt"}
    assert (tmp_path / "mnt" / "precious").read_text() == "data"


def test_cleaning_up_twice_is_harmless(tmp_path: Path) -> None:
    """It runs after a run that has cleaned up by itself, too."""
    janitor.clean(uuid.uuid4().hex, str(tmp_path / "gone"))
    assert tmp_path.exists()
