"""System calls of Linux that Python lacks and the sandbox needs: mounts, namespaces, descriptors of others.

Owns numbers, structures and the ctypes calls, each raising OSError; knows nothing of why they are made.
"""

from __future__ import annotations

import array
import ctypes
import os
import platform
import socket
import struct
from dataclasses import dataclass

from fsprobe.errors import MachineError

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
MNT_FORCE, MNT_DETACH = 0x1, 0x2

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAPBSET_READ = 1, 36, 38, 23
PR_SET_PTRACER = 0x59616D61  # Yama's: who may read this process beside its ancestors
CAP_SYS_ADMIN = 21

OVERFLOW_UID = 65534
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
SIOCOUTQ = 0x5411  # same number as TIOCOUTQ: bytes sent that the peer has not taken
F_SETPIPE_SZ = 1031
FUSE_DEV_IOC_CLONE = 0x8004E500  # _IOR(229, 0, uint32_t)

libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Arch:
    """Numbers that differ between machines: the audit architecture of seccomp and the system calls."""

    audit: int
    numbers: dict[str, int]


ARCHES = {
    "x86_64": Arch(0xC000003E, {
        "open": 2, "ioctl": 16, "fcntl": 72, "capset": 126, "mount": 165, "umount2": 166, "openat": 257,
        "unshare": 272, "vmsplice": 278, "kcmp": 312, "seccomp": 317, "fsopen": 430, "openat2": 437, "pidfd_getfd": 438,
    }),
    "aarch64": Arch(0xC00000B7, {
        "fcntl": 25, "ioctl": 29, "umount2": 39, "mount": 40, "openat": 56, "vmsplice": 75, "capset": 91,
        "unshare": 97, "kcmp": 272, "seccomp": 277, "fsopen": 430, "openat2": 437, "pidfd_getfd": 438,
    }),
}  # fmt: skip

_KCMP_FILE = 0


def this_arch() -> Arch:
    """The table of the running machine. Raises MachineError on one that is not known."""
    machine = platform.machine()
    if machine not in ARCHES:
        raise MachineError(f"fsprobe knows x86-64 and arm64, not {machine}")
    return ARCHES[machine]


def _check(result: int, path: str | None = None) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return result


def syscall(name: str, *args: object) -> int:
    """A system call by name. Integers are passed as 64 bits: ctypes would cut them to 32."""
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return _check(int(libc.syscall(ctypes.c_long(this_arch().numbers[name]), *wide)))


def unshare(flags: int) -> None:
    """unshare(2)."""
    _check(libc.unshare(flags))


def mount(source: bytes, target: bytes, fstype: bytes, flags: int = 0, data: bytes = b"") -> None:
    """mount(2)."""
    _check(libc.mount(source, target, fstype or None, ctypes.c_ulong(flags), data or None), os.fsdecode(target))


def umount(target: bytes, flags: int = MNT_DETACH) -> None:
    """umount2(2)."""
    _check(libc.umount2(target, flags), os.fsdecode(target))


def prctl(option: int, value: int) -> int:
    """prctl(2) with one argument."""
    zero = ctypes.c_ulong(0)
    return _check(libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero))


def pidfd_getfd(pid: int, fd: int) -> int:
    """A duplicate of descriptor `fd` of process `pid` (or of the process that thread `pid` belongs to)."""
    pidfd = os.pidfd_open(thread_group(pid))
    try:
        return syscall("pidfd_getfd", pidfd, fd, 0)
    finally:
        os.close(pidfd)


def same_file(pid: int, fd: int, other: int, other_fd: int) -> bool:
    """Whether two processes' descriptors are one open file, as after a fork. Raises OSError where nobody may ask."""
    return syscall("kcmp", pid, other, _KCMP_FILE, fd, other_fd) == 0


def receive_fds(sock: socket.socket, size: int, count: int) -> tuple[bytes, list[int]]:
    """A message and the descriptors beside it, close-on-exec: socket.recv_fds of Python 3.11 drops its flags."""
    fds = array.array("i")
    space = socket.CMSG_SPACE(count * fds.itemsize)
    message, beside, _, _ = sock.recvmsg(size, space, socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in beside:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return message, list(fds)


def thread_group(pid: int) -> int:
    """The process a thread id belongs to: seccomp notifies with the thread's."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("Tgid:"):
                return int(line.split()[1])
    return pid


def drop_capabilities() -> None:
    """Give up every capability of this process, as exec does for a user that is not root."""
    header = struct.pack("=Ii", 0x20080522, 0)
    syscall("capset", header, bytes(24))


def current_cpu() -> int:
    """The processor that this thread runs on, -1 where nobody tells."""
    return int(libc.sched_getcpu())


def id_maps() -> list[list[int]]:
    """The user ids of this namespace: (first inside, first outside, how many) of each range."""
    with open("/proc/self/uid_map") as file:
        return [[int(number) for number in line.split()] for line in file]


def unmapped(uid: int) -> bool:
    """Whether an owner that stat shows may be one that this user namespace does not map: it shows as 65534."""
    return uid == OVERFLOW_UID and sum(length for _, _, length in id_maps()) < 2**32 - 1


def has_sys_admin() -> bool:
    """Whether CAP_SYS_ADMIN is effective here: mounting and namespaces without a user namespace."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> CAP_SYS_ADMIN & 1)
    return False
