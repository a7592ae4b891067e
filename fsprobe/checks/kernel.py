"""What a check of the wire layer is given, as an author sees it: `def check(k: Kernel) -> None`.

Owns the shape of that context for reading and for type checkers, and the records that it hands out; knows nothing
of how it is done (`fsprobe.runners.kernel` does it). A method named after an operation sends it and returns what
its reply holds; an error reply raises OSError, a reply that a kernel cannot use Finding, none at all Lost.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from fsprobe.wire import (
    Attr as Attr,
)
from fsprobe.wire import (
    Dirent,
    FileLock,
    InitOut,
    IoctlOut,
    Kstatfs,
    Negotiated,
    OpenFlag,
    Statx,
)
from fsprobe.wire import (
    DirentPlus as DirentPlus,
)
from fsprobe.wire import (
    EntryOut as EntryOut,
)

Name = str | bytes
Time = tuple[int, int]
"""Seconds since 1970 and nanoseconds."""
PAGE = 4096
LAST = (1 << 63) - 1
"""The last byte that a lock can cover."""


@dataclass(slots=True)
class Handle:
    """An open file or directory. stateless: the daemon answered ENOSYS, so there is none to release."""

    node: int
    fh: int
    flags: int
    open_flags: int
    directory: bool = False
    stateless: bool = False
    released: bool = False

    @property
    def direct_io(self) -> bool:
        """Whether the kernel would read past its cache, whatever size the file says."""
        return bool(self.open_flags & OpenFlag.DIRECT_IO)


@dataclass(frozen=True, slots=True)
class Sample:
    """Something to ask about. content: what we wrote, None where it was there before us."""

    node: int
    parent: int
    name: bytes
    attr: Attr
    content: bytes | None = None


class Caller(Protocol):
    """In whose name requests are sent, and the minor of the protocol that INIT offered."""

    uid: int
    gid: int
    pid: int
    offered_minor: int


class Kernel(Protocol):
    """The context of one check. What it makes, opens and is handed is removed, released and forgotten afterwards."""

    root: int
    """The nodeid of the root."""
    init: InitOut
    """What the daemon answered to INIT."""
    negotiated: Negotiated
    """What both sides agreed on."""
    read_only: str
    """Why nothing can be made here, "" where it can."""
    LONGEST_READ: int
    """Bytes that a kernel asks for in one READ."""

    @property
    def link(self) -> Caller:
        """The connection."""

    @property
    def dir(self) -> int:
        """A fresh directory of this check's own; the root where none can be made. Raises Blocked."""

    def has(self, flag: str) -> bool:
        """Whether both sides agreed on an INIT flag, by its name without FUSE_."""

    # Preparing: what fails here makes the check Blocked, never failed; what is refused as a feature, Skip.

    def setup(self, feature: str = "", refused: tuple[int, ...] = ()) -> AbstractContextManager[None]:
        """`with k.setup(): …` was only preparing the question."""

    def given_file(self, name: Name, content: bytes = b"", mode: int = 0o644, parent: int | None = None) -> int:
        """A regular file with a content: its nodeid."""

    def given_dir(self, name: Name, parent: int | None = None) -> int:
        """A directory: its nodeid."""

    def given_symlink(self, name: Name, target: Name) -> int:
        """A symbolic link: its nodeid."""

    def given_hardlink(self, node: int, name: Name) -> int:
        """A second name of a file: the nodeid that came for it."""

    def given_xattr(self, node: int, name: Name, value: bytes) -> None:
        """An extended attribute."""

    def given_handle(self, node: int, flags: int = os.O_RDONLY) -> Handle:
        """An open file."""

    def some_file(self) -> Sample:
        """A regular file with data: a new one, or one that was there where nothing can be made."""

    def some_dir(self) -> Sample:
        """A directory: the check's own, one that was there, or the root."""

    def some_symlink(self) -> Sample:
        """A symbolic link: a new one, or one that was there."""

    def unused_name(self) -> bytes:
        """A name that is nowhere."""

    def name_limit(self) -> int:
        """The longest name that a check may give."""

    # Expecting: each raises Finding

    def expect(self, condition: bool, expected: str, observed: str) -> None:
        """The condition has to hold."""

    def expect_equal(self, expected: object, observed: object, what: str) -> None:
        """Both have to be equal."""

    def raises(
        self, *errnos: int, warn: tuple[int, ...] = (), optional: tuple[int, ...] = ()
    ) -> AbstractContextManager[None]:
        """The calls inside have to fail with one of these errnos.

        warn: legal but surprising. optional: these mean that the operation is not offered.
        """

    def optional(self, *errnos: int) -> AbstractContextManager[None]:
        """ENOSYS, EOPNOTSUPP or one of `errnos` inside means that the feature is not offered."""

    def note(self, text: str) -> None:
        """An observation for the report; it never gates."""

    def type_of(self, attr: Attr) -> str:
        """`regular file`, `directory`, …"""

    def flag_names(self, flags: int) -> list[str]:
        """The names of INIT flags."""

    def answered_unasked(self) -> list[str]:
        """Operations that must not be answered, and were until now."""

    # Names

    def lookup(self, parent: int, name: Name) -> EntryOut:
        """LOOKUP. A negative entry (nodeid 0) is ENOENT too."""

    def lookup_raw(self, parent: int, raw: bytes) -> EntryOut:
        """LOOKUP of a name as READDIR gave it, whether ours or not."""

    def lookups(self, node: int) -> int:
        """How often a nodeid was handed out and not given back."""

    def forget(self, node: int, count: int = 1) -> None:
        """FORGET, which has no answer."""

    def batch_forget(self, counts: list[tuple[int, int]]) -> None:
        """BATCH_FORGET of (nodeid, lookups), which has no answer."""

    def mknod(self, parent: int, name: Name, mode: int, rdev: int = 0, umask: int = 0o022) -> EntryOut:
        """MKNOD; the mode has the type."""

    def mkdir(self, parent: int, name: Name, mode: int = 0o755, umask: int = 0o022) -> EntryOut:
        """MKDIR."""

    def symlink(self, parent: int, name: Name, target: Name) -> EntryOut:
        """SYMLINK."""

    def hardlink(self, node: int, parent: int, name: Name) -> EntryOut:
        """LINK."""

    def create(
        self, parent: int, name: Name, mode: int = 0o644, flags: int = os.O_RDWR, umask: int = 0o022
    ) -> tuple[EntryOut, Handle]:
        """CREATE: the new file, opened."""

    def tmpfile(self, parent: int, mode: int = 0o644, flags: int = os.O_RDWR) -> tuple[EntryOut, Handle]:
        """TMPFILE: a file without a name, opened."""

    def unlink(self, parent: int, name: Name) -> None:
        """UNLINK."""

    def rmdir(self, parent: int, name: Name) -> None:
        """RMDIR."""

    def rename(self, parent: int, name: Name, newparent: int, newname: Name) -> None:
        """RENAME."""

    def rename2(self, parent: int, name: Name, newparent: int, newname: Name, flags: int) -> None:
        """RENAME2: with the flags of renameat2(2)."""

    # Nodes

    def getattr(self, node: int, handle: Handle | None = None) -> Attr:
        """GETATTR, with an open handle where one is given."""

    def setattr(
        self, node: int, *, mode: int | None = None, uid: int | None = None, gid: int | None = None,
        size: int | None = None, atime: Time | None = None, mtime: Time | None = None, now: bool = False,
        handle: Handle | None = None,
    ) -> Attr:  # fmt: skip
        """SETATTR of what is given. now: atime and mtime to the daemon's clock, as utimes(path, NULL) does."""

    def readlink(self, node: int) -> bytes:
        """READLINK: the target as it came."""

    def statfs(self, node: int = ...) -> Kstatfs:
        """STATFS, of the root if not told otherwise."""

    def access(self, node: int, mask: int) -> None:
        """ACCESS."""

    def statx(self, node: int, mask: int = 0xFFF) -> Statx:
        """STATX."""

    def syncfs(self) -> None:
        """SYNCFS."""

    def bmap(self, node: int, block: int = 0, blocksize: int = 4096) -> int:
        """BMAP."""

    def setxattr(self, node: int, name: Name, value: bytes, flags: int = 0) -> None:
        """SETXATTR; flags 1 XATTR_CREATE, 2 XATTR_REPLACE."""

    def getxattr(self, node: int, name: Name, size: int = 65536) -> bytes:
        """GETXATTR of the value."""

    def getxattr_size(self, node: int, name: Name) -> int:
        """GETXATTR of the value's length alone."""

    def listxattr(self, node: int, size: int = 65536) -> list[bytes]:
        """LISTXATTR: the names."""

    def listxattr_size(self, node: int) -> int:
        """LISTXATTR of the list's length alone."""

    def removexattr(self, node: int, name: Name) -> None:
        """REMOVEXATTR."""

    # Open files and directories

    def open(self, node: int, flags: int = os.O_RDONLY) -> Handle:
        """OPEN."""

    def opendir(self, node: int) -> Handle:
        """OPENDIR."""

    def release(self, handle: Handle) -> None:
        """RELEASE or RELEASEDIR."""

    def release_quietly(self, handle: Handle) -> None:
        """The same, whatever comes of it."""

    def close_file(self, handle: Handle) -> None:
        """What close(2) sends: FLUSH and RELEASE."""

    def flush(self, handle: Handle, owner: int = 0) -> None:
        """FLUSH, as at close(2), by a lock owner."""

    def fsync(self, handle: Handle, *, data_only: bool = False) -> None:
        """FSYNC or FSYNCDIR."""

    def read(self, handle: Handle, size: int, offset: int = 0) -> bytes:
        """One READ."""

    def read_all(self, handle: Handle, chunk: int = ...) -> bytes:
        """The whole file in pieces of `chunk`, until one is short."""

    def content(self, node: int) -> bytes:
        """Open, read all, release."""

    def write(self, handle: Handle, data: bytes, offset: int = 0) -> int:
        """WRITE, in pieces that the daemon takes. Returns the bytes taken, up to the first short count."""

    def fallocate(self, handle: Handle, mode: int, offset: int, length: int) -> None:
        """FALLOCATE."""

    def lseek(self, handle: Handle, offset: int, whence: int) -> int:
        """LSEEK; whence SEEK_DATA or SEEK_HOLE."""

    def copy_file_range(
        self, source: Handle, offset: int, target: Handle, target_offset: int, length: int, *, wide: bool = False
    ) -> int:
        """COPY_FILE_RANGE, or with `wide` COPY_FILE_RANGE_64. Returns the bytes copied."""

    def ioctl(self, handle: Handle, command: int, argument: int = 0, out_size: int = 0) -> IoctlOut:
        """IOCTL: the command's own size says what goes in and out."""

    def poll(self, handle: Handle, events: int) -> int:
        """POLL: the events that are there."""

    def readdir(self, handle: Handle, offset: int = 0, size: int = PAGE) -> tuple[Dirent, ...]:
        """One READDIR: the entries behind an offset that fit."""

    def readdirplus(self, handle: Handle, offset: int = 0, size: int = PAGE) -> tuple[DirentPlus, ...]:
        """One READDIRPLUS."""

    def read_directory(self, handle: Handle, size: int = PAGE) -> list[Dirent]:
        """Every entry from the start, following the offsets."""

    def entries(self, node: int) -> list[Dirent]:
        """Every entry of a directory, dots included, as it came."""

    def names(self, node: int) -> list[bytes]:
        """The names in a directory, sorted, without the dots and what is not ours."""

    def own_names(self, entries: list[Dirent]) -> list[bytes]:
        """The same of entries that were read from the check's own directory."""

    # Locks: F_RDLCK 0, F_WRLCK 1, F_UNLCK 2

    def getlk(self, handle: Handle, owner: int, kind: int, start: int = 0, end: int = LAST) -> FileLock:
        """GETLK: the lock in the way of this one, or type F_UNLCK."""

    def setlk(self, handle: Handle, owner: int, kind: int, start: int = 0, end: int = LAST) -> None:
        """SETLK."""

    def setlkw_later(self, handle: Handle, owner: int, kind: int, start: int = 0, end: int = LAST) -> int:
        """SETLKW, not waited for: its unique, for `answered`, `answer` and `interrupt`."""

    def answered(self, unique: int, seconds: float) -> bool:
        """Whether the answer to a request is there, waiting so long for it."""

    def answer(self, unique: int) -> Any:
        """What the answer to a request holds."""

    def interrupt(self, unique: int | None = None) -> None:
        """INTERRUPT of a request, or of one that never was."""

    # The connection

    def ask_raw(self, opcode: int, node: int, body: bytes) -> Any:
        """A request of bytes as they are: what its answer holds."""

    def destroy(self) -> Any:
        """Tidy up everything, then DESTROY: no further check can be asked on this connection."""
