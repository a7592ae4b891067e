"""The processes that wait at a FUSE mount: what they asked, where, and since when, as far as /proc tells.

Owns finding them and the path in their system call; draws no conclusions. No mount is touched: descriptors are told
apart by the mount id in fdinfo, paths by their text.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fsprobe.sandbox import callers, evidence, mounts, process, standing
from fsprobe.sandbox.mounts import Mount

MOST = 64  # threads that are told of
_LONGEST = 4096
_FDCWD = 0xFFFFFF9C
_MASK = 0xFFFFFFFF


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Asleep until a page is read or written: by whom shows neither wchan nor stack.
_PAGES = ("folio_wait_bit", "wait_on_page_bit", "__folio_lock", "folio_lock", "__lock_page")
_WRITING = frozenset({"fsync", "fdatasync", "msync", "sync_file_range", "syncfs"})

# Where a system call names its file: a descriptor, or a path below a directory (None: the working directory).
_DESCRIPTOR = _words(
    "read write pread64 pwrite64 readv writev fstat fsync fdatasync ftruncate fchmod fchown getdents64 fallocate lseek "
    "ioctl flock fstatfs copy_file_range fsetxattr fgetxattr flistxattr fremovexattr syncfs"
)
_PATH: dict[str, tuple[int | None, int]] = {
    **dict.fromkeys(
        _words("open stat lstat access truncate rename mkdir rmdir link unlink readlink chmod chown lchown mknod "
               "statfs setxattr lsetxattr getxattr lgetxattr listxattr llistxattr removexattr lremovexattr"),
        (None, 0),
    ),
    "symlink": (None, 1), "symlinkat": (1, 2),
    **dict.fromkeys(
        _words("openat mkdirat mknodat fchownat newfstatat unlinkat renameat renameat2 linkat readlinkat fchmodat "
               "faccessat faccessat2 utimensat statx"), (0, 1)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caller:
    """A thread that waits for a FUSE daemon. op: the operation, sure: its kernel stack says so; call: its system call.

    connection: whose answer it waits for, -1 where that cannot be told. path: as its process names it, "" where not
    known. seconds: how long it has been asleep, None where the kernel does not tell. switches: how often it went to
    sleep in its life, by which a wait is told from the next one.
    """

    pid: int
    tid: int
    name: str
    state: str
    wchan: str
    op: str
    sure: bool
    call: str
    connection: int
    path: str
    seconds: float | None
    switches: int

    def to_wire(self) -> dict[str, Any]:
        """A plain dict."""
        return asdict(self)


def find(pids: Sequence[int] | None = None) -> list[Caller]:
    """Every thread that waits for a FUSE daemon, among these processes or all that this user may look at."""
    found: list[Caller] = []
    for pid in process.pids() if pids is None else pids:
        tids = [tid for tid in process.thread_ids(pid) if _wchan(pid, tid).startswith((*callers.WAITS, *_PAGES))]
        if not tids:
            continue
        threads = [thread.to_wire() for thread in evidence.threads(pid)]
        table = _table(pid)
        told = [_caller(pid, one, table, _memory_is_locked(threads)) for one in threads if one["tid"] in tids]
        found += [one for one in told if one.connection >= 0 or not one.wchan.startswith(_PAGES)]
        if len(found) >= MOST:
            break
    return sorted(found[:MOST], key=lambda one: -(one.seconds or 0.0))


def _wchan(pid: int, tid: int) -> str:
    try:
        with open(f"/proc/{pid}/task/{tid}/wchan") as file:
            return file.read(64)
    except OSError:
        return ""


def _table(pid: int) -> list[Mount]:
    try:
        return mounts.mounts(pid)
    except OSError:
        return []


def _memory_is_locked(threads: Sequence[dict[str, Any]]) -> bool:
    """Whether a thread may hold the lock on the process's memory while it waits: then nobody should read there."""
    return any(
        one["syscall"].startswith("-1") or "_fault" in one["stack"] or "mmap" in one["stack"]
        or "munmap" in one["stack"] or one["wchan"].startswith("rwsem_down") for one in threads
    )  # fmt: skip


def _caller(pid: int, thread: dict[str, Any], table: Sequence[Mount], locked: bool) -> Caller:
    op, sure = callers.operation(thread)
    call = callers.call_name(thread)
    pages = thread["wchan"].startswith(_PAGES)
    if pages:
        op = "WRITE" if call in _WRITING else "READ"
    arguments = [int(word, 16) for word in thread["syscall"].split()[1:7] if word.startswith("0x")]
    path, connection = "", -1
    if call in _DESCRIPTOR and arguments:
        path, connection = thread["file"], _of_descriptor(pid, arguments[0], table)
    elif call in _PATH and len(arguments) == 6 and not locked:
        path, connection = _of_path(pid, arguments, _PATH[call], table)
    if connection < 0 and pages and call not in _DESCRIPTOR:  # a page fault tells no file: one of those that are open
        path, connection = _of_open_files(pid, table)
    elif connection < 0:
        connection = _of_working_directory(pid, table)
    return Caller(
        pid, thread["tid"], thread["name"], thread["state"], thread["wchan"], op, sure, call, connection, path,
        _asleep(pid, thread["tid"]), thread["switches"],
    )  # fmt: skip


def _of_descriptor(pid: int, descriptor: int, table: Sequence[Mount]) -> int:
    """The connection of an open file, by the id of its mount."""
    try:
        with open(f"/proc/{pid}/fdinfo/{descriptor}") as file:
            told = dict(line.split(":", 1) for line in file.read(4096).splitlines() if ":" in line)
        number = told["mnt_id"].strip()
    except (OSError, KeyError, ValueError):
        return -1
    return next((one.minor for one in table if one.line.split(" ", 1)[0] == number and standing.is_fuse(one)), -1)


def _of_open_files(pid: int, table: Sequence[Mount]) -> tuple[str, int]:
    """The first open file on a FUSE mount, and its connection."""
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return "", -1
    for name in names:
        connection = _of_descriptor(pid, int(name), table)
        if connection >= 0:
            return _link(f"/proc/{pid}/fd/{name}"), connection
    return "", -1


def _of_path(
    pid: int, arguments: Sequence[int], where: tuple[int | None, int], table: Sequence[Mount]
) -> tuple[str, int]:
    directory, index = where
    text = _string(pid, arguments[index]) if arguments[index] else ""
    base = _FDCWD if directory is None else arguments[directory] & _MASK
    link = f"/proc/{pid}/cwd" if base == _FDCWD else f"/proc/{pid}/fd/{base}"
    if not text:  # futimens, fstatat with AT_EMPTY_PATH: the descriptor itself
        return (_link(link), _of_descriptor(pid, base, table)) if base != _FDCWD else ("", -1)
    if not text.startswith("/"):
        try:
            text = os.path.join(os.readlink(link), text)
        except OSError:
            return text, -1
    path = os.path.normpath(text)
    found = standing.mount_at(path, table)
    if found is None or not standing.is_fuse(found):
        found = standing.mount_at(standing.resolve(path, table), table)
    return path, found.minor if found is not None and standing.is_fuse(found) else -1


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _string(pid: int, address: int) -> str:
    """A string in the memory of a process."""
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            size = min(_LONGEST, 4096 - address % 4096)  # its page is there, the next one may not be
            data = os.pread(memory.fileno(), size, address)
            if b"\0" not in data:
                data += os.pread(memory.fileno(), _LONGEST - size, address + size)
    except (OSError, OverflowError, ValueError):
        return ""
    return os.fsdecode(data.partition(b"\0")[0])


def _of_working_directory(pid: int, table: Sequence[Mount]) -> int:
    """The connection that its working directory lies on: nothing better is known."""
    try:
        found = standing.mount_at(os.readlink(f"/proc/{pid}/cwd"), table)
    except OSError:
        return -1
    return found.minor if found is not None and standing.is_fuse(found) else -1


def _asleep(pid: int, tid: int) -> float | None:
    """Seconds since it last ran, by the scheduler's own clock (CONFIG_SCHED_DEBUG)."""
    then, now = _ran_at(f"/proc/{pid}/task/{tid}/sched"), _ran_at("/proc/self/sched")
    return None if then is None or now is None else max(0.0, now - then)


def _ran_at(path: str) -> float | None:
    try:
        with open(path) as file:
            for line in file:
                if line.startswith("se.exec_start"):
                    return float(line.rpartition(":")[2]) / 1000
    except (OSError, ValueError):
        pass
    return None
