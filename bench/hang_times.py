#!/usr/bin/env python3
"""How long it takes from a request that hangs to the verdict, and what the verdict is.

    python bench/hang_times.py [NAME…]      all of the table below where none is given

Owns the table of daemons that hang; a C one is built where gcc and the libraries are. Times are those of the result
file: from the moment when the relay read the request to the moment when the cause was proven, or given up to guess.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

CLONE = Path(__file__).parent.parent
READING = ("--select", "posix.existing.read-twice")
PROFILES = {
    "vexfs:lost-reply": ("--select", "posix.setattr.chmod-bits"),
    "vexfs:positive-errno": ("--op", "SETATTR", "--no-mount"),
    "vexfs:wrong-length": ("--op", "SETATTR", "--no-mount"),
    "vexfs:wrong-unique": ("--op", "SETATTR", "--no-mount"),
    "vexfs:own-mount": ("--select", "posix.statfs.*"),
    "vexfs:stderr-pipe": ("--no-mount",),
    "vexfs:search-relock": ("--suite", "vexfs"),
}
FAULTS = ("relock", "abba", "own-mount", "stderr", "stop", "busy", "sleep", "pipe", "fifo", "socket", "file-lock")


def programs(folder: str) -> dict[str, tuple[str, ...]]:
    """`hangs.c` with libfuse 2 (one thread) and libfuse 3 (many), as far as these can be built."""
    found: dict[str, tuple[str, ...]] = {}
    for package, version, options in (("fuse", "26", " -s"), ("fuse3", "31", "")):
        asked = ["pkg-config", "--cflags", "--libs", package]
        flags = subprocess.run(asked, capture_output=True, text=True, check=False)
        binary = Path(folder, f"hangs-{package}")
        source = CLONE / "tests" / "programs" / "hangs.c"
        command = ["gcc", "-g", "-O1", "-w", f"-DFUSE_USE_VERSION={version}", "-D_FILE_OFFSET_BITS=64", str(source)]
        if flags.returncode == 0:
            subprocess.run([*command, "-o", str(binary), "-lpthread", *flags.stdout.split()], check=True)
            # With many threads the stat of the own mount is answered by another one.
            faults = [fault for fault in FAULTS if options or fault != "own-mount"]
            found |= {f"{binary} {fault} {{mountpoint}} -f{options}": READING for fault in faults}
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = {**PROFILES, **programs(folder)}
        wanted = sys.argv[1:]
        print(f"{'daemon':34} {'operation':10} {'cause':20} {'known':8} seconds")
        for target, options in rows.items():
            name = " ".join(word for word in Path(target.split()[0]).name.split()) + " " + " ".join(target.split()[1:2])
            if wanted and not any(word in name for word in wanted):
                continue
            result = Path(folder, "result.json")
            command = [sys.executable, "-m", "fsprobe", "run", target, *options, "--timeout", "3"]
            subprocess.run([*command, "--json", str(result)], capture_output=True, cwd=CLONE, check=False)
            told = json.loads(result.read_text())["incidents"]
            for one in told[:1]:
                known = "proven" if one["proven"] else "guessed"
                seconds = f"{one['seconds']:.2f}" if "seconds" in one else "at once"
                print(f"{name.strip():34} {one['op']:10} {one['cause']:20} {known:8} {seconds}", flush=True)
            if not told:
                print(f"{name.strip():34} -", flush=True)


if __name__ == "__main__":
    main()
