"""The regression test on real daemons: one that has become slower is caught, the same one is not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fsprobe.bench import document
from tests.command import Command, Result
from tests.targets import PROGRAMS

pytestmark = [pytest.mark.mount, pytest.mark.timeout(170)]
SCHEMA = json.loads(document.SCHEMA_FILE.read_text())
WORDS = ("bench", "mine", "--quick", "--only", "files", "--rounds", "5", "-q")


def configured(scratch: Path, kind: str) -> None:
    """The target of that name is this daemon."""
    command = f"{sys.executable} {PROGRAMS}/bench_daemon.py {kind} {{mountpoint}}"
    (scratch / "fsprobe.toml").write_text(f"[targets.mine]\ncommand = {json.dumps(command)}\n")


def against(result: Result, path: Path) -> dict[str, Any]:
    """What the result says of the comparison."""
    made = json.loads(path.read_text())
    jsonschema.validate(made, SCHEMA)
    assert "cells are more than" in result.stdout, str(result)
    found: dict[str, Any] = made["against"]
    return found


def test_slower_is_caught_and_the_same_is_not(fsprobe: Command, scratch: Path) -> None:
    """A CI job would pass a daemon that takes a millisecond for each OPEN, or fail one that nobody has touched."""
    before, now = scratch / "before.json", scratch / "now.json"
    configured(scratch, "sound")
    assert fsprobe(*WORDS, "--json", str(before), timeout=60).exit_code == 0
    compare = ("--against", str(before), "--json", str(now), "--tolerance", "60%")
    same = fsprobe(*WORDS, *compare, timeout=150)
    found = against(same, now)
    assert (same.exit_code, found["slower"]) == (0, []), str(same)
    assert found["compared"] >= 9
    configured(scratch, "slow")
    slow = fsprobe(*WORDS, *compare, timeout=150)
    rows = {one["row"] for one in against(slow, now)["slower"]}
    assert slow.exit_code == 1 and "read 100 files of 1 KiB" in rows, str(slow)
    assert "make 100 directories" not in rows
