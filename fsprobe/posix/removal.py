"""Removing a directory tree without following anything and without waiting for ever.

Owns the walk, its bounds and the list of what stayed; knows nothing of whose tree it is.
"""

from __future__ import annotations

import os
import stat
import time
from itertools import islice

# A directory whose readdir never ends must not keep us: these are far above what any check makes.
MAX_ENTRIES = 20_000
MAX_DEPTH = 400


def remove_tree(path: str, *, seconds: float = 10.0, without: frozenset[str] = frozenset()) -> list[str]:
    """Remove `path` and all below it; a symbolic link is removed, never followed. Returns the paths that stayed.

    without: what must not be tried, of "list", "unlink" and "rmdir".
    """
    budget = _Budget(time.monotonic() + seconds, without)
    _remove(path, 0, budget)
    return sorted(budget.stayed)


class _Budget:
    def __init__(self, deadline: float, without: frozenset[str]) -> None:
        self.deadline = deadline
        self.without = without
        self.entries = MAX_ENTRIES
        self.stayed: set[str] = set()

    def spent(self) -> bool:
        return self.entries <= 0 or time.monotonic() > self.deadline


def _remove(path: str, depth: int, budget: _Budget) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except OSError:
        if not _unlisted(path, budget):
            budget.stayed.add(path)
        return
    budget.entries -= 1
    if budget.spent() or depth > MAX_DEPTH:
        budget.stayed.add(path)
        return
    try:
        if stat.S_ISDIR(mode):
            if "list" not in budget.without:
                _empty(path, mode, depth, budget)
            if "rmdir" not in budget.without:
                os.rmdir(path)
        elif "unlink" not in budget.without:
            os.unlink(path)
    except OSError:
        pass
    # The answer is not believed: a daemon that says yes and does nothing leaves something to be named.
    if not _gone(path, budget):
        budget.stayed.add(path)


def _gone(path: str, budget: _Budget) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return _unlisted(path, budget)
    return False


def _unlisted(path: str, budget: _Budget) -> bool:
    """Whether the directory has no such entry, where looking the name up fails with something else than ENOENT."""
    if "list" in budget.without or budget.spent():
        return False
    parent, _, name = path.rpartition("/")
    try:
        with os.scandir(parent) as entries:
            return all(entry.name != name for entry in islice(entries, MAX_ENTRIES))
    except OSError:
        return False


def _empty(path: str, mode: int, depth: int, budget: _Budget) -> None:
    if mode & 0o700 != 0o700:
        try:
            os.chmod(path, 0o700)
        except OSError:
            pass
    names: set[str] = set()
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name in names or len(names) >= MAX_ENTRIES:
                break
            names.add(entry.name)
    for name in sorted(names):
        _remove(f"{path}/{name}", depth + 1, budget)
