"""RENAME2: rename with flags."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import OPTIONAL, Finding, linux, mount_check
from fsprobe.checks.mount import Mount

DECLINED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


@mount_check(
    "posix.rename2.noreplace", op="RENAME2", level=OPTIONAL, source="catalogue 3.11.1; man 2 renameat2", main=True,
    quick=True, needs=("write",), killers=("RENAME2:fake", "RENAME2:errno=EIO"),
)
def noreplace(m: Mount) -> None:
    """RENAME_NOREPLACE moves to a free name and is EEXIST for a taken one."""
    old, new = m.file("old", b"mine"), m.path("new")
    taken = m.file("taken", b"kept")
    with m.optional(*DECLINED, what="RENAME_NOREPLACE"):
        linux.renameat2(old, new, linux.RENAME_NOREPLACE)
    m.expect_equal(b"mine", m.read(new), "the content under the new name")
    with m.raises(errno.EEXIST, what="RENAME_NOREPLACE onto a taken name"):
        linux.renameat2(new, taken, linux.RENAME_NOREPLACE)
    m.expect_equal(b"kept", m.read(taken), "the content of the file that was there")


@mount_check(
    "posix.rename2.exchange", op="RENAME2", level=OPTIONAL, source="catalogue 3.11.2; man 2 renameat2",
    needs=("write",), killers=("RENAME2:fake", "RENAME2:errno=EIO"),
)
def exchange(m: Mount) -> None:
    """RENAME_EXCHANGE swaps a file and a directory, and never renames one over the other."""
    file, folder = m.file("file", b"mine"), m.subdir("folder")
    m.file("folder/inside")
    with m.optional(*DECLINED, what="RENAME_EXCHANGE"):
        linux.renameat2(file, folder, linux.RENAME_EXCHANGE)
    m.expect_equal([b"file", b"folder"], m.names(m.dir), "the names listed")
    m.expect_equal(b"mine", m.read(folder), "the content under the directory's name")
    m.expect_equal([b"inside"], m.names(file), "the entries under the file's name")


@mount_check(
    "posix.rename2.whiteout", op="RENAME2", level=OPTIONAL, source="catalogue 3.11.3; man 2 renameat2",
    needs=("write", "root"), killers=("RENAME2:errno=EIO", "RENAME2:fake"),
)
def whiteout(m: Mount) -> None:
    """RENAME_WHITEOUT leaves a character device 0:0 under the old name, as overlayfs needs it."""
    old, new = m.file("old", b"mine"), m.path("new")
    with m.optional(*DECLINED, errno.EPERM, what="RENAME_WHITEOUT"):
        linux.renameat2(old, new, linux.RENAME_WHITEOUT)
    m.expect_equal(b"mine", m.read(new), "the content under the new name")
    try:
        left = os.lstat(old)
    except FileNotFoundError as error:
        raise Finding("a whiteout under the old name", "nothing: the flag was ignored") from error
    kind = (linux.type_name(left.st_mode), left.st_rdev)
    m.expect_equal(("character device", 0), kind, "what is left under the old name")
