"""The operations on names and nodes, as a kernel asks them.

Owns one method per operation, which counts what it got in the ledger; knows nothing of checks. Every method
raises OSError with the daemon's errno. Names are str or bytes; times are (seconds, nanoseconds).
"""

from __future__ import annotations

import os
import platform
import stat
import time
from errno import ENOENT, ENOSYS
from typing import Any

from fsprobe import wire
from fsprobe.checks.kernel import Handle, Name, Time
from fsprobe.runners.kernel_ledger import Ledger
from fsprobe.runners.kernel_link import Declined, Link, Malformed
from fsprobe.wire import InitFlag, Opcode, OpenFlag, SetattrValid, opcode_name

# Set by the kernel for every open of a 64-bit process; Python's os.O_LARGEFILE is 0 there.
_LARGEFILE = {"aarch64": 0o400000}.get(platform.machine(), 0o100000)
_NOT_PASSED_ON = os.O_CREAT | os.O_EXCL | os.O_NOCTTY  # fs/fuse/file.c fuse_send_open
_U64 = (1 << 64) - 1


def _seconds(value: int) -> int:
    """Seconds before 1970 as the wire has them."""
    return value & _U64


class NodeOps:
    """Operations whose subject is a name or a nodeid."""

    root = wire.ROOT_ID

    def __init__(self, link: Link, negotiated: wire.Negotiated) -> None:
        self.link = link
        self.negotiated = negotiated
        self.ledger = Ledger()

    def has(self, flag: str) -> bool:
        """Whether both sides agreed on an INIT flag, by its name without FUSE_."""
        return bool(self.negotiated.flags & InitFlag[flag])

    def request(self, opcode: int, nodeid: int, body: object = None) -> Any:
        """Send anything and return the reply's body: bytes for an opcode that is not known."""
        return self.link.ask(opcode, nodeid, body)

    def full_name(self, parent: int, name: Name) -> bytes:
        """A name as it goes on the wire."""
        return os.fsencode(name)

    def _made(self, opcode: int, parent: int, raw: bytes, body: object) -> wire.EntryOut:
        entry: wire.EntryOut = self.request(opcode, parent, body)
        self.ledger.made(parent, raw, directory=opcode == Opcode.MKDIR)
        if opcode == Opcode.MKDIR:
            self.ledger.own.add(entry.nodeid)
        self.ledger.handed(entry.nodeid, entry.attr.mode)
        return entry

    def _masked(self, mode: int, umask: int) -> int:
        """The kernel applies the umask unless the daemon wants to."""
        return mode if self.has("DONT_MASK") else mode & ~umask

    # -- names

    def lookup(self, parent: int, name: Name) -> wire.EntryOut:
        """LOOKUP. A negative entry (nodeid 0) is ENOENT too."""
        entry: wire.EntryOut = self.request(Opcode.LOOKUP, parent, wire.Lookup(self.full_name(parent, name)))
        if entry.nodeid == 0:
            raise Declined(ENOENT, Opcode.LOOKUP)
        self.ledger.handed(entry.nodeid, entry.attr.mode)
        return entry

    def mknod(self, parent: int, name: Name, mode: int, rdev: int = 0, umask: int = 0o022) -> wire.EntryOut:
        """MKNOD; the mode has the type."""
        raw = self.full_name(parent, name)
        body = wire.Mknod(mode=self._masked(mode, umask), rdev=rdev, umask=umask, name=raw)
        return self._made(Opcode.MKNOD, parent, raw, body)

    def mkdir(self, parent: int, name: Name, mode: int = 0o755, umask: int = 0o022) -> wire.EntryOut:
        """MKDIR."""
        raw = self.full_name(parent, name)
        return self._made(Opcode.MKDIR, parent, raw, wire.Mkdir(self._masked(mode, umask), umask, raw))

    def symlink(self, parent: int, name: Name, target: Name) -> wire.EntryOut:
        """SYMLINK."""
        raw = self.full_name(parent, name)
        return self._made(Opcode.SYMLINK, parent, raw, wire.Symlink(raw, os.fsencode(target)))

    def hardlink(self, node: int, parent: int, name: Name) -> wire.EntryOut:
        """LINK."""
        raw = self.full_name(parent, name)
        return self._made(Opcode.LINK, parent, raw, wire.Link(node, raw))

    def create(
        self, parent: int, name: Name, mode: int = 0o644, flags: int = os.O_RDWR, umask: int = 0o022
    ) -> tuple[wire.EntryOut, Handle]:
        """CREATE: the new file, opened."""
        raw = self.full_name(parent, name)
        asked = flags | os.O_CREAT | _LARGEFILE
        body = wire.Create(asked, self._masked(stat.S_IFREG | mode, umask), umask, name=raw)
        made: wire.CreateOut = self.request(Opcode.CREATE, parent, body)
        self.ledger.made(parent, raw)
        return self._opened_new(made, asked)

    def tmpfile(self, parent: int, mode: int = 0o644, flags: int = os.O_RDWR) -> tuple[wire.EntryOut, Handle]:
        """TMPFILE: a file without a name, opened. Its name on the wire says nothing (fs/fuse/dir.c)."""
        asked = flags | os.O_TMPFILE | _LARGEFILE
        made = self.request(Opcode.TMPFILE, parent, wire.Create(asked, stat.S_IFREG | mode, 0, name=b"/"))
        return self._opened_new(made, asked)

    def _opened_new(self, made: wire.CreateOut, flags: int) -> tuple[wire.EntryOut, Handle]:
        handle = Handle(made.entry.nodeid, made.open.fh, flags, made.open.open_flags)
        self.ledger.handles.append(handle)
        self.ledger.handed(made.entry.nodeid, made.entry.attr.mode)
        return made.entry, handle

    def unlink(self, parent: int, name: Name) -> None:
        """UNLINK."""
        raw = self.full_name(parent, name)
        self.request(Opcode.UNLINK, parent, wire.Unlink(raw))
        self.ledger.gone(parent, raw)

    def rmdir(self, parent: int, name: Name) -> None:
        """RMDIR."""
        raw = self.full_name(parent, name)
        self.request(Opcode.RMDIR, parent, wire.Rmdir(raw))
        self.ledger.gone(parent, raw)

    def rename(self, parent: int, name: Name, newparent: int, newname: Name) -> None:
        """RENAME."""
        old, new = self.full_name(parent, name), self.full_name(newparent, newname)
        self.request(Opcode.RENAME, parent, wire.Rename(newparent, old, new))
        self.ledger.moved(parent, old, newparent, new)

    def rename2(self, parent: int, name: Name, newparent: int, newname: Name, flags: int) -> None:
        """RENAME2: with the flags of renameat2(2), RENAME_NOREPLACE 1, RENAME_EXCHANGE 2."""
        old, new = self.full_name(parent, name), self.full_name(newparent, newname)
        self.request(Opcode.RENAME2, parent, wire.Rename2(newparent, flags, oldname=old, newname=new))
        if flags & 2:
            self.ledger.swapped(parent, old, newparent, new)
        else:
            self.ledger.moved(parent, old, newparent, new)

    # -- nodes

    def lookups(self, node: int) -> int:
        """How often a nodeid was handed out and not given back."""
        return self.ledger.lookups.get(node, 0)

    def forget(self, node: int, count: int = 1) -> None:
        """FORGET, which has no answer."""
        self.link.send(Opcode.FORGET, node, wire.ForgetIn(count))
        self.ledger.gave_back(node, count)

    def batch_forget(self, counts: list[tuple[int, int]]) -> None:
        """BATCH_FORGET of (nodeid, lookups), which has no answer; FORGET one by one before 7.16."""
        if self.link.minor < wire.SINCE[Opcode.BATCH_FORGET]:
            for node, count in counts:
                self.forget(node, count)
            return
        body = wire.BatchForgetIn(forgets=tuple(wire.ForgetOne(node, count) for node, count in counts))
        self.link.send(Opcode.BATCH_FORGET, 0, body)
        for node, count in counts:
            self.ledger.gave_back(node, count)

    def getattr(self, node: int, handle: Handle | None = None) -> wire.Attr:
        """GETATTR, with an open handle where one is given."""
        body = wire.GetattrIn() if handle is None else wire.GetattrIn(wire.GetattrFlag.FH, 0, handle.fh)
        return self._attr(node, self.request(Opcode.GETATTR, node, body))

    def setattr(
        self, node: int, *, mode: int | None = None, uid: int | None = None, gid: int | None = None,
        size: int | None = None, atime: Time | None = None, mtime: Time | None = None, now: bool = False,
        handle: Handle | None = None,
    ) -> wire.Attr:  # fmt: skip
        """SETATTR of what is given. now: atime and mtime to the daemon's clock, as utimes(path, NULL) does."""
        bits = SetattrValid
        valid = sum(
            bit.value
            for bit, given in (
                (bits.MODE, mode), (bits.UID, uid), (bits.GID, gid), (bits.SIZE, size), (bits.FH, handle),
                (bits.ATIME, atime), (bits.MTIME, mtime),
            )
            if given is not None
        )  # fmt: skip
        access, modify = atime or (0, 0), mtime or (0, 0)
        if now:  # the kernel sends its own clock too, for daemons that do not know the bits (iattr_to_fattr)
            valid |= bits.ATIME | bits.MTIME | bits.ATIME_NOW | bits.MTIME_NOW
            access = modify = divmod(time.time_ns(), 1_000_000_000)
        body = wire.SetattrIn(
            valid=valid, fh=handle.fh if handle else 0, size=size or 0, mode=mode or 0, uid=uid or 0, gid=gid or 0,
            atime=_seconds(access[0]), atimensec=access[1], mtime=_seconds(modify[0]), mtimensec=modify[1],
        )  # fmt: skip
        return self._attr(node, self.request(Opcode.SETATTR, node, body))

    def _attr(self, node: int, answer: wire.AttrOut) -> wire.Attr:
        self.ledger.typed(node, answer.attr.mode)
        return answer.attr

    def readlink(self, node: int) -> bytes:
        """READLINK: the target as it came."""
        target: bytes = self.request(Opcode.READLINK, node).target
        return target

    def statfs(self, node: int = wire.ROOT_ID) -> wire.Kstatfs:
        """STATFS."""
        answer: wire.StatfsOut = self.request(Opcode.STATFS, node)
        return answer.st

    def access(self, node: int, mask: int) -> None:
        """ACCESS."""
        self.request(Opcode.ACCESS, node, wire.AccessIn(mask))

    def statx(self, node: int, mask: int = 0xFFF) -> wire.Statx:
        """STATX."""
        answer: wire.StatxOut = self.request(Opcode.STATX, node, wire.StatxIn(sx_mask=mask))
        return answer.stat

    def syncfs(self) -> None:
        """SYNCFS."""
        self.request(Opcode.SYNCFS, self.root, wire.SyncfsIn())

    def bmap(self, node: int, block: int = 0, blocksize: int = 4096) -> int:
        """BMAP."""
        answer: wire.BmapOut = self.request(Opcode.BMAP, node, wire.BmapIn(block, blocksize))
        return answer.block

    # -- extended attributes

    def setxattr(self, node: int, name: Name, value: bytes, flags: int = 0) -> None:
        """SETXATTR; flags 1 XATTR_CREATE, 2 XATTR_REPLACE."""
        self.request(Opcode.SETXATTR, node, wire.Setxattr(flags=flags, name=os.fsencode(name), value=value))

    def getxattr(self, node: int, name: Name, size: int = 65536) -> bytes:
        """GETXATTR of the value."""
        value: bytes = self.request(Opcode.GETXATTR, node, wire.Getxattr(size, name=os.fsencode(name))).data
        return value

    def getxattr_size(self, node: int, name: Name) -> int:
        """GETXATTR of the value's length alone."""
        return int(self.request(Opcode.GETXATTR, node, wire.Getxattr(0, name=os.fsencode(name))).size)

    def listxattr(self, node: int, size: int = 65536) -> list[bytes]:
        """LISTXATTR: the names. Raises Finding for a list that a kernel refuses."""
        data: bytes = self.request(Opcode.LISTXATTR, node, wire.GetxattrIn(size)).data
        return data.split(b"\0")[:-1]

    def listxattr_size(self, node: int) -> int:
        """LISTXATTR of the list's length alone."""
        return int(self.request(Opcode.LISTXATTR, node, wire.GetxattrIn(0)).size)

    def removexattr(self, node: int, name: Name) -> None:
        """REMOVEXATTR."""
        self.request(Opcode.REMOVEXATTR, node, wire.Removexattr(os.fsencode(name)))

    # -- opening

    def open(self, node: int, flags: int = os.O_RDONLY) -> Handle:
        """OPEN. ENOSYS means that no open is needed; O_TRUNC goes as SETATTR where it was not agreed on."""
        asked = flags & ~_NOT_PASSED_ON | _LARGEFILE
        if not self.has("ATOMIC_O_TRUNC"):
            asked &= ~os.O_TRUNC
        handle = self._open(Opcode.OPEN, node, asked, OpenFlag.KEEP_CACHE)
        if flags & os.O_TRUNC and not self.has("ATOMIC_O_TRUNC"):
            self.setattr(node, size=0)
        return handle

    def opendir(self, node: int) -> Handle:
        """OPENDIR. ENOSYS means that no open is needed."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | _LARGEFILE
        return self._open(Opcode.OPENDIR, node, flags, OpenFlag.KEEP_CACHE | OpenFlag.CACHE_DIR)

    def _open(self, opcode: Opcode, node: int, flags: int, stateless: int) -> Handle:
        directory = opcode == Opcode.OPENDIR
        none = Handle(node, 0, flags, stateless, directory, stateless=True)
        if opcode in self.link.absent:
            return none
        try:
            answer: wire.OpenOut = self.request(opcode, node, wire.OpenIn(flags))
        except Declined as error:
            if error.errno != ENOSYS:
                raise
            self.link.absent.add(opcode)
            return none
        if answer.open_flags & OpenFlag.PASSTHROUGH:
            raise Malformed(opcode, f"{opcode_name(opcode)} asks for PASSTHROUGH, which was not agreed on")
        handle = Handle(node, answer.fh, flags, answer.open_flags, directory)
        self.ledger.handles.append(handle)
        return handle
