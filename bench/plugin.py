"""What fsprobe's pytest plugin costs a project that does not use it: the same empty test run with it and without.

    python bench/plugin.py [--rounds N]

The two are run in turns, so that a drift of the machine meets both alike. The modules that the plugin brings along are
named: they are what there is to save.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AIM_MS = 10.0
WITHOUT = ("-p", "no:fsprobe")
# Hypothesis's plugin takes four times as long as all the rest, and its spread is larger than what is looked for.
QUIET = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
_NEW = "import sys, pytest; had = set(sys.modules); import fsprobe.pytest_plugin.plugin; print(*set(sys.modules) - had)"


def seconds(project: Path, *args: str) -> float:
    """Of processor time, which other work on the machine disturbs least, for one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *QUIET, *args], cwd=project, check=True,
        stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=31)
    rounds = parser.parse_args().rounds
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        project = Path(place)
        (project / "pytest.ini").write_text("[pytest]\n")
        (project / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        seconds(project)
        pairs = [(seconds(project), seconds(project, *WITHOUT)) for _ in range(rounds)]
    median_with, median_without = (statistics.median(column) for column in zip(*pairs, strict=True))
    cost = (median_with - median_without) * 1000
    print(f"{rounds} pairs in {time.monotonic() - began:.0f} s, processor time of a run with one empty test")
    print(f"with the plugin    {median_with * 1000:7.1f} ms")
    print(f"without it         {median_without * 1000:7.1f} ms    ratio {median_with / median_without:.3f}")
    print(f"difference         {cost:7.1f} ms    aim: below {AIM_MS:g} ms")
    brought = subprocess.run([sys.executable, "-c", _NEW], capture_output=True, text=True, check=True).stdout.split()
    print(f"imports            {', '.join(sorted(brought))}")
    sys.exit(cost >= AIM_MS)


if __name__ == "__main__":
    main()
