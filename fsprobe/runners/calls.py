"""The system calls that a check of the mount layer makes, taken down while it runs.

Owns the taking down, by standing in for the functions of `os` that make one; knows nothing of what is made of it.
A check that works with other processes, threads or calls that are not listed here cannot be told so, and says why.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from fsprobe.posix import files

MOST_CALLS, MOST_BYTES = 600, 100_000
# Functions of `os`, those whose first argument is (or may be) a descriptor told apart by its type.
NAMES = (
    "open", "close", "read", "write", "pread", "pwrite", "lseek", "mkdir", "rmdir", "unlink", "rename", "replace",
    "link", "symlink", "readlink", "stat", "lstat", "fstat", "chmod", "fchmod", "chown", "lchown", "fchown", "truncate",
    "ftruncate", "utime", "listdir", "fsync", "fdatasync", "setxattr", "getxattr", "listxattr", "removexattr", "mkfifo",
    "mknod", "access", "posix_fallocate", "posix_fadvise", "dup", "statvfs", "fstatvfs", "umask", "copy_file_range",
)  # fmt: skip
_FOREIGN = ("fork", "scandir", "pipe", "pipe2", "sendfile", "readv", "writev", "preadv", "pwritev", "eventfd")
_DIRECTORY_FDS = ("dir_fd", "src_dir_fd", "dst_dir_fd")
_RETURN_FD = ("open", "dup")
_TAKE_FDS = {"copy_file_range": 2}  # so many of the first arguments are descriptors, one where they are integers
_NO_FDS = ("umask",)


@dataclass(frozen=True, slots=True)
class Fd:
    """A descriptor, by the number that it had when the check ran."""

    number: int


@dataclass(slots=True)
class Call:
    """name: of a function of `os`. value: what it returned; errno: what it raised, 0 for nothing."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    value: Any = None
    errno: int = 0


@dataclass(slots=True)
class Calls:
    """What was made, in order. trouble: why it cannot be told as a list of calls, "" where it can."""

    made: list[Call] = field(default_factory=list)
    trouble: str = ""
    _bytes: int = 0
    _open: set[int] = field(default_factory=set)
    _entries: dict[int, list[bytes]] = field(default_factory=dict)
    _inside: bool = False
    _pid: int = field(default_factory=os.getpid)
    _thread: int = field(default_factory=threading.get_ident)

    def _mine(self) -> bool:
        if threading.get_ident() != self._thread or os.getpid() != self._pid:
            self.trouble = self.trouble or "it works with other threads or processes"
            return False
        return not self._inside and not self.trouble

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, taking down each call that is not made by another one of them."""

        def made(*args: Any, **kwargs: Any) -> Any:
            if not self._mine():
                return function(*args, **kwargs)
            self._inside = True
            call = Call(name, self._descriptors(name, args), self._named(kwargs))
            self._add(call)
            try:
                call.value = function(*args, **kwargs)
            except OSError as error:
                call.errno = error.errno or 0
                raise
            finally:
                self._inside = False
            if name in _RETURN_FD:
                self._open.add(call.value)
            return call.value

        return made

    def _add(self, call: Call) -> None:
        self._bytes += sum(len(arg) for arg in call.args if isinstance(arg, bytes | bytearray))
        self.made.append(call)
        if len(self.made) > MOST_CALLS or self._bytes > MOST_BYTES:
            self.trouble = f"it makes more than {MOST_CALLS} calls, or writes more than {MOST_BYTES} bytes"

    def _descriptors(self, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        count = 0 if name in _NO_FDS else _TAKE_FDS.get(name, 1)
        return tuple(
            self._fd(arg) if index < count and isinstance(arg, int) else arg for index, arg in enumerate(args)
        )

    def _named(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {key: self._fd(value) if key in _DIRECTORY_FDS and isinstance(value, int) else value
                for key, value in kwargs.items() if value is not None}  # fmt: skip

    def _fd(self, number: int) -> Fd:
        if number not in self._open:
            self.trouble = self.trouble or "it uses a descriptor from elsewhere"
        return Fd(number)

    def statx(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`files.statx` as the stat that it is."""

        def made(target: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._mine():
                return function(target, *args, **kwargs)
            link = kwargs.get("flags", 0) & files.AT_SYMLINK_NOFOLLOW
            name = "fstat" if isinstance(target, int) else "lstat" if link else "stat"
            call = Call(name, self._descriptors(name, (target,)), {})
            self._add(call)
            try:
                found = function(target, *args, **kwargs)
            except OSError as error:
                call.errno = error.errno or 0
                raise
            call.value = SimpleNamespace(
                st_mode=found.mode, st_nlink=found.nlink, st_uid=found.uid, st_gid=found.gid, st_size=found.size,
                st_ino=found.ino, st_mtime_ns=found.mtime_ns, st_ctime_ns=found.ctime_ns,
            )  # fmt: skip
            return found

        return made

    def getdents64(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Buffers of a directory, until one is empty, as the listing that they are."""

        def made(fd: int, *args: Any, **kwargs: Any) -> Any:
            if not self._mine():
                return function(fd, *args, **kwargs)
            self._inside = True
            try:
                found = function(fd, *args, **kwargs)
            except OSError as error:
                self._add(Call("listdir", (self._fd(fd),), {}, errno=error.errno or 0))
                raise
            finally:
                self._inside = False
            names = self._entries.setdefault(fd, [])
            names += [one.name for one in found if one.name not in (b".", b"..")]
            if not found:
                self._add(Call("listdir", (self._fd(fd),), {}, [os.fsdecode(name) for name in self._entries.pop(fd)]))
            return found

        return made

    def foreign(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that a list of calls cannot repeat."""

        def made(*args: Any, **kwargs: Any) -> Any:
            if self._mine():
                self.trouble = f"it uses {name}"
            return function(*args, **kwargs)

        return made


@contextmanager
def taken_down() -> Iterator[Calls]:
    """The calls that are made meanwhile by this thread."""
    calls = Calls()
    places: list[tuple[Any, str]] = [(os, name) for name in (*NAMES, *_FOREIGN)]
    places += [(files, name) for name in ("statx", "getdents64")]
    others = ("renameat2", "fallocate", "fchmodat2", "linkat", "syncfs", "utimensat")
    places += [(files, name) for name in others if hasattr(files, name)]
    before = [(place, name, getattr(place, name)) for place, name in places if hasattr(place, name)]
    for place, name, function in before:
        if place is files and name in ("statx", "getdents64"):
            stand_in = getattr(calls, name)(function)
        elif place is files or name in _FOREIGN:
            stand_in = calls.foreign(name, function)
        else:
            stand_in = calls.wrap(name, function)
        setattr(place, name, stand_in)
    try:
        yield calls
    finally:
        for place, name, function in before:
            setattr(place, name, function)
