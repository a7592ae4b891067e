"""The table of what a front cannot carry says what is so: nothing is missing from it, nothing in it works after all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reference_fs.limits import LIMITS
from tests.reference_fs.mounted import ROOT, on_mount
from tests.reference_fs.test_fronts import FRONTS
from tests.reference_fs.test_fronts import pytestmark as needs_a_mount

NOT_TO_BE_SEEN = {"COPY_FILE_RANGE"}  # the kernel copies in its place


@pytest.mark.parametrize("front", [pytest.param(front, marks=needs_a_mount) for front in FRONTS])
def test_what_a_front_cannot_carry(front: str, tmp_path: Path) -> None:
    """Who chooses a front by the table finds that it does what the table does not say it lacks."""
    if front == "mfusepy":
        pytest.importorskip("mfusepy")
    work = f'"$PYTHON" {ROOT}/tests/programs/limits_probe.py 2>/dev/null'
    lacking = {limit.what for limit in LIMITS if front in limit.fronts} - NOT_TO_BE_SEEN
    assert set(on_mount(tmp_path / "mnt", work, "--front", front).lines) == lacking


def test_help_tells_it() -> None:
    """`vexfs-fuse --help` is where somebody looks for it."""
    told = subprocess.run([sys.executable, "-m", "reference_fs", "--help"], cwd=ROOT, capture_output=True, text=True)
    for limit in LIMITS:
        assert limit.what in told.stdout and limit.told in told.stdout
