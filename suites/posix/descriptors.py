"""OPEN, READ, WRITE: descriptors in numbers, in other hands, and with flags that change nothing of the data."""

from __future__ import annotations

import errno
import mmap
import os
import resource
import socket

from fsprobe.checks import Finding, Skip, Unsupported, linux, mount_check
from fsprobe.checks.mount import Mount

PAGE = 4096
FLAGS = {
    "O_NONBLOCK": os.O_NONBLOCK, "O_NOFOLLOW": os.O_NOFOLLOW, "O_NOCTTY": os.O_NOCTTY, "O_CLOEXEC": os.O_CLOEXEC,
    "O_SYNC": os.O_SYNC, "O_DSYNC": os.O_DSYNC, "O_ASYNC": os.O_ASYNC, "O_LARGEFILE": 0o100000,
}  # fmt: skip


@mount_check(
    "posix.open.five-hundred", op="OPEN", source="catalogue 3.13.6; POSIX open", also=("READ", "RELEASE"),
    needs=("write",), killers=("OPEN:errno=EMFILE,nth=400", "OPEN:errno=ENFILE,nth=257", "READ:flip"),
)
def five_hundred(m: Mount) -> None:
    """A file can be open five hundred times at once, each with an offset of its own, and is read through the last."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 700:
        raise Skip("a process may have less than 700 descriptors here (ulimit -n)")
    path = m.file("file", bytes(range(250)) * 3)
    fds = []
    for number in range(500):
        try:
            fds.append(m.open(path))
        except OSError as error:
            wanted = f"descriptor {number + 1} of 500; a daemon that keeps one of its own for each raises RLIMIT_NOFILE"
            raise Finding(wanted, linux.errno_name(error.errno or 0)) from error
    os.lseek(fds[0], 100, os.SEEK_SET)
    m.expect_equal(bytes(range(250)), os.read(fds[-1], 250), "the content by the last")
    m.expect_equal(bytes(range(100, 110)), os.read(fds[0], 10), "the content by the first, moved to 100")
    for fd in fds[:-1]:
        m.close(fd)
    m.expect_equal(bytes(range(250)), os.read(fds[-1], 250), "the content by the last, when the others are closed")


@mount_check(
    "posix.open.passed-on", op="WRITE", source="catalogue 3.15.9; man 7 unix (SCM_RIGHTS)", also=("FLUSH", "OPEN"),
    needs=("write",), killers=("WRITE:fake,nth=2", "WRITE:errno=EACCES,nth=2", "FLUSH:errno=EIO,path=*file"),
)
def passed_on(m: Mount) -> None:
    """A descriptor handed to another process, and user, is good there: what it may was settled by open, once."""
    path = m.path("file")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    os.write(fd, b"giver,")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(ours, [b"x"], [fd])

        def receive() -> bytes:
            _, (got, *_), _, _ = socket.recv_fds(theirs, 1, 1)
            os.write(got, b"taker")
            data = os.pread(got, 100, 0)
            os.close(got)
            return data

        somebody = 65534 if not m.features.get("root") else None
        m.expect_equal(b"giver,taker", m.fork(receive, uid=somebody), "the content that the other reads")
    os.write(fd, b",giver")
    m.close(fd)
    m.expect_equal(b"giver,taker,giver", m.read(path), "the content in the end")


@mount_check(
    "posix.open.harmless-flags", op="OPEN", source="catalogue 3.13.8; man 2 open", also=("READ", "WRITE"),
    needs=("write",), killers=("OPEN:errno=EINVAL,nth=3", "READ:flip", "WRITE:fake"),
)
def harmless_flags(m: Mount) -> None:
    """Flags of open that say nothing of the data, as O_NONBLOCK and O_NOCTTY, are taken, and the data is the same."""
    path, written = m.file("file"), b""
    for name, flag in FLAGS.items():
        try:
            fd = m.open(path, os.O_RDWR | os.O_APPEND | flag)
        except OSError as error:
            raise Finding(f"success from open with {name}", linux.errno_name(error.errno or 0)) from error
        written += name.encode()
        os.write(fd, name.encode())
        m.expect_equal(written, m.pread(fd, 1000, 0), f"the content by a descriptor with {name}")
        m.close(fd)


@mount_check(
    "posix.write.per-call-flags", op="WRITE", source="catalogue 3.15.1, 3.15.5; man 2 pwritev2", also=("FSYNC",),
    needs=("write",), killers=("WRITE:fake", "WRITE:flip", "FSYNC:errno=EIO"),
)
def per_call_flags(m: Mount) -> None:
    """pwritev2 with RWF_APPEND writes at the end wherever told, and with RWF_SYNC or RWF_DSYNC syncs what it wrote."""
    path = m.file("file", b"0123456789")
    fd = m.open(path, os.O_RDWR)
    try:
        os.pwritev(fd, [b"end"], 2, os.RWF_APPEND)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOSYS):
            raise Skip("this kernel has no RWF_APPEND") from error
        raise
    os.pwritev(fd, [b"AB"], 0, os.RWF_DSYNC)
    os.pwritev(fd, [b"CD"], 8, os.RWF_SYNC)
    m.expect_equal(b"AB234567CDend", m.read(path), "the content")


@mount_check(
    "posix.read.direct-unaligned", op="READ", source="catalogue 3.13.7, 3.14.2; man 2 open (O_DIRECT)",
    also=("WRITE", "OPEN"), needs=("write",), killers=("READ:flip", "READ:short", "READ:errno=EIO"),
)
def direct_unaligned(m: Mount) -> None:
    """With O_DIRECT, at offsets and lengths that are no multiples of 512, the right data is read, or EINVAL said."""
    data = m.rng.randbytes(3 * PAGE + 100)
    path = m.file("file", data)
    try:
        fd = m.open(path, os.O_RDONLY | os.O_DIRECT)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise Skip("O_DIRECT is not offered here") from error
        raise
    buffer = mmap.mmap(-1, 3 * PAGE)  # whole pages, aligned in memory
    for offset, size in ((0, PAGE), (PAGE, 2 * PAGE), (2 * PAGE, 2 * PAGE), (512, 100), (1, 1000), (PAGE - 1, 2)):
        try:
            count = os.preadv(fd, [memoryview(buffer)[:size]], offset)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            m.info(f"O_DIRECT: {size} bytes at {offset} are EINVAL")
        else:
            m.expect_equal(data[offset : offset + size], buffer[:count], f"{size} bytes at {offset}")


@mount_check(
    "posix.write.asynchronous", op="WRITE", source="catalogue 3.15.1, 3.14.8; man 2 io_submit", needs=("write",),
    also=("READ", "OPEN"), killers=("WRITE:flip", "WRITE:errno=EIO,nth=9", "READ:flip", "READ:errno=EIO,nth=3"),
)
def asynchronous(m: Mount) -> None:
    """Sixteen writes with O_DIRECT that are under way at once, as databases make them, in no order, all arrive in their
    places, and as many reads get what is there."""
    path, data = m.path("database"), m.rng.randbytes(16 * PAGE)
    try:
        fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_DIRECT)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise Skip("O_DIRECT is not offered here") from error
        raise
    buffer = mmap.mmap(-1, 16 * PAGE)  # whole pages, aligned in memory
    order = list(range(16))

    def at_once(*, write: bool) -> list[int]:
        m.rng.shuffle(order)
        view = memoryview(buffer)
        todo = [linux.Transfer(write, view[page * PAGE : page * PAGE + PAGE], page * PAGE) for page in order]
        try:
            return linux.transfer(fd, todo, 5.0)
        except OSError as error:
            if error.errno in (errno.ENOSYS, errno.EPERM, errno.EAGAIN):
                raise Skip("this machine offers no io_submit") from error
            raise

    buffer[:] = data
    written = at_once(write=True)
    if set(written) == {-errno.EINVAL}:  # as from a file below that wants the daemon's buffer aligned, too
        raise Unsupported("writes with O_DIRECT: EINVAL", errno.EINVAL)
    m.expect_equal([PAGE] * 16, written, "what the writes come to", show=_results)
    m.expect_equal(data, m.read(path), "the content")
    buffer[:] = bytes(16 * PAGE)
    m.expect_equal([PAGE] * 16, at_once(write=False), "what the reads come to", show=_results)
    m.expect_equal(data, buffer[:], "what was read")


def _results(found: list[int]) -> str:
    told = [f"{count} bytes" if count >= 0 else linux.errno_name(-count) for count in found]
    return ", ".join(f"{told.count(one)} x {one}" for one in dict.fromkeys(told))
