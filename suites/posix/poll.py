"""POLL: a file is always ready."""

from __future__ import annotations

import os
import select

from fsprobe.checks import mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.poll.ready", op="POLL", source="catalogue 3.28.1; POSIX poll", main=True, quick=True, needs=("write",),
    killers=("POLL:errno=EIO", "POLL:fake"),
)
def ready(m: Mount) -> None:
    """poll says at once that a regular file can be read and written."""
    poll = select.poll()
    poll.register(m.open(m.file("file", b"data"), os.O_RDWR), select.POLLIN | select.POLLOUT)
    events = dict(poll.poll(1000)).values()
    got = next(iter(events), 0)
    m.expect(got & select.POLLERR == 0, "no POLLERR", "POLLERR")
    wanted = select.POLLIN | select.POLLOUT
    m.expect_equal(wanted, got & wanted, "POLLIN and POLLOUT at once:", show=hex)


@mount_check(
    "posix.poll.at-the-end", op="POLL", source="catalogue 3.28.1; POSIX poll", also=("READ",), needs=("write",),
    killers=("POLL:errno=EIO", "POLL:fake"),
)
def at_the_end(m: Mount) -> None:
    """An empty file, and one read to its end, are ready for reading too, as a file never makes a reader wait."""
    empty, full = m.open(m.file("empty")), m.open(m.file("full", b"data"))
    m.expect_equal(b"data", os.read(full, 100), "the content")
    poll = select.poll()
    for fd in (empty, full):
        poll.register(fd, select.POLLIN)
    got = dict(poll.poll(1000))
    m.expect_equal({empty: select.POLLIN, full: select.POLLIN}, got, "POLLIN for both", show=lambda e: str(sorted(
        hex(bits) for bits in e.values())))
