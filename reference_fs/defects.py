"""What some profiles do that no table can say, each in a few lines that a front calls.

Owns the misdeeds; knows nothing of FUSE. None of it runs without its profile.
"""

from __future__ import annotations

import os

from reference_fs import model_files
from reference_fs.model import Store
from reference_fs.model_inode import Inode
from reference_fs.model_names import entries_of, unnamed

RECENT = 2
LOG_LINE = 1024  # bytes: 64 lines fill a pipe of the default size


def replace_stderr() -> None:
    """`stderr-pipe`: from here on standard error is a pipe whose other end nobody reads, and that is never closed."""
    _, write = os.pipe()
    os.dup2(write, 2)


def log(text: str) -> None:
    """`stderr-pipe`: a line of the log, which waits when the pipe is full."""
    os.write(2, text.ljust(LOG_LINE - 1, ".").encode() + b"\n")


def use_own_mount(mountpoint: str) -> None:
    """`own-mount`: ask how full the file system is, by its own path, while somebody waits for the very same answer."""
    os.statvfs(mountpoint)


class FlatNames:
    """`flat-names`: the last few new files are known by their last name alone, so a second one of that name is the
    first, emptied, though it is in another directory."""

    def __init__(self) -> None:
        self._recent: dict[bytes, tuple[Inode, Inode]] = {}

    def made(self, store: Store, parent: Inode, name: bytes, inode: Inode) -> Inode:
        """What a file that was just made turns out to be."""
        directory, first = self._recent.pop(name, (parent, inode))
        self._recent[name] = (parent, inode)
        if len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        if directory is parent or entries_of(directory).get(name) is not first:
            return inode
        with store.lock:
            model_files.truncate(store, first, 0)
            entries_of(parent).put(name, first)
            first.nlink += 1
            unnamed(store, inode)
        self._recent[name] = (parent, first)
        return first


def forget(store: Store, inode: Inode, handles: dict[int, Inode]) -> None:
    """`unlink-drops-inode`: a file without a name is gone, whoever has it open."""
    for fh in [fh for fh, opened in handles.items() if opened is inode]:
        del handles[fh]
    with store.lock:
        inode.refs = 0
        store.reap(inode)
