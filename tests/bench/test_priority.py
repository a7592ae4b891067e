"""Going before the machine's other load, and out of the way of another benchmark."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fsprobe.bench import priority

NAME = f"\\0processor-{os.getpid()}-{{}}"
CHOICE = f"""
from fsprobe.bench import priority
priority._NAME = "{NAME}"
print(priority.processors(one=True)[0], priority.processors(one=True)[0])
"""


def chosen() -> set[int]:
    """What a benchmark of its own process would work on."""
    told = subprocess.run([sys.executable, "-c", CHOICE], capture_output=True, text=True, check=True, timeout=20).stdout
    return {int(word) for word in told.split()}


def test_two_benchmarks_do_not_share_their_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would measure the other."""
    monkeypatch.setattr(priority, "_NAME", NAME.replace("\\0", "\0"))
    monkeypatch.setattr(priority, "_taken", [])
    mine = priority.processors(one=True)
    theirs = chosen()
    assert len(mine) == len(theirs) == 1
    assert set(mine) != theirs or len(os.sched_getaffinity(0)) == 1


def test_the_priority_is_given_back() -> None:
    """Whatever uses fsprobe as a library would go on before everything else."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with priority.raised() as nice:
        assert nice == os.getpriority(os.PRIO_PROCESS, 0) <= before
    assert os.getpriority(os.PRIO_PROCESS, 0) == before or os.geteuid() != 0
