"""libfuse 2's main loop, with a channel of ours between it and the device.

Owns two corrections. libfuse 2 knows files by path: once a name is taken by a rename or a removal, it answers ENOENT
to whoever has looked the file up and is about to open it, so that a reader of a file that is being replaced finds
none, and who stands in a removed directory cannot list it. A file does not end with its name: here OPEN, OPENDIR,
GETATTR, GETXATTR and LISTXATTR of such a node are answered for libfuse, from the inode that the node was looked up as.
And it does nothing for chown(2) with -1 for both, which has to leave its mark on ctime. Everything used is libfuse's
public interface (fuse_lowlevel.h) and the layout of ten messages (linux/fuse.h).
"""

from __future__ import annotations

import ctypes
import errno
import struct
from ctypes import CFUNCTYPE, POINTER, byref, c_int, c_size_t, c_uint, c_uint32, c_uint64, c_void_p, string_at
from typing import Any

from reference_fs import model_xattrs
from reference_fs.callers import caller_of
from reference_fs.fusepy_operations import Operations
from reference_fs.model_attributes import NOTHING, set_attributes
from reference_fs.model_data import BLOCK
from reference_fs.model_inode import Caller, Inode

LOOKUP, FORGET, GETATTR, SETATTR, SYMLINK, MKNOD, MKDIR, LINK = 1, 2, 3, 4, 6, 8, 9, 13
OPEN, RELEASE, GETXATTR, LISTXATTR, OPENDIR, READDIR, RELEASEDIR = 14, 18, 22, 23, 27, 28, 29
FSYNCDIR, CREATE, BATCH_FORGET = 30, 35, 42
ENTRIES = frozenset({LOOKUP, SYMLINK, MKNOD, MKDIR, LINK, CREATE})  # their replies begin with a fuse_entry_out
BY_HANDLE = frozenset({RELEASE, READDIR, RELEASEDIR, FSYNCDIR})  # their requests begin with one
LOOKED_AT = BY_HANDLE | {FORGET, BATCH_FORGET, SETATTR}
ROOT_NODE = 1
OUT_HEADER = struct.Struct("=IiQ")  # fuse_out_header
BODY = 40  # where a request's own fields begin
PAIR, COUNT, FH = struct.Struct("=QQ"), struct.Struct("=I4x"), struct.Struct("=Q")
OPEN_OUT, ATTR_OUT = struct.Struct("=Q8x"), struct.Struct("=16x3Q3Q3I7I")

_RECEIVE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
_SEND = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
_libc = ctypes.CDLL(None, use_errno=True)
_read, _writev, _write = _libc.read, _libc.writev, _libc.write
_read.argtypes = [c_int, c_void_p, c_size_t]
_writev.argtypes = [c_int, c_void_p, c_size_t]
_write.argtypes = [c_int, ctypes.c_char_p, c_size_t]


class _ChannelOperations(ctypes.Structure):
    _fields_ = (("receive", _RECEIVE), ("send", _SEND), ("destroy", c_void_p))


class _InHeader(ctypes.Structure):
    """fuse_in_header."""

    _fields_ = (("length", c_uint32), ("opcode", c_uint32), ("unique", c_uint64), ("node", c_uint64),
                ("uid", c_uint32), ("gid", c_uint32), ("pid", c_uint32))  # fmt: skip


class _EntryOut(ctypes.Structure):
    """fuse_entry_out up to attr.ino."""

    _fields_ = (("node", c_uint64), ("_validity", c_uint64 * 4), ("ino", c_uint64))


class _Iovec(ctypes.Structure):
    _fields_ = (("base", c_void_p), ("length", c_size_t))


class Channel:
    """What libfuse reads requests and writes replies by, one request at a time.

    nodes: what each node was looked up as, and how often. opened: handles that libfuse knows nothing of.
    """

    def __init__(self, library: Any, session: int, fd: int, operations: Operations) -> None:
        self._library = library
        self._session = session
        self._fd = fd
        self._operations = operations
        self._request = _InHeader()
        self._body = 0  # where the rest of it is
        self._nodes: dict[int, tuple[Inode, int]] = {}
        self._opened: set[int] = set()
        self.callbacks = _ChannelOperations(_RECEIVE(self._receive), _SEND(self._send), None)

    def _receive(self, channel: int, buffer: int, size: int) -> int:
        while True:
            length: int = _read(self._fd, buffer, size)
            if length > 0:
                self._request, self._body = _InHeader.from_address(buffer), buffer + BODY
                if self._request.opcode not in LOOKED_AT or not self._serve(self._body):
                    return length
                continue
            if self._library.fuse_session_exited(self._session):  # a signal
                return 0
            code = ctypes.get_errno() if length else errno.ENODEV  # end-of-file of a socket in the device's place
            if code == errno.ENODEV:
                self._library.fuse_session_exit(self._session)
                return 0
            if code != errno.ENOENT:  # withdrawn before it was read
                return -code

    def _serve(self, body: int) -> bool:
        """Look at a request before libfuse does. True where that was all it needed."""
        opcode, node = self._request.opcode, self._request.node
        if opcode == FORGET:
            self._forget(node, *FH.unpack(string_at(body, FH.size)))
        elif opcode == BATCH_FORGET:
            (count,) = COUNT.unpack(string_at(body, COUNT.size))
            for pair in PAIR.iter_unpack(string_at(body + COUNT.size, count * PAIR.size)):
                self._forget(*pair)
        elif opcode in BY_HANDLE:
            (fh,) = FH.unpack(string_at(body, FH.size))
            if fh in self._opened:  # nothing is left to list or to write out
                if opcode in (RELEASE, RELEASEDIR):
                    self._opened.remove(fh)
                    self._operations.release(None, fh)
                return self._answer(b"") == 0
        elif opcode == SETATTR and not c_uint.from_address(body).value:  # fuse_setattr_in.valid
            return self._change_nothing(node)
        return False

    def _caller(self) -> Caller:
        return caller_of(self._request.uid, self._request.gid, self._request.pid)

    def _change_nothing(self, node: int) -> bool:
        inode = self._operations.store.root if node == ROOT_NODE else self._nodes.get(node, (None, 0))[0]
        if inode is None or self._operations.chown is None:
            return False
        try:
            set_attributes(self._operations.store, inode, self._caller(), NOTHING)
        except OSError as error:
            return self._answer(b"", error.errno or errno.EIO) == 0
        return self._answer(_attr_out(inode)) == 0

    def _send(self, channel: int, vector: int, count: int) -> int:
        if not vector:
            return 0
        opcode, node = self._request.opcode, self._request.node
        error = c_int.from_address(_Iovec.from_address(vector).base + 4).value  # fuse_out_header.error
        if error in (-errno.ENOENT, -errno.ESTALE) and node in self._nodes:
            inode = self._nodes[node][0]
            if opcode == GETATTR:
                return self._answer(_attr_out(inode))
            if opcode == OPEN or (opcode == OPENDIR and inode.nlink == 0):
                fh = self._operations.handle(inode)
                self._opened.add(fh)
                return self._answer(OPEN_OUT.pack(fh))
            if opcode in (GETXATTR, LISTXATTR):
                return self._xattr(inode, opcode)
        if _writev(self._fd, vector, count) < 0:
            return -ctypes.get_errno()
        if opcode in ENTRIES and not error:
            entry = _EntryOut.from_address(_Iovec.from_address(vector + ctypes.sizeof(_Iovec)).base)
            self._looked_up(entry.node, entry.ino)
        return 0

    def _xattr(self, inode: Inode, opcode: int) -> int:
        size = c_uint.from_address(self._body).value  # fuse_getxattr_in: 0 asks how much there is; then a name
        store, caller = self._operations.store, self._caller()
        try:
            if opcode == GETXATTR:
                value = model_xattrs.get_xattr(store, inode, string_at(self._body + COUNT.size), caller)
            else:
                value = b"".join(name + b"\0" for name in model_xattrs.list_xattrs(store, inode, caller))
        except OSError as error:
            return self._answer(b"", error.errno or errno.EIO)
        if not size:
            return self._answer(COUNT.pack(len(value)))
        return self._answer(value) if len(value) <= size else self._answer(b"", errno.ERANGE)

    def _answer(self, body: bytes, error: int = 0) -> int:
        message = OUT_HEADER.pack(OUT_HEADER.size + len(body), -error, self._request.unique) + body
        return 0 if _write(self._fd, message, len(message)) >= 0 else -ctypes.get_errno()

    def _looked_up(self, node: int, ino: int) -> None:
        inode = self._operations.store.inodes.get(ino)
        if node and inode is not None:
            known = self._nodes.get(node)
            if known is None:
                self._operations.store.hold(inode)
            self._nodes[node] = (inode, (known[1] if known else 0) + 1)

    def _forget(self, node: int, count: int) -> None:
        known = self._nodes.get(node)
        if known is None:
            return
        if known[1] > count:
            self._nodes[node] = (known[0], known[1] - count)
        else:
            del self._nodes[node]
            self._operations.store.drop(known[0])


def _attr_out(inode: Inode) -> bytes:
    """fuse_attr_out, to be believed for no time."""
    times = [divmod(time, 10**9) for time in (inode.atime, inode.mtime, inode.ctime)]
    return ATTR_OUT.pack(
        inode.ino, inode.size, inode.blocks, *(seconds & (1 << 64) - 1 for seconds, _ in times),
        *(nanoseconds for _, nanoseconds in times), inode.mode, inode.nlink, inode.uid, inode.gid, inode.rdev, BLOCK, 0,
    )  # fmt: skip


def install(library: Any, operations: Operations) -> None:
    """Let fusepy's `fuse_main_real` be `main` below; library: fusepy's handle of libfuse 2."""
    for name, result, arguments in (
        ("fuse_setup", c_void_p, (c_int, c_void_p, c_void_p, c_size_t, POINTER(c_void_p), POINTER(c_int), c_void_p)),
        ("fuse_teardown", None, (c_void_p, c_void_p)),
        ("fuse_get_session", c_void_p, (c_void_p,)),
        ("fuse_session_next_chan", c_void_p, (c_void_p, c_void_p)),
        ("fuse_session_add_chan", None, (c_void_p, c_void_p)),
        ("fuse_session_remove_chan", None, (c_void_p,)),
        ("fuse_session_exit", None, (c_void_p,)),
        ("fuse_chan_fd", c_int, (c_void_p,)),
        ("fuse_chan_bufsize", c_size_t, (c_void_p,)),
        ("fuse_chan_new", c_void_p, (POINTER(_ChannelOperations), c_int, c_size_t, c_void_p)),
        ("fuse_session_exited", c_int, (c_void_p,)), ("fuse_loop", c_int, (c_void_p,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.fuse_main_real = lambda *arguments: main(library, operations, *arguments)


def main(library: Any, served: Operations, argc: int, argv: Any, operations: Any, size: int, data: Any) -> int:
    """What fuse_main_real does, single-threaded, with our channel put in the place of libfuse's while it loops.

    Returns the exit status.
    """
    mountpoint, threads = c_void_p(), c_int()
    fuse = library.fuse_setup(argc, argv, operations, size, byref(mountpoint), byref(threads), data)
    if not fuse:
        return 1
    session = library.fuse_get_session(fuse)
    device = library.fuse_session_next_chan(session, None)
    fd = library.fuse_chan_fd(device)
    channel = Channel(library, session, fd, served)
    ours = library.fuse_chan_new(byref(channel.callbacks), fd, library.fuse_chan_bufsize(device), None)
    library.fuse_session_remove_chan(device)
    library.fuse_session_add_chan(session, ours)
    failed = library.fuse_loop(fuse) == -1
    library.fuse_session_remove_chan(ours)
    library.fuse_session_add_chan(session, device)
    library.fuse_teardown(fuse, mountpoint)
    return int(failed)
