"""The daemon under test, from its start to its end: its processes, its output, its mount, its connection.

Owns one start of it; knows nothing of the session that asked for it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from fsprobe.relay.handover import TRAPS, Connection, HandOver
from fsprobe.relay.loop import Loop
from fsprobe.relay.mounter import Mounter
from fsprobe.relay.pump import Pump
from fsprobe.relay.recorder import Recorder
from fsprobe.relay.rules import RuleSet
from fsprobe.relay.sockets import socket_pair
from fsprobe.sandbox import mounts, process

# The daemon's last words: enough for a usage text or a panic with its stacks.
OUTPUT_KEPT = 64 << 10


class Daemon:
    """One start. tell(event) gets what `Pump` tells, and "mounted", "device-shared", "output-closed", "exit"."""

    def __init__(
        self, loop: Loop, recorder: Recorder, rules: RuleSet, mounter: Mounter | None,
        tell: Callable[[dict[str, Any]], None],
    ) -> None:  # fmt: skip
        self.loop, self.recorder, self.rules, self.mounter, self.tell = loop, recorder, rules, mounter, tell
        self.pid = 0
        self.pump: Pump | None = None
        self.connection: Connection | None = None
        self.exits: dict[int, int] = {}
        self.known: set[int] | None = None  # its processes when the first worker was made: later ones may be orphans
        self.output = b""
        self.output_bytes = 0
        self._output_fd = -1
        self._handover: HandOver | None = None
        self._kernel_end: socket.socket | None = None
        self._mounted: list[str] = []
        self._pumps: list[Pump] = []

    def start(self, argv: list[str], env: dict[str, str], cwd: str, mode: str, *, no_new_privileges: bool) -> None:
        """Start the program. Raises OSError where it cannot be executed."""
        started = process.start(argv, env, cwd, TRAPS[mode], no_new_privileges=no_new_privileges)
        self.pid, self._output_fd = started.pid, started.output
        self.loop.watch(started.output, self._on_output)
        if started.listener is not None:
            self._handover = HandOver(
                started.listener, mode, self.mounter, self._connected, self._unmount,
                lambda: self.tell({"event": "device-shared"}),
            )  # fmt: skip
            self.loop.watch(started.listener.fd, self._on_trap)

    def _on_trap(self, events: int) -> None:
        if self._handover is not None and not self._handover.on_event(events):
            self._stop_listening()

    def _stop_listening(self) -> None:
        if self._handover is not None:
            self.loop.forget(self._handover.listener.fd)
            self._handover.close()
            self._handover = None

    def _connected(self, connection: Connection) -> None:
        """A mount call was answered: the first one of a start is the file system under test."""
        real = connection.kernel_fd is not None or connection.daemon is None
        mount = mounts.find(connection.mountpoint) if real else None
        if mount is not None:
            self._mounted.append(connection.mountpoint)
        if self.connection is None:
            self.connection = connection
            self.tell({
                "event": "mounted", "mountpoint": connection.mountpoint, "line": mount.line if mount else "",
                "fs_type": os.fsdecode(connection.call.fs_type), "minor": mount.minor if mount else -1,
                "options": os.fsdecode(connection.call.data), "flags": connection.call.flags,
            })  # fmt: skip
        if connection.daemon is None:
            return
        kernel_fd = connection.kernel_fd
        if kernel_fd is None:
            _go_fuse_file(connection.mountpoint)
            ours, theirs, _ = socket_pair()
            kernel_fd = ours.detach()
            if self._kernel_end is None:
                self._kernel_end = theirs
        pump = Pump(self.loop, kernel_fd, connection.daemon, connection.limit, self.recorder, self.rules, self.tell)
        self._pumps.append(pump)
        self.pump = self.pump or pump

    def take_kernel_end(self) -> socket.socket | None:
        """The end on which fsprobe plays the kernel; the taker owns it."""
        end, self._kernel_end = self._kernel_end, None
        return end

    def _unmount(self, mountpoint: str) -> bool:
        """The daemon's umount2, carried out for it where the mount is ours."""
        if self.connection is not None and self.connection.mountpoint == mountpoint and mountpoint not in self._mounted:
            return True
        if mountpoint not in self._mounted or self.mounter is None:
            return False
        self.mounter.unmount(mountpoint)
        return True

    def _on_output(self, events: int) -> None:
        try:
            data = os.read(self._output_fd, 1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.loop.forget(self._output_fd)
            os.close(self._output_fd)
            self._output_fd = -1
            return
        self.output_bytes += len(data)
        self.output = (self.output + data)[-OUTPUT_KEPT:]

    def reaped(self, pid: int, code: int) -> None:
        """A child of the sandbox ended; code is negative for a signal. What a check's commands left is none of ours."""
        if self._output_fd >= 0:
            self._on_output(0)
        if self.known is not None and pid not in self.known:
            return
        self.exits[pid] = code
        self.tell({"event": "exit", "pid": pid, "status": code, "first": pid == self.pid, "output": self.output})

    def processes(self) -> list[int]:
        """Those that hold the daemon's end of the connection, else the one that was started."""
        link = self.connection.socket_link if self.connection else ""
        found = process.holders(link) if link else []
        return found or ([self.pid] if process.state(self.pid) not in ("", "Z") else [])

    def status(self) -> dict[str, Any]:
        """For the session: open requests, life, output."""
        pump = self.pump
        return {
            "open": pump.open_requests() if pump else [],
            "asked": self.recorder.next_seq,
            "connected": pump is not None and not pump.closed,
            "unread": pump.unread() if pump and not pump.closed else False,
            "masked": pump.masked if pump else [],
            "clamped": pump.clamped if pump else "",
            "notifications": dict(pump.notifications) if pump else {},
            "alive": bool(self.processes()),
            "output": self.output,
            "exits": {str(pid): code for pid, code in self.exits.items()},
        }

    def abort(self) -> None:
        """Close the real device, of every mount that this start made."""
        for pump in self._pumps:
            pump.close()

    def finish(self) -> None:
        """Take away the mount and every descriptor of this start; its processes have ended."""
        for mountpoint in self._mounted:
            if self.mounter is not None and mounts.find(mountpoint) is not None:
                self.mounter.unmount(mountpoint)
        self.abort()
        self._stop_listening()
        if self._kernel_end is not None:
            self._kernel_end.close()
        if self._output_fd >= 0:
            self.loop.forget(self._output_fd)
            os.close(self._output_fd)
            self._output_fd = -1


def _go_fuse_file(mountpoint: str) -> None:
    """go-fuse opens this name in its new mount, before it reads a request; without a mount nobody answers it."""
    try:
        os.close(os.open(os.path.join(mountpoint, ".go-fuse-epoll-hack"), os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError:
        pass  # a mountpoint that is not ours to write
