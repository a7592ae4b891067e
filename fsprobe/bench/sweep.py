"""Removing what the work made, however much that is, within a time.

Owns the walk; knows nothing of what it removes. `posix.removal` asks after each name whether it is gone, which for
a hundred thousand of them takes as long as making them.
"""

from __future__ import annotations

import os
import time

from fsprobe.bench.calls import Clock

_DEEPEST = 200
_MOST = 500_000  # names of one directory: a readdir that never ends must not keep us


def sweep(path: str, seconds: float, clock: Clock) -> list[str]:
    """Remove a directory of ours. Returns it where anything of it stayed."""
    _empty(path, 0, time.monotonic() + seconds, clock)
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return []
    except OSError:
        return [path]
    try:
        os.lstat(path)  # the answer is not believed
    except OSError:
        return []
    return [path]


def _empty(path: str, depth: int, deadline: float, clock: Clock) -> None:
    names: list[tuple[str, bool]] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                names.append((entry.name, entry.is_dir(follow_symlinks=False)))
                clock.tick()
                if len(names) > _MOST or time.monotonic() > deadline:
                    break
    except OSError:
        pass  # rmdir will fail, and that is told
    for name, directory in names:
        if time.monotonic() > deadline:
            return
        clock.tick()
        try:
            if directory:
                if depth < _DEEPEST:
                    _empty(f"{path}/{name}", depth + 1, deadline, clock)
                os.rmdir(f"{path}/{name}")
            else:
                os.unlink(f"{path}/{name}")
        except OSError:
            continue
