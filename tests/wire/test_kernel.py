"""The judge against the running kernel: it must refuse what the kernel refuses, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.mount
def test_the_judge_is_of_the_kernels_opinion() -> None:
    """A judge of its own opinion would call good daemons broken, or leave a hang without its reason."""
    if os.getuid() != 0 or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("needs root and /dev/fuse")
    done = subprocess.run(
        [sys.executable, "-m", "tests.wire.kernel_oracle"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "no mount" in done.stderr:
        pytest.skip(f"no FUSE mount here: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) > 40  # none of the cases may be lost on the way
    wrong = [
        result
        for result in results
        if bool(result["judged"]) != (result["write"] != "ok" or result["app"] == "EIO")
        or result["judged"] is None
    ]
    assert wrong == []
