"""The kernel's own tracepoints of one FUSE connection, through a trace instance that is ours alone.

Owns the process that makes the instance, passes on what the kernel prints, and removes the instance when whoever
started it ends, however that ends; knows nothing of what the lines mean. Root only. Only tracefs is touched, no mount.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from dataclasses import dataclass, field

from fsprobe.errors import MachineError
from fsprobe.posix import linux

PLACES = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
EVENTS = ("fuse_request_send", "fuse_request_end")
PREFIX = "fsprobe-"
_BUFFER_KIB = 4096  # for each processor: about 40,000 requests
_TICK = 0.05
_READY, _FAILED = b"ready\n", b"failed "
_START_TIMEOUT = 5.0


@dataclass(slots=True)
class Watch:
    """A connection being watched. `read` gives what the kernel printed; `close` ends it and removes the instance.

    helper: the pid of the process that holds the instance; words: the descriptor to select for reading.
    """

    helper: int
    words: int
    _stop: int
    _buffer: bytearray = field(default_factory=bytearray)
    _ended: bool = False

    @classmethod
    def start(cls, connection: int, timeout: float = _START_TIMEOUT) -> Watch:
        """Raises MachineError where this machine or user cannot. Never call it in a process with threads."""
        if os.geteuid() != 0:
            raise MachineError(
                "the kernel's tracepoints are for root only",
                causes=(f"this is uid {os.geteuid()}",),
                command="sudo fsprobe trace --mount DIR; or start it anew: fsprobe trace TARGET",
            )
        stop_read, stop_write = os.pipe2(os.O_CLOEXEC)
        words_read, words_write = os.pipe2(os.O_CLOEXEC)
        helper = os.fork()
        if helper == 0:
            _become_helper(connection, stop_read, words_write)
        os.close(stop_read)
        os.close(words_write)
        made = cls(helper, words_read, stop_write)
        made._wait_until_ready(timeout)
        return made

    def _wait_until_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer and time.monotonic() < deadline and not self._ended:
            self._fill(deadline - time.monotonic())
        line, _, rest = bytes(self._buffer).partition(b"\n")
        if line + b"\n" != _READY:
            self.close()
            reason = line.removeprefix(_FAILED).decode("utf-8", "backslashreplace") or "the helper did not start"
            raise MachineError(
                f"the kernel's tracepoints cannot be used: {reason}",
                causes=("FUSE has tracepoints from Linux 6.12 on", "in a container: tracefs has to be writable"),
                command="fsprobe doctor; or start the daemon under it: fsprobe trace TARGET",
            )
        self._buffer[:] = rest

    @property
    def ended(self) -> bool:
        """Whether the helper is gone."""
        return self._ended

    def read(self, timeout: float) -> list[str]:
        """Whole lines, at least waiting so long for one."""
        if b"\n" not in self._buffer:
            self._fill(timeout)
        whole, _, rest = bytes(self._buffer).rpartition(b"\n")
        self._buffer[:] = rest
        return whole.decode("utf-8", "backslashreplace").split("\n") if whole else []

    def _fill(self, timeout: float) -> None:
        if self._ended or not select.select([self.words], [], [], max(0.0, timeout))[0]:
            return
        data = os.read(self.words, 1 << 20)
        self._buffer += data
        self._ended = not data

    def close(self, timeout: float = 3.0) -> list[str]:
        """End it; the lines that were still under way."""
        lines: list[str] = []
        if self._stop < 0:
            return lines
        os.close(self._stop)
        self._stop = -1
        deadline = time.monotonic() + timeout
        while not self._ended and time.monotonic() < deadline:
            lines += self.read(deadline - time.monotonic())
        os.close(self.words)
        while os.waitpid(self.helper, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                break  # it will end by itself: its input has ended
            time.sleep(0.002)
        return lines


# -- the helper's side


def place() -> str:
    """Where tracefs is mounted; mounted privately where it is nowhere. Raises OSError."""
    for directory in PLACES:
        if os.path.isdir(f"{directory}/events"):
            return directory
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(b"none", b"/", b"", linux.MS_REC | linux.MS_PRIVATE)
    linux.mount(b"none", PLACES[0].encode(), b"tracefs")
    return PLACES[0]


def remove_stale(root: str) -> list[str]:
    """Remove instances whose process is gone: the last resort, where the helper itself was killed."""
    removed = []
    for name in os.listdir(f"{root}/instances"):
        pid, _, started = name.removeprefix(PREFIX).partition("-")
        if not name.startswith(PREFIX) or not pid.isdigit() or (started and _started(int(pid)) == started):
            continue
        try:
            os.rmdir(f"{root}/instances/{name}")
            removed.append(name)
        except OSError:
            continue  # somebody reads it
    return removed


def _started(pid: int) -> str:
    """When a process started, in clock ticks: with its pid that is its name for ever. "" where it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _make(root: str, connection: int) -> str:
    for event in EVENTS:
        if not os.path.isdir(f"{root}/events/fuse/{event}"):
            raise OSError(f"Linux {os.uname().release} has no tracepoint fuse:{event}")
    directory = f"{root}/instances/{PREFIX}{os.getpid()}-{_started(os.getpid())}"
    os.mkdir(directory)
    try:
        _write(f"{directory}/trace_clock", "mono")
        _write(f"{directory}/buffer_size_kb", str(_BUFFER_KIB))
        for event in EVENTS:
            _write(f"{directory}/events/fuse/{event}/filter", f"connection == {connection}")
            _write(f"{directory}/events/fuse/{event}/enable", "1")
    except OSError:
        os.rmdir(directory)
        raise
    return directory


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _pass_on(directory: str) -> None:
    """Until standard input ends: what the kernel prints goes to standard output."""
    with open(f"{directory}/trace_pipe", "rb", buffering=0) as pipe:
        os.set_blocking(pipe.fileno(), False)
        ending = False
        while True:
            try:
                data = os.read(pipe.fileno(), 1 << 16)
            except BlockingIOError:
                data = b""
            while data:
                data = data[os.write(1, data) :]
                if not data:
                    try:
                        data = os.read(pipe.fileno(), 1 << 16)
                    except BlockingIOError:
                        data = b""
            if ending:
                return
            ending = bool(select.select([0], [], [], _TICK)[0])


def _become_helper(connection: int, stop: int, words: int) -> None:
    """Until standard input ends, in a session of its own: Ctrl-C is for whoever started it."""
    try:
        os.setsid()
        os.chdir("/")
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(0))
        null = os.open("/dev/null", os.O_RDWR)
        for source, standard in ((stop, 0), (words, 1), (null, 2)):
            os.dup2(source, standard)
        os.closerange(3, 1 << 16)  # of others' pipes it would be another end
        _serve(connection)
    finally:
        os._exit(0)


def _serve(connection: int) -> None:
    directory = ""
    try:
        root = place()
        remove_stale(root)
        directory = _make(root, connection)
        os.write(1, _READY)
        _pass_on(directory)
    except BrokenPipeError:
        pass  # whoever reads is gone
    except OSError as error:
        os.write(1, _FAILED + f"{error.strerror or error}\n".encode())
    finally:
        if directory:
            for event in EVENTS:
                _write(f"{directory}/events/fuse/{event}/enable", "0")
            os.rmdir(directory)
