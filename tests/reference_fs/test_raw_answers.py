"""The raw front without a device: bytes of requests in, bytes of replies out."""

from __future__ import annotations

import errno
import os

import pytest

from fsprobe.wire import (
    BatchForgetIn,
    Create,
    ForgetIn,
    ForgetOne,
    GetattrIn,
    InitFlag,
    InitIn,
    InterruptIn,
    Link,
    Lookup,
    LseekIn,
    Mkdir,
    OpenIn,
    ReadIn,
    ReleaseIn,
    Rename2,
    Reply,
    Rmdir,
    SetattrIn,
    SetattrValid,
    Unlink,
    WriteIn,
    build_request,
    decode_reply,
    init_flags,
    raw_request,
)
from fsprobe.wire import Opcode as Op
from fsprobe.wire.structs import InHeader
from reference_fs.model import Store
from reference_fs.profiles import HEALTHY, Profile, find_profile
from reference_fs.raw_front import WANTED, Front
from reference_fs.raw_operations import Operations
from reference_fs.raw_replies import Timeouts

EVERY_FLAG = InitIn(7, 45, 1 << 17, 0x7FFF_FFFF, 0xFFFF)


class Kernel:
    """Asks a front and remembers nothing."""

    def __init__(self, profile: Profile = HEALTHY, init: InitIn = EVERY_FLAG) -> None:
        self.store = Store()
        self.operations = Operations(self.store, Timeouts(), profile)
        self._front = Front(self.operations, profile)
        self._unique = 0
        self.minor = min(init.minor, 45)
        self.init = self.ask(Op.INIT, 0, init)

    def ask(self, opcode: Op, nodeid: int, body: object = None, uid: int = 0) -> Reply | None:
        self._unique += 2
        message = build_request(opcode, nodeid, body, unique=self._unique, uid=uid, gid=uid, minor=self.minor)
        reply = self._front.answer(message)
        if reply is None:
            return None
        answer = decode_reply(reply, opcode, self.minor, request=body)
        assert answer.header.unique == self._unique
        return answer

    def made(self, opcode: Op, nodeid: int, body: object) -> int:
        """The node id of a reply with an entry."""
        reply = self.ask(opcode, nodeid, body)
        assert reply is not None and not reply.error
        return int(getattr(reply.body, "entry", reply.body).nodeid)

    def error(self, opcode: Op, nodeid: int, body: object = None) -> int:
        reply = self.ask(opcode, nodeid, body)
        assert reply is not None
        return reply.error


def test_the_handshake_asks_for_no_more_than_is_offered_and_kept() -> None:
    """A flag that is claimed and not honoured corrupts data or permissions behind everyone's back."""
    reply = Kernel().init
    assert reply is not None and init_flags(reply.body) == InitFlag(sum(WANTED))
    little = Kernel(init=InitIn(7, 31, 4096, int(InitFlag.ASYNC_READ | InitFlag.BIG_WRITES))).init
    assert little is not None and (little.body.minor, little.body.flags) == (31, 0x21)
    missing = Kernel(find_profile("before-fix")).init
    assert missing is not None and not init_flags(missing.body) & (InitFlag.ATOMIC_O_TRUNC | InitFlag.DO_READDIRPLUS)


def test_a_newer_major_is_told_ours() -> None:
    """The kernel then asks again; an error would refuse every kernel to come."""
    kernel = Kernel(init=InitIn(8, 0))
    assert kernel.init is not None and (kernel.init.error, kernel.init.body.major) == (0, 7)


def test_every_lookup_is_given_back() -> None:
    """A node that is forgotten too late is a leak, too early a file that vanishes while in use."""
    kernel = Kernel()
    empty = set(kernel.store.inodes)
    node = kernel.made(Op.CREATE, 1, Create(os.O_RDWR, 0o100644, name=b"f"))
    assert kernel.made(Op.LOOKUP, 1, Lookup(b"f")) == node
    assert kernel.made(Op.LINK, 1, Link(node, b"g")) == node
    for name in (b"f", b"g"):
        assert kernel.error(Op.UNLINK, 1, Unlink(name)) == 0
    kernel.ask(Op.FORGET, node, ForgetIn(2))
    kernel.ask(Op.RELEASE, node, ReleaseIn(1))
    assert kernel.error(Op.GETATTR, node, GetattrIn()) == 0, "one lookup is still out"
    assert kernel.ask(Op.BATCH_FORGET, 0, BatchForgetIn(forgets=(ForgetOne(node, 1), ForgetOne(99, 5)))) is None
    assert kernel.error(Op.GETATTR, node, GetattrIn()) == errno.ESTALE
    assert set(kernel.store.inodes) == empty


def test_a_reply_that_reaches_nobody_hands_out_nothing() -> None:
    """An interrupted caller never sends the FORGET."""
    kernel = Kernel()
    node = kernel.made(Op.MKDIR, 1, Mkdir(0o755, 0, b"d"))
    kernel.operations.take_back()
    kernel.error(Op.RMDIR, 1, Rmdir(b"d"))
    assert node not in kernel.store.inodes


def test_directories_are_listed_in_pages_that_fit() -> None:
    """A reply longer than asked for is refused by the kernel, one that does not advance loops for ever."""
    kernel = Kernel()
    wanted = [b".", b"..", b"_vexfs"] + [b"name-%d" % number * (number % 20 + 1) for number in range(50)]
    for name in wanted[3:]:
        kernel.made(Op.MKNOD, 1, _mknod(name))
    for opcode in (Op.READDIR, Op.READDIRPLUS):
        for size in (512, 4096):
            seen: list[bytes] = []
            offset = 0
            while True:
                reply = kernel.ask(opcode, 1, ReadIn(0, offset, size))
                assert reply is not None and reply.header.len - 16 <= size
                entries = [getattr(entry, "dirent", entry) for entry in reply.body.entries]
                if not entries:
                    break
                seen += [entry.name for entry in entries]
                offset = entries[-1].off
            assert seen == wanted


def _mknod(name: bytes) -> object:
    from fsprobe.wire import Mknod

    return Mknod(0o100644, 0, 0, name=name)


def test_set_id_bits_go_when_the_kernel_says_so() -> None:
    """HANDLE_KILLPRIV_V2 moves the decision to the kernel and the deed to the file system."""
    kernel = Kernel()
    node = kernel.made(Op.CREATE, 1, Create(os.O_RDWR, 0o104777, name=b"f"))
    kernel.ask(Op.WRITE, node, WriteIn(1, 0, data=b"x"), uid=1000)
    assert kernel.store.inodes[node].mode & 0o7777 == 0o4777
    kernel.ask(Op.WRITE, node, WriteIn(1, 0, write_flags=4, data=b"x"))
    assert kernel.store.inodes[node].mode & 0o7777 == 0o777


def test_times_before_1970_pass_the_wire() -> None:
    """Seconds are unsigned there and signed everywhere else."""
    kernel = Kernel()
    valid = SetattrValid.ATIME | SetattrValid.MTIME
    reply = kernel.ask(Op.SETATTR, 1, SetattrIn(int(valid), atime=(1 << 64) - 1, atimensec=7, mtime=5))
    assert reply is not None and (reply.body.attr.atime, reply.body.attr.atimensec) == ((1 << 64) - 1, 7)
    assert kernel.store.root.atime == -(10**9) + 7


def test_newer_operations_and_unknown_ones() -> None:
    """What a kernel does not know it must not send, and what we do not know is ENOSYS, never silence."""
    kernel = Kernel()
    node = kernel.made(Op.CREATE, 1, Create(os.O_RDWR, 0o100644, name=b"f"))
    assert kernel.error(Op.RENAME2, 1, Rename2(1, 1 << 5, oldname=b"f", newname=b"g")) == errno.EINVAL
    assert kernel.error(Op.LSEEK, node, LseekIn(1, 0, os.SEEK_DATA)) == errno.ENXIO
    assert kernel.error(Op.CREATE, 1, Create(os.O_RDWR | os.O_EXCL, 0o100644, name=b"f")) == errno.EEXIST
    assert kernel.made(Op.CREATE, 1, Create(os.O_RDWR, 0o100644, name=b"f")) == node
    front = Front(kernel.operations, HEALTHY)
    unknown = front.answer(raw_request(InHeader(40, 2047, 5, 1)))
    assert unknown is not None and decode_reply(unknown, 2047).error == errno.ENOSYS
    garbled = front.answer(raw_request(InHeader(44, Op.LOOKUP, 7, 1), b"name"))
    assert garbled is not None and decode_reply(garbled, Op.LOOKUP).error == errno.EINVAL
    assert kernel.ask(Op.INTERRUPT, 0, InterruptIn(2)) is None


@pytest.mark.parametrize("op", ["SETATTR", "WRITE"])
def test_a_lost_reply_is_lost_and_nothing_else(op: str) -> None:
    """The hang that fsprobe was written for: taken, never answered, and all else served."""
    kernel = Kernel(find_profile(f"lost-reply={op.lower()}"))
    node = kernel.made(Op.CREATE, 1, Create(os.O_RDWR, 0o100644, name=b"f"))
    bodies = {"SETATTR": SetattrIn(), "WRITE": WriteIn(1, 0, data=b"x")}
    for name, body in bodies.items():
        assert (kernel.ask(Op[name], node, body) is None) == (name == op)
    assert kernel.error(Op.GETATTR, node, GetattrIn()) == 0


def test_what_was_there_before_the_fix() -> None:
    """The historic list: six operations work, the library says yes to five more, all else is ENOSYS."""
    kernel = Kernel(find_profile("before-fix"))
    node = kernel.made(Op.CREATE, 1, Create(os.O_RDWR, 0o100644, name=b"f"))
    assert kernel.made(Op.LOOKUP, 1, Lookup(b"f")) == node
    for opcode, body in (
        (Op.GETATTR, GetattrIn()), (Op.WRITE, WriteIn(0, 0, data=b"x")), (Op.READ, ReadIn(0, 0, 9)),
        (Op.OPEN, OpenIn()), (Op.OPENDIR, OpenIn()), (Op.RELEASE, ReleaseIn()), (Op.STATFS, None),
    ):  # fmt: skip
        assert kernel.error(opcode, node, body) == 0, opcode
    for opcode, body in (
        (Op.SETATTR, SetattrIn()), (Op.MKNOD, _mknod(b"x")), (Op.MKDIR, Mkdir(name=b"x")), (Op.UNLINK, Unlink(b"f")),
        (Op.RMDIR, Rmdir(b"x")), (Op.RENAME2, Rename2(1, oldname=b"f", newname=b"g")), (Op.LINK, Link(node, b"g")),
        (Op.RENAME, b"\1\0\0\0\0\0\0\0f\0g\0"), (Op.SYMLINK, b"l\0f\0"),
    ):  # fmt: skip
        assert kernel.error(opcode, 1, body) == errno.ENOSYS, opcode


def test_after_the_fix_rmdir_lies() -> None:
    """The second historic defect: success, and the directory is still there."""
    kernel = Kernel(find_profile("after-fix"))
    node = kernel.made(Op.MKDIR, 1, Mkdir(0o755, 0, b"d"))
    assert kernel.error(Op.RMDIR, 1, Rmdir(b"d")) == 0
    assert kernel.made(Op.LOOKUP, 1, Lookup(b"d")) == node
