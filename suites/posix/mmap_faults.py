"""READ, WRITE: mappings whose pages come and go in another order than reading would ask for them.

What touches a mapping runs in a child process: a failed page is a SIGBUS.
"""

from __future__ import annotations

import errno
import mmap
import os

from fsprobe.checks import mount_check
from fsprobe.checks.mount import Mount

PAGE = 4096


def mapped(m: Mount, fd: int, length: int, access: int = mmap.ACCESS_WRITE) -> mmap.mmap:
    """The whole file as a shared mapping; one that is said to be smaller cannot be mapped, and that is the finding."""
    m.expect_equal(length, os.fstat(fd).st_size, "the size of the file to map")
    with m.optional(errno.ENODEV, errno.EACCES, what="a shared mapping"):
        return mmap.mmap(fd, length, access=access)


@mount_check(
    "posix.mmap.backwards", op="READ", source="catalogue 3.14.2, 3.36 mmap; POSIX mmap", needs=("write",),
    also=("WRITE",), killers=("READ:flip", "READ:short", "READ:errno=EIO"),
)
def backwards(m: Mount) -> None:
    """A mapping touched page by page from its last to its first shows the file, in whatever pieces the kernel reads."""
    data = m.rng.randbytes(150 * PAGE + 77)
    path = m.file("file", data)

    def work() -> None:
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        view = mapped(m, fd, len(data), mmap.ACCESS_READ)
        for offset in range(len(data) // PAGE * PAGE, -1, -PAGE):
            m.expect_equal(data[offset : offset + PAGE], view[offset : offset + PAGE], f"the page at {offset}")

    m.fork(work)


@mount_check(
    "posix.mmap.into-hole", op="WRITE", source="catalogue 3.36 mmap, 3.14.4; POSIX mmap", needs=("write",),
    also=("READ", "SETATTR"), killers=("WRITE:fake", "WRITE:flip", "READ:flip"),
)
def into_hole(m: Mount) -> None:
    """Stores into pages where nothing was ever written are kept, and pages between them stay zeros."""
    path, length = m.path("sparse"), 40 * PAGE
    m.close(m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR))
    with m.setup("truncate"):
        os.truncate(path, length)

    def work() -> None:
        view = mapped(m, os.open(path, os.O_RDWR), length)
        for page in (39, 3, 20, 21):
            m.expect_equal(bytes(PAGE), view[page * PAGE : page * PAGE + PAGE], f"page {page} before the store")
            view[page * PAGE + 5 : page * PAGE + 9] = b"DATA"
        view.flush()

    m.fork(work)
    wanted = b"".join(bytes(5) + (b"DATA" if page in (39, 3, 20, 21) else bytes(4)) + bytes(4087) for page in range(40))
    m.expect_equal(wanted, m.read(path), "the content")


@mount_check(
    "posix.mmap.forked", op="WRITE", source="catalogue 3.36 mmap; POSIX fork", needs=("write",), also=("READ",),
    killers=("WRITE:fake", "WRITE:flip", "READ:errno=EIO"),
)
def forked(m: Mount) -> None:
    """What a child stores through a mapping it inherited another child sees at once, and so does who reads the file."""
    path = m.file("file", bytes(4 * PAGE))
    fd = m.open(path, os.O_RDWR)
    view = mapped(m, fd, 4 * PAGE)
    m.close(fd)

    def store(page: int, data: bytes) -> None:
        view[page * PAGE : page * PAGE + len(data)] = data

    m.fork(lambda: store(1, b"first"))
    m.expect_equal(b"first", m.fork(lambda: view[PAGE : PAGE + 5]), "what another child sees in the mapping")
    m.fork(lambda: store(3, b"second"))
    with m.setup("msync"):
        view.flush()
    wanted = bytes(PAGE) + b"first".ljust(2 * PAGE, b"\0") + b"second".ljust(PAGE, b"\0")
    m.expect_equal(wanted, m.read(path), "the content")
