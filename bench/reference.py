#!/usr/bin/env python3
"""What VexFS costs: the same work on it, on what people write with fusepy and pyfuse3, and on libfuse's C example.

    python bench/reference.py [--rounds N] [--only NAME…] [--no-memory] [--json FILE]

Owns what is compared and with what; `bench/relay.py` owns how it is run. The daemons take turns, so that a busy moment
of the machine hits all of them. The kernel keeps no names and attributes (pyfuse3's it does, for a second), and all
runs on one processor. The least time of all rounds counts: what else the machine does can only add to it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

BENCH = Path(__file__).resolve().parent
CLONE = BENCH.parent
sys.path[:0] = [str(CLONE), str(BENCH)]

import workload  # noqa: E402
from costs import DAEMON_S  # noqa: E402
from relay import Timings, bare  # noqa: E402

VEXFS = f"{sys.executable} -m reference_fs {{mountpoint}} -f"
EMPTY, EMPTY_CHECKED = "empty fusepy", "empty, checked"
DAEMONS: dict[str, str] = {
    EMPTY: f"{sys.executable} {BENCH}/fusepy_memory.py {{mountpoint}} --empty",
    EMPTY_CHECKED: f"{sys.executable} {BENCH}/fusepy_memory.py {{mountpoint}} --empty --default-permissions",
    "fusepy example": f"{sys.executable} {BENCH}/fusepy_memory.py {{mountpoint}}",
    "pyfuse3": f"{sys.executable} {CLONE}/tests/programs/pyfuse3_memfs.py {{mountpoint}} -f",
    "vexfs raw": f"{VEXFS} --front raw",
    "vexfs fusepy": f"{VEXFS} --front fusepy",
    "vexfs mfusepy": f"{VEXFS} --front mfusepy",
}
PASSTHROUGH = "libfuse 3 in C"
AIMS = "aims: at most 1.5 times an empty fusepy operation; 300 MB/s and more; under 250 MB for 100,000 files"


def cell(kind: str, seconds: float) -> str:
    """Calls a second, or MB/s where the calls are of 1 MiB."""
    return f"{workload.LARGE / 1e6 / seconds:>11.0f} MB/s" if kind in workload.BULK else f"{1 / seconds:>14.0f}/s"


def least(rounds: list[Timings]) -> Timings:
    """The best of each kind."""
    return {kind: min(timings[kind] for timings in rounds) for kind in rounds[0]}


def table(best: dict[str, Timings]) -> str:
    """Operations a second, MB/s, and how often an empty fusepy operation's time each takes."""
    width = max(len(name) for name in best) + 2
    lines = [" " * width + "".join(f"{kind:>16}" for kind in workload.KINDS)]
    for name, timings in best.items():
        lines.append(f"{name:<{width}}" + "".join(cell(kind, timings[kind]) for kind in workload.KINDS))
    for base in (EMPTY, EMPTY_CHECKED, PASSTHROUGH):
        for whose, title in (("", "times as long as"), (DAEMON_S, "times the daemon's processor time of")):
            if base in best:
                lines.append(f"\n{title} {base}")
            for name, timings in best.items() if base in best else ():
                ratios = (timings[kind + whose] / (best[base][kind + whose] or 1e-9) for kind in workload.KINDS)
                lines.append(f"{name:<{width}}" + "".join(f"{value:>16.2f}" for value in ratios))
    return "\n".join(lines)


def with_passthrough(daemons: dict[str, str], build: Path) -> dict[str, str]:
    """The C example beside the others, where it can be built."""
    from tests.targets import Missing, command_of

    (build / "bin").mkdir(parents=True)
    try:
        return {**daemons, PASSTHROUGH: command_of("passthrough", build)}
    except Missing as missing:
        print(f"{PASSTHROUGH}: {missing}", file=sys.stderr)
        return daemons


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of: " + ", ".join((*DAEMONS, PASSTHROUGH)))
    parser.add_argument("--no-memory", action="store_true", help="do not make 100,000 files")
    parser.add_argument("--json", metavar="FILE", help="write every timing there")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(CLONE)
    rounds: dict[str, list[Timings]] = {}
    memory: dict[str, Timings] = {}
    with tempfile.TemporaryDirectory(prefix="bench-vexfs-") as place:
        work = Path(place) / "work"
        work.mkdir()
        daemons = with_passthrough(DAEMONS, Path(place) / "build")
        chosen = {name: daemons[name] for name in daemons if not options.only or name in options.only}
        for _ in range(options.rounds):
            for name, daemon in chosen.items():
                rounds.setdefault(name, []).append(bare(daemon, work, pinned=True, program=BENCH / "costs.py"))
        for name, daemon in chosen.items():
            if name.startswith("vexfs") and not options.no_memory:
                memory[name] = bare(daemon, work, program=BENCH / "many_files.py")
    best = {name: least(timings) for name, timings in rounds.items()}
    print(f"Linux {platform.release()}, {os.cpu_count()} processors, the best of {options.rounds} rounds\n")
    print(table(best))
    for name, found in memory.items():
        print(f"{name}: {found['in all'] / 1e6:.0f} MB for 100,000 empty files, {found['a file']:.0f} bytes each")
    print(f"\n{AIMS}")
    if options.json:
        document = {"kernel": platform.release(), "rounds": rounds, "best": best, "memory": memory}
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
