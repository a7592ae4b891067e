"""Whether a run says the same again: verdict and blame of every check, over many runs of several targets.

    python bench/repeat.py [--rounds N] [--busy] [--target NAME=COMMAND]... [--quick]

--busy keeps every processor at work meanwhile. Prints each check that differed, with what it came to and how often, and
ends with status 1 where there was one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = [sys.executable, "-m", "fsprobe.cli.main", "run"]
LONGEST = 900.0

Told = dict[str, tuple[str, str]]
"""By check: its verdict and the operation that it blames."""


def targets() -> dict[str, str]:
    """Those that this machine has."""
    found = {"vexfs": "vexfs"}
    if shutil.which("bindfs"):
        found["bindfs"] = "bindfs -f {source} {mountpoint}"
    if shutil.which("passthrough_ll"):
        found["passthrough_ll"] = "passthrough_ll -o source={source} -f {mountpoint}"
    return found


def told(command: str, words: list[str]) -> Told:
    """What one run says. Raises RuntimeError where it gives no result."""
    with tempfile.TemporaryDirectory() as place:
        result = Path(place) / "result.json"
        ended = subprocess.run(
            [*COMMAND, command, *words, "-q", "--seed", "7", "--json", str(result)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST,
        )  # fmt: skip
        if not result.exists():
            raise RuntimeError(f"no result of {command}: {ended.stderr.strip()[-300:]}")
        return {check["id"]: (check["verdict"], check["op"]) for check in json.loads(result.read_text())["checks"]}


def differing(runs: list[Told]) -> dict[str, Counter[tuple[str, str]]]:
    """The checks that did not come to the same every time, with how often they came to what."""
    ids = {id for run in runs for id in run}
    counted = {id: Counter(run.get(id, ("absent", "")) for run in runs) for id in sorted(ids)}
    return {id: counts for id, counts in counted.items() if len(counts) > 1}


@contextmanager
def busy(wanted: bool) -> Iterator[None]:
    """Every processor at work: a process each that does nothing but that."""
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in (os.sched_getaffinity(0) if wanted else ())
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--busy", action="store_true", help="with every processor at work")
    parser.add_argument("--quick", action="store_true", help="the most telling checks only")
    parser.add_argument("--select", action="append", default=[], metavar="GLOB")
    parser.add_argument("--target", action="append", default=[], metavar="NAME=COMMAND", help="in place of these")
    given = parser.parse_args()
    words = [*(["--quick"] if given.quick else []), *(word for glob in given.select for word in ("--select", glob))]
    worst = 0
    with busy(given.busy):
        for name, command in (dict(word.partition("=")[::2] for word in given.target) or targets()).items():
            runs = [told(command, words) for _ in range(given.rounds)]
            found = differing(runs)
            print(f"{name}: {given.rounds} runs of {len(runs[0])} checks, {len(found)} differ", flush=True)
            for id, counts in found.items():
                print(f"  {id}: " + ", ".join(f"{n} × {verdict} {op}" for (verdict, op), n in counts.most_common()))
                worst = 1
    return worst


if __name__ == "__main__":
    sys.exit(main())
