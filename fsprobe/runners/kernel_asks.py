"""What a check says to its context besides the operations: expectations, preparations, samples.

Owns how an answer becomes a finding and what every check needs again and again; knows nothing of where the
work happens.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from errno import EIO, ENOSYS, EOPNOTSUPP, EPERM, EROFS
from typing import Any

from fsprobe import wire
from fsprobe.checks.check import Blocked, Finding, Skip, Unsupported
from fsprobe.checks.kernel import Handle, Name, Sample
from fsprobe.results.errnos import errno_name
from fsprobe.runners.kernel_files import FileOps
from fsprobe.runners.kernel_ledger import type_name
from fsprobe.runners.kernel_link import Declined, Malformed
from fsprobe.runners.mount_words import difference
from fsprobe.wire import InitFlag, Opcode, opcode_name

# What an application gets where the daemon answers ENOSYS: fs/fuse/*.c, catalogue 4.
ON_ENOSYS = {
    "FLUSH": "close(2) succeeds and promises nothing", "FSYNC": "fsync(2) succeeds and promises nothing",
    "FSYNCDIR": "fsync(2) of a directory succeeds and promises nothing",
    "SYNCFS": "syncfs(2) succeeds and promises nothing", "ACCESS": "access(2) grants everything",
    "STATX": "GETATTR is asked instead", "LSEEK": "the kernel says that files have no holes",
    "POLL": "files are always ready", "BMAP": "block 0", "COPY_FILE_RANGE": "the kernel reads and writes instead",
    "COPY_FILE_RANGE_64": "the kernel reads and writes instead", "RENAME2": "EINVAL", "TMPFILE": "EOPNOTSUPP",
    "FALLOCATE": "EOPNOTSUPP", "GETXATTR": "EOPNOTSUPP", "SETXATTR": "EOPNOTSUPP", "LISTXATTR": "EOPNOTSUPP",
    "REMOVEXATTR": "EOPNOTSUPP", "IOCTL": "ENOTTY", "LINK": "EPERM, on older kernels ENOSYS as it is",
    "CREATE": "the kernel asks MKNOD and OPEN instead", "RELEASE": "nothing: its answer is not looked at",
    "RELEASEDIR": "nothing: its answer is not looked at",
    "SYMLINK": "ENOSYS as it is: EPERM, EOPNOTSUPP or EROFS say it better",
    "MKNOD": "ENOSYS as it is: EPERM, EOPNOTSUPP or EROFS say it better",
    "READDIRPLUS": "ENOSYS as it is: it was asked for in INIT",
}  # fmt: skip


_MODE = re.compile(r"\bmode\b")


def refusal(error: OSError) -> str:
    """An error reply in words, with what an application sees of it where the kernel makes something else of it."""
    op = opcode_name(error.opcode) if isinstance(error, Declined) else ""
    text = f"{op}: {errno_name(error.errno or 0)}"
    seen = ON_ENOSYS.get(op) if error.errno == ENOSYS else None
    return f"{text} (an application sees: {seen})" if seen else text


def shown(value: object) -> str:
    """A value for the screen: long bytes are cut."""
    if isinstance(value, bytes) and len(value) > 60:
        return f"{value[:40]!r}… of {len(value)} bytes"
    return value if isinstance(value, str) else repr(value)


class Asks(FileOps):
    """Expectations, preparations and samples."""

    dir: int
    """The directory of this check."""
    read_only: str
    """Why nothing can be made here; "" where it can."""
    notes: list[str]

    # -- expectations

    def note(self, text: str) -> None:
        """An observation that never gates."""
        self.notes.append(text)

    def expect(self, condition: bool, expected: str, observed: str) -> None:
        """Raises Finding unless the condition holds."""
        if not condition:
            raise Finding(expected, observed)

    def expect_equal(self, expected: object, observed: object, what: str) -> None:
        """Raises Finding unless both are equal; long bytes are shown by their first difference, modes in octal."""
        if expected == observed:
            return
        if isinstance(expected, bytes) and isinstance(observed, bytes):
            wanted, seen = difference(expected, observed)
        elif _MODE.search(what) and isinstance(expected, int) and isinstance(observed, int):
            wanted, seen = f"{expected:#o}", f"{observed:#o}"
        else:
            wanted, seen = shown(expected), shown(observed)
        raise Finding(f"{what} {wanted}", seen)

    @contextmanager
    def raises(self, *errnos: int, warn: tuple[int, ...] = (), optional: tuple[int, ...] = ()) -> Iterator[None]:
        """The calls inside must fail with one of `errnos`.

        warn: errnos that are legal but surprising. optional: errnos that mean the operation is not offered.
        """
        wanted = " or ".join(errno_name(number) for number in errnos)
        try:
            yield
        except OSError as error:
            if error.errno in optional:
                raise Unsupported(refusal(error), error.errno or 0) from None
            if error.errno not in errnos:
                seen = errno_name(error.errno or 0)
                raise Finding(wanted, seen, warn=error.errno in warn) from None
        else:
            raise Finding(wanted, "success")

    @contextmanager
    def optional(self, *errnos: int) -> Iterator[None]:
        """ENOSYS, EOPNOTSUPP or one of `errnos` inside means that the feature is not offered."""
        try:
            yield
        except OSError as error:
            if error.errno in (ENOSYS, EOPNOTSUPP, *errnos):
                raise Unsupported(refusal(error), error.errno or 0) from None
            raise

    @contextmanager
    def setup(self, feature: str = "", refused: tuple[int, ...] = ()) -> Iterator[None]:
        """What only prepares the question: a failure inside blocks it. A refused feature skips it."""
        try:
            yield
        except Malformed as broken:
            raise Blocked(opcode_name(broken.opcode), OSError(EIO, broken.observed)) from broken
        except OSError as error:
            if feature and error.errno in (ENOSYS, EOPNOTSUPP, *refused):
                raise Skip(f"no {feature} here: {refusal(error)}") from None
            name = opcode_name(error.opcode) if isinstance(error, Declined) else str(error.filename or "")
            raise Blocked(name, error) from error

    # -- words

    def type_of(self, attr: wire.Attr) -> str:
        """`regular file`, `directory`, …"""
        return type_name(attr.mode)

    def flag_names(self, flags: int) -> list[str]:
        """The names of INIT flags."""
        return wire.flag_names(InitFlag, flags)

    def answered_unasked(self) -> list[str]:
        """Names of operations that must not be answered, and were until now."""
        self.link.drain()
        return self.link.unasked

    # -- preparations

    def given_file(self, name: Name, content: bytes = b"", mode: int = 0o644, parent: int | None = None) -> int:
        """A regular file with a content: its nodeid. Raises Blocked where it cannot be made."""
        with self.setup():
            return self._new_file(self.dir if parent is None else parent, name, content, mode).nodeid

    def _new_file(self, parent: int, name: Name, content: bytes, mode: int) -> wire.EntryOut:
        """A file as the kernel makes one: by CREATE, by MKNOD and OPEN where CREATE is not there."""
        entry, handle = self._created(parent, name, mode)
        if content and self.write(handle, content) != len(content):
            raise Declined(EIO, Opcode.WRITE)
        self.close_quietly(handle)
        return entry

    def _created(self, parent: int, name: Name, mode: int) -> tuple[wire.EntryOut, Handle]:
        missing: Declined | None = None
        if Opcode.CREATE not in self.link.absent:
            try:
                return self.create(parent, name, mode)
            except Declined as error:
                if error.errno != ENOSYS:
                    raise
                missing = error
        try:
            entry = self.mknod(parent, name, stat.S_IFREG | mode)
        except Declined as error:
            raise (missing or error) from None
        self.link.absent.add(Opcode.CREATE)
        return entry, self.open(entry.nodeid, os.O_RDWR)

    def given_dir(self, name: Name, parent: int | None = None) -> int:
        """A directory: its nodeid."""
        with self.setup():
            return self.mkdir(self.dir if parent is None else parent, name).nodeid

    def given_symlink(self, name: Name, target: Name) -> int:
        """A symbolic link: its nodeid. Raises Skip where there are none."""
        with self.setup("symbolic link", (EPERM, EROFS)):
            return self.symlink(self.dir, name, target).nodeid

    def given_hardlink(self, node: int, name: Name) -> int:
        """A second name: its nodeid, which should be the same. Raises Skip where there are none."""
        with self.setup("hard link", (EPERM, EROFS)):
            return self.hardlink(node, self.dir, name).nodeid

    def given_xattr(self, node: int, name: Name, value: bytes) -> None:
        """An extended attribute. Raises Skip where there are none."""
        with self.setup("extended attribute", (EPERM, EROFS)):
            self.setxattr(node, name, value)

    def given_handle(self, node: int, flags: int = os.O_RDONLY) -> Handle:
        """An open file."""
        with self.setup():
            return self.open(node, flags)

    def name_limit(self) -> int:
        """The longest name that statfs admits to. Raises Skip where it does not say."""
        with self.setup():
            said = self.statfs().namelen
        if not 0 < said < 1024:  # FUSE_NAME_MAX: longer names never reach the daemon
            raise Skip(f"STATFS says that a name has up to {said} bytes: there is no limit to ask about")
        return said

    # -- looking

    def names(self, node: int) -> list[bytes]:
        """The names in a directory, sorted, without the dots."""
        raise NotImplementedError

    def some_file(self) -> Sample:
        """A regular file: a new one of 5000 bytes, or one that was there where nothing can be made."""
        if self.read_only:
            return self._existing("regular-file")
        content = bytes(range(250)) * 20
        with self.setup():
            entry = self._new_file(self.dir, "sample", content, 0o644)
        attr = replace(entry.attr, size=len(content))
        return Sample(entry.nodeid, self.dir, b"sample", attr, content)

    def some_dir(self) -> Sample:
        """A directory: the check's own, one that was there, or the root."""
        if self.read_only:
            try:
                return self._existing("directory")
            except Skip:
                return Sample(self.root, self.root, b"", wire.Attr(mode=stat.S_IFDIR))
        return Sample(self.dir, self.root, b"", wire.Attr(mode=stat.S_IFDIR | 0o755))

    def some_symlink(self) -> Sample:
        """A symbolic link: a new one, or one that was there. Raises Skip where there is none."""
        if self.read_only:
            return self._existing("symlink")
        with self.setup("symbolic link", (EPERM, EROFS)):
            entry = self.symlink(self.dir, "sample-link", b"target/of/the/link")
        return Sample(entry.nodeid, self.dir, b"sample-link", entry.attr, b"target/of/the/link")

    def _existing(self, kind: str) -> Sample:
        raise NotImplementedError

    def ask_raw(self, opcode: int, node: int, body: bytes) -> Any:
        """A request of bytes as they are: the body of its answer."""
        return self.request(opcode, node, body)
