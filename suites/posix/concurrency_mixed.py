"""Different operations at the same time: locks that are taken in two orders meet here, and nowhere else."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from fsprobe.checks import mount_check
from fsprobe.checks.mount import Mount

TURNS = 40
KEPT, OTHER = b"kept" * 2000, b"other" * 2000
PATIENCE = 500


def remove(path: str) -> None:
    """rmdir, and again where libfuse still hides the file: nobody waits for the RELEASE that a close causes."""
    for _ in range(PATIENCE):
        try:
            os.rmdir(path)
            return
        except OSError as error:
            hidden = all(name.startswith(".fuse_hidden") for name in os.listdir(path))
            if error.errno != errno.ENOTEMPTY or not hidden:
                raise
    os.rmdir(path)


@mount_check(
    "posix.concurrency.mixed", op="READ", source="catalogue 3.36 concurrency", parallel=True, quick=True,
    needs=("write",), also=("WRITE", "RENAME", "CREATE", "UNLINK", "MKDIR", "RMDIR", "READDIR", "GETATTR", "SETATTR"),
    killers=("READ:flip", "READ:errno=EIO", "RENAME:errno=EIO", "SETATTR:errno=EIO", "RMDIR:errno=EIO"),
)
def mixed(m: Mount) -> None:
    """While some processes read and write, others rename, list, make, remove and change: each gets what is its own."""
    top, second = m.subdir("busy"), m.subdir("busy/below")
    kept, written = m.file("busy/kept", KEPT), m.file("busy/written")
    m.file("busy/one", OTHER)

    def read() -> bool:
        fd = os.open(kept, os.O_RDONLY)
        same = all(m.pread(fd, len(KEPT), 0) == KEPT for _ in range(TURNS))
        os.close(fd)
        return same

    def write() -> bool:
        for turn in range(TURNS):
            fd = os.open(written, os.O_WRONLY)
            os.pwrite(fd, OTHER[: 200 * turn], 0)
            os.ftruncate(fd, 100 * turn)
            os.close(fd)
        return os.stat(written).st_size == 100 * (TURNS - 1)

    def rename() -> bool:
        for _ in range(TURNS // 2):
            os.rename(f"{top}/one", f"{second}/two")
            os.rename(f"{second}/two", f"{top}/one")
        return os.path.exists(f"{top}/one")

    def make() -> bool:
        for turn in range(TURNS // 2):
            path = f"{second}/{turn}"
            os.mkdir(path)
            os.close(os.open(f"{path}/file", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            os.chmod(f"{path}/file", 0o640)
            os.unlink(f"{path}/file")
            remove(path)
        return True

    def look() -> bool:
        return all("kept" in os.listdir(top) and os.stat(kept).st_size == len(KEPT) for _ in range(TURNS))

    work: tuple[Callable[[], bool], ...] = (read, write, rename, make, look)
    running = [(one.__name__, m.start(one)) for one in work]
    wrong = [name for name, process in running if not process.result()]
    m.expect_equal([], wrong, "who did not find what is its own")
    m.expect_equal(KEPT, m.read(kept), "the content of the file that was read all the time")
    m.expect_equal(OTHER, m.read(f"{top}/one"), "the content of the file that was renamed")
