#!/usr/bin/env python3
"""How well two runs of `fsprobe bench` agree: `bench/twice.py [--keep FOLDER] WORDS…`, the words as bench takes them.

Runs it twice and compares the ratios, which is what a reader compares. Prints the rows that disagree most, how many do
by more than 15 %, and ends with 1 where any does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ALLOWED = 0.15
SHOWN = 12


def disagreements(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[float, str, str, str]]:
    """How far two ratios are apart (0.15: one is 15 % above the other), with the cell, the greatest first."""
    found = []
    theirs = {row["id"]: row["cells"] for row in other["rows"]}
    for row in one["rows"]:
        for name, cell in row["cells"].items():
            for key in ("to_native", "to_first"):
                mine, another = cell.get(key), theirs[row["id"]].get(name, {}).get(key)
                if mine and another and mine != 1.0:
                    apart = max(mine / another, another / mine) - 1
                    found.append((apart, f"{row['id']} · {name}", key, f"{mine:.3f} and {another:.3f}"))
    return sorted(found, reverse=True)


def measure(words: list[str], path: Path) -> dict[str, Any]:
    """One run. Raises CalledProcessError."""
    command = [sys.executable, "-P", "-c", "from fsprobe.cli.start import entry; entry()", "bench", *words]
    subprocess.run([*command, "--json", str(path)], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    made: dict[str, Any] = json.loads(path.read_text())
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", metavar="FOLDER", help="keep the two results there")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="the words of fsprobe bench")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(given.keep or scratch)
        runs = [measure(given.words, place / f"{number}.json") for number in (1, 2)]
    for run in runs:
        machine = run["machine"]
        print(f"{run['seconds']:.0f} s, load {machine['load'][0]:.1f} on {machine['processors']} processors")
    found = disagreements(*runs)
    for apart, cell, key, said in found[:SHOWN]:
        print(f"{apart:6.1%}  {key:9}  {said:24}  {cell}")
    beyond = [item for item in found if item[0] > ALLOWED]
    middle = found[len(found) // 2][0] if found else 0.0
    print(f"{len(found)} ratios, half of them within {middle:.1%}; {len(beyond)} beyond {ALLOWED:.0%}")
    return 1 if beyond or not found else 0


if __name__ == "__main__":
    sys.exit(main())
