"""How long a person waits: `--help`, the first check, `--quick`, the default run; medians of several runs.

    python bench/startup.py [--rounds N] [--target TARGET] [--json F]

The target is bindfs unless told otherwise. The parts are run in turns, so that a drift of the machine meets all alike.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

COMMAND = [sys.executable, "-m", "fsprobe.cli.main"]
AIMS = {"--help": 0.25, "first check": 0.5, "--quick": 2.0, "default": 10.0}


def help_text() -> float:
    """Seconds of `fsprobe --help`."""
    return _timed(["--help"])


def first_check(target: str) -> float:
    """Seconds from the start of fsprobe to the line of its first check."""
    began = time.monotonic()
    with subprocess.Popen(
        [*COMMAND, "run", target, "--quick", "--no-mount", "-v"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        seconds = next((time.monotonic() - began for line in process.stderr if " protocol." in line), float("nan"))
        process.stderr.read()
    return seconds


def _timed(arguments: list[str]) -> float:
    began = time.monotonic()
    subprocess.run([*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.monotonic() - began


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--target", default="bindfs --no-allow-other -f {source} {mountpoint}")
    parser.add_argument("--json", metavar="F")
    options = parser.parse_args()
    if shutil.which(options.target.split()[0]) is None and not options.target.startswith("vexfs"):
        sys.exit(f"{options.target.split()[0]} is not installed; give another --target")
    parts: dict[str, Callable[[], float]] = {
        "--help": help_text,
        "first check": lambda: first_check(options.target),
        "--quick": lambda: _timed(["run", options.target, "--quick"]),
        "default": lambda: _timed(["run", options.target]),
    }
    times: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(options.rounds):
        for name, part in parts.items():
            times[name].append(part())
    print(f"{options.target}, {options.rounds} rounds, seconds")
    print(f"{'':14}{'median':>8}{'min':>8}{'max':>8}{'aim':>8}")
    for name, taken in times.items():
        print(f"{name:14}{statistics.median(taken):8.2f}{min(taken):8.2f}{max(taken):8.2f}{AIMS[name]:8.2f}")
    if options.json:
        with open(options.json, "w", encoding="ascii") as file:
            json.dump({"target": options.target, "seconds": times}, file, indent=1)


if __name__ == "__main__":
    main()
