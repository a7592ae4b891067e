"""What a front calls for vectors, and the directory `_vexfs` that tells of them and takes settings.

Owns the files of `_vexfs`: `control` (key=value), `stats` (counters, and why something was refused), `search` (a vector
in, the ten nearest of all directories out). Knows nothing of FUSE, nor of what becomes of vectors (`vector_index`).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Set

from reference_fs import model_files
from reference_fs.model import Store
from reference_fs.model_data import BLOCK, Pool, SparseData
from reference_fs.model_inode import Directory, Inode, fail
from reference_fs.vector_collection import numpy
from reference_fs.vector_index import VectorIndex
from reference_fs.vectors import TEXT_MAX, Bad, control

ROOM = 4 << 20  # bytes for the texts in _vexfs, so that a full file system can still be searched
CLOSING = frozenset({"FLUSH", "RELEASE"})


class VectorInterface:
    """What a front calls: `closing`, `settle`, and `opened`, `read`, `write` for the files of `_vexfs` (`Inode.fixed`).

    absent: operations that the front does without; where nobody tells that a file is closed, there is no `_vexfs`
    either. relock: a defect of `VectorIndex`.
    """

    def __init__(self, store: Store, *, absent: Set[str] = frozenset(), relock: bool = False) -> None:
        self._store = store
        self._index = VectorIndex(store, relock=relock)
        self._typed: dict[int, bytearray] = {}  # what was written to a file of _vexfs, and is no whole line yet
        self._files: dict[int, bytes] = {}
        if not absent >= CLOSING:
            self._make_files()

    def _make_files(self) -> None:
        """`_vexfs` and what is in it, unless the user has something of that name. Neither counted nor kept."""
        root = self._store.root
        if root.entries is None or root.entries.get(b"_vexfs") is not None:
            return
        directory = self._store.fixed_inode(stat.S_IFDIR | 0o555)
        directory.entries, directory.nlink, directory.size, directory.parent = Directory(), 2, BLOCK, root
        for name, mode in ((b"control", 0o644), (b"stats", 0o444), (b"search", 0o666)):
            inode = self._store.fixed_inode(stat.S_IFREG | mode)
            inode.data = SparseData(Pool(ROOM // BLOCK))
            directory.entries.put(name, inode)
            self._files[inode.ino] = name
            if name != b"search":
                self._show(inode, b"\n")  # not empty, which some programs take for unreadable, until it is opened
        # A store that is kept must not learn of it: so past its own `put`, and not counted in the root's links.
        Directory.put(root.entries, b"_vexfs", directory)

    def closing(self, inode: Inode) -> None:
        """A writer flushes or releases a file. Raises OSError(EINVAL) where its text was refused.

        A file of `_vexfs`: what was written to it is complete now.
        """
        if inode.fixed:
            self._finish(inode)
        else:
            self._index.closing(inode)

    def settle(self) -> None:
        """A file may have got another name."""
        self._index.settle()

    def opened(self, inode: Inode) -> None:
        """A file of `_vexfs` is opened: its content, and so its size, is that of now."""
        name = self._files.get(inode.ino)
        if name == b"control":
            self._show(inode, self._index.settings.text())
        elif name == b"stats":
            self._show(inode, self._stats())

    def read(self, inode: Inode, offset: int, size: int) -> bytes:
        """From a file of `_vexfs`. At the start: as of now, with what was written before taken as complete."""
        if offset == 0:
            self._finish(inode)
            self.opened(inode)
        return model_files.read(self._store, inode, offset, size)

    def write(self, inode: Inode, data: bytes | memoryview) -> int:
        """To a file of `_vexfs`, whatever the offset: each whole line is carried out at once.

        Raises OSError(EINVAL) where one cannot be, EPERM for `stats`.
        """
        if self._files.get(inode.ino) not in (b"control", b"search"):
            raise fail(errno.EPERM)
        typed = self._typed.setdefault(inode.ino, bytearray())
        typed += data
        if len(typed) > TEXT_MAX:
            del self._typed[inode.ino]
            raise self._refused(inode, f"more than {TEXT_MAX} bytes")
        while (end := typed.find(b"\n")) >= 0:
            line = bytes(typed[:end])
            del typed[: end + 1]
            self._carry_out(inode, line)
        return len(data)

    def _finish(self, inode: Inode) -> None:
        line = bytes(self._typed.pop(inode.ino, b""))
        self._carry_out(inode, line)

    def _carry_out(self, inode: Inode, line: bytes) -> None:
        if not line.strip():
            return
        try:
            if self._files[inode.ino] == b"control":
                self._index.settings = control(line, self._index.settings)
                self.opened(inode)
            else:
                self._show(inode, self._index.everywhere(line))
        except Bad as error:
            self._typed.pop(inode.ino, None)
            raise self._refused(inode, str(error)) from None

    def _refused(self, inode: Inode, reason: str) -> OSError:
        return self._index.refuse(b"_vexfs/" + self._files[inode.ino], reason)

    def _stats(self) -> bytes:
        lines = [b"%s=%d\n" % (name.encode(), count) for name, count in self._index.counters().items()]
        loaded = numpy.cache_info().currsize and numpy() is not None
        engine = b"engine=%s\n" % (b"numpy" if loaded else b"python")
        return b"".join([*lines, engine, *(b"error=%s\n" % one for one in self._index.errors())])

    def _show(self, inode: Inode, text: bytes) -> None:
        with self._store.lock:
            assert inode.data is not None
            inode.data.cut(0)
            inode.size = inode.data.write(0, text)
            inode.mtime = inode.ctime = self._store.now()


def is_writer(flags: int) -> bool:
    """Whether a file opened with these flags can be written through."""
    return flags & os.O_ACCMODE != os.O_RDONLY
