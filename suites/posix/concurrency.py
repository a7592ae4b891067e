"""Several processes at once."""

from __future__ import annotations

import errno
import functools
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from fsprobe.checks import linux, mount_check
from fsprobe.checks.mount import Mount


def make_file(path: str) -> None:
    """Make a file that must not exist yet."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def outcome(act: Callable[[], Any]) -> str:
    """"success", or the name of the error."""
    try:
        act()
    except OSError as error:
        return linux.errno_name(error.errno or 0)
    return "success"


def together(m: Mount, work: Callable[[int], Any], count: int = 4) -> list[Any]:
    """The results of so many processes at once, each told its number."""
    return [process.result() for process in [m.start(functools.partial(work, number)) for number in range(count)]]


@mount_check(
    "posix.concurrency.exclusive-create", op="CREATE", source="catalogue 3.24.1; POSIX open", also=("MKDIR",),
    parallel=True, needs=("write",), killers=("CREATE:errno=EIO", "MKDIR:errno=EIO,path=*d3"),
)
def exclusive_create(m: Mount) -> None:
    """Of four processes that make the same file, or the same directory, exactly one succeeds each time."""
    top = m.subdir("race")

    def race() -> list[str]:
        results = []
        for turn in range(8):
            for make, name in ((make_file, f"f{turn}"), (os.mkdir, f"d{turn}")):
                try:
                    make(f"{top}/{name}")
                    results.append("success")
                except OSError as error:
                    results.append(linux.errno_name(error.errno or 0))
        return results

    answers = [process.result() for process in [m.start(race) for _ in range(4)]]
    for attempt in zip(*answers, strict=True):
        m.expect_equal(["EEXIST"] * 3 + ["success"], sorted(attempt), "the results of four processes")


@mount_check(
    "posix.concurrency.parallel-create", op="CREATE", source="catalogue 3.24.6", also=("READDIR",),
    parallel=True, needs=("write",), killers=("CREATE:errno=EIO,path=*1-7", "*:entries=lose"),
)
def parallel_create(m: Mount) -> None:
    """Four processes that each make 20 files in one directory make 80."""
    top = m.subdir("shared")

    def make(number: int) -> None:
        for turn in range(20):
            make_file(f"{top}/{number}-{turn}")

    for process in [m.start(functools.partial(make, number)) for number in range(4)]:
        process.result()
    expected = sorted(b"%d-%d" % (number, turn) for number in range(4) for turn in range(20))
    m.expect_equal(expected, m.names(top), "the names listed")


@mount_check(
    "posix.concurrency.append", op="WRITE", source="catalogue 3.15.5; POSIX write", parallel=True, needs=("write",),
    killers=("WRITE:fake", "WRITE:flip", "WRITE:short"),
)
def append(m: Mount) -> None:
    """Records that four processes append to one file are all there, and none is torn."""
    path = m.file("log")

    def write(number: int) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        for _ in range(25):
            os.write(fd, b"%d" % number * 64)
        os.close(fd)

    for process in [m.start(functools.partial(write, number)) for number in range(4)]:
        process.result()
    data = m.read(path)
    m.expect_equal(4 * 25 * 64, len(data), "the length")
    records = Counter(data[at : at + 64] for at in range(0, len(data), 64))
    m.expect_equal({b"%d" % number * 64: 25 for number in range(4)}, dict(records), "the records")


@mount_check(
    "posix.concurrency.readers", op="READ", source="catalogue 3.14.8", parallel=True, needs=("write",),
    killers=("READ:flip", "READ:short"),
)
def readers(m: Mount) -> None:
    """Four processes that read different parts of a file at once each get the right bytes."""
    data = m.rng.randbytes(200_000)
    path = m.file("file", data)

    def read(number: int) -> bool:
        fd = os.open(path, os.O_RDONLY)
        return all(m.pread(fd, 4096, at) == data[at : at + 4096] for at in range(number * 4096, 200_000, 16384))

    right = [process.result() for process in [m.start(functools.partial(read, number)) for number in range(4)]]
    m.expect_equal([True] * 4, right, "the right bytes in each process")


@mount_check(
    "posix.concurrency.disjoint-writes", op="WRITE", source="catalogue 3.15.4, 3.36 concurrency", parallel=True,
    needs=("write",), also=("READ",), killers=("WRITE:fake", "WRITE:flip"),
)
def disjoint_writes(m: Mount) -> None:
    """Four processes that write every fourth piece of a file, pieces that share pages, lose nothing of each other."""
    path, size = m.file("file", bytes(120 * 999)), 999
    pieces = [m.rng.randbytes(size) for _ in range(120)]

    def write(number: int) -> None:
        fd = os.open(path, os.O_RDWR)
        for turn in range(number, 120, 4):
            m.expect_equal(size, os.pwrite(fd, pieces[turn], turn * size), "bytes written")

    together(m, write)
    m.expect_equal(b"".join(pieces), m.read(path), "the content")


@mount_check(
    "posix.concurrency.unlink", op="UNLINK", source="catalogue 3.36 concurrency; POSIX unlink", parallel=True,
    needs=("write",), killers=("UNLINK:fake", "UNLINK:errno=EIO"),
)
def unlink(m: Mount) -> None:
    """Of four processes that remove the same file exactly one succeeds each time, the others are told ENOENT."""
    paths = [m.file(f"f{turn}") for turn in range(12)]
    answers = together(m, lambda number: [outcome(functools.partial(os.unlink, path)) for path in paths])
    for attempt in zip(*answers, strict=True):
        m.expect_equal(["ENOENT"] * 3 + ["success"], sorted(attempt), "the results of four processes")


@mount_check(
    "posix.concurrency.rename", op="RENAME", source="catalogue 3.36 concurrency; POSIX rename", parallel=True,
    needs=("write",), also=("READDIR",), killers=("RENAME:errno=EIO", "RENAME:fake", "*:entries=lose"),
)
def rename(m: Mount) -> None:
    """Of four processes that rename the same file to names of their own exactly one succeeds each time."""
    top = m.subdir("race")
    for turn in range(8):
        m.file(f"race/{turn}", b"%d" % turn)

    def move(number: int) -> list[str]:
        return [outcome(functools.partial(os.rename, f"{top}/{turn}", f"{top}/{turn}.{number}")) for turn in range(8)]

    answers = together(m, move)
    winners = []
    for turn, attempt in enumerate(zip(*answers, strict=True)):
        m.expect_equal(["ENOENT"] * 3 + ["success"], sorted(attempt), "the results of four processes")
        winners.append(b"%d.%d" % (turn, attempt.index("success")))
    m.expect_equal(sorted(winners), m.names(top), "the names afterwards")


@mount_check(
    "posix.concurrency.link", op="LINK", source="catalogue 3.36 concurrency; POSIX link", parallel=True,
    needs=("write", "hardlink"), killers=("LINK:errno=EIO", "UNLINK:errno=EIO"),
)
def link(m: Mount) -> None:
    """Of four processes that link their own file to the same name, as mailers lock, exactly one succeeds each time."""
    top = m.subdir("race")
    for number in range(4):
        m.file(f"race/own{number}")

    def attempt(number: int) -> list[str]:
        return [outcome(lambda turn=turn: os.link(f"{top}/own{number}", f"{top}/lock{turn}"))  # type: ignore[misc]
                for turn in range(8)]  # fmt: skip

    for results in zip(*together(m, attempt), strict=True):
        m.expect_equal(["EEXIST"] * 3 + ["success"], sorted(results), "the results of four processes")
    for turn in range(8):
        os.unlink(f"{top}/lock{turn}")


@mount_check(
    "posix.concurrency.deep-directories", op="MKDIR", source="catalogue 3.36 concurrency", parallel=True,
    needs=("write",), also=("LOOKUP",), killers=("MKDIR:errno=EACCES,path=*/3", "*:entries=lose"),
)
def deep_directories(m: Mount) -> None:
    """Four processes that make the same deep directories, as mkdir -p does, all come through."""
    top = m.subdir("deep")

    def make(number: int) -> None:
        for turn in range(4):
            os.makedirs(f"{top}/{turn}/a/b/c/d", exist_ok=True)
            make_file(f"{top}/{turn}/a/b/c/d/{number}")

    together(m, make)
    for turn in range(4):
        m.expect_equal([b"0", b"1", b"2", b"3"], m.names(f"{top}/{turn}/a/b/c/d"), "the files in the deepest directory")


@mount_check(
    "posix.concurrency.open-and-unlink", op="OPEN", source="catalogue 3.36 concurrency; POSIX open", parallel=True,
    needs=("write",), also=("UNLINK", "CREATE"), killers=("OPEN:errno=EIO", "CREATE:errno=EIO", "READ:flip"),
)
def open_and_unlink(m: Mount) -> None:
    """Opening a file that another process makes and removes again and again succeeds or is ENOENT, never another."""
    path = m.path("flickering")

    def flicker() -> None:
        for _ in range(40):
            fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            os.write(fd, b"data")
            os.close(fd)
            os.unlink(path)

    def look() -> list[str]:
        seen = set()
        for _ in range(80):
            try:
                fd = os.open(path, os.O_RDONLY)
            except OSError as error:
                if error.errno != errno.ESTALE:  # the name was taken by the next file meanwhile
                    seen.add(linux.errno_name(error.errno or 0))
                continue
            data = os.read(fd, 10)
            os.close(fd)
            if data not in (b"", b"data"):
                seen.add(repr(data))
        return sorted(seen)

    readers = [m.start(look) for _ in range(2)]
    m.start(flicker).result()
    for reader in readers:
        odd = [what for what in reader.result() if what != "ENOENT"]
        m.expect(not odd, "success or ENOENT from open", ", ".join(odd))
    m.file("flickering", b"data")
    m.expect_equal([], m.fork(look), "errors from opening the file that stays")


@mount_check(
    "posix.concurrency.cut-and-read", op="READ", source="catalogue 3.36 concurrency", parallel=True, needs=("write",),
    also=("SETATTR", "WRITE"), killers=("READ:errno=EIO", "SETATTR:errno=EIO"),
)
def cut_and_read(m: Mount) -> None:
    """While one process cuts a file and writes it again, others read its data, zeros or less, never anything else."""
    data = b"\1" * 30_000
    path = m.file("file", data)

    def change() -> None:
        fd = os.open(path, os.O_RDWR)
        for turn in range(40):
            os.ftruncate(fd, turn * 700)
            os.pwrite(fd, data, 0)

    def look() -> list[int]:
        fd = os.open(path, os.O_RDONLY)
        odd: set[int] = set()
        for _ in range(60):
            odd |= set(m.pread(fd, 40_000, 0)) - {0, 1}
        return sorted(odd)

    readers = [m.start(look) for _ in range(2)]
    m.start(change).result()
    for reader in readers:
        m.expect_equal([], reader.result(), "bytes read that were never written")
    m.expect_equal(data, m.read(path), "the content in the end")


@mount_check(
    "posix.concurrency.listing", op="READDIR", source="catalogue 3.21.5, 3.36 concurrency; POSIX readdir",
    parallel=True, needs=("write",), also=("CREATE", "UNLINK"), killers=("*:entries=lose", "*:entries=double"),
)
def listing(m: Mount) -> None:
    """While two processes make and remove files, each listing has those that stay exactly once."""
    stay = [b"stay%02d" % number + b"n" * 80 for number in range(60)]
    top = m.subdir("busy")
    for name in stay:
        m.file(b"busy/" + name)

    def churn(number: int) -> None:
        for turn in range(40):
            make_file(f"{top}/{number}-{turn}")
            os.unlink(f"{top}/{number}-{turn}")

    churning = [m.start(functools.partial(churn, number)) for number in range(2)]
    for _ in range(8):
        found = sorted(entry.name for entry in m.entries(top, 2048) if entry.name.startswith(b"stay"))
        m.expect_equal(stay, found, "the entries that stay", show=lambda names: f"{len(names)}, each once")
    for process in churning:
        process.result()
    m.expect_equal(stay, m.names(top), "the entries in the end", show=lambda names: f"{len(names)} of them")


@mount_check(
    "posix.concurrency.xattr", op="GETXATTR", source="catalogue 3.36 concurrency; xfstests generic/403", parallel=True,
    needs=("write", "xattr"), also=("SETXATTR",), killers=("GETXATTR:flip", "GETXATTR:errno=ENODATA"),
)
def xattr(m: Mount) -> None:
    """While one process sets an attribute to a short and a long value in turn, another reads one of the two."""
    path, values = m.file("file"), (b"short", b"long" * 60)
    os.setxattr(path, "user.fsprobe", values[0])

    def change() -> None:
        for turn in range(80):
            os.setxattr(path, "user.fsprobe", values[turn % 2])

    changing = m.start(change)
    for _ in range(60):
        value = os.getxattr(path, "user.fsprobe")
        m.expect(value in values, "the short or the long value", repr(value[:40]))
    changing.result()
    m.expect_equal(values[1], os.getxattr(path, "user.fsprobe"), "the value in the end")
