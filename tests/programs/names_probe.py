#!/usr/bin/env python3
"""Every kind of file and every way to name it: `names_probe.py DIRECTORY [EVERY]`. Prints one line for each attempt, so
that a file system can be compared with another: what was tried, the errno or what came of it, and whose times moved.

Run as root; every attempt is made as root and as an ordinary user who owns the directory. EVERY: only each so-many-th
of the 3,720, to be had sooner.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

USER = 1001
PAST = 1_000_000_000_123_456_789


def make_socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)


def make_file(path: str) -> None:
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o6755)
    os.write(fd, b"content")
    os.close(fd)


def make_full(path: str) -> None:
    os.mkdir(path, 0o3777)
    os.mkdir(f"{path}/inner")


MAKERS: dict[str, Callable[[str], object]] = {
    "file": make_file,
    "directory": lambda path: os.mkdir(path, 0o755),
    "full": make_full,
    "fifo": lambda path: os.mkfifo(path, 0o644),
    "socket": make_socket,
    "link": lambda path: os.symlink("target", path),
    "loop": lambda path: os.symlink("x", path),
    "device": lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3)),
    "block": lambda path: os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(7, 300)),
    "nothing": lambda path: None,
}
LONG, TOO_LONG = "n" * 255, "n" * 256
FLAGS = {
    "read": os.O_RDONLY, "write": os.O_WRONLY, "both": os.O_RDWR, "truncate": os.O_WRONLY | os.O_TRUNC,
    "read, truncate": os.O_RDONLY | os.O_TRUNC, "append": os.O_WRONLY | os.O_APPEND, "directory": os.O_DIRECTORY,
    "no follow": os.O_NOFOLLOW, "create": os.O_CREAT | os.O_RDWR, "exclusive": os.O_CREAT | os.O_EXCL | os.O_RDWR,
    "create directory": os.O_CREAT | os.O_DIRECTORY, "create, no follow": os.O_CREAT | os.O_NOFOLLOW | os.O_WRONLY,
    "create, truncate": os.O_CREAT | os.O_TRUNC | os.O_WRONLY, "path": os.O_PATH, "no atime": os.O_NOATIME,
    "direct": os.O_DIRECT | os.O_RDONLY, "synchronous": os.O_SYNC | os.O_WRONLY,
}  # fmt: skip


def opened(path: str, flags: int) -> None:
    os.close(os.open(path, flags | os.O_NONBLOCK, 0o7777))


def renamed(old: str, new: str) -> None:
    os.rename(old, new)


def one_argument() -> Iterator[tuple[str, Callable[[str], object]]]:
    """What can be tried on the file `x` of each kind."""
    for name, flags in FLAGS.items():
        yield f"open {name}", lambda path, flags=flags: opened(path, flags)
    for kind, maker in MAKERS.items():
        yield f"make {kind}", maker
    yield from {
        "unlink": os.unlink, "rmdir": os.rmdir, "readlink": os.readlink, "list": lambda path: sorted(os.listdir(path)),
        "chdir": lambda path: (os.chdir(path), os.chdir("/"))[0],
        "chmod": lambda path: os.chmod(path, 0o7751), "chown": lambda path: os.chown(path, -1, os.getegid()),
        "chown nothing": lambda path: os.chown(path, -1, -1, follow_symlinks=False) if os.geteuid() == 0 else None,
        "lchown": lambda path: os.chown(path, os.geteuid(), -1, follow_symlinks=False),
        "truncate to 3": lambda path: os.truncate(path, 3), "truncate to 7": lambda path: os.truncate(path, 7),
        "truncate to 9000": lambda path: os.truncate(path, 9000), "truncate to -1": lambda path: os.truncate(path, -1),
        "truncate to most": lambda path: os.truncate(path, (1 << 63) - 1),
        "times": lambda path: os.utime(path, ns=(5, 1 << 31 << 30)),
        "times before": lambda path: os.utime(path, ns=(-(10**9) - 1, -1)),
        "times after 2038": lambda path: os.utime(path, ns=(3 * 10**18, 4 * 10**18 + 1)),
        "times of the link": lambda path: os.utime(path, ns=(7, 8), follow_symlinks=False),
        "stat": lambda path: stat.S_IFMT(os.stat(path).st_mode), "listxattr": lambda path: sorted(os.listxattr(path)),
        "setxattr": lambda path: os.setxattr(path, "user.a", b"b"),
        "setxattr of the link": lambda path: os.setxattr(path, "user.a", b"b", follow_symlinks=False),
        "trusted of the link": lambda path: os.setxattr(path, "trusted.a", b"b", follow_symlinks=False),
        "empty name of an attribute": lambda path: os.setxattr(path, "user.", b"b"),
        "unknown kind of attribute": lambda path: os.setxattr(path, "else.a", b"b"),
        "unknown attribute": lambda path: os.getxattr(path, "user.none"),
        "removexattr": lambda path: os.removexattr(path, "user.none"),
        "execute": lambda path: os.access(path, os.X_OK), "statvfs": lambda path: os.statvfs(path).f_namemax,
    }.items()  # fmt: skip
    for ending in ("/", "/.", "/..", "//", "/below", "/./x", "/../x", "/inner"):
        for name, deed in {"open": lambda path: opened(path, os.O_RDONLY), "unlink": os.unlink, "rmdir": os.rmdir,
                           "mkdir": os.mkdir, "make file": make_file, "lstat": present,
                           "rename": lambda path: os.rename(path, "moved"),
                           "rename to": lambda path: os.rename("other", path),
                           "symlink": lambda path: os.symlink("a", path)}.items():  # fmt: skip
            yield f"{name} x{ending}", lambda path, deed=deed, ending=ending: deed(path + ending)


def present(path: str) -> str:
    return f"{os.lstat(path).st_mode:o}"


def two_arguments() -> Iterator[tuple[str, Callable[[str, str], object]]]:
    """What can be tried on `x` and `y`, each of every kind."""
    yield "rename", renamed
    yield "link", lambda old, new: os.link(old, new, follow_symlinks=False)
    yield "rename below", lambda old, new: os.rename(old, f"{new}/inner")
    yield "rename out", lambda old, new: os.rename(f"{old}/inner", new)


def paths() -> Iterator[tuple[str, Callable[[], object]]]:
    """Names of every length, in directories that are there or not."""
    for name in (
        LONG, TOO_LONG, "missing/a", f"missing/{TOO_LONG}", "", ".", "..", "/".join(["."] * 2000),
        "/".join(["."] * 2048), "./" * 2045 + "short", f"{'d' * 255}/a", "é", "\udcff", "a\tb\n", "...",
    ):  # fmt: skip
        shown = f"{name[:12]!r}…{len(name)}"
        for what, deed in {"mkdir": os.mkdir, "open": make_file, "symlink": lambda path: os.symlink("a", path),
                           "fifo": os.mkfifo, "socket": lambda path: make_socket(path) if len(path) < 100 else None,
                           "link": lambda path: os.link("other", path), "rename": lambda path: os.rename("other", path),
                           "unlink": os.unlink, "rmdir": os.rmdir, "lstat": present,
                           "target": lambda path: os.symlink(path, "new") or os.readlink("new") == path,
                           "truncate": lambda path: os.truncate(path, 0)}.items():  # fmt: skip
            yield f"{what} {shown}", lambda deed=deed, name=name: deed(name)


@contextmanager
def as_user(uid: int) -> Iterator[None]:
    os.setgroups([])
    os.setresgid(uid, uid, 0)
    os.setresuid(uid, uid, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


def attributes(path: str) -> str:
    """What is there, and which of its times have left the past."""
    try:
        found = os.lstat(path)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    size = found.st_size if not stat.S_ISDIR(found.st_mode) else "-"
    links = found.st_nlink
    times = [time_shown(found.st_atime_ns), time_shown(found.st_mtime_ns), str(found.st_ctime_ns > STARTED[0])]
    return f"{found.st_mode:o} {found.st_uid}:{found.st_gid} {links} {size} {found.st_rdev} {'/'.join(times)}"


STARTED = [0]


def time_shown(nanoseconds: int) -> str:
    if nanoseconds == PAST:
        return "past"
    return "now" if abs(nanoseconds - time.time_ns()) < 3600 * 10**9 else str(nanoseconds)


def attempt(top: str, uid: int, kinds: tuple[str, ...], told: str, deed: Callable[[], object]) -> None:
    """Lay the files out, try, and say what became of everything."""
    os.chdir(top)
    os.mkdir("case")
    os.chown("case", uid, uid)
    os.chdir("case")
    with as_user(0 if {"device", "block"} & set(kinds) else uid):
        make_file("other")
        for name, kind in zip("xy", kinds, strict=False):
            MAKERS[kind](name)
    names = sorted({"other", "x", "y", "."})
    for name in names:
        if os.path.lexists(name):
            os.utime(name, ns=(PAST, PAST), follow_symlinks=False)
    STARTED[0] = time.time_ns()
    ticked()
    with as_user(uid):
        try:
            came = str(deed())
        except OSError as error:
            came = errno.errorcode[error.errno or 0]
    os.chdir(f"{top}/case")
    state = "; ".join(f"{name} {attributes(name)}" for name in (*names, "moved", "new"))
    print(f"{uid} {told} ({', '.join(kinds)}): {came}; {state}")
    os.chdir(top)
    shutil.rmtree("case")


def ticked() -> None:
    """Wait until a file system whose clock is the kernel's coarse one tells a later time."""
    while time.clock_gettime_ns(5) <= STARTED[0]:  # CLOCK_REALTIME_COARSE
        time.sleep(0.001)


def attempts() -> Iterator[tuple[int, tuple[str, ...], str, Callable[[], object]]]:
    """All of them: who, on what, and what."""
    for uid in (0, USER):
        for kind in MAKERS:
            for told, deed in one_argument():
                yield uid, (kind,), told, lambda deed=deed: deed("x")
            for other in MAKERS:
                for told, both in two_arguments():
                    yield uid, (kind, other), told, lambda both=both: both("x", "y")
        for told, named in paths():
            yield uid, (), told, named


def main() -> None:
    top, every = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    os.umask(0o022)
    os.chmod(top, 0o755)
    for number, one in enumerate(attempts()):
        if number % every == 0:
            attempt(top, *one)


main()
