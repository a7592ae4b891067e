"""INTERRUPT: signals while something is done, and processes that are killed in the middle of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from fsprobe.checks import mount_check
from fsprobe.checks.mount import Mount

MOST_SIGNALS = 300


class Signals:
    """Signals to this process, one each millisecond, until there were enough of them: a slow file system gets on."""

    def __init__(self) -> None:
        self.left = MOST_SIGNALS
        signal.signal(signal.SIGALRM, self._count)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)

    def _count(self, number: int, frame: Any) -> None:
        self.left -= 1
        if self.left <= 0:
            self.stop()

    def stop(self) -> None:
        """No more of them."""
        signal.setitimer(signal.ITIMER_REAL, 0)


@mount_check(
    "posix.interrupt.data", op="INTERRUPT", source="catalogue 3.25.1, 3.25.3; man 7 signal", needs=("write",),
    also=("WRITE", "READ"), killers=("WRITE:flip", "READ:flip", "WRITE:fake"),
)
def data(m: Mount) -> None:
    """A process that gets a signal each millisecond writes and reads two MiB without losing a byte."""
    path, pieces = m.path("file"), [m.rng.randbytes(50_000) for _ in range(40)]

    def work() -> None:
        signals = Signals()
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
        for number, piece in enumerate(pieces):
            done = 0
            while done < len(piece):
                done += os.pwrite(fd, piece[done:], number * 50_000 + done)
            seen = b""
            while len(seen) < len(piece):
                part = m.pread(fd, len(piece) - len(seen), number * 50_000 + len(seen))
                m.expect(bool(part), f"50,000 bytes of piece {number}", f"the end after {len(seen)}")
                seen += part
            m.expect_equal(piece, seen, f"piece {number}")
        signals.stop()

    m.fork(work)
    m.expect_equal(b"".join(pieces), m.read(path), "the content in the end")


@mount_check(
    "posix.interrupt.names", op="INTERRUPT", source="catalogue 3.25.1, 3.25.3; man 7 signal", needs=("write",),
    also=("CREATE", "RENAME", "UNLINK"), killers=("RENAME:fake", "UNLINK:fake", "*:entries=lose"),
)
def names(m: Mount) -> None:
    """A process that gets a signal each millisecond makes, renames and removes files: each is there or it is not."""
    top = m.subdir("work")

    def settle(path: str, there: bool, act: Callable[..., Any], *arguments: Any) -> None:
        try:
            act(*arguments)
        except (FileExistsError, FileNotFoundError):  # it was done when the signal came, and tried again
            word = "there" if there else "gone"
            m.expect(os.path.exists(path) is there, f"{os.path.basename(path)} to be {word}", "an error, and it is not")

    def work() -> None:
        signals = Signals()
        for turn in range(60):
            path, new = f"{top}/{turn}", f"{top}/new{turn}"
            settle(path, True, lambda name: os.close(os.open(name, os.O_CREAT | os.O_WRONLY)), path)
            settle(new, True, os.rename, path, new)
            if turn % 2:
                settle(new, False, os.unlink, new)
        signals.stop()

    m.fork(work)
    m.expect_equal(sorted(b"new%d" % turn for turn in range(0, 60, 2)), m.names(top), "the names in the end")


@mount_check(
    "posix.interrupt.killed-writer", op="INTERRUPT", source="catalogue 3.25.3", needs=("write",),
    also=("WRITE", "RELEASE", "FLUSH"), parallel=True,
    killers=("WRITE:flip", "WRITE:fake", "RELEASE:crash,path=*file"),
)
def killed_writer(m: Mount) -> None:
    """A process killed while it writes leaves whole records, up to the last, and the file system goes on."""
    path = m.file("file")
    record = b"r" * 4_000
    told = os.pipe()

    def work() -> None:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        for turn in range(5_000):
            os.write(fd, record)
            if turn == 3:
                os.write(told[1], os.getpid().to_bytes(4, "little"))

    writer = m.start(work)
    os.close(told[1])
    pid = int.from_bytes(os.read(told[0], 4), "little")
    os.close(told[0])
    if not pid:
        writer.result()
    os.kill(pid, signal.SIGKILL)
    m.expect(writer.ended_within(5.0), "the killed process to end within 5 s", "it does not")
    size = m.stat(path).size
    m.expect(size >= 4 * 4_000, "four records at least", f"{size} bytes")
    m.expect_equal(b"r" * size, m.read(path), "the content")
    fd = m.open(path, os.O_WRONLY | os.O_APPEND)
    m.expect_equal(3, os.write(fd, b"end"), "bytes written by the next process")
    m.expect_equal(b"rend", m.read(path)[-4:], "the end of the file")
