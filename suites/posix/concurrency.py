"""Several processes at once."""

from __future__ import annotations

import functools
import os
from collections import Counter

from fsprobe.checks import linux, mount_check
from fsprobe.checks.mount import Mount


def make_file(path: str) -> None:
    """Make a file that must not exist yet."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


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
