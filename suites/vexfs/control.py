"""The directory _vexfs: control, stats and search.

What these checks change there (the default of `k`, the answer in `search`) they set back, where it can be.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from fsprobe.checks import Finding, Skip, mount_check
from fsprobe.checks.mount import Mount

SOURCE = "VexFS, the vector interface"
BAD_LINES = (
    "k", "k=", "k=0", "k=-1", "k=many", "k=1000000", "threshold=high", "threshold=2", "threshold=nan", "speed=5", "=5",
    "model=\x07",
)  # fmt: skip
BAD_VECTORS = ("words", "1,,2", "1,nan", "inf,1", "0,0,0", ",".join(["1"] * 10_001))


def place(m: Mount, name: str = "", mode: int = os.F_OK) -> str:
    """The path of `_vexfs`, or of a file in it. Raises Skip where there is none, or it is not for this user."""
    directory = os.path.join(m.root, "_vexfs")
    try:
        os.stat(directory)
    except FileNotFoundError:
        raise Skip("there is no _vexfs: this file system has no vector interface") from None
    path = os.path.join(directory, name) if name else directory
    if not os.access(path, mode):
        raise Skip(f"_vexfs/{name} is not for this user to write")
    return path


def put(m: Mount, name: str, text: str) -> str:
    """Write a file and close it; its path. Part of the question, not set-up."""
    path = m.path(name)
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(fd, text.encode())
    m.close(fd)
    return path


def say(m: Mount, path: str, text: str) -> None:
    """One write to a file of `_vexfs`, and its close."""
    fd = m.open(path, os.O_WRONLY)
    os.write(fd, text.encode())
    m.close(fd)


def facts(m: Mount, path: str) -> dict[str, list[str]]:
    """The lines of key=value of a file of `_vexfs`."""
    found: dict[str, list[str]] = {}
    for line in m.read(path).decode("utf-8", "backslashreplace").splitlines():
        key, equals, value = line.partition("=")
        if not equals:
            raise Finding("lines of key=value", repr(line))
        found.setdefault(key, []).append(value)
    return found


def count(m: Mount, name: str) -> int:
    """A counter of `_vexfs/stats`."""
    told = facts(m, place(m, "stats")).get(name, ["nothing"])[0]
    if not told.isdigit():
        raise Finding(f"a number for {name}", told)
    return int(told)


@mount_check(
    "vexfs.directory.listed", op="READDIR", also=("LOOKUP",), source=SOURCE, quick=True,
    killers=("READDIR:entries=lose", "READDIR:entries=double", "LOOKUP:errno=EIO,path=*_vexfs"),
)
def listed(m: Mount) -> None:
    """_vexfs is a directory in the root with control, search and stats in it; their names carry no slash."""
    names = m.names(place(m))
    m.expect_equal([b"control", b"search", b"stats"], names, "the names in _vexfs")
    m.expect(b"_vexfs" in m.names(m.root), "_vexfs in the root's listing", "it is not listed")


@mount_check(
    "vexfs.directory.stays-as-it-is", op="CREATE", source=SOURCE, needs=("root", "write"),
    killers=("CREATE:errno=EIO", "MKDIR:errno=EIO", "CREATE:errno=EROFS,path=*fsprobe"),
)
def stays_as_it_is(m: Mount) -> None:
    """Nothing can be made in _vexfs, not even by root: EPERM."""
    path = os.path.join(place(m), "fsprobe")
    calls: tuple[tuple[str, Callable[[], object]], ...] = (
        ("create", lambda: m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)), ("mkdir", lambda: os.mkdir(path)),
    )  # fmt: skip
    for name, call in calls:
        with m.raises(errno.EPERM, what=f"{name} in _vexfs"):
            call()


@mount_check(
    "vexfs.stats.counts", op="READ", also=("FLUSH", "UNLINK"), source=SOURCE, needs=("write",),
    killers=("READ:errno=EIO,path=*stats", "WRITE:fake", "UNLINK:fake"),
)
def counts(m: Mount) -> None:
    """The counters in _vexfs/stats are those of now: a vector more, a search more, a vector less."""
    vectors, searches = count(m, "vectors"), count(m, "searches")
    path = put(m, "a.vec", "1,2,3")
    m.expect_equal(vectors + 1, count(m, "vectors"), "vectors after one was written")
    put(m, "q.search", "vector: 1,2,3\n")
    m.expect_equal(searches + 1, count(m, "searches"), "searches after one")
    os.unlink(path)
    m.expect_equal(vectors, count(m, "vectors"), "vectors after it was removed")


@mount_check(
    "vexfs.stats.tells-why", op="READ", also=("FLUSH",), source=SOURCE, needs=("write",),
    killers=("READ:errno=EIO,path=*stats", "WRITE:fake", "FLUSH:fake"),
)
def tells_why(m: Mount) -> None:
    """Why a vector or a query was refused stands in _vexfs/stats, with its name; the list does not grow for ever."""
    stats = place(m, "stats")
    for name, text, word in (("odd.vec", "1,nan", "finite"), ("odd.search", "vector: 1\nk: 0\n", "k:")):
        with m.raises(errno.EINVAL, what=f"close of {name}"):
            put(m, name, text)
        errors = facts(m, stats).get("error", [])
        told = [line for line in errors if name in line and word in line]
        m.expect(bool(told), f"an error line with {name} and {word!r}", "; ".join(errors) or "no error line")
    for number in range(30):
        put(m, f"{number}.vec", "words")
    m.expect(len(facts(m, stats).get("error", [])) < 25, "the latest errors only", "every one of 30")


@mount_check(
    "vexfs.control.default-k", op="WRITE", also=("READ",), source=SOURCE, needs=("write",),
    killers=("WRITE:fake", "WRITE:errno=EIO", "READ:errno=EIO,path=*control"),
)
def default_k(m: Mount) -> None:
    """key=value in _vexfs/control is in force at once, and read back."""
    path = place(m, "control", os.W_OK)
    before = facts(m, path).get("k", ["?"])[0]
    m.expect(before.isdigit(), "a number for k", before)
    wanted = "2" if before != "2" else "3"
    try:
        say(m, path, f"k={wanted}\n")
        m.expect_equal([wanted], facts(m, path).get("k"), "k in _vexfs/control")
        for number in range(4):
            put(m, f"{number}.vec", f"1,{number}")
        query = put(m, "q.search", "vector: 1,0\n")
        m.expect_equal(int(wanted), len(m.read(query + ".results").splitlines()), "results of a query without k")
    finally:
        say(m, path, f"k={before}\n")


@mount_check(
    "vexfs.control.bad-line", op="WRITE", source=SOURCE, needs=("write",),
    killers=("WRITE:fake", "WRITE:errno=EIO", "WRITE:errno=ENOSPC"),
)
def bad_line(m: Mount) -> None:
    """A line that is no setting is refused with EINVAL by the write itself, where a shell shows it; nothing changes."""
    path = place(m, "control", os.W_OK)
    before = m.read(path)
    for line in BAD_LINES:
        fd = m.open(path, os.O_WRONLY)
        with m.raises(errno.EINVAL, what=f"writing {line!r}"):
            os.write(fd, f"{line}\n".encode())
        m.close(fd)
    m.expect_equal(before, m.read(path), "the settings")


@mount_check(
    "vexfs.search-all.ten-nearest", op="WRITE", also=("READ",), source=SOURCE, needs=("write",), quick=True,
    killers=("WRITE:fake", "READ:errno=EIO,path=*search", "vexfs:search-relock"),
)
def ten_nearest(m: Mount) -> None:
    """A vector written to _vexfs/search: the ten nearest of all directories are read from there, best first."""
    path = place(m, "search", os.W_OK)
    folders = [os.path.basename(m.subdir(name)) for name in ("one", "two")]
    own = f"-{m.stat(m.dir).ino}.vec"  # the answer to an earlier run names other files
    for number in range(12):
        put(m, f"{folders[number % 2]}/{number}{own}", f"1,{number},{number * number},0,0,0,7")
    say(m, path, "1,0,0,0,0,0,7\n")
    lines = m.read(path).decode("utf-8", "backslashreplace").splitlines()
    found = [line.partition("\t")[0] for line in lines]
    wanted = [f"{folders[number % 2]}/{number}{own}" for number in range(10)]
    m.expect_equal(10, len(found), "lines")
    right = all(name.endswith(end) for name, end in zip(found, wanted, strict=True))
    m.expect(right, ", ".join(wanted), ", ".join(found))


@mount_check(
    "vexfs.search-all.bad-vector", op="WRITE", source=SOURCE, needs=("write",),
    killers=("WRITE:fake", "WRITE:errno=EIO", "WRITE:errno=ENOSPC"),
)
def bad_vector(m: Mount) -> None:
    """What is no vector is refused with EINVAL by the write to _vexfs/search."""
    path = place(m, "search", os.W_OK)
    for text in BAD_VECTORS:
        fd = m.open(path, os.O_WRONLY)
        with m.raises(errno.EINVAL, what=f"writing {text[:30]!r}"):
            os.write(fd, f"{text}\n".encode())
        m.close(fd)
