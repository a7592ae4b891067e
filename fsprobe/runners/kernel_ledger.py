"""What a kernel has to remember of a daemon: lookups handed out, handles open, entries made.

Owns the counts of one check; knows nothing of sockets or messages.
"""

from __future__ import annotations

import stat

from fsprobe.checks.check import Finding
from fsprobe.checks.kernel import Handle

TYPES = {
    stat.S_IFREG: "regular file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symbolic link", stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket", stat.S_IFCHR: "character device", stat.S_IFBLK: "block device",
}  # fmt: skip


def type_name(mode: int) -> str:
    """`regular file` for the type bits of a mode."""
    return TYPES.get(stat.S_IFMT(mode), f"type {stat.S_IFMT(mode):#o}")


class Ledger:
    """The counts of one check."""

    def __init__(self) -> None:
        self.lookups: dict[int, int] = {}
        self.handles: list[Handle] = []
        self.names: dict[tuple[int, bytes], bool] = {}
        """What was made: (parent, name), and whether it is a directory, in the order of making."""
        self.own: set[int] = set()
        """Nodeids of directories that were made here: what lies in them is ours."""
        self._types: dict[int, int] = {}

    def handed(self, nodeid: int, mode: int) -> None:
        """Count one lookup. Raises Finding where a nodeid changes its type, which spoils the kernel's inode."""
        self.lookups[nodeid] = self.lookups.get(nodeid, 0) + 1
        self.typed(nodeid, mode)

    def typed(self, nodeid: int, mode: int) -> None:
        """Hold a nodeid to its type (fs/fuse/inode.c fuse_stale_inode)."""
        before = self._types.setdefault(nodeid, stat.S_IFMT(mode))
        if before != stat.S_IFMT(mode):
            seen = f"it is a {type_name(mode)}: the caller gets EIO"
            raise Finding(f"nodeid {nodeid} stays a {type_name(before)}", seen)

    def gave_back(self, nodeid: int, count: int) -> None:
        """Count lookups that were forgotten."""
        left = self.lookups.get(nodeid, 0) - count
        if left > 0:
            self.lookups[nodeid] = left
            return
        self.lookups.pop(nodeid, None)
        self._types.pop(nodeid, None)

    def made(self, parent: int, name: bytes, *, directory: bool = False) -> None:
        """An entry that did not exist before is there."""
        self.names[parent, name] = directory

    def gone(self, parent: int, name: bytes) -> None:
        """An entry is there no more."""
        self.names.pop((parent, name), None)

    def moved(self, parent: int, name: bytes, newparent: int, newname: bytes) -> None:
        """An entry has another name."""
        directory = self.names.pop((parent, name), None)
        if directory is not None:
            self.names.pop((newparent, newname), None)
            self.names[newparent, newname] = directory

    def swapped(self, parent: int, name: bytes, newparent: int, newname: bytes) -> None:
        """Two entries have changed places."""
        one, other = (parent, name), (newparent, newname)
        if one in self.names and other in self.names:
            self.names[one], self.names[other] = self.names[other], self.names[one]
