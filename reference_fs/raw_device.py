"""/dev/fuse: opened, mounted, read and written.

Owns the file descriptor and the mount; knows nothing of what the messages mean. The descriptor may turn out to be
a SEQPACKET socket that somebody has put in the device's place: then the end of the mount is end-of-file, where
the device says ENODEV.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import subprocess
import sys
from types import FrameType

from reference_fs.options import Options

MS: dict[str, tuple[int, bool]] = {
    "ro": (1, True), "rw": (1, False), "nosuid": (2, True), "suid": (2, False), "nodev": (4, True), "dev": (4, False),
    "noexec": (8, True), "exec": (8, False), "sync": (16, True), "async": (16, False), "dirsync": (128, True),
    "noatime": (1024, True), "atime": (1024, False),
}  # fmt: skip
"""Options that are flags of mount(2), and whether they set or clear theirs (sys/mount.h)."""
MS_NOSUID, MS_NODEV, MNT_DETACH = 2, 4, 2

_libc = ctypes.CDLL(None, use_errno=True)


class Stopped(BaseException):
    """A signal asked the daemon to end."""


class Device:
    """A connection to the kernel, mounted on `mountpoint`."""

    def __init__(self, fd: int, mountpoint: str, by_helper: bool) -> None:
        self.fd = fd
        self._mountpoint = mountpoint
        self._by_helper = by_helper
        self._buffer = bytearray()
        self._reading = self._stopped = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """A handler of signals. It ends the wait for requests, never an operation: none may be left half done."""
        self._stopped = True
        if self._reading:
            raise Stopped

    def reserve(self, size: int) -> None:
        """Read with a buffer of that many bytes: the kernel refuses one smaller than max_write + 4096."""
        self._buffer = bytearray(max(size, 8192))

    def read(self) -> memoryview | None:
        """The next request, valid until the next call; None when there will be no more. Raises Stopped."""
        self._reading = True
        if self._stopped:
            raise Stopped
        message = self._next()
        self._reading = False
        return message

    def _next(self) -> memoryview | None:
        while True:
            try:
                length = os.readv(self.fd, [self._buffer])
            except OSError as error:
                if error.errno in (errno.ENODEV, errno.ECONNRESET, errno.ECONNABORTED):
                    return None
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):  # the request was withdrawn
                    continue
                raise
            return memoryview(self._buffer)[:length] if length else None

    def write(self, message: bytes) -> bool:
        """Send a reply. False where it reached nobody: its request was interrupted, all is over, or the kernel
        takes it for malformed."""
        try:
            os.write(self.fd, message)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENODEV, errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
                return False
            if error.errno == errno.EINVAL:
                print("vexfs-fuse: the kernel refuses a reply as malformed", file=sys.stderr, flush=True)
                return False
            raise
        return True

    def unmount(self) -> None:
        """Detach the mount, where it is still there."""
        target = os.fsencode(self._mountpoint)
        if self._by_helper:
            command = ["fusermount3", "-u", "-q", "-z", "--", self._mountpoint]
            subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
        else:
            _libc.umount2(target, MNT_DETACH)


def open_mounted(mountpoint: str, options: Options) -> Device:
    """Mount and return the connection. Raises OSError that says what failed."""
    mountpoint = os.path.abspath(mountpoint)
    try:
        fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        failed = _mount(fd, mountpoint, options)
        if not failed:
            return Device(fd, mountpoint, by_helper=False)
        os.close(fd)
    except OSError as error:
        failed = error.errno or errno.EIO
    if failed not in (errno.EPERM, errno.EACCES):
        raise OSError(failed, f"cannot mount: {os.strerror(failed)}", mountpoint)
    return Device(_mount_by_helper(mountpoint, options), mountpoint, by_helper=True)


def _mount(fd: int, mountpoint: str, options: Options) -> int:
    """mount(2). Returns an errno, 0 for success."""
    flags = MS_NOSUID | MS_NODEV
    data = [f"fd={fd}", "rootmode=40000", f"user_id={os.getuid()}", f"group_id={os.getgid()}"]
    for key, value in options.rest.items():
        if key in MS:
            bit, on = MS[key]
            flags = flags | bit if on else flags & ~bit
        else:
            data.append(key if value is True else f"{key}={value}")
    data += _switches(options)
    result = _libc.mount(
        os.fsencode(options.fsname), os.fsencode(mountpoint), os.fsencode(f"fuse.{options.subtype}"),
        ctypes.c_ulong(flags), os.fsencode(",".join(data)),
    )  # fmt: skip
    return ctypes.get_errno() if result else 0


def _mount_by_helper(mountpoint: str, options: Options) -> int:
    """fusermount3 mounts for those who may not, and passes the device over a socket (_FUSE_COMMFD)."""
    words = [f"fsname={options.fsname}", f"subtype={options.subtype}", *_switches(options)]
    words += [key if value is True else f"{key}={value}" for key, value in options.rest.items()]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        done = subprocess.run(
            ["fusermount3", "-o", ",".join(words), "--", mountpoint], check=False,
            env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())}, pass_fds=(theirs.fileno(),),
        )  # fmt: skip
        theirs.close()
        _, fds, _, _ = socket.recv_fds(ours, 1, 1, socket.MSG_CMSG_CLOEXEC)
    if not fds:
        raise OSError(errno.EPERM, f"fusermount3 could not mount (exit status {done.returncode})", mountpoint)
    return fds[0]


def _switches(options: Options) -> list[str]:
    return [name for name in ("default_permissions", "allow_other") if getattr(options, name)]
