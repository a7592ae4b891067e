"""Whatever ends a benchmark: what was measured is written, and nothing stays."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import jsonschema
import pytest

from fsprobe.bench import document
from tests.command import Command, Running
from tests.leaks import LeakWatch, settled

pytestmark = [pytest.mark.mount, pytest.mark.timeout(120)]
SCHEMA = json.loads(document.SCHEMA_FILE.read_text())
END_WITHIN = 25.0
LONGEST = 6.0


def made_in(native: Path) -> list[str]:
    """What a benchmark made in the directory that it was given."""
    return [str(entry) for entry in native.iterdir()]


def wait_for(running: Running, words: str, limit: float = 60.0) -> None:
    """Until the progress tells of it."""
    deadline = time.monotonic() + limit
    while words not in running.stderr_now() and time.monotonic() < deadline and running.process.poll() is None:
        time.sleep(0.02)
    assert words in running.stderr_now(), str(running.wait(1))


@pytest.mark.parametrize(("name", "group"), [("INT", True), ("TERM", False)])
def test_an_interrupted_benchmark_writes_what_it_has(
    name: str, group: bool, fsprobe: Command, bindfs: str, leaks: LeakWatch, scratch: Path
) -> None:
    """Ctrl-C after five minutes would cost all of them, or leave a mount and a thousand files."""
    kept, native, result = scratch / "kept", scratch / "native", scratch / "bench.json"
    kept.mkdir()
    native.mkdir()
    running = fsprobe.start("bench", bindfs.replace("{source}", str(kept)), "vexfs:raw", "--quick", "--rounds", "20",
                            "--native", str(native), "--json", str(result))  # fmt: skip
    wait_for(running, "metadata, turn 3")
    running.signal(signal.Signals[f"SIG{name}"], group=group)
    ended = running.wait(END_WITHIN)
    assert ended.exit_code == 130, str(ended)
    assert "Traceback" not in ended.stderr
    made = document.load(str(result))
    jsonschema.validate(made, SCHEMA)
    assert made["interrupted"] is True and "interrupted" in ended.stdout
    cells = {row["id"]: row["cells"]["vexfs:raw"] for row in made["rows"]}
    assert 2 <= len(cells["create, 1 proc"]["samples"]) <= 4
    assert cells["copy of 10 MB"] == {**cells["copy of 10 MB"], "mark": "not run", "detail": "interrupted"}
    assert os.listdir(kept) == []
    assert leaks(5.0) == []
    assert made_in(native) == []


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment(seed: int, fsprobe: Command, bindfs: str, leaks: LeakWatch, scratch: Path) -> None:
    """kill -9 leaves no mount, no process and no file of its own."""
    native = scratch / "native"
    native.mkdir()
    running = fsprobe.start("bench", bindfs, "vexfs:lost-reply=RENAME", "--quick", "--native", str(native), "-q")
    time.sleep(random.Random(seed).uniform(0.1, LONGEST))
    assert running.process.poll() is None
    running.signal(signal.SIGKILL)
    assert running.wait(5).exit_code == -signal.SIGKILL
    assert leaks(20.0) == []
    assert settled(lambda: made_in(native), 20.0) == []
