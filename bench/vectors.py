#!/usr/bin/env python3
"""What a vector search through VexFS costs beside numpy alone: 10,000 vectors of 384 dimensions, exact.

    python bench/vectors.py [--front raw|fusepy|mfusepy …]

Owns the table; the work is `vector_work`'s, how it is run `relay`'s. A search is a file written, closed, and its
results read; in between the text is parsed and the product taken. Needs numpy, for both sides.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

BENCH = Path(__file__).resolve().parent
CLONE = BENCH.parent
sys.path[:0] = [str(CLONE), str(BENCH)]

from relay import bare  # noqa: E402


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--front", nargs="+", default=["raw", "fusepy"], help="which fronts of VexFS")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CLONE), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory(prefix="bench-vectors-") as place:
        for front in options.front:
            daemon = f"{sys.executable} -m reference_fs {{mountpoint}} -f --front {front}"
            found = bare(daemon, Path(place), program=BENCH / "vector_work.py")
            print(f"vexfs {front}: insert {1 / found['insert']:.0f}/s, search {found['search'] * 1e3:.2f} ms, "
                  f"recall@10 {found['recall']:.3f}")  # fmt: skip
            for kind in ("numpy, 64 bits", "numpy, 32 bits"):
                ratio = found["search"] / found[kind]
                print(f"  {kind} alone: {found[kind] * 1e3:.2f} ms; the search takes {ratio:.1f} times that")


if __name__ == "__main__":
    main()
