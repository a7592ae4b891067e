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
