"""ACCESS, INTERRUPT, IOCTL, POLL and BMAP."""

from __future__ import annotations

import os
import select
from errno import EINVAL, ENOSYS, ENOTTY, EOPNOTSUPP

from fsprobe.checks import OPTIONAL, SHOULD, Finding, wire_check
from fsprobe.checks.kernel import Kernel

_TCGETS = 0x5401
# _IO('f', 0xEE): a command that no file system has.
_UNKNOWN = 0x66EE


@wire_check(
    "protocol.access.granted", op="ACCESS", source="catalogue 3.23, 4", level=OPTIONAL, quick=True, main=True,
    killers=("ACCESS:errno=EIO", "ACCESS:errno=EACCES"),
)
def granted(k: Kernel) -> None:
    """A directory that was listed is there (F_OK), and may be read and searched by whom it lets."""
    folder = k.some_dir()
    with k.optional():
        k.access(folder.node, os.F_OK)
    if k.link.uid == 0 or not k.read_only:
        k.access(folder.node, os.R_OK | os.X_OK)


@wire_check(
    "protocol.interrupt.unknown", op="INTERRUPT", also=("GETATTR",), source="catalogue 3.25.2", quick=True, main=True,
    killers=("INTERRUPT:crash", "GETATTR:errno=EIO"),
)
def interrupt_unknown(k: Kernel) -> None:
    """INTERRUPT of a request that is not there does no harm."""
    k.interrupt()
    k.getattr(k.root)
    k.getattr(k.root)


@wire_check(
    "protocol.ioctl.unknown", op="IOCTL", source="catalogue 3.27.1", level=OPTIONAL, needs=("regular-file",),
    quick=True, main=True, killers=("IOCTL:fake", "IOCTL:errno=EIO", "IOCTL:drop"),
)
def ioctl_unknown(k: Kernel) -> None:
    """A command that nobody knows is refused with ENOTTY (the kernel makes that of ENOSYS too)."""
    handle = k.open(k.some_file().node)
    with k.raises(ENOTTY, optional=(ENOSYS, EOPNOTSUPP, EINVAL)):
        k.ioctl(handle, _UNKNOWN)


@wire_check(
    "protocol.ioctl.terminal", op="IOCTL", source="catalogue 3.27.1", level=OPTIONAL, needs=("regular-file",),
    killers=("IOCTL:fake", "IOCTL:errno=EIO"), quick=True,
)
def ioctl_terminal(k: Kernel) -> None:
    """A regular file is no terminal: isatty(3) asks with TCGETS and gets ENOTTY."""
    handle = k.open(k.some_file().node)
    with k.raises(ENOTTY, optional=(ENOSYS, EOPNOTSUPP, EINVAL)):
        k.ioctl(handle, _TCGETS, out_size=60)


@wire_check(
    "protocol.poll.ready", op="POLL", source="catalogue 3.28.1", level=OPTIONAL, needs=("regular-file",), quick=True,
    main=True, killers=("POLL:errno=EIO", "POLL:drop"),
)
def poll_ready(k: Kernel) -> None:
    """A regular file is ready for reading at once."""
    handle = k.open(k.some_file().node)
    with k.optional():
        ready = k.poll(handle, select.POLLIN | select.POLLOUT)
    k.expect(bool(ready & select.POLLIN), "POLLIN", f"events {ready:#x}")


@wire_check(
    "protocol.bmap.answered", op="BMAP", source="catalogue 3.26", level=OPTIONAL, main=True, quick=True,
    needs=("regular-file", "fuseblk"),
    killers=("BMAP:errno=EIO", "BMAP:drop"),
)
def bmap(k: Kernel) -> None:
    """BMAP gives a block."""
    node = k.some_file().node
    with k.optional(EINVAL):
        k.bmap(node)


@wire_check(
    "protocol.access.root", op="ACCESS", source="catalogue 3.23.4", level=SHOULD, killers=("ACCESS:errno=EIO",),
    quick=True,
)
def access_root(k: Kernel) -> None:
    """The root may be searched by whoever mounted it: chdir(2) asks."""
    with k.optional():
        try:
            k.access(k.root, os.X_OK)
        except PermissionError as error:
            raise Finding("X_OK on the root", error.strerror or "") from None
