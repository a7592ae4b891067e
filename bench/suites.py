"""How quickly the suites are asked: seconds and checks per second of a default and a quick run, side by side.

    python bench/suites.py [--rounds N] [--target NAME=COMMAND]... [--json F]

The targets are bindfs, libfuse's passthrough_ll (where it was built: --target passthrough_ll='…'), vexfs and vexfs:raw.
They are run in turns, so that a drift of the machine meets all alike; medians of several rounds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "fsprobe.cli.main", "run"]
RUNS: dict[str, tuple[str, ...]] = {"default": (), "--quick": ("--quick",)}
AIMS = {("bindfs", "default"): 20.0, ("passthrough_ll", "default"): 20.0, ("vexfs", "default"): 40.0,
        ("vexfs:raw", "default"): 40.0} | {(name, "--quick"): 3.0 for name in ("bindfs", "passthrough_ll")}  # fmt: skip
LONGEST = 600.0


@dataclass(frozen=True, slots=True)
class Taken:
    """One run: seconds by its own clock, how many checks it came to a verdict on, and how many of them are red."""

    seconds: float
    checks: int
    red: int


def targets() -> dict[str, str]:
    """Those that this machine has."""
    found = {"vexfs": "vexfs", "vexfs:raw": "vexfs:raw"}
    if shutil.which("bindfs"):
        found = {"bindfs": "bindfs -f {source} {mountpoint}"} | found
    if shutil.which("passthrough_ll"):
        found["passthrough_ll"] = "passthrough_ll -o source={source} -f {mountpoint}"
    return found


def take(command: str, words: tuple[str, ...]) -> Taken:
    """Run fsprobe once. Raises RuntimeError where it gives no result."""
    with tempfile.TemporaryDirectory() as place:
        result = Path(place) / "result.json"
        ended = subprocess.run(
            [*COMMAND, command, *words, "-q", "--seed", "1", "--json", str(result)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST,
        )  # fmt: skip
        if not result.exists():
            raise RuntimeError(f"no result of {command}: {ended.stderr.strip()[-300:]}")
        document: dict[str, Any] = json.loads(result.read_text())
    counts = document["summary"]["counts"]
    red = sum(counts.get(word, 0) for word in ("FAIL", "HANG", "CRASH", "ERROR", "NOTRUN"))
    return Taken(document["summary"]["seconds"], sum(counts.values()), red)


def measure(found: dict[str, str], rounds: int) -> dict[tuple[str, str], list[Taken]]:
    """Every target and kind of run, in turns."""
    taken: dict[tuple[str, str], list[Taken]] = {}
    for _ in range(rounds):
        for name, command in found.items():
            for run, words in RUNS.items():
                taken.setdefault((name, run), []).append(take(command, words))
    return taken


def rows(taken: dict[tuple[str, str], list[Taken]]) -> list[dict[str, Any]]:
    """Medians, and the aim where there is one."""
    made = []
    for (name, run), all_of_it in taken.items():
        seconds = statistics.median(one.seconds for one in all_of_it)
        checks = all_of_it[-1].checks
        made.append({
            "target": name, "run": run, "checks": checks, "seconds": round(seconds, 2),
            "checks_per_second": round(checks / seconds, 1), "red": all_of_it[-1].red, "aim": AIMS.get((name, run)),
        })  # fmt: skip
    return made


def show(found: list[dict[str, Any]]) -> None:
    """One line each."""
    print(f"{'TARGET':<16} {'RUN':<8} {'CHECKS':>6} {'RED':>4} {'SECONDS':>8} {'AIM':>5} {'CHECKS/S':>9}")
    for row in found:
        aim = "" if row["aim"] is None else f"{row['aim']:.0f}"
        print(
            f"{row['target']:<16} {row['run']:<8} {row['checks']:>6} {row['red']:>4} {row['seconds']:>8.2f} {aim:>5} "
            f"{row['checks_per_second']:>9.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--target", action="append", default=[], metavar="NAME=COMMAND", help="in place of these")
    parser.add_argument("--json", metavar="F")
    given = parser.parse_args()
    chosen = dict(word.partition("=")[::2] for word in given.target) or targets()
    found = rows(measure(chosen, given.rounds))
    show(found)
    if given.json:
        Path(given.json).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
