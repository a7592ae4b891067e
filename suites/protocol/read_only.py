"""A target on which nothing can be made: each change is refused, and by the right error.

Nothing here can touch what is there: names are ones that nobody has, attributes are set to what they are,
and a file is opened for writing but never written to.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import EACCES, EINVAL, EISDIR, ENODATA, ENOENT, ENOSYS, EOPNOTSUPP, EPERM, EROFS

from fsprobe.checks import Finding, Unsupported, wire_check
from fsprobe.checks.kernel import Kernel

_SOURCE = "catalogue 3.36 read-only profile"
_NEEDS = ("read-only",)
_DECLINES = (EACCES, EPERM)


def _refused(k: Kernel, change: Callable[[], object], *also: int, undo: Callable[[], object] | None = None) -> None:
    """The change must give EROFS, or one of `also`; EACCES and EPERM are legal but mislead."""
    try:
        with k.raises(EROFS, *also, warn=_DECLINES):
            change()
    except Finding as finding:
        if finding.observed == "success" and undo is not None:
            undo()
        raise


@wire_check(
    "protocol.read-only.mkdir", op="MKDIR", source=_SOURCE, needs=_NEEDS, quick=True, killers=("MKDIR:errno=ENOSYS",),
)
def mkdir(k: Kernel) -> None:
    """MKDIR is refused with EROFS."""
    _refused(k, lambda: k.mkdir(k.root, k.unused_name()))


@wire_check(
    "protocol.read-only.create", op="CREATE", source=_SOURCE, needs=_NEEDS, quick=True, killers=("CREATE:errno=EIO",),
)
def create(k: Kernel) -> None:
    """CREATE is refused with EROFS; where it is ENOSYS the kernel asks MKNOD, which then must be."""
    try:
        _refused(k, lambda: k.create(k.root, k.unused_name()))
    except Finding as finding:
        if finding.observed != "ENOSYS":
            raise
        _refused(k, lambda: k.mknod(k.root, k.unused_name(), 0o100644))
        raise Unsupported("CREATE: ENOSYS (the kernel asks MKNOD instead, which is refused)", ENOSYS) from None


@wire_check(
    "protocol.read-only.mknod", op="MKNOD", quick=True, source=_SOURCE, needs=_NEEDS,
    killers=("MKNOD:errno=ENOSYS",),
)
def mknod(k: Kernel) -> None:
    """MKNOD is refused with EROFS."""
    _refused(k, lambda: k.mknod(k.root, k.unused_name(), 0o010644))


@wire_check(
    "protocol.read-only.symlink", op="SYMLINK", quick=True, source=_SOURCE, needs=_NEEDS,
    killers=("SYMLINK:errno=ENOSYS",),
)
def symlink(k: Kernel) -> None:
    """SYMLINK is refused with EROFS."""
    _refused(k, lambda: k.symlink(k.root, k.unused_name(), "target"))


@wire_check(
    "protocol.read-only.link", op="LINK", quick=True, source=_SOURCE, needs=("read-only", "regular-file"),
    killers=("LINK:errno=EIO",),
)
def link(k: Kernel) -> None:
    """LINK is refused with EROFS; of ENOSYS the kernel makes EPERM."""
    sample = k.some_file()
    try:
        _refused(k, lambda: k.hardlink(sample.node, k.root, k.unused_name()))
    except Finding as finding:
        if finding.observed == "ENOSYS":
            raise Finding("EROFS", "ENOSYS (the kernel makes EPERM of it)", warn=True) from None
        raise


@wire_check(
    "protocol.read-only.unlink", op="UNLINK", source=_SOURCE, needs=_NEEDS, killers=("UNLINK:errno=ENOSYS",),
    quick=True,
)
def unlink(k: Kernel) -> None:
    """UNLINK is refused with EROFS, of a name that is not there with ENOENT at most."""
    _refused(k, lambda: k.unlink(k.root, k.unused_name()), ENOENT)


@wire_check(
    "protocol.read-only.rmdir", op="RMDIR", quick=True, source=_SOURCE, needs=_NEEDS,
    killers=("RMDIR:errno=ENOSYS",),
)
def rmdir(k: Kernel) -> None:
    """RMDIR is refused with EROFS, of a name that is not there with ENOENT at most."""
    _refused(k, lambda: k.rmdir(k.root, k.unused_name()), ENOENT)


@wire_check(
    "protocol.read-only.rename", op="RENAME", source=_SOURCE, needs=_NEEDS, killers=("RENAME:errno=ENOSYS",),
    quick=True,
)
def rename(k: Kernel) -> None:
    """RENAME is refused with EROFS, of a name that is not there with ENOENT at most."""
    _refused(k, lambda: k.rename(k.root, k.unused_name(), k.root, k.unused_name() + b"-2"), ENOENT)


@wire_check(
    "protocol.read-only.setattr", op="SETATTR", also=("GETATTR",), source=_SOURCE, needs=("read-only", "regular-file"),
    quick=True, killers=("SETATTR:errno=ENOSYS", "SETATTR:fake"),
)
def setattr_mode(k: Kernel) -> None:
    """SETATTR is refused with EROFS, even of a mode that the file has."""
    sample = k.some_file()
    _refused(k, lambda: k.setattr(sample.node, mode=sample.attr.mode))


@wire_check(
    "protocol.read-only.open-for-writing", op="OPEN", also=("WRITE",), source=_SOURCE,
    needs=("read-only", "regular-file"), quick=True, killers=("OPEN:errno=EIO", "OPEN:errno=ENOENT"),
)
def open_for_writing(k: Kernel) -> None:
    """OPEN for writing is refused with EROFS; where it is not, WRITE must be, of no bytes too."""
    sample = k.some_file()
    try:
        handle = k.open(sample.node, os.O_WRONLY)
    except OSError:
        _refused(k, lambda: k.open(sample.node, os.O_WRONLY))
        return
    k.note("a file can be opened for writing; the refusal comes later")
    try:
        _refused(k, lambda: k.write(handle, b""))
    except Finding as finding:
        if finding.observed == "success":
            raise Finding("EROFS", "a file opened for writing, and a write of no bytes", warn=True) from None
        raise


@wire_check(
    "protocol.read-only.setxattr", op="SETXATTR", quick=True, source=_SOURCE, needs=("read-only", "regular-file"),
    killers=("SETXATTR:errno=EIO",),
)
def setxattr(k: Kernel) -> None:
    """SETXATTR is refused with EROFS, or xattrs are not offered at all."""
    sample = k.some_file()
    with k.raises(EROFS, ENODATA, optional=(ENOSYS, EOPNOTSUPP), warn=_DECLINES):
        k.setxattr(sample.node, "user.fsprobe-none", b"x", 2)


@wire_check(
    "protocol.read-only.removexattr", op="REMOVEXATTR", quick=True, source=_SOURCE, needs=("read-only", "regular-file"),
    killers=("REMOVEXATTR:errno=EIO",),
)
def removexattr(k: Kernel) -> None:
    """REMOVEXATTR is refused with EROFS, or xattrs are not offered at all."""
    sample = k.some_file()
    with k.raises(EROFS, ENODATA, optional=(ENOSYS, EOPNOTSUPP), warn=_DECLINES):
        k.removexattr(sample.node, "user.fsprobe-none")


@wire_check(
    "protocol.read-only.tmpfile", op="TMPFILE", source=_SOURCE, needs=_NEEDS, killers=("TMPFILE:errno=EIO",),
    quick=True,
)
def tmpfile(k: Kernel) -> None:
    """TMPFILE is refused with EROFS, or not offered at all."""
    with k.raises(EROFS, optional=(ENOSYS, EOPNOTSUPP, EINVAL, EISDIR), warn=_DECLINES):
        k.tmpfile(k.root)
