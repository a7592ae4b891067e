"""A tiny daemon on the real /dev/fuse that spoils one reply per case, and writes what the kernel made of it.

Run as a program, as root: it makes its own mount namespace, and only its children touch the mount. Prints
one JSON object per case: what judge_reply said, the errno of the write to the device, the application's.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import struct
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from fsprobe import wire
from fsprobe.wire import Attr, EntryOut, Opcode, Request

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
FILE = Attr(ino=2, mode=0o100644, nlink=1, size=10)
DIRECTORY = Attr(ino=1, mode=0o040755, nlink=2)
LINK = Attr(ino=3, mode=0o120777, nlink=1)
libc = ctypes.CDLL(None, use_errno=True)

Spoil = Callable[[int], bytes]
App = Callable[[str], object]


def case(opcode: Opcode, body: Any, app: App) -> tuple[Opcode, Spoil, App]:
    """A reply whose header is right."""
    return opcode, lambda unique: wire.build_reply(unique, body, opcode=opcode), app


def raw(opcode: Opcode, app: App, *args: Any, **more: Any) -> tuple[Opcode, Spoil, App]:
    """A reply with any header."""
    return opcode, lambda unique: wire.raw_reply(unique, *args, **more), app


def stat(path: str) -> object:
    return os.lstat(path)


def opened(path: str) -> int:
    return os.open(os.path.join(os.path.dirname(path), "file"), os.O_RDWR)


def write(path: str) -> object:
    return os.write(opened(path), b"abc")


def read(path: str) -> object:
    return os.pread(opened(path), 4096, 0)


def listing(path: str) -> object:
    return os.listdir(os.path.dirname(path))


def xattr(path: str) -> object:
    return os.getxattr(os.path.join(os.path.dirname(path), "file"), "user.x")


def xattrs(path: str) -> object:
    return os.listxattr(os.path.join(os.path.dirname(path), "file"))


def entry(attr: Attr, nodeid: int = 77) -> EntryOut:
    return EntryOut(nodeid=nodeid, attr=attr)


def names(*found: bytes) -> wire.DirentList:
    return wire.DirentList(tuple(wire.Dirent(1, n + 1, 8, name) for n, name in enumerate(found)))


CASES: dict[str, tuple[Opcode, Spoil, App]] = {
    "good entry": case(Opcode.LOOKUP, entry(FILE), stat),
    "good error": raw(Opcode.LOOKUP, stat, -errno.ENOSYS),
    "negative entry": case(Opcode.LOOKUP, EntryOut(entry_valid=1), stat),
    "error 511": raw(Opcode.LOOKUP, stat, -511),
    "positive error": raw(Opcode.LOOKUP, stat, 2),
    "error -512": raw(Opcode.LOOKUP, stat, -512),
    "length too small": raw(Opcode.LOOKUP, stat, 0, wire.pack(entry(FILE)), length=100),
    "length too large": raw(Opcode.LOOKUP, stat, -2, length=17),
    "error with a body": raw(Opcode.LOOKUP, stat, -2, b"12345678"),
    "short body": raw(Opcode.LOOKUP, stat, 0, wire.pack(entry(FILE))[:120]),
    "long body": raw(Opcode.LOOKUP, stat, 0, wire.pack(entry(FILE)) + b"12345678"),
    "no body": raw(Opcode.LOOKUP, stat, 0),
    "root for a name": case(Opcode.LOOKUP, entry(DIRECTORY, 1), stat),
    "no type": case(Opcode.LOOKUP, entry(Attr(mode=0o644)), stat),
    "size of 2^63": case(Opcode.LOOKUP, entry(Attr(mode=0o100644, size=2**63)), stat),
    "good mkdir": case(Opcode.MKDIR, entry(DIRECTORY, 78), os.mkdir),
    "file for mkdir": case(Opcode.MKDIR, entry(FILE, 79), os.mkdir),
    "nodeid 0 for mkdir": case(Opcode.MKDIR, entry(DIRECTORY, 0), os.mkdir),
    "nodeid 1 for mkdir": case(Opcode.MKDIR, entry(DIRECTORY, 1), os.mkdir),
    "good symlink": case(Opcode.SYMLINK, entry(LINK, 80), lambda path: os.symlink("x", path)),
    "file for symlink": case(Opcode.SYMLINK, entry(FILE, 81), lambda path: os.symlink("x", path)),
    "good fifo": case(Opcode.MKNOD, entry(Attr(mode=0o010644), 82), os.mkfifo),
    "file for fifo": case(Opcode.MKNOD, entry(FILE, 83), os.mkfifo),
    "good write": case(Opcode.WRITE, wire.WriteOut(3), write),
    "short write": case(Opcode.WRITE, wire.WriteOut(2), write),
    "write of more": case(Opcode.WRITE, wire.WriteOut(4), write),
    "good read": case(Opcode.READ, wire.DataOut(b"x" * 10), read),
    "read of nothing": case(Opcode.READ, wire.DataOut(b""), read),
    "read of more": case(Opcode.READ, wire.DataOut(b"x" * 300_000), read),
    "good names": case(Opcode.READDIR, names(b"a", b"b" * 255), listing),
    "empty directory": case(Opcode.READDIR, names(), listing),
    "name with a slash": case(Opcode.READDIR, names(b"b/c"), listing),
    "name of 1024": case(Opcode.READDIR, names(b"n" * 1024), listing),
    "name of 4096": case(Opcode.READDIR, names(b"n" * 4096), listing),
    "empty name": case(Opcode.READDIR, names(b""), listing),
    "cut last entry": raw(Opcode.READDIR, listing, 0, wire.build_dirents(names(b"a", b"bcd").entries)[:-8]),
    "good xattr": case(Opcode.GETXATTR, wire.DataOut(b"v"), xattr),
    "xattr longer than asked": case(Opcode.GETXATTR, wire.DataOut(b"v" * 70_000), xattr),
    "good list": case(Opcode.LISTXATTR, wire.DataOut(b"user.x\0"), xattrs),
    "list without NUL": case(Opcode.LISTXATTR, wire.DataOut(b"user.x"), xattrs),
    "list with an empty name": case(Opcode.LISTXATTR, wire.DataOut(b"user.x\0\0"), xattrs),
    "body for unlink": raw(Opcode.UNLINK, lambda p: os.unlink(os.path.dirname(p) + "/file"), 0, b"12345678"),
    "good statfs": case(Opcode.STATFS, wire.StatfsOut(), lambda path: os.statvfs(os.path.dirname(path))),
    "statfs of 48 bytes": raw(Opcode.STATFS, lambda p: os.statvfs(os.path.dirname(p)), 0, bytes(48)),
}

USUAL: dict[Opcode, Callable[[Request], Any]] = {
    Opcode.LOOKUP: lambda request: EntryOut(nodeid=2, attr=FILE) if request.body.name == b"file" else EntryOut(),
    Opcode.GETATTR: lambda request: wire.AttrOut(attr=DIRECTORY if request.header.nodeid == 1 else FILE),
    Opcode.OPEN: lambda request: wire.OpenOut(fh=1, open_flags=wire.OpenFlag.DIRECT_IO),
    Opcode.OPENDIR: lambda request: wire.OpenOut(fh=1),
    Opcode.READDIR: lambda request: wire.DirentList(),
    Opcode.STATFS: lambda request: wire.StatfsOut(),
}


def mounted(directory: str) -> int:
    """A FUSE mount that only this namespace sees; the device's descriptor."""
    if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "no mount namespace")
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"oracle", directory.encode(), b"fuse", 0, options):
        raise OSError(ctypes.get_errno(), "no mount")
    return device


def run_app(app: App, path: str, device: int, answer: int) -> int:
    """A child that makes the system call and writes its errno."""
    pid = os.fork()
    if pid:
        return pid
    os.close(device)  # else the connection would outlive its daemon
    try:
        app(path)
        number = 0
    except OSError as error:
        number = error.errno or -1
    os.write(answer, struct.pack("=i", number))
    os._exit(0)


def serve(device: int, name: str, directory: str, number: int, minor: int) -> dict[str, Any]:
    """One case: answer as usual until its operation comes, spoil that, and see."""
    opcode, spoil, app = CASES[name]
    reader, writer = os.pipe()
    pid = run_app(app, f"{directory}/case{number}", device, writer)
    os.close(writer)
    # Its end, not its answer: closing its files on exit it still sends FLUSH
    ended = os.pidfd_open(pid)
    result: dict[str, Any] = {"case": name, "judged": None}
    while True:
        if select(device, ended) == ended:
            found = app_errno(reader)
            result["app"] = errno.errorcode.get(found, found) if found else "ok"
            break
        data = os.read(device, 1 << 20)
        request = wire.decode_request(data, minor)
        if request.opcode in wire.NO_REPLY:
            continue
        if request.opcode == opcode and result["judged"] is None:
            reply = spoil(request.header.unique)
            result["judged"] = wire.judge_reply(reply, len(reply), True, opcode, minor, data)
            result["write"] = write_errno(device, reply)
            if result["write"] == "ok" or not header_refused(reply):
                continue
            reply = wire.raw_reply(request.header.unique, -errno.EOWNERDEAD)  # let the caller go
        elif (usual := USUAL.get(Opcode(request.opcode))) is not None:
            reply = wire.build_reply(
                request.header.unique, usual(request), opcode=request.opcode, minor=minor
            )
        else:
            empty = wire.REPLIES[Opcode(request.opcode)] is None
            reply = wire.raw_reply(request.header.unique, 0 if empty else -errno.ENOSYS)
        os.write(device, reply)
    os.close(reader)
    os.close(ended)
    os.waitpid(pid, 0)
    return result


def header_refused(reply: bytes) -> bool:
    length, error = struct.unpack_from("=Ii", reply)
    return length != len(reply) or error > 0 or error <= -512


def app_errno(reader: int) -> int:
    return int(struct.unpack("=i", os.read(reader, 4))[0])


def write_errno(device: int, reply: bytes) -> str:
    try:
        os.write(device, reply)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "ok"


def select(*descriptors: int) -> int:
    import select as module

    ready, _, _ = module.select(descriptors, [], [], 10)
    if not ready:
        raise TimeoutError("neither the kernel nor the application said anything for 10 s")
    return int(ready[0])


def main() -> None:
    signal.alarm(30)
    with tempfile.TemporaryDirectory() as directory:
        device = mounted(directory)
        data = os.read(device, 1 << 20)
        init = wire.decode_request(data)
        answered = wire.InitOut(minor=min(init.body.minor, wire.PROTOCOL_MINOR), max_write=131072)
        reply = wire.build_reply(init.header.unique, answered, opcode=Opcode.INIT)
        print(json.dumps({"case": "INIT", "judged": wire.judge_reply(reply, len(reply), True, 26, 45, data),
                          "write": write_errno(device, reply), "app": "ok"}))  # fmt: skip
        for number, name in enumerate(CASES):
            print(json.dumps(serve(device, name, directory, number, answered.minor)))
        libc.umount2(directory.encode(), 2)
        os.close(device)


if __name__ == "__main__":
    sys.exit(main())
