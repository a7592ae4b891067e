"""How much memory a daemon takes for many files: `many_files.py DIRECTORY`, in the namespaces of `bench/relay.py`.

Owns the making of the files; prints one JSON object: bytes of memory a file, and in all. DAEMON names the process.
"""

from __future__ import annotations

import json
import os
import sys

COUNT, PER_DIRECTORY = 100_000, 1000


def resident(pid: int) -> int:
    """Bytes of memory that are a process's own."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def main() -> None:
    """Make them, as deep as people do."""
    top, daemon = sys.argv[1], int(os.environ["DAEMON"])
    before = resident(daemon)
    for directory in range(COUNT // PER_DIRECTORY):
        os.mkdir(f"{top}/directory{directory}")
        for number in range(PER_DIRECTORY):
            os.close(os.open(f"{top}/directory{directory}/file{number:06}", os.O_CREAT | os.O_WRONLY, 0o644))
    after = resident(daemon)
    json.dump({"a file": (after - before) / COUNT, "in all": after}, sys.stdout)


if __name__ == "__main__":
    main()
