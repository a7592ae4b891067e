"""The hand-over: a daemon under seccomp notification gets a socket where it asked for a mounted device.

Owns what is answered to each trapped call (the table in TRAPS); knows nothing of the traffic that follows.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from fsprobe.posix import linux, seccomp
from fsprobe.relay.loop import HANG_UP, READ
from fsprobe.relay.mounter import MountCall, Mounter
from fsprobe.relay.sockets import socket_pair
from fsprobe.sandbox import process

_HAND_OVER = (
    seccomp.Trap("mount", seccomp.NOTIFY),
    seccomp.Trap("umount2", seccomp.NOTIFY),
    # Newer libfuse tries the new mount API first and falls back to mount(2).
    seccomp.Trap("fsopen", seccomp.NOTIFY),
)
_SOCKET = (
    # libfuse then reads with read(2) in place of splicing from the device.
    seccomp.Trap("fcntl", seccomp.refuse(errno.EPERM), 1, linux.F_SETPIPE_SZ),
    # libfuse then replies with writev: a large spliced reply into a socket is split, and the halves refused.
    seccomp.Trap("vmsplice", seccomp.refuse(errno.ENOSYS)),
    seccomp.Trap("ioctl", seccomp.NOTIFY, 1, linux.FUSE_DEV_IOC_CLONE),
)
_EARLY = tuple(seccomp.Trap(call, seccomp.NOTIFY) for call in ("open", "openat", "openat2"))
TRAPS = {
    "wire": _HAND_OVER + _SOCKET,
    "wire-early": _HAND_OVER + _SOCKET + _EARLY,
    "mount": _HAND_OVER + _SOCKET,
    "mount-early": _HAND_OVER + _SOCKET + _EARLY,
    "direct": _HAND_OVER,
}
"""Mode of a start to the calls that are trapped: `wire` mounts nothing, `mount` relays, `direct` leaves the daemon its
real device. The early ones hand over the socket when the device is opened and not when it is mounted: where there is
no device, and where one process mounts what another one reads. They cost each open of the daemon a notification."""

_PATH_ARGUMENT = {"open": 0, "openat": 1, "openat2": 1}
_DEVICE = b"/dev/fuse"
# Sockets that were handed over early and never mounted: who looks whether the device can be opened needs few.
_EARLY_KEPT = 16


@dataclass(frozen=True, slots=True)
class Connection:
    """What a mount call came to: our ends, or None for what this mode does not have."""

    mountpoint: str
    call: MountCall
    kernel_fd: int | None
    daemon: socket.socket | None
    limit: int
    socket_link: str


class HandOver:
    """Answers the trapped calls of one start of the daemon.

    shared: called in place of `connected` where another process holds the device that is mounted, which no socket can
    be given to then: an early mode is needed, and the mount is refused.
    """

    def __init__(
        self, listener: seccomp.Listener, mode: str, mounter: Mounter | None, connected: Callable[[Connection], None],
        unmount: Callable[[str], bool], shared: Callable[[], None],
    ) -> None:  # fmt: skip
        self.listener, self.mode, self.mounter = listener, mode, mounter
        self.connected, self.unmount, self.shared = connected, unmount, shared
        self._early: dict[str, tuple[socket.socket, int]] = {}
        numbers = linux.this_arch().numbers
        self._answers = {
            numbers[name]: answer
            for name, answer in {
                "mount": self._mount, "umount2": self._umount, "fsopen": self._fsopen, "ioctl": self._clone,
                "open": self._open, "openat": self._open, "openat2": self._open,
            }.items()
            if name in numbers
        }  # fmt: skip
        self._names = {number: name for name, number in numbers.items()}

    def on_event(self, events: int) -> bool:
        """One trapped call. Returns False when no process is left under the filter."""
        if not events & READ:  # before 6.11 NOTIF_RECV waits for ever where no caller is left
            return not events & HANG_UP  # an error alone means a signal came while the kernel looked
        try:
            call = self.listener.receive()
        except OSError:
            return False
        if call is None:
            return True
        try:
            self._answers[call.call](call)
        except OSError as error:
            self.listener.answer(call, error=error.errno or errno.EIO)
        return True

    def _mount(self, call: seccomp.Notification) -> None:
        source, target, fs_type = (seccomp.read_string(call.pid, address) for address in call.args[:3])
        data = seccomp.read_string(call.pid, call.args[4])
        if not self.listener.valid(call):
            return
        path = _resolved(call.pid, target)
        asked = MountCall(source, path, fs_type, call.args[3], data)
        number = asked.device_fd()
        if not fs_type.startswith(b"fuse") or number is None:
            self.listener.let_through(call)
            return
        link = os.readlink(f"/proc/{call.pid}/fd/{number}") if self._early else ""
        early = self._early.pop(link, None)
        if early is None and self.mode in ("wire", "mount") and _held_elsewhere(call.pid, number):
            self.shared()
            self.listener.answer(call, error=errno.EAGAIN)
            return
        kernel_fd = self._carry_out(call, asked, number, early is not None)
        if self.mode == "direct":
            if kernel_fd is not None:
                os.close(kernel_fd)
            self.connected(Connection(os.fsdecode(path), asked, None, None, 0, ""))
        else:
            try:
                ours, limit, link = (*early, link) if early else self._replace(call, number)
            except OSError:
                if kernel_fd is not None:
                    os.close(kernel_fd)  # its mount ends with it
                raise
            self.connected(Connection(os.fsdecode(path), asked, kernel_fd, ours, limit, link))
        self.listener.answer(call)

    def _carry_out(self, call: seccomp.Notification, asked: MountCall, number: int, early: bool) -> int | None:
        """The device of the new mount, None where this mode mounts nothing."""
        if self.mode.startswith("wire") or self.mounter is None:
            return None
        device = os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC) if early else linux.pidfd_getfd(call.pid, number)
        try:
            mounted = self.mounter.mount(asked, device)
        except OSError:
            os.close(device)
            raise
        if self.mode == "direct" and mounted != device:
            self.listener.put_fd(call, mounted, number, close_on_exec=_flags(call.pid, number)[1])
        return mounted

    def _replace(self, call: seccomp.Notification, number: int) -> tuple[socket.socket, int, str]:
        """Put a socket where the caller holds the device, with the same flags."""
        non_blocking, close_on_exec = _flags(call.pid, number)
        ours, theirs, limit = socket_pair()
        with theirs:
            theirs.setblocking(not non_blocking)
            self.listener.put_fd(call, theirs.fileno(), number, close_on_exec=close_on_exec)
            return ours, limit, f"socket:[{os.fstat(theirs.fileno()).st_ino}]"

    def _umount(self, call: seccomp.Notification) -> None:
        target = seccomp.read_string(call.pid, call.args[0])
        path = _resolved(call.pid, target)
        if self.unmount(os.fsdecode(path)):
            self.listener.answer(call)
        else:
            self.listener.let_through(call)

    def _fsopen(self, call: seccomp.Notification) -> None:
        if seccomp.read_string(call.pid, call.args[0]).startswith(b"fuse"):
            self.listener.answer(call, error=errno.ENOSYS)
        else:
            self.listener.let_through(call)

    def _clone(self, call: seccomp.Notification) -> None:
        """FUSE_DEV_IOC_CLONE: the new descriptor becomes another one of the same socket."""
        source = linux.pidfd_getfd(call.pid, seccomp.read_u32(call.pid, call.args[2]))
        try:
            self.listener.put_fd(call, source, call.args[0] & 0xFFFFFFFF, close_on_exec=True)
        finally:
            os.close(source)
        self.listener.answer(call)

    def _open(self, call: seccomp.Notification) -> None:
        at = _PATH_ARGUMENT[self._names[call.call]]
        if seccomp.read_string(call.pid, call.args[at]) != _DEVICE:
            self.listener.let_through(call)
            return
        # openat2 has a struct open_how, whose first word holds the flags, in place of them.
        indirect = self._names[call.call] == "openat2"
        flags = seccomp.read_u32(call.pid, call.args[at + 1]) if indirect else call.args[at + 1]
        ours, theirs, limit = socket_pair()
        with theirs:
            theirs.setblocking(not flags & os.O_NONBLOCK)
            link = f"socket:[{os.fstat(theirs.fileno()).st_ino}]"
            self.listener.return_fd(call, theirs.fileno(), close_on_exec=bool(flags & os.O_CLOEXEC))
        self._early[link] = ours, limit
        while len(self._early) > _EARLY_KEPT:
            self._early.pop(next(iter(self._early)))[0].close()

    def close(self) -> None:
        """Stop answering."""
        for ours, _ in self._early.values():
            ours.close()
        self.listener.close()


def _held_elsewhere(pid: int, number: int) -> bool:
    """Whether another process than the caller has the caller's device open, as glusterfs does, which forks to mount."""
    caller = linux.thread_group(pid)
    for other in process.descendants(os.getpid()):
        if other == caller:
            continue
        for name in _descriptors(other):
            try:
                link = os.readlink(f"/proc/{other}/fd/{name}")
                if os.fsencode(link) == _DEVICE and linux.same_file(caller, number, other, int(name)):
                    return True
            except OSError:
                pass  # closed meanwhile, ended, or not ours to ask about
    return False


def _descriptors(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []


def _resolved(pid: int, target: bytes) -> bytes:
    """A mountpoint as mountinfo will tell it. Its last name is not looked at: a stat of a hung mount blocks."""
    path = os.path.join(os.fsencode(os.readlink(f"/proc/{pid}/cwd")), target)
    folder, name = os.path.split(os.path.normpath(path))
    return os.path.join(os.path.realpath(folder), name)


def _flags(pid: int, number: int) -> tuple[bool, bool]:
    """(non-blocking, close-on-exec) of a descriptor of another process."""
    with open(f"/proc/{pid}/fdinfo/{number}") as info:
        for line in info:
            if line.startswith("flags:"):
                flags = int(line.split()[1], 8)
                return bool(flags & os.O_NONBLOCK), bool(flags & os.O_CLOEXEC)
    return False, True
