"""A bash on a pseudo-terminal that answers with exit statuses and is never waited for without a limit.

Owns the terminal, the prompt that marks the end of a command, and the ways to end what does not end; knows
nothing of file systems or checks. bash and its commands may sit in the kernel for good: they are then left.
"""

from __future__ import annotations

import os
import re
import secrets
import select
import signal
import termios
import time
from typing import Any, cast

import pexpect

from fsprobe.checks.check import Lost
from fsprobe.runners.shell_words import Command, one_line, terminal_quote

SLICE = 0.25
"""Seconds between two looks at whether bash still lives and whether a command asks the terminal."""
GRACE = 1.0
"""Seconds that a command gets to end after Ctrl-C."""
MOST_OUTPUT = 8 << 20
"""Bytes of output after which a command is stopped: one that prints without end must not fill memory."""

_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH")
_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)
_READ = {"x86_64": "0", "aarch64": "63"}.get(os.uname().machine)
_SYNTAX = re.compile(rb"bash: (?:eval: line \d+: )?(?:syntax error|unexpected EOF)")
_START = (
    "unset PROMPT_COMMAND MAILCHECK HISTFILE TMOUT CDPATH; set +o history; set +H; umask 022; ulimit -c 0; "
    "shopt -u checkwinsize; PS2=; PS1='{half}''{other}:$?:'"
)


class Asked(Exception):
    """A command waits for an answer at the terminal; the text is what it last printed."""


class Flooded(Exception):
    """A command printed without end, as where a listing never ends; the text says how much."""


class Terminal:
    """One bash. After `Lost`, `Asked` or `Flooded` it is stopped: make another."""

    def __init__(self, start_timeout: float = 10.0) -> None:
        token = secrets.token_hex(16)
        self._marker = re.compile(re.escape(token.encode()) + rb":(\d+):\Z")
        child = pexpect.spawn(
            "bash", ["--norc", "--noprofile", "--noediting"], cwd="/", env=_environment(), echo=False,
            dimensions=(200, 4000), preexec_fn=_plain_terminal, encoding=None, timeout=start_timeout,
        )
        self._child = cast(Any, child)  # its stubs lack `ptyproc`
        self._fd: int = self._child.child_fd
        self.pid: int = self._child.ptyproc.pid
        self.alive = True
        self.remarks: list[str] = []
        self._send(_START.format(half=token[:16], other=token[16:]).encode() + b"\n")
        self._until_prompt("bash", start_timeout)

    def run(self, text: str, timeout: float) -> Command:
        """Run one command line in this bash.

        Raises Lost where it does not end in time (Ctrl-C and SIGKILL have then been tried) or where bash
        itself ends; Asked where it waits for input from the terminal; Flooded where it prints without end;
        ValueError where it is no command (bash cannot read it, or it holds a NUL).
        """
        line = b"eval " + terminal_quote(text) + b"\n"
        began = time.monotonic()
        self._send(line)
        data, status = self._until_prompt(text, timeout)
        if _SYNTAX.match(data):  # its status is whatever came before it
            raise ValueError(f"bash cannot read `{text}`: {one_line(data.decode('utf-8', 'backslashreplace'))}")
        return Command(text, status, data, time.monotonic() - began)

    def background(self) -> list[int]:
        """Children of bash that are still there between two commands."""
        return _children(self.pid) if self.alive else []

    def stop(self) -> None:
        """Kill bash and all that it started, waiting at most half a second for bash. May be called again."""
        if not self.alive:
            return
        self.alive = False
        for pid in [*_session(self.pid), self.pid]:
            _kill(pid, signal.SIGKILL)
        self._child.ptyproc.fileobj.close()
        # pexpect's own closing sleeps and may wait for good once it saw end-of-file.
        self._child.closed = self._child.ptyproc.closed = True
        self._child.terminated = self._child.ptyproc.terminated = True
        deadline = time.monotonic() + 0.5
        while not self._reaped() and time.monotonic() < deadline:
            time.sleep(0.002)

    def _reaped(self) -> bool:
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
        except ChildProcessError:
            return True

    def _send(self, data: bytes) -> None:
        for start in range(0, len(data), 2048):
            try:
                os.write(self._fd, data[start : start + 2048])
            except OSError as error:
                self.stop()
                raise Lost(f"the terminal is gone: {error.strerror}") from error

    def _until_prompt(self, text: str, timeout: float) -> tuple[bytes, int]:
        """The output up to the next prompt, and the status in it."""
        output = bytearray()
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                self._give_up(text)
                raise Lost(f"`{one_line(text, 120)}` did not end within {timeout:g} s")
            if select.select([self._fd], [], [], min(SLICE, left))[0]:
                if not self._read(output):
                    raise self._bash_ended(text)
                found = self._marker.search(output, max(0, len(output) - 64))
                if found:
                    return bytes(output[: found.start()]), int(found[1])
                if len(output) > MOST_OUTPUT:
                    self._give_up(text)
                    raise Flooded(f"it printed more than {MOST_OUTPUT >> 20} MiB, so it was ended")
            elif self._ended():
                raise self._bash_ended(text)
            elif self._reads_terminal() and not select.select([self._fd], [], [], 0)[0]:
                self._give_up(text)
                raise Asked(one_line(bytes(output[-400:]).decode("utf-8", "backslashreplace")))

    def _read(self, output: bytearray) -> bool:
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # EIO: nobody holds the other end any more
            data = b""
        output += data
        return bool(data)

    def _ended(self) -> bool:
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def _bash_ended(self, text: str) -> Lost:
        self.stop()
        return Lost(f"bash itself ended in `{one_line(text, 120)}`")

    def _give_up(self, text: str) -> None:
        """Ctrl-C, then SIGKILL, then leave it; what came of it goes to `remarks`. bash is always stopped."""
        job = self._foreground()
        self._child.sendintr()
        deadline = time.monotonic() + GRACE
        scrap = bytearray()
        while time.monotonic() < deadline:
            if select.select([self._fd], [], [], 0.05)[0]:
                if not self._read(scrap):
                    break
                if self._marker.search(scrap, max(0, len(scrap) - 64)):
                    self.remarks.append(f"Ctrl-C ended `{one_line(text, 120)}`")
                    self.stop()
                    return
                del scrap[:-64]
        stuck = [pid for pid in _session(self.pid) if _group(pid) == job] or [self.pid]
        self.stop()
        time.sleep(0.05)
        still = [pid for pid in stuck if _state(pid) == "D"]
        word = "SIGKILL cannot end it either: it waits inside the kernel" if still else "SIGKILL ended it"
        self.remarks.append(f"Ctrl-C did not end `{one_line(text, 120)}`; {word}")

    def _foreground(self) -> int:
        try:
            return os.tcgetpgrp(self._fd)
        except OSError:
            return -1

    def _reads_terminal(self) -> bool:
        """Whether a process of the foreground job is in read(2) on the terminal, which nobody will answer."""
        job = self._foreground()
        return any(_reads_a_terminal(pid) for pid in _session(self.pid) if _group(pid) == job)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"PATH": os.defpath, **kept, "TERM": "dumb", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _plain_terminal() -> None:
    """In the child, before bash: output unchanged (no CR), no flow control, signals as a login has them."""
    mode = termios.tcgetattr(0)
    mode[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.ISTRIP)
    mode[1] &= ~termios.OPOST
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(0, termios.TCSANOW, mode)
    # Python ignores SIGPIPE and the session may ignore SIGINT; both would be inherited by every command.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


# /proc/PID/stat, syscall and fd links never wait for the memory lock of a stuck process; cmdline does.


def _stat(pid: int | str) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, ppid, pgrp, session, …; empty where it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def _state(pid: int) -> str:
    return (_stat(pid) or [""])[0]


def _group(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[2]) if fields else -1


def _session(leader: int) -> list[int]:
    """Every process of a session, its leader last."""
    members = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return sorted((pid for pid in members if _stat(pid)[3:4] == [str(leader)]), reverse=True)


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return [member for member in _session(pid) if member != pid]


def _reads_a_terminal(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            number, first, *_ = [*file.read().split(), "", ""]
        return number == _READ and os.readlink(f"/proc/{pid}/fd/{int(first, 16)}").startswith("/dev/pts/")
    except (OSError, ValueError):
        return False


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass
