"""A daemon in a thread, on one end of a socket pair: correct in-memory answers, and faults by the relay's rules.

Owns a file system small enough to be read at one sitting; knows nothing of mounts. It is what a check of the
wire layer is held against: with no rule every check passes on it, with one of its killers none may.
"""

import errno
import os
import socket
import stat
import struct
import threading
import time
from dataclasses import dataclass, field

from fsprobe import wire
from fsprobe.relay.rules import RuleSet
from fsprobe.wire import InitFlag, Opcode, SetattrValid
from tests.runners.memory_files import Answer, FileAnswers, must

HEADER = struct.Struct("=IIQQ")
NAME_MAX = 255
WANTED = (
    InitFlag.ATOMIC_O_TRUNC | InitFlag.POSIX_LOCKS | InitFlag.DO_READDIRPLUS | InitFlag.BIG_WRITES
    | InitFlag.READDIRPLUS_AUTO | InitFlag.SETXATTR_EXT | InitFlag.INIT_EXT | InitFlag.MAX_PAGES
    | InitFlag.EXPORT_SUPPORT
)  # fmt: skip


@dataclass
class Node:
    mode: int
    uid: int = 0
    gid: int = 0
    nlink: int = 1
    rdev: int = 0
    data: bytearray = field(default_factory=bytearray)
    target: bytes = b""
    children: dict = field(default_factory=dict)
    xattrs: dict = field(default_factory=dict)
    locks: list = field(default_factory=list)
    times: dict = field(default_factory=lambda: dict.fromkeys(("atime", "mtime", "ctime"), time.time_ns()))
    lookups: int = 0

    @property
    def is_dir(self):
        return stat.S_ISDIR(self.mode)


class MemoryDaemon(threading.Thread, FileAnswers):
    """Serves until its socket closes. `refuse` maps operations to the errno they always get."""

    def __init__(self, rules=(), *, refuse=None, read_only=False, wanted=WANTED):
        super().__init__(daemon=True)
        self.kernel, self.socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.kernel, self.socket):
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        self.rules = RuleSet(list(rules))
        self.refuse = {Opcode[name]: number for name, number in (refuse or {}).items()}
        self.read_only, self.wanted = read_only, wanted
        self.nodes = {1: Node(0o40755, nlink=2)}
        self.next, self.waiting = 2, []
        self.handles = 0
        self.wronged = []
        self.open_handles = set()
        if read_only:
            self._fill()

    def _fill(self):
        root = self.nodes[1]
        for number, (name, node) in enumerate(
            {b"file": Node(0o100644, data=bytearray(b"0123456789" * 900)), b"dir": Node(0o40755, nlink=2),
             b"link": Node(0o120777, target=b"file")}.items(), 2,
        ):  # fmt: skip
            self.nodes[number] = node
            root.children[name] = number
        self.next = 5

    # -- the wire

    def run(self):
        buffer = bytearray(3 << 20)
        try:
            while count := self.socket.recv_into(buffer):
                self._take(bytes(memoryview(buffer)[:count]))
        except (OSError, SystemExit):
            pass
        self.socket.close()

    def _take(self, message):
        _, opcode, unique, nodeid = HEADER.unpack_from(message)
        action = self.rules.request(opcode, unique, nodeid, memoryview(message))
        if action is not None:
            if action.kill:
                raise SystemExit
            if action.reply is not None:
                self.socket.send(action.reply)
            if action.request is None:
                return
            message = action.request
        request = wire.decode_request(message, setxattr_ext=bool(self.wanted & InitFlag.SETXATTR_EXT))
        name = wire.opcode_name(request.header.opcode).lower()
        try:
            must(request.header.opcode not in self.refuse, self.refuse.get(request.header.opcode))
            handler = getattr(self, "do_" + name, None)
            must(handler is not None, errno.ENOSYS)
            answer = handler(request.header.nodeid, request.body, request.header)
        except Answer as refused:
            answer = refused
        if answer is not None:
            self._reply(opcode, message, unique, answer)

    def _reply(self, opcode, message, unique, answer):
        if isinstance(answer, Answer):
            reply = wire.raw_reply(unique, -answer.number)
        elif answer is True:
            reply = wire.raw_reply(unique, 0)
        else:
            body = answer if isinstance(answer, bytes) else wire.pack(answer)
            reply = wire.raw_reply(unique, 0, body)
        changed = self.rules.reply(opcode, message[:640], reply)
        self.socket.send(reply if changed is None else changed)

    # -- nodes

    def node(self, nodeid):
        must(nodeid in self.nodes, errno.ESTALE)
        return self.nodes[nodeid]

    def attr(self, nodeid):
        node = self.node(nodeid)
        size = len(node.target) if stat.S_ISLNK(node.mode) else len(node.data)
        times = {}
        for name, ns in node.times.items():
            times[name], times[name + "nsec"] = divmod(ns, 10**9)
        return wire.Attr(ino=nodeid, size=size, blocks=-(-size // 512), mode=node.mode, nlink=node.nlink, uid=node.uid,
                         gid=node.gid, rdev=node.rdev, blksize=4096, **times)  # fmt: skip

    def entry(self, nodeid):
        self.node(nodeid).lookups += 1
        return wire.EntryOut(nodeid=nodeid, attr=self.attr(nodeid))

    def touch(self, node, *names):
        for name in names or ("mtime", "ctime"):
            node.times[name] = time.time_ns()

    def child(self, parent, name):
        must(len(name) <= NAME_MAX, errno.ENAMETOOLONG)
        found = self.node(parent).children.get(name)
        must(found, errno.ENOENT)
        return found

    def add(self, parent, name, node, header=None):
        must(not self.read_only, errno.EROFS)
        must(len(name) <= NAME_MAX, errno.ENAMETOOLONG)
        must(name not in self.node(parent).children, errno.EEXIST)
        if header is not None:
            node.uid, node.gid = header.uid, header.gid
        nodeid, self.next = self.next, self.next + 1
        self.nodes[nodeid] = node
        self.node(parent).children[name] = nodeid
        return nodeid

    def drop(self, parent, name):
        node = self.nodes[self.node(parent).children.pop(name)]
        node.nlink -= 2 if node.is_dir else 1

    # -- operations

    def do_init(self, nodeid, body, header):
        low, high = self.wanted & 0xFFFFFFFF, self.wanted >> 32
        return wire.InitOut(minor=45, max_readahead=body.max_readahead, flags=low, flags2=high,
                            max_write=128 << 10, max_pages=32, time_gran=1)  # fmt: skip

    def do_lookup(self, nodeid, body, header):
        if body.name == b".":
            return self.entry(nodeid)
        if body.name == b"..":
            return self.entry(next((up for up, node in self.nodes.items() if nodeid in node.children.values()), 1))
        return self.entry(self.child(nodeid, body.name))

    def do_forget(self, nodeid, body, header):
        node = self.nodes.get(nodeid)
        if node is None or node.lookups < body.nlookup:  # no kernel gives back what it was not given
            self.wronged.append(f"FORGET of {body.nlookup} lookups of node {nodeid}")
            raise SystemExit
        node.lookups -= body.nlookup

    def do_batch_forget(self, nodeid, body, header):
        for one in body.forgets:
            self.do_forget(one.nodeid, wire.ForgetIn(one.nlookup), header)

    def do_getattr(self, nodeid, body, header):
        return wire.AttrOut(attr=self.attr(nodeid))

    def do_setattr(self, nodeid, body, header):
        must(not self.read_only, errno.EROFS)
        node, valid = self.node(nodeid), SetattrValid(body.valid)
        if valid & SetattrValid.SIZE:
            must(body.size < 1 << 32, errno.EFBIG)
            node.data = node.data[: body.size] + bytes(max(0, body.size - len(node.data)))
            self.touch(node)
        if valid & SetattrValid.MODE:
            node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(body.mode)
        if valid & SetattrValid.UID:
            node.uid = body.uid
        if valid & SetattrValid.GID:
            node.gid = body.gid
        for name in ("atime", "mtime"):
            if valid & SetattrValid[name.upper()]:
                node.times[name] = getattr(body, name) * 10**9 + getattr(body, name + "nsec")
            if valid & SetattrValid[name.upper() + "_NOW"]:
                self.touch(node, name)
        self.touch(node, "ctime")
        return wire.AttrOut(attr=self.attr(nodeid))

    def do_readlink(self, nodeid, body, header):
        return self.node(nodeid).target

    def do_symlink(self, nodeid, body, header):
        return self.entry(self.add(nodeid, body.name, Node(0o120777, target=body.target), header))

    def do_mknod(self, nodeid, body, header):
        node = Node(body.mode, rdev=body.rdev)
        return self.entry(self.add(nodeid, body.name, node, header))

    def do_mkdir(self, nodeid, body, header):
        return self.entry(self.add(nodeid, body.name, Node(stat.S_IFDIR | stat.S_IMODE(body.mode), nlink=2), header))

    def do_create(self, nodeid, body, header):
        made = self.add(nodeid, body.name, Node(stat.S_IFREG | stat.S_IMODE(body.mode)), header)
        return wire.CreateOut(self.entry(made), self.do_open(made, body, header))

    def do_tmpfile(self, nodeid, body, header):
        made = self.add(nodeid, b"\0tmp", Node(body.mode), header)
        self.drop(nodeid, b"\0tmp")
        return wire.CreateOut(self.entry(made), self.do_open(made, body, header))

    def do_unlink(self, nodeid, body, header):
        must(not self.read_only, errno.EROFS)
        must(not self.node(self.child(nodeid, body.name)).is_dir, errno.EISDIR)
        self.drop(nodeid, body.name)
        return True

    def do_rmdir(self, nodeid, body, header):
        must(not self.read_only, errno.EROFS)
        must(not self.node(self.child(nodeid, body.name)).children, errno.ENOTEMPTY)
        self.drop(nodeid, body.name)
        return True

    def do_rename(self, nodeid, body, header, flags=0):
        must(not self.read_only, errno.EROFS)
        moved, target = self.child(nodeid, body.oldname), self.node(body.newdir)
        victim = target.children.get(body.newname)
        must(not (flags & 1 and victim), errno.EEXIST)
        if flags & 2:
            must(victim, errno.ENOENT)
            self.node(nodeid).children[body.oldname] = victim
        elif victim:
            must(not self.node(victim).children, errno.ENOTEMPTY)
            self.drop(body.newdir, body.newname)
        if not flags & 2:
            del self.node(nodeid).children[body.oldname]
        target.children[body.newname] = moved
        return True

    def do_rename2(self, nodeid, body, header):
        must(not body.flags & ~3, errno.EINVAL)
        return self.do_rename(nodeid, body, header, body.flags)

    def do_link(self, nodeid, body, header):
        must(not self.read_only, errno.EROFS)
        node = self.node(body.oldnodeid)
        must(body.newname not in self.node(nodeid).children, errno.EEXIST)
        self.node(nodeid).children[body.newname] = body.oldnodeid
        node.nlink += 1
        return self.entry(body.oldnodeid)

    def do_open(self, nodeid, body, header):
        must(not (self.read_only and body.flags & 3), errno.EROFS)
        if body.flags & os.O_TRUNC:
            self.node(nodeid).data = bytearray()
        self.handles += 1
        self.open_handles.add(self.handles)
        return wire.OpenOut(fh=self.handles)

    do_opendir = do_open

    def do_release(self, nodeid, body, header):
        if body.fh not in self.open_handles:
            self.wronged.append(f"RELEASE of handle {body.fh}, which is not open")
        self.open_handles.discard(body.fh)
        return True

    do_releasedir = do_release

    def do_access(self, nodeid, body, header):
        return True

    do_fsync = do_fsyncdir = do_syncfs = do_destroy = do_access

    def do_flush(self, nodeid, body, header):
        node = self.node(nodeid)
        node.locks = [lock for lock in node.locks if lock[0] != body.lock_owner]
        self._grant()
        return True

    def do_read(self, nodeid, body, header):
        return bytes(self.node(nodeid).data[body.offset : body.offset + body.size])

    def do_write(self, nodeid, body, header):
        node = self.node(nodeid)
        node.data.extend(bytes(max(0, body.offset - len(node.data))))
        node.data[body.offset : body.offset + len(body.data)] = body.data
        self.touch(node)
        return wire.WriteOut(size=len(body.data))

    def do_statfs(self, nodeid, body, header):
        return wire.StatfsOut(wire.Kstatfs(1000, 900, 800, 100, 90, 4096, NAME_MAX, 4096))

    def _entries(self, nodeid):
        listed = [(b".", nodeid), (b"..", 1), *self.node(nodeid).children.items()]
        return [
            wire.Dirent(number, at, self.node(number).mode >> 12, name) for at, (name, number) in enumerate(listed, 1)
        ]

    def do_readdir(self, nodeid, body, header):
        fitting = b""
        for entry in self._entries(nodeid)[body.offset :]:
            packed = wire.build_dirents([entry])
            if len(fitting + packed) > body.size:
                break
            fitting += packed
        return fitting

    def do_readdirplus(self, nodeid, body, header):
        fitting = b""
        for one in self._entries(nodeid)[body.offset :]:
            if len(fitting) + 128 + 24 + len(one.name) + 7 > body.size:
                break
            dots = one.name in (b".", b"..")
            fitting += wire.build_direntplus([wire.DirentPlus(wire.EntryOut() if dots else self.entry(one.ino), one)])
        return fitting

    def do_setxattr(self, nodeid, body, header):
        must(not self.read_only, errno.EROFS)
        xattrs = self.node(nodeid).xattrs
        must(not (body.flags & 1 and body.name in xattrs), errno.EEXIST)
        must(not (body.flags & 2 and body.name not in xattrs), errno.ENODATA)
        xattrs[body.name] = body.value
        return True

    def _sized(self, value, size):
        if size == 0:
            return wire.GetxattrOut(len(value))
        must(len(value) <= size, errno.ERANGE)
        return value

    def do_getxattr(self, nodeid, body, header):
        value = self.node(nodeid).xattrs.get(body.name)
        must(value is not None, errno.ENODATA)
        return self._sized(value, body.size)

    def do_listxattr(self, nodeid, body, header):
        return self._sized(b"".join(name + b"\0" for name in self.node(nodeid).xattrs), body.size)

    def do_removexattr(self, nodeid, body, header):
        must(not self.read_only, errno.EROFS)
        must(self.node(nodeid).xattrs.pop(body.name, None) is not None, errno.ENODATA)
        return True
