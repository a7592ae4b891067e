#!/usr/bin/env python3
"""How long `fsprobe diagnose` takes on a stuck mount, as the person at the terminal has to wait, and what it says.

    python bench/diagnose_times.py [NAME…]      as root; all of the table where none is given: a minute

Owns the table and the screen. Each daemon is started in a mount namespace of its own, got stuck, and asked about five
times. `looked` is what the command says of itself; the load is that of the whole machine, which decides most of it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLONE = Path(__file__).parent.parent
sys.path.insert(0, str(CLONE))

TIMES = 5
KINDS = {
    "lost-reply": ("vexfs", "--profile lost-reply", "echo x > $M/f; touch $M/f"),
    "own-mount": ("vexfs", "--profile own-mount", "stat -f $M"),
    "stderr": ("vexfs", "--profile stderr-pipe", "while :; do echo x > $M/f; done"),
    "C relock": ("hangs", "relock", "cat $M/data"),
    "C abba": ("hangs", "abba", "cat $M/data"),
    "C sleep": ("hangs", "sleep", "cat $M/data"),
}


def main() -> None:
    from tests.hanging import Missing, built
    from tests.standing import Standing

    print(f"{'daemon':12} {'cause':20} {'known':7} {'median':>7} {'worst':>7} {'looked':>7}   load")
    for name, (kind, words, script) in KINDS.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            try:
                program = [str(built("hangs", "3", place))] if kind == "hangs" else []
            except Missing as missing:
                print(f"{name:12} not built: {missing}")
                continue
            command = [*program, *words.split(), "{mountpoint}", "-f"]
            one = Standing(place, command) if program else Standing.vexfs(place, *words.split())
            try:
                one.call(script)
                one.wait_until_stuck()
                print(f"{name:12} {line(one.pid, place)}", flush=True)
            finally:
                one.end()


def line(pid: int, place: Path) -> str:
    """Ask so often about a process; one line of it."""
    took, looked, verdict = [], [], {"cause": "-", "proven": False}
    for _ in range(TIMES):
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "fsprobe", "diagnose", str(pid), "--json", str(place / "found.json")],
                       cwd=CLONE, capture_output=True, check=False, timeout=60)  # fmt: skip
        took.append(time.monotonic() - began)
        record = json.loads((place / "found.json").read_text())
        looked.append(record["seconds"])
        verdict = record["verdict"]
    known = "proven" if verdict["proven"] else "likely"
    return (f"{verdict['cause']:20} {known:7} {statistics.median(took):5.2f} s {max(took):5.2f} s "
            f"{statistics.median(looked):5.2f} s {os.getloadavg()[0]:6.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
