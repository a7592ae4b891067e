"""The operations of the protocol, done on the model: a request in, the body of its reply out.

Owns node ids, lookup counts and file handles; knows nothing of the device. A node id is an inode number. A method
is named after its operation; it returns the reply's body, None where that is empty, or raises OSError.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import Any

from fsprobe.wire import (
    BatchForgetIn,
    CopyFileRangeOut,
    DataOut,
    DirentList,
    DirentPlusList,
    EntryOut,
    GetxattrOut,
    LkOut,
    LseekOut,
    OpenFlag,
    OpenInFlag,
    OpenOut,
    PollOut,
    ReadlinkOut,
    Request,
    SetattrIn,
    SetattrValid,
    WriteFlag,
    WriteOut,
    pack,
)
from reference_fs import defects, model_attributes, model_files, model_names, model_rename, model_xattrs
from reference_fs import raw_replies as replies
from reference_fs.model import Store
from reference_fs.model_attributes import Changes
from reference_fs.model_inode import Inode, fail
from reference_fs.model_permissions import READ, allowed, mask_of, require
from reference_fs.profiles import CRASH_SIZE, Profile
from reference_fs.raw_locks import Locks
from reference_fs.raw_replies import Timeouts
from reference_fs.raw_requests import caller, changes_of, sized
from reference_fs.vector_interface import VectorInterface, is_writer

ALWAYS_READY = 0x145  # POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM (poll.h)
WRITE_COUNT_MAX = 0xFFFF_F000  # the reply to WRITE and COPY_FILE_RANGE has 32 bits
FORBIDDEN_IN_OPEN = os.O_CREAT | os.O_EXCL | os.O_NOCTTY


class Operations:
    """granted: what this request has handed out lookups of, to be taken back where the reply reaches nobody.

    killpriv: the kernel says for each request whether set-id bits are to go (HANDLE_KILLPRIV_V2).
    """

    def __init__(self, store: Store, timeouts: Timeouts, profile: Profile) -> None:
        self.store = store
        self.timeouts = timeouts
        self.profile = profile
        self.killpriv = False
        self.granted: list[Inode] = []
        self.locks = Locks()
        self.vectors = VectorInterface(store, absent=profile.absent, relock=profile.relock)
        self.mountpoint = ""
        self._flat = defects.FlatNames() if profile.flat_names else None
        self._writers: set[int] = set()
        self._lookups: dict[int, int] = {}
        self._handles: dict[int, Inode] = {}
        self._next_handle = 1

    # nodes and handles

    def node(self, nodeid: int) -> Inode:
        """The inode of a node id."""
        return self.store.get(nodeid)

    def _grant(self, inode: Inode) -> bytes:
        """An entry whose lookup the kernel will give back by FORGET."""
        self.store.hold(inode)
        self._lookups[inode.ino] = self._lookups.get(inode.ino, 0) + 1
        self.granted.append(inode)
        return replies.entry_out(inode, self.timeouts)

    def forget(self, nodeid: int, count: int) -> None:
        """Take lookups back; more than were handed out are not believed."""
        held = self._lookups.get(nodeid, 0)
        count = min(count, held)
        if count and nodeid in self.store.inodes:
            self.store.drop(self.store.inodes[nodeid], count)
        if held > count:
            self._lookups[nodeid] = held - count
        else:
            self._lookups.pop(nodeid, None)

    def take_back(self) -> None:
        """The reply with these entries reached nobody."""
        for inode in self.granted:
            self.forget(inode.ino, 1)

    def _open(self, inode: Inode, flags: int = os.O_RDONLY) -> OpenOut:
        self.store.hold(inode)
        fh = self._next_handle
        self._next_handle += 1
        self._handles[fh] = inode
        if is_writer(flags):
            self._writers.add(fh)
        if not inode.fixed:
            return OpenOut(fh=fh)
        self.vectors.opened(inode)
        return OpenOut(fh=fh, open_flags=OpenFlag.DIRECT_IO)

    def _file(self, fh: int, nodeid: int) -> Inode:
        return self._handles.get(fh) or self.node(nodeid)

    def FORGET(self, request: Request) -> None:
        self.forget(request.header.nodeid, request.body.nlookup)

    def BATCH_FORGET(self, request: Request) -> None:
        body: BatchForgetIn = request.body
        for one in body.forgets:
            self.forget(one.nodeid, one.nlookup)

    # names

    def LOOKUP(self, request: Request) -> bytes | EntryOut:
        parent = self.node(request.header.nodeid)
        try:
            return self._grant(model_names.lookup(self.store, parent, request.body.name, caller(request)))
        except OSError as error:
            seconds, nanoseconds = self.timeouts.negative
            if error.errno != errno.ENOENT or not (seconds or nanoseconds):
                raise
            return EntryOut(entry_valid=seconds, entry_valid_nsec=nanoseconds)

    def MKNOD(self, request: Request) -> bytes:
        body, parent = request.body, self.node(request.header.nodeid)
        return self._grant(
            model_names.make(self.store, parent, body.name, caller(request), body.mode, body.rdev)
        )

    def MKDIR(self, request: Request) -> bytes:
        body, parent = request.body, self.node(request.header.nodeid)
        return self._grant(model_names.make_directory(self.store, parent, body.name, caller(request), body.mode))

    def SYMLINK(self, request: Request) -> bytes:
        body, parent = request.body, self.node(request.header.nodeid)
        return self._grant(model_names.make_symlink(self.store, parent, body.name, caller(request), body.target))

    def READLINK(self, request: Request) -> ReadlinkOut:
        return ReadlinkOut(model_names.read_link(self.store, self.node(request.header.nodeid)))

    def LINK(self, request: Request) -> bytes:
        body, parent = request.body, self.node(request.header.nodeid)
        inode = model_names.link(self.store, self.node(body.oldnodeid), parent, body.newname, caller(request))
        self.vectors.settle()
        return self._grant(inode)

    def UNLINK(self, request: Request) -> None:
        parent = self.node(request.header.nodeid)
        inode = model_names.unlink(self.store, parent, request.body.name, caller(request))
        if self.profile.drops_open and inode.nlink == 0:
            defects.forget(self.store, inode, self._handles)

    def RMDIR(self, request: Request) -> None:
        parent = self.node(request.header.nodeid)
        model_names.remove_directory(self.store, parent, request.body.name, caller(request))

    def RENAME2(self, request: Request) -> None:
        body = request.body
        model_rename.rename(
            self.store, self.node(request.header.nodeid), body.oldname, self.node(body.newdir), body.newname,
            caller(request), getattr(body, "flags", 0),
        )  # fmt: skip
        self.vectors.settle()

    RENAME = RENAME2

    # attributes

    def GETATTR(self, request: Request) -> Any:
        return replies.attr_out(self.node(request.header.nodeid), self.timeouts)

    def STATX(self, request: Request) -> Any:
        return replies.statx_out(self.node(request.header.nodeid), self.timeouts)

    def SETATTR(self, request: Request) -> Any:
        body: SetattrIn = request.body
        inode = self.node(request.header.nodeid)
        if self.profile.crash_truncate and body.valid & SetattrValid.SIZE and body.size >= CRASH_SIZE:
            os.abort()
        model_attributes.set_attributes(
            self.store, inode, caller(request), changes_of(body), opened=self._by_writer(body, inode),
            kill=bool(body.valid & SetattrValid.KILL_SUIDGID) if self.killpriv else None,
        )  # fmt: skip
        return replies.attr_out(inode, self.timeouts)

    def _by_writer(self, body: SetattrIn, inode: Inode) -> bool:
        """Whether a change is made through an open file. Both a writer's and chown(2) with -1 for both may come as a
        request to change nothing, which says of neither who it is."""
        if body.valid:
            return bool(body.valid & SetattrValid.FH)
        return any(self._handles.get(fh) is inode for fh in self._writers)

    def ACCESS(self, request: Request) -> None:
        if not allowed(self.node(request.header.nodeid), caller(request), request.body.mask & 7):
            raise fail(errno.EACCES)

    def STATFS(self, request: Request) -> Any:
        if self.profile.own_mount:
            defects.use_own_mount(self.mountpoint)
        return replies.statfs_out(self.store.space())

    def SETXATTR(self, request: Request) -> None:
        body, inode = request.body, self.node(request.header.nodeid)
        model_xattrs.set_xattr(self.store, inode, body.name, body.value, body.flags, caller(request))

    def GETXATTR(self, request: Request) -> DataOut | GetxattrOut:
        inode = self.node(request.header.nodeid)
        value = model_xattrs.get_xattr(self.store, inode, request.body.name, caller(request))
        return sized(value, request.body.size)

    def LISTXATTR(self, request: Request) -> DataOut | GetxattrOut:
        names = model_xattrs.list_xattrs(self.store, self.node(request.header.nodeid), caller(request))
        return sized(b"".join(name + b"\0" for name in names), request.body.size)

    def REMOVEXATTR(self, request: Request) -> None:
        inode = self.node(request.header.nodeid)
        model_xattrs.remove_xattr(self.store, inode, request.body.name, caller(request))

    # content

    def CREATE(self, request: Request) -> bytes:
        body, parent = request.body, self.node(request.header.nodeid)
        inode = model_names.open_or_make(
            self.store, parent, body.name, caller(request), body.mode, exclusive=bool(body.flags & os.O_EXCL)
        )
        if body.flags & os.O_TRUNC and inode.size:
            self._empty(request, inode)
        if self._flat:
            inode = self._flat.made(self.store, parent, body.name, inode)
        return self._grant(inode) + pack(self._open(inode, body.flags))

    def TMPFILE(self, request: Request) -> bytes:
        body, parent = request.body, self.node(request.header.nodeid)
        inode = model_names.make_unnamed(
            self.store, parent, caller(request), body.mode, linkable=not body.flags & os.O_EXCL
        )
        return self._grant(inode) + pack(self._open(inode, body.flags))

    def OPEN(self, request: Request) -> OpenOut:
        inode, flags = self.node(request.header.nodeid), request.body.flags
        require(self.store, inode, caller(request), mask_of(flags))
        if flags & os.O_TRUNC:
            self._empty(request, inode)
        return self._open(inode, flags)

    def _empty(self, request: Request, inode: Inode) -> None:
        """O_TRUNC: ATOMIC_O_TRUNC leaves it to whoever opens the file."""
        kill = bool(request.body.open_flags & OpenInFlag.KILL_SUIDGID) if self.killpriv else None
        model_attributes.set_attributes(
            self.store, inode, caller(request), Changes(size=0), opened=True, kill=kill
        )

    def OPENDIR(self, request: Request) -> OpenOut:
        inode = self.node(request.header.nodeid)
        model_names.entries_of(inode)
        require(self.store, inode, caller(request), READ)
        return self._open(inode)

    def RELEASE(self, request: Request) -> None:
        self.locks.release(request)
        fh = request.body.fh
        inode = self._handles.pop(fh, None)
        if inode is None:
            return
        try:
            if fh in self._writers:
                self._writers.discard(fh)
                self.vectors.closing(inode)
        finally:  # nobody hears of the error
            self.store.drop(inode)

    RELEASEDIR = RELEASE

    def READ(self, request: Request) -> DataOut:
        body, inode = request.body, self._file(request.body.fh, request.header.nodeid)
        if inode.fixed:
            return DataOut(self.vectors.read(inode, body.offset, body.size))
        quiet = bool(body.flags & os.O_NOATIME)
        return DataOut(model_files.read(self.store, inode, body.offset, body.size, quiet=quiet))

    def WRITE(self, request: Request) -> WriteOut:
        body, inode = request.body, self._file(request.body.fh, request.header.nodeid)
        if self.profile.stderr_pipe:
            defects.log(f"vexfs: write {len(body.data)} bytes at {body.offset}")
        if inode.fixed:
            return WriteOut(self.vectors.write(inode, body.data))
        kill = bool(body.write_flags & WriteFlag.KILL_SUIDGID) if self.killpriv else request.header.uid != 0
        return WriteOut(
            model_files.write(self.store, inode, body.offset, body.data, kill=caller(request) if kill else None)
        )

    def READDIR(self, request: Request) -> DirentList:
        page = self._page(request, replies.DIRENT_SIZE)
        return DirentList(tuple(replies.dirent(*entry) for entry in page))

    def READDIRPLUS(self, request: Request) -> DirentPlusList:
        found = []
        for name, inode, offset in self._page(request, replies.DIRENTPLUS_SIZE):
            found.append(replies.direntplus(name, inode, offset, self.timeouts))
            if name not in (b".", b".."):
                self._grant(inode)
        return DirentPlusList(tuple(found))

    def _page(self, request: Request, head: int) -> Iterator[tuple[bytes, Inode, int]]:
        """As many entries as the kernel has room for, each `head` bytes and its name, rounded up to 8."""
        room, inode = request.body.size, self.node(request.header.nodeid)
        listing = model_names.list_directory(self.store, inode, request.body.offset, room // head + 1)
        for entry in listing:
            room -= (head + len(entry[0]) + 7) & ~7
            if room < 0:
                return
            yield entry

    def FSYNC(self, request: Request) -> None:
        """What O_SYNC asks for comes as FSYNC too; sync(2) comes only from kernels that pass SYNCFS on."""
        self.store.sync()

    FSYNCDIR = SYNCFS = FSYNC

    def FALLOCATE(self, request: Request) -> None:
        body, inode = request.body, self._file(request.body.fh, request.header.nodeid)
        kill = caller(request) if request.header.uid else None
        model_files.allocate(self.store, inode, body.mode, body.offset, body.length, kill=kill)

    def LSEEK(self, request: Request) -> LseekOut:
        body, inode = request.body, self._file(request.body.fh, request.header.nodeid)
        return LseekOut(model_files.seek(self.store, inode, body.offset, body.whence))

    def COPY_FILE_RANGE(self, request: Request) -> WriteOut:
        return WriteOut(self._copy(request, WRITE_COUNT_MAX))

    def COPY_FILE_RANGE_64(self, request: Request) -> CopyFileRangeOut:
        return CopyFileRangeOut(self._copy(request, model_files.SIZE_MAX))

    def _copy(self, request: Request, most: int) -> int:
        body = request.body
        if body.flags:
            raise fail(errno.EINVAL)
        source = self._file(body.fh_in, request.header.nodeid)
        target = self._file(body.fh_out, body.nodeid_out)
        if target.fixed or source.fixed:
            raise fail(errno.EOPNOTSUPP)  # the kernel then reads and writes
        kill = caller(request) if request.header.uid else None
        return model_files.copy(
            self.store, source, body.off_in, target, body.off_out, min(body.len, most), kill=kill
        )

    # locks

    def GETLK(self, request: Request) -> LkOut:
        return self.locks.get(request)

    def SETLK(self, request: Request) -> None:
        self.locks.set(request)

    def SETLKW(self, request: Request) -> None:
        self.locks.wait(request)

    def INTERRUPT(self, request: Request) -> None:
        self.locks.interrupt(request.body.unique)

    def FLUSH(self, request: Request) -> None:
        self.locks.flush(request)
        fh = request.body.fh
        inode = self._handles.get(fh) or self.store.inodes.get(request.header.nodeid)
        if inode is not None and (fh in self._writers or fh not in self._handles):
            self.vectors.closing(inode)

    # the rest

    def POLL(self, request: Request) -> PollOut:
        """A file of memory is always ready."""
        return PollOut(request.body.events & ALWAYS_READY or ALWAYS_READY)

    def IOCTL(self, request: Request) -> None:
        """There are no commands."""
        raise fail(errno.ENOTTY)

    def DESTROY(self, request: Request) -> None:
        """The last request; nothing needs writing out."""
