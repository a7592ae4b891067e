"""What /proc tells of a process that is stuck, read without touching it.

Owns the reading, thread by thread; draws no conclusions. Nothing here can block: no file of a mount is opened.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

MAX_THREADS = 64


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread: state letter, the kernel function it waits in, system call (number, arguments), kernel stack."""

    tid: int
    name: str
    state: str
    wchan: str
    syscall: str
    stack: str

    def to_wire(self) -> dict[str, Any]:
        """A plain dict for the pipe and the result file."""
        return asdict(self)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read(16384).strip()
    except OSError:
        return ""


def threads(pid: int) -> list[Thread]:
    """The threads of a process, none where it is gone. As another user wchan, syscall and stack are empty."""
    try:
        tids = sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))[:MAX_THREADS]
    except OSError:
        return []
    found = []
    for tid in tids:
        base = f"/proc/{pid}/task/{tid}"
        stat = _read(f"{base}/stat").rpartition(")")[2].split()
        name, wchan, syscall, stack = (_read(f"{base}/{file}") for file in ("comm", "wchan", "syscall", "stack"))
        found.append(Thread(tid, name, stat[0] if stat else "", wchan, syscall, stack))
    return found


def maps(pid: int) -> list[str]:
    """The files mapped into a process, each once: its libraries."""
    names: dict[str, None] = {}
    for line in _read_whole(f"/proc/{pid}/maps").splitlines():
        fields = line.split(None, 5)
        if len(fields) == 6 and fields[5].startswith("/"):
            names[fields[5]] = None
    return list(names)


def _read_whole(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read(4 << 20)
    except OSError:
        return ""


def executable(pid: int) -> str:
    """The path of the program that a process runs, "" where it cannot be told."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def command_line(pid: int) -> list[str]:
    """The arguments of a process."""
    return [part for part in _read_whole(f"/proc/{pid}/cmdline").split("\0") if part]
