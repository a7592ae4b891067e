"""The filter that a daemon starts under: it is run here by a small interpreter, and by the kernel."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import Any

import pytest

from fsprobe.errors import MachineError
from fsprobe.posix import linux, seccomp
from fsprobe.posix.child import Child
from fsprobe.relay.handover import TRAPS


def verdict(code: bytes, arch: int, number: int, *args: int) -> int:
    """What a BPF program of our three instructions answers to a system call."""
    data = struct.pack("=iIQ6Q", number, arch, 0, *args, *[0] * (6 - len(args)))
    at = accumulator = 0
    lines = [struct.unpack_from("=HBBI", code, 8 * n) for n in range(len(code) // 8)]
    while True:
        operation, true, false, value = lines[at]
        at += 1
        if operation == 0x06:
            return int(value)
        if operation == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        else:
            assert operation == 0x15
            at += true if accumulator == value else false


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_on_each_machine(monkeypatch: pytest.MonkeyPatch, machine: str) -> None:
    """A call that slips through leaves the daemon the real device; one caught too much breaks it."""
    monkeypatch.setattr(linux.platform, "machine", lambda: machine)
    arch = linux.this_arch()
    code = seccomp.program(TRAPS["mount"])
    ask = lambda name, *args: verdict(code, arch.audit, arch.numbers[name], *args)  # noqa: E731
    assert ask("mount") == ask("umount2") == ask("fsopen") == seccomp.NOTIFY
    assert ask("fcntl", 5, linux.F_SETPIPE_SZ, 1) == seccomp.refuse(errno.EPERM)
    assert ask("fcntl", 5, fcntl.F_GETFL) == seccomp.ALLOW
    assert ask("vmsplice") == seccomp.refuse(errno.ENOSYS)
    assert ask("ioctl", 5, linux.FUSE_DEV_IOC_CLONE) == seccomp.NOTIFY
    assert ask("ioctl", 5, 0x5401) == ask("openat") == ask("seccomp") == seccomp.ALLOW
    assert verdict(code, 0x40000003, arch.numbers["mount"]) == seccomp.ALLOW, "another architecture's numbers"
    bare = seccomp.program(TRAPS["wire-early"])
    assert verdict(bare, arch.audit, arch.numbers["openat"]) == seccomp.NOTIFY
    direct = seccomp.program(TRAPS["direct"])
    assert verdict(direct, arch.audit, arch.numbers["vmsplice"]) == seccomp.ALLOW, "its device is a real one"


def test_an_unknown_machine_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong numbers would trap the wrong calls."""
    monkeypatch.setattr(linux.platform, "machine", lambda: "riscv64")
    with pytest.raises(MachineError, match="riscv64"):
        linux.this_arch()


def test_the_sizes_of_the_kernels_structures() -> None:
    """The size is part of the ioctl's number: include/uapi/linux/seccomp.h."""
    for struct_, request in (
        (seccomp._NOTIFICATION, seccomp._IOCTL_RECV), (seccomp._RESPONSE, seccomp._IOCTL_SEND),
        (seccomp._ADDFD, seccomp._IOCTL_ADDFD),
    ):  # fmt: skip
        assert struct_.size == request >> 16 & 0x3FFF


def under_a_filter(*answers: Any) -> list[str]:
    """A child makes one trapped call for each answer; what it saw."""
    import socket

    ours, theirs = socket.socketpair()

    def caller() -> list[str]:
        if not linux.has_sys_admin():
            linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        listener = seccomp.install((seccomp.Trap("fcntl", seccomp.NOTIFY, 1, linux.F_SETPIPE_SZ),))
        socket.send_fds(theirs, [b"L"], [listener])
        os.close(listener)
        seen = []
        for _ in answers:
            read, write = os.pipe()
            try:
                seen.append(str(fcntl.fcntl(write, linux.F_SETPIPE_SZ, 8192)))
            except OSError as error:
                seen.append(errno.errorcode[error.errno or 0])
            os.close(read)
            os.close(write)
        return seen

    child = Child(caller)
    ours.settimeout(3)
    listener = seccomp.Listener(linux.receive_fds(ours, 9, 1)[1][0])
    for answer in answers:
        call = listener.receive()
        assert call is not None and call.pid == child.pid and listener.valid(call)
        assert call.args[1] == linux.F_SETPIPE_SZ and call.args[2] == 8192
        answer(listener, call)
        assert not listener.valid(call)
        listener.answer(call)  # too late, and harmless
    seen: list[str] = child.result(3)
    listener.close()
    ours.close()
    theirs.close()
    return seen


def test_a_trapped_call_is_answered_refused_or_let_through() -> None:
    """The three things that the hand-over is made of."""
    assert under_a_filter(
        lambda listener, call: listener.answer(call, 4711),
        lambda listener, call: listener.answer(call, error=errno.ENOTTY),
        lambda listener, call: listener.let_through(call),
    ) == ["4711", "ENOTTY", "8192"]


def test_memory_of_another_process() -> None:
    """The strings of a mount call, at any place in a page, and a null pointer."""
    import ctypes
    import mmap

    area = mmap.mmap(-1, 8192)
    address = ctypes.addressof(ctypes.c_char.from_buffer(area))
    area[:8192] = b"x" * 8191 + b"\0"
    area[100:106] = b"hello\0"
    area[4090:4102] = b"over a page\0"
    area[200:204] = struct.pack("=I", 0x80000001)
    pid = os.getpid()
    assert seccomp.read_string(pid, address + 100) == b"hello"
    assert seccomp.read_string(pid, address + 4090) == b"over a page"
    assert seccomp.read_string(pid, address + 8185) == b"x" * 6, "the last page that there is"
    assert seccomp.read_string(pid, 0) == b""
    assert seccomp.read_u32(pid, address + 200) == 0x80000001
    assert linux.thread_group(pid) == pid
