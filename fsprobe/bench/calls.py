"""The single calls whose time is taken, by name, and taking the time of many of them.

Owns the calls and the clock, with the standard library alone; knows nothing of which are measured together.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from time import perf_counter

Call = Callable[[str, bytes], object]

BATCH = 8
"""Calls between two looks at the clock, which would be felt beside a call of a microsecond."""
XATTR = "user.fsprobe"


class TooSlow(Exception):
    """Making ready took longer than it may."""


class Clock:
    """Who is told how the work goes on; here nobody. lasts: seconds of a slice, where there is anything left to do."""

    def __init__(self, lasts: float = 0.0) -> None:
        self.lasts = lasts

    def tick(self) -> None:
        """It goes on. Raises TooSlow where making ready has taken longer than it may."""

    def begin(self, name: str, limit: float) -> None:
        """Something begins that may take so many seconds."""

    def phase(self, name: str) -> None:
        """It goes on to what this name measures."""


def create(path: str, _content: bytes = b"") -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def write(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    try:
        if os.write(fd, content) != len(content):
            raise OSError(5, "a short write")
    finally:
        os.close(fd)


def read(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        found = os.read(fd, len(content) + 1)
    finally:
        os.close(fd)
    if len(found) != len(content):
        raise OSError(5, f"read {len(found)} of {len(content)} bytes")


def open_close(path: str, _content: bytes = b"") -> None:
    os.close(os.open(path, os.O_RDONLY))


def _create_read_delete(path: str, content: bytes) -> None:
    write(path, content)
    read(path, content)
    os.unlink(path)


def create_unlink(path: str, _content: bytes = b"") -> None:
    create(path)
    os.unlink(path)


def _getxattr(path: str, _content: bytes) -> None:
    if len(os.getxattr(path, XATTR)) != 32:
        raise OSError(5, "an xattr of another length")


RENAMED = "r"
CALLS: dict[str, Call] = {
    "create": create,
    "write": write,
    "read": read,
    "stat": lambda path, _: os.stat(path),
    "open+close": open_close,
    "rename": lambda path, _: os.rename(path, path + RENAMED),
    "unlink": lambda path, _: os.unlink(path),
    "delete": lambda path, _: os.unlink(path),
    "mkdir": lambda path, _: os.mkdir(path, 0o755),
    "rmdir": lambda path, _: os.rmdir(path),
    "setxattr": lambda path, _: os.setxattr(path, XATTR, b"v" * 32),
    "getxattr": _getxattr,
    "create+read+delete": _create_read_delete,
    "create+unlink": create_unlink,
}


def timed(call: Call, names: Sequence[str], content: bytes, longest: float) -> tuple[float, int]:
    """Seconds, and how many calls were made: fewer than there are names where those take longer than `longest`."""
    done, step = 0, 1
    began = perf_counter()
    while done < len(names):
        for name in names[done : done + step]:
            call(name, content)
        done = min(done + step, len(names))
        step = BATCH
        now = perf_counter()
        if now - began > longest:
            break
    return perf_counter() - began, done
