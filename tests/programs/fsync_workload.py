#!/usr/bin/env python3
"""Files made, changed, renamed and removed, some of them fsynced: `fsync_workload.py DIRECTORY LOG SEED`.

Writes one line of JSON into LOG for every fsync that returned: the name and the content that must be there from now
on, or null for a name that must be gone. Ends when the file system does.
"""

from __future__ import annotations

import json
import os
import random
import sys


def main() -> None:
    top, log_path, seed = sys.argv[1:4]
    chance = random.Random(int(seed))
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    directory = os.open(top, os.O_RDONLY)

    def acknowledged(name: str, content: str | None) -> None:
        os.write(log, json.dumps([name, content]).encode() + b"\n")

    def write(name: str, content: str, flags: int = 0) -> int:
        fd = os.open(name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | flags, dir_fd=directory)
        os.write(fd, content.encode())
        return fd

    for number in range(100_000):
        content = f"{number} " * chance.randrange(1, 4000)
        kind = chance.randrange(5)
        if kind == 0:  # a file that is never acknowledged, in directories that come and go
            os.makedirs(f"{top}/d{number % 3}/e", exist_ok=True)
            os.close(write(f"d{number % 3}/e/f{number}", content))
            os.rename(f"{top}/d{number % 3}/e", f"{top}/moved{number}")
        elif kind == 1:  # a file of its own, fsynced, with a second name
            fd = write(f"own{number}", content)
            os.link(f"own{number}", f"link{number}", src_dir_fd=directory, dst_dir_fd=directory)
            os.fsync(fd)
            os.close(fd)
            acknowledged(f"own{number}", content)
            acknowledged(f"link{number}", content)
        elif kind == 2:  # replaced by rename: old or new, never neither
            fd = write("replaced.new", content)
            os.fsync(fd)
            os.close(fd)
            os.rename("replaced.new", "replaced", src_dir_fd=directory, dst_dir_fd=directory)
            os.fsync(directory)
            acknowledged("replaced", None)  # what it holds may be newer by now: only that it is there
        elif kind == 3:  # O_SYNC: no fsync needed
            os.close(write(f"sync{number}", content, os.O_SYNC))
            acknowledged(f"sync{number}", content)
        else:  # gone for good
            fd = write(f"gone{number}", content)
            os.unlink(f"gone{number}", dir_fd=directory)
            os.fsync(fd)
            os.close(fd)
            acknowledged(f"gone{number}", None)


try:
    main()
except OSError as error:
    sys.exit(f"ended: {error}")
