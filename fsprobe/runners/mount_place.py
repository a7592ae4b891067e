"""Where the mount layer works below a root, and what it may read there.

Owns the names of everything fsprobe makes on a mount, and the bounded walk to a file that was there
before; knows nothing of checks.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from fsprobe.posix.files import first_names
from fsprobe.posix.removal import remove_tree

_WALK_ENTRIES = 500
_WALK_SECONDS = 2.0
# Small enough to be read whole more than once, large enough to span pages where there is a choice.
_GOOD_SIZE = range(8192, 4 << 20)
# Ways of removing, and the operations that each needs.
_REMOVAL = {"list": {"OPENDIR", "READDIR", "READDIRPLUS"}, "unlink": {"UNLINK"}, "rmdir": {"RMDIR"}}


class Place:
    """`root`/`work` is the one directory made; without it (`has_dir` False) names get `work` as prefix."""

    def __init__(self, root: str, work: str, avoid: tuple[str, ...] = ()) -> None:
        self.root = root
        self.avoid = frozenset(avoid)
        self._without = frozenset(name for name, ops in _REMOVAL.items() if self.avoid & ops)
        self.work_dir = os.path.join(root, work)
        self.has_dir = False
        self.no_dir = OSError(errno.EROFS, os.strerror(errno.EROFS))
        self.made: set[str] = set()
        self.existing_file = ""

    def track(self, name: str) -> str:
        """A path of ours: in the work directory, or in the root with the prefix, remembered for removal."""
        if self.has_dir:
            return os.path.join(self.work_dir, name)
        path = f"{self.work_dir}.{name}"
        self.made.add(path)
        return path

    def avoided(self, *operations: str) -> str:
        """Why these cannot be tried while getting ready: "" where none of them hung or crashed the target before."""
        bad = sorted(self.avoid & set(operations))
        return f"{bad[0]} hung or crashed the target before" if bad else ""

    def remove(self, path: str) -> list[str]:
        """Remove what is ours, without the operations to avoid. Returns what stayed."""
        left = remove_tree(path, without=self._without)
        if not left:
            self.made.discard(path)
        return left

    def find_existing(self) -> None:
        """Look for a file with data, breadth first, within a bound of entries and time."""
        deadline = time.monotonic() + _WALK_SECONDS
        queue, seen = [self.root], 0
        while queue and seen < _WALK_ENTRIES and time.monotonic() < deadline:
            here = queue.pop(0)
            try:
                names = first_names(here)[: _WALK_ENTRIES - seen]
            except OSError:
                continue
            for name in names:
                seen += 1
                path = os.path.join(here, name)
                try:
                    status = os.lstat(path)
                except OSError:
                    continue
                if stat.S_ISDIR(status.st_mode):
                    queue.append(path)
                elif stat.S_ISREG(status.st_mode) and status.st_size > 0 and _readable(status):
                    if not self.existing_file or status.st_size in _GOOD_SIZE:
                        self.existing_file = path
                    if status.st_size in _GOOD_SIZE:
                        return


def _readable(status: os.stat_result) -> bool:
    """By its mode alone: neither ACCESS nor OPEN, which are on trial here, is asked."""
    return os.geteuid() == 0 or bool(status.st_mode & (0o400 if status.st_uid == os.geteuid() else 0o004))
