"""What /proc tells of a process that is stuck, read without touching it.

Owns the reading, thread by thread; draws no conclusions. Nothing here can block: no file of a mount is opened, and
links of descriptors are only read. All of it works from inside a sandbox and from outside.
"""

from __future__ import annotations

import os
import platform
import struct
from dataclasses import asdict, dataclass
from typing import Any

MAX_THREADS = 64
_FUTEX = {"x86_64": "202", "aarch64": "98"}.get(platform.machine(), "")
_WAITS = (0, 9)  # FUTEX_WAIT and FUTEX_WAIT_BITSET, their flags taken off
_FLAGS = 0x7F
# The first words of glibc's pthread_mutex_t (struct_mutex.h): lock, count, owner. A futex waits on `lock`.
_MUTEX = struct.Struct("=iIi")
_LIMITS = {"Max open files": "files", "Max address space": "memory", "Max processes": "processes"}
_MEMORY = {"VmRSS": "resident_kib", "VmSize": "virtual_kib"}


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread: state letter, the kernel function it waits in, system call (number, arguments), kernel stack.

    file: what the first argument of its system call refers to as a descriptor ("pipe:[12]"), "" for none. switches:
    how often it went to sleep or was put off the processor. ticks: clock ticks that it has run. owner: the thread that
    holds the mutex it waits for, 0 where it waits for none or that cannot be read.
    """

    tid: int
    name: str
    state: str
    wchan: str
    syscall: str
    stack: str
    file: str = ""
    switches: int = 0
    ticks: int = 0
    owner: int = 0

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
    found = [_thread(pid, tid) for tid in tids]
    return [one for one in found if one.state]


def _thread(pid: int, tid: int) -> Thread:
    base = f"/proc/{pid}/task/{tid}"
    stat = [*_read(f"{base}/stat").rpartition(")")[2].split(), *["0"] * 15][:15]
    name, wchan, syscall, stack = (_read(f"{base}/{file}") for file in ("comm", "wchan", "syscall", "stack"))
    state = stat[0] if stat[0] != "0" else ""
    call = [*syscall.split(), *[""] * 7][:7]
    return Thread(
        tid, name, state, wchan, syscall, stack, _file(pid, call), _switches(base),
        int(stat[11]) + int(stat[12]), _owner(pid, call),
    )  # fmt: skip


def _file(pid: int, call: list[str]) -> str:
    """What a first argument that may be a descriptor refers to; noise for calls whose first argument is none."""
    try:
        number = int(call[1], 16)
        return os.readlink(f"/proc/{pid}/fd/{number}") if number < 1 << 20 else ""
    except (ValueError, OSError):
        return ""


def _switches(base: str) -> int:
    found = 0
    for line in _read(f"{base}/status").splitlines():
        key, _, value = line.partition(":")
        if key.endswith("ctxt_switches"):
            found += int(value)
    return found


def _owner(pid: int, call: list[str]) -> int:
    """The owner that a mutex of glibc names, where a thread waits for one without end."""
    try:
        if not _FUTEX or call[0] != _FUTEX or int(call[2], 16) & _FLAGS not in _WAITS or int(call[4], 16):
            return 0
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            locked, _, owner = _MUTEX.unpack(os.pread(memory.fileno(), _MUTEX.size, int(call[1], 16)))
    except (OSError, ValueError, OverflowError, struct.error):
        return 0
    return owner if locked and owner > 0 and os.path.isdir(f"/proc/{pid}/task/{owner}") else 0


def limits(pid: int) -> dict[str, Any]:
    """What a process uses and may use: `files`, `files_limit`, `resident_kib`, … None where a limit is none."""
    found: dict[str, Any] = {}
    for line in _read(f"/proc/{pid}/limits").splitlines():
        name = next((name for name in _LIMITS if line.startswith(name)), "")
        if name:
            soft = line[len(name) :].split()[0]
            found[f"{_LIMITS[name]}_limit"] = int(soft) if soft.isdigit() else None
    for line in _read(f"/proc/{pid}/status").splitlines():
        key, _, value = line.partition(":")
        if key in _MEMORY:
            found[_MEMORY[key]] = int(value.split()[0])
    try:
        found["files"] = len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        pass
    return found


def wakes_itself(pid: int) -> bool:
    """Whether something beside a request may wake a process that waits: a POSIX timer, or a child that lives."""
    if _read(f"/proc/{pid}/timers"):
        return True
    try:
        return any(_read(f"/proc/{pid}/task/{tid}/children") for tid in os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return False


def readers(pids: list[int], link: str) -> list[int]:
    """The processes among `pids` that can read a pipe, whose link reads `link`."""
    found = []
    for pid in pids:
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for name in names:
            try:
                if os.readlink(f"/proc/{pid}/fd/{name}") == link and not _write_only(pid, name):
                    found.append(pid)
                    break
            except OSError:
                continue
    return found


def _write_only(pid: int, descriptor: str) -> bool:
    for line in _read(f"/proc/{pid}/fdinfo/{descriptor}").splitlines():
        if line.startswith("flags:"):
            return int(line.split()[1], 8) & os.O_ACCMODE == os.O_WRONLY
    return False


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
