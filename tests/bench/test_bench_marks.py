"""A target that comes to grief in the middle of a benchmark gets a marked cell with the reason; the others go on."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fsprobe.bench import document
from tests.command import Command
from tests.leaks import LeakWatch
from tests.targets import PROGRAMS

SCHEMA = json.loads(document.SCHEMA_FILE.read_text())
DAEMON = PROGRAMS / "bench_daemon.py"
pytestmark = [pytest.mark.mount, pytest.mark.timeout(120)]


def measured(fsprobe: Command, *words: str, code: int = 0) -> dict[str, Any]:
    """The document of a benchmark, which follows the schema."""
    result = fsprobe("bench", *words, "--json", "-", "-q", timeout=110)
    assert result.exit_code == code, str(result)
    made: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(made, SCHEMA)
    return made


def cells(made: dict[str, Any], target: str) -> dict[str, dict[str, Any]]:
    """By row what a target has."""
    return {row["id"]: row["cells"][target] for row in made["rows"]}


@pytest.mark.parametrize(("kind", "mark", "reason"), [
    ("hangs", "hang", "in rename"), ("aborts", "crash", "SIGABRT"), ("detaches", "mount check", "nothing is mounted"),
    ("forgets", "mount check", "does not read back"),
])  # fmt: skip
def test_grief_in_the_middle(kind: str, mark: str, reason: str, fsprobe: Command, leaks: LeakWatch) -> None:
    """A number would be told of what hung, died, went away or lost data; or one bad call would cost all figures."""
    target = f"{sys.executable} {DAEMON} {kind} {{mountpoint}}"
    others = ("vexfs:raw",) if kind == "hangs" else ()
    made = measured(fsprobe, target, *others, "--quick", "--only", "metadata", "--rounds", "1", "--timeout", "3")
    bad = cells(made, target)
    assert bad["rename, 1 proc"]["mark"] == mark and reason in bad["rename, 1 proc"]["detail"]
    assert "mark" in bad["rename, 4 proc"]
    assert [name for name, cell in bad.items() if "mark" in cell and "rename" not in name] == []
    assert all("median" in cell for name in (*others, "native") for cell in cells(made, name).values())
    assert leaks() == []


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare")
@pytest.mark.skipif(shutil.which("bindfs") is None, reason="bindfs is not installed")
def test_what_fills_up_is_marked_and_emptied(scratch: Path, fsprobe: Command) -> None:
    """A full disk would be told as a rate, would cost what has room, or be left full."""
    small = scratch / "small"
    small.mkdir()
    result = scratch / "result.json"
    inside = (f"mount -t tmpfs -o size=3m none {small}; {sys.executable} -P -c 'from fsprobe.cli.start import entry; "
              f"entry()' bench 'bindfs -f {small} {{mountpoint}}' --quick --only data --only files --rounds 1 -q "
              f"--json {result} > {scratch}/out; echo code $?; ls -A {small}")  # fmt: skip
    ended = os.popen(f'unshare -m sh -c "{inside}"').read()
    assert ended.split() == ["code", "0"]
    made = json.loads(result.read_text())
    found = cells(made, f"bindfs -f {small} {{mountpoint}}")
    assert found["seq write 1 MiB"]["mark"] == found["copy of 10 MB"]["mark"] == "ENOSPC"
    assert "median" in found["create 100 files of 1 KiB"]
    assert made["left"] == []


def test_a_target_that_does_not_start_is_told_and_the_others_go_on(fsprobe: Command) -> None:
    """One broken binary in a list of five would cost the four."""
    target = f"{PROGRAMS}/exits_at_once"
    made = measured(fsprobe, target, "vexfs:raw", "--quick", "--only", "files", "--rounds", "1", code=4)
    assert {cell["mark"] for cell in cells(made, target).values()} == {"did not start"}
    assert all("median" in cell for cell in cells(made, "vexfs:raw").values())
    assert made["start"][target]["mark"] == made["latency"][target]["mark"] == "did not start"


def test_a_read_only_target_has_no_figure_and_says_why(fsprobe: Command) -> None:
    """It would end in a traceback, or with the figures of nothing."""
    target = f"{sys.executable} {PROGRAMS}/vexfs_variant.py read-only {{mountpoint}}"
    made = measured(fsprobe, target, "--quick", "--only", "files", "--rounds", "1", code=5)
    assert {cell["mark"] for cell in cells(made, target).values()} == {"EROFS"}


def test_latencies_are_those_of_the_measured_calls_alone(fsprobe: Command) -> None:
    """Making ready and the mount check would be counted as the work."""
    made = measured(fsprobe, "vexfs:raw", "--quick", "--only", "files", "--rounds", "1")
    requests = {op: told["requests"] for op, told in made["latency"]["vexfs:raw"].items()}
    assert requests["RMDIR"] == requests["MKDIR"] % 1000  # those made ready are not among them
    assert requests["SETXATTR"] == 100
    assert "INIT" not in requests
