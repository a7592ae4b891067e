#!/usr/bin/env python3
"""Ten faults at once, drawn by seed: does fsprobe tell ten causes, the right ones, and no more?

    python bench/ten_faults.py [SEED…] [--no-mount]        five seeds, 1 to 5, where none is given: about a minute each

Owns the pool of faults and the comparison. A fault whose operation cannot be reached while another hangs (READLINK
where SYMLINK does) is not in the pool: nobody could tell it. Exit status 1 where a diagnosis is missing or too many.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ANY = ("errno=EIO", "drop", "crash", "positive-errno", "length", "unique")
MAIN = ("errno=ENOSYS", "fake", *ANY)
POOL: dict[str, tuple[str, ...]] = {
    "SETATTR": MAIN, "UNLINK": MAIN, "RMDIR": MAIN, "RENAME": MAIN, "LINK": ANY, "MKNOD": ANY,
    "READLINK": ("errno=ENOSYS", *ANY), "STATFS": ("errno=ENOSYS", *ANY), "GETXATTR": ANY, "LISTXATTR": ANY,
    "REMOVEXATTR": ("fake", *ANY), "FSYNC": ANY, "FSYNCDIR": ANY, "FALLOCATE": ANY, "LSEEK": ANY, "RENAME2": ANY,
    "COPY_FILE_RANGE": ANY, "READ": ("flip", "errno=EIO"), "READDIR": ("entries=lose", "entries=double"),
}  # fmt: skip
CAUSES = {
    "errno=ENOSYS": "not-implemented", "errno=EIO": "wrong-errno", "fake": "silent-noop", "drop": "lost-reply",
    "crash": "crashed", "positive-errno": "malformed-reply", "length": "malformed-reply", "unique": "malformed-reply",
    "flip": "wrong-data", "entries=lose": "wrong-data", "entries=double": "wrong-data",
}  # fmt: skip
Fault = tuple[str, str]


def draw(seed: int, count: int = 10) -> list[Fault]:
    """So many operations and a fault for each."""
    rng = random.Random(seed)
    return [(op, rng.choice(POOL[op])) for op in rng.sample(sorted(POOL), count)]


def rules(faults: list[Fault]) -> list[str]:
    """The options of `fsprobe run` that inject them."""
    return [word for op, kind in faults for word in ("--inject", f"{op}:{kind}")]


def compare(faults: list[Fault], document: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The diagnoses that are missing and those that are too many, as `OP cause`."""
    wanted = [f"{op} {CAUSES[kind]}" for op, kind in faults]
    found = [f"{one['op']} {one['cause']}" for one in document["diagnoses"] if one["confidence"] != "note"]
    return [one for one in wanted if one not in found], [
        one for index, one in enumerate(found) if one not in wanted or one in found[:index]
    ]


def main() -> int:
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    seeds = [int(word) for word in sys.argv[1:] if not word.startswith("-")] or [1, 2, 3, 4, 5]
    wrong = 0
    for seed in seeds:
        faults = draw(seed)
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder, "result.json")
            began = time.monotonic()
            command = [sys.executable, "-m", "fsprobe", "run", "vexfs:raw", *rules(faults), "--json", str(result)]
            subprocess.run([*command, *options], capture_output=True, check=False)
            document = json.loads(result.read_text())
        missing, more = compare(faults, document)
        told = len([one for one in document["diagnoses"] if one["confidence"] != "note"])
        off = [f"{what} {', '.join(ones)}" for what, ones in (("missing", missing), ("too many", more)) if ones]
        drawn = " ".join(f"{op}:{kind}" for op, kind in faults)
        print(f"seed {seed}: {told} diagnoses in {time.monotonic() - began:.0f} s", *off, drawn, sep="; ", flush=True)
        wrong += bool(missing or more)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
