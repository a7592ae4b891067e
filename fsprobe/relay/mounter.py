"""Carrying out the mount that a daemon asked for, in its place.

Owns the two ways: mount(2) where we may, the setuid fusermount3 where we may not; knows nothing of seccomp.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from typing import Protocol

from fsprobe.posix import linux
from fsprobe.sandbox import mounts

# Options of the data string that belong to mount(2) itself; fusermount3 writes its own.
_KERNEL_ONLY = ("fd=", "rootmode=", "user_id=", "group_id=")
_FLAG_OPTIONS = {1: "ro", linux.MS_NOEXEC: "noexec", 0x400: "noatime", 0x10: "sync", 0x80: "dirsync"}
_FUSERMOUNT_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class MountCall:
    """The arguments of a daemon's mount(2), with the target made absolute."""

    source: bytes
    target: bytes
    fs_type: bytes
    flags: int
    data: bytes

    def options(self) -> list[bytes]:
        """The comma-separated data."""
        return [option for option in self.data.split(b",") if option]

    def device_fd(self) -> int | None:
        """The descriptor in `fd=N`, None where there is none."""
        for option in self.options():
            if option.startswith(b"fd=") and option[3:].isdigit():
                return int(option[3:])
        return None


class Mounter(Protocol):
    """Mounts, and returns the descriptor of the device that the mount is served through.

    children: its own processes that have not been reaped; no exit of theirs is one of the daemon's.
    """

    children: set[int]

    def mount(self, call: MountCall, device: int) -> int:
        """Raises OSError as mount(2) would."""

    def unmount(self, mountpoint: str) -> None:
        """Lazily, in a child."""


class DirectMounter:
    """mount(2), as root or inside a user namespace."""

    def __init__(self) -> None:
        self.children: set[int] = set()

    def mount(self, call: MountCall, device: int) -> int:
        """Mount on the daemon's own device."""
        options = [b"fd=%d" % device if o.startswith(b"fd=") else o for o in call.options()]
        linux.mount(call.source, call.target, call.fs_type, call.flags, b",".join(options))
        return device

    def unmount(self, mountpoint: str) -> None:
        """A lazy umount2 in a child."""
        self.children.add(mounts.detach_in_child(mountpoint))


class FusermountMounter:
    """The setuid helper of libfuse, for a user without namespaces. It unmounts by itself when we are gone."""

    def __init__(self, helper: str) -> None:
        self.helper = helper
        self.children: set[int] = set()
        self._sockets: dict[str, socket.socket] = {}

    @classmethod
    def find(cls) -> FusermountMounter | None:
        """The one on PATH, None where there is none or it is not setuid root."""
        helper = shutil.which("fusermount3")
        if helper is None:
            return None
        status = os.stat(helper)
        return cls(helper) if status.st_uid == 0 and status.st_mode & 0o4000 else None

    def mount(self, call: MountCall, device: int) -> int:
        """Mount on a device that the helper opens; the daemon's own is closed."""
        options = [o for o in call.options() if not o.startswith(tuple(k.encode() for k in _KERNEL_ONLY))]
        options += [name.encode() for flag, name in _FLAG_OPTIONS.items() if call.flags & flag]
        options.append(b"auto_unmount")
        if call.source:
            options.append(b"fsname=" + call.source.replace(b"\\", b"\\\\").replace(b",", b"\\,"))
        if call.fs_type.startswith(b"fuse."):
            options.append(b"subtype=" + call.fs_type[5:])
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [os.fsencode(self.helper), b"-o", b",".join(options), b"--", call.target],
                env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())}, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
        ours.settimeout(_FUSERMOUNT_TIMEOUT)
        fds: list[int] = []
        try:
            _, fds = linux.receive_fds(ours, 4, 1)
        except TimeoutError:
            ours.close()  # the helper is root: it cannot be killed, but it ends by this
        if not fds:
            ours.close()
            raise PermissionError(errno.EPERM, _last_line(process))
        if process.stderr is not None:
            process.stderr.close()
        process.returncode = 0  # the host reaps it
        self.children.add(process.pid)
        self._sockets[os.fsdecode(call.target)] = ours  # its closing makes the helper unmount
        os.close(device)
        return int(fds[0])

    def unmount(self, mountpoint: str) -> None:
        """fusermount3 -uz in a child."""
        waiting = self._sockets.pop(mountpoint, None)
        if waiting is not None:
            waiting.close()
        process = subprocess.Popen(
            [self.helper, "-uz", "--", mountpoint], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        process.returncode = 0
        self.children.add(process.pid)


def _last_line(process: subprocess.Popen[bytes]) -> str:
    try:
        _, errors = process.communicate(timeout=1)
    except subprocess.TimeoutExpired:
        return "fusermount3 did not answer"
    return errors.decode("utf-8", "backslashreplace").strip().rpartition("\n")[2] or "fusermount3 refused the mount"
