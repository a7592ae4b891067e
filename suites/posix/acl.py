"""POSIX ACLs: permissions for more users than owner and group, where a file system has them (acl(5)).

Three ways are sound: to ask for FUSE_POSIX_ACL in INIT and keep ACL and mode in step, to hand them to a file system
below that does, or to answer EOPNOTSUPP to every `system.posix_acl_*`. To store them like any other attribute is not:
setfacl then says that a file is protected, and nobody protects it.
"""

from __future__ import annotations

import errno
import os
import struct
from functools import partial

from fsprobe.checks import OPTIONAL, Blocked, Finding, linux, mount_check
from fsprobe.checks.mount import Mount

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
NEEDS = ("write", "xattr")
DECLINED = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM)
OWNER, USER, GROUP, MASK, OTHER = 1, 2, 4, 16, 32
NOBODY = 65534
KEEP_IN_STEP = "; ask for FUSE_POSIX_ACL in INIT and keep mode and ACL in step, or answer EOPNOTSUPP"

Entry = tuple[int, int, int]
"""Tag, permissions, and user or group: linux/posix_acl_xattr.h."""


def packed(*entries: tuple[int, ...]) -> bytes:
    """An attribute's value of (tag, permissions) and (tag, permissions, id)."""
    whole = ((*entry, 0xFFFFFFFF)[:3] for entry in entries)
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in whole)


def permissions(value: bytes) -> dict[str, int]:
    """Its permissions by what they are for."""
    names = {OWNER: "owner", USER: "user", GROUP: "group", MASK: "mask", OTHER: "other"}
    if len(value) % 8 != 4:
        raise Finding("an ACL of whole entries", f"{len(value)} bytes")
    return {names.get(tag, f"tag {tag}"): bits for tag, bits, _ in struct.iter_unpack("<HHI", value[4:])}


def guest(m: Mount) -> int:
    """A user to name: somebody else where we may, else ourselves."""
    return os.geteuid() if m.features.get("root") else NOBODY


def give(m: Mount, path: str, name: str, *entries: tuple[int, ...], kept: bool = True) -> bytes:
    """Set an ACL, or learn that there are none here. Raises Unsupported, and Blocked where it has to be kept as it is
    and is not: that alone is asked by `posix.acl.round-trip`."""
    value = packed(*entries)
    with m.optional(*DECLINED, what="setxattr of an ACL"):
        os.setxattr(path, name, value)
    if kept:
        try:
            os.getxattr(path, name)
        except OSError as error:
            if error.errno == errno.ENODATA:
                lost = OSError(errno.ENODATA, "an ACL was answered with success and not kept")
                raise Blocked("setxattr", lost) from error
    return value


def plain(m: Mount, name: str, mode: int) -> str:
    """A file whose mode can be set."""
    path = m.file(name, b"data")
    m.chmod(path, mode)
    return path


def octals(modes: tuple[int, ...]) -> str:
    return " and ".join(f"{mode:#o}" for mode in modes)


def mode_of(m: Mount, path: str) -> int:
    return m.stat(path).permissions


@mount_check(
    "posix.acl.round-trip", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.9; man 5 acl", needs=NEEDS,
    also=("GETXATTR", "GETATTR"),
    killers=("SETXATTR:fake", "GETXATTR:errno=ENODATA", "GETATTR:attr.mode=0o100644,path=*shared"),
)
def round_trip(m: Mount) -> None:
    """An ACL that was set is read back, is listed, and its mask is what the mode shows of the group."""
    path = m.file("shared", mode=0o600)
    whole = ((OWNER, 6), (USER, 4, guest(m)), (GROUP, 0), (MASK, 4), (OTHER, 0))
    value = give(m, path, ACCESS, *whole, kept=False)
    m.expect_equal(permissions(value), permissions(os.getxattr(path, ACCESS)), "the ACL")
    m.expect(ACCESS in os.listxattr(path), f"{ACCESS} in the list of attributes", "it is not listed", warn=True)
    mode = mode_of(m, path)
    m.expect(mode == 0o640, "mode 0640: ls and cp -p go by it" + KEEP_IN_STEP, f"{mode:#o}", warn=mode == 0o600)


@mount_check(
    "posix.acl.follows-chmod", op="SETATTR", level=OPTIONAL, source="catalogue 3.19.9; man 5 acl", needs=NEEDS,
    also=("SETXATTR", "GETXATTR"), killers=("SETATTR:fake", "SETATTR:errno=EIO,nth=2", "GETXATTR:errno=EIO"),
)
def follows_chmod(m: Mount) -> None:
    """chmod of a file with an ACL changes its owner, mask and others, and leaves what the group and the user got."""
    path = plain(m, "shared", 0o644)
    give(m, path, ACCESS, (OWNER, 6), (USER, 6, guest(m)), (GROUP, 2), (MASK, 6), (OTHER, 0))
    os.chmod(path, 0o404)
    m.expect_equal(0o404, mode_of(m, path), "the mode", show=oct)
    found = permissions(os.getxattr(path, ACCESS))
    wanted = {"owner": 4, "user": 6, "group": 2, "mask": 0, "other": 4}
    m.expect(found == wanted, f"the ACL {wanted} after chmod 404" + KEEP_IN_STEP, str(found), warn=True)


@mount_check(
    "posix.acl.plain-mode", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.9; man 5 acl", needs=NEEDS,
    also=("GETXATTR", "GETATTR"), killers=("SETXATTR:fake", "GETATTR:attr.mode=0o100600,path=*shared"),
)
def plain_mode(m: Mount) -> None:
    """An ACL of owner, group and others alone is the mode: setting it sets that, and the file then has no ACL."""
    path = plain(m, "shared", 0o600)
    give(m, path, ACCESS, (OWNER, 6), (GROUP, 4), (OTHER, 4), kept=False)
    mode = mode_of(m, path)
    m.expect(mode == 0o644, "mode 0644" + KEEP_IN_STEP, f"{mode:#o}", warn=mode == 0o600)
    try:
        kept = permissions(os.getxattr(path, ACCESS))
    except OSError as error:
        m.expect_equal("ENODATA", linux.errno_name(error.errno or 0), "the ACL that is the mode alone")
    else:
        m.expect_equal({"owner": 6, "group": 4, "other": 4}, kept, "the ACL that is the mode alone")


@mount_check(
    "posix.acl.inherited", op="CREATE", level=OPTIONAL, source="catalogue 3.19.9; man 5 acl", needs=NEEDS,
    also=("MKDIR", "SETXATTR", "GETXATTR"),
    killers=("GETXATTR:errno=ENODATA,path=*/new", "CREATE:errno=EIO", "GETATTR:attr.mode=0o100600,path=*/new"),
)
def inherited(m: Mount) -> None:
    """In a directory with a default ACL new files have it, less what open did not ask for, and new directories too.

    The umask is not taken off, and what directories pass on is the default ACL itself.
    """
    top = m.subdir("top")
    value = give(m, top, DEFAULT, (OWNER, 7), (USER, 5, guest(m)), (GROUP, 5), (MASK, 7), (OTHER, 0))
    m.expect_equal(permissions(value), permissions(os.getxattr(top, DEFAULT)), "the default ACL")
    os.umask(0o077)
    path = m.path("top/new")
    m.close(m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o664))
    os.mkdir(f"{top}/sub", 0o755)
    try:
        found = permissions(os.getxattr(path, ACCESS))
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        raise Finding("the new file to have the directory's default ACL", "it has no ACL", warn=True) from error
    m.expect_equal(permissions(value), permissions(os.getxattr(f"{top}/sub", DEFAULT)), "what the directory passes on")
    modes = (mode_of(m, path), mode_of(m, f"{top}/sub"))
    if modes == (0o600, 0o700):
        raise Finding("modes 0660 and 0750, the umask not taken off; ask for FUSE_DONT_MASK in INIT", "0600 and 0700: "
                      "umask 077 was taken off", warn=True)  # fmt: skip
    m.expect_equal({"owner": 6, "user": 5, "group": 5, "mask": 6, "other": 0}, found, "the ACL of a file made 0664")
    m.expect_equal((0o660, 0o750), modes, "the modes of a file made 0664 and a directory made 0755", show=octals)


@mount_check(
    "posix.acl.removed", op="REMOVEXATTR", level=OPTIONAL, source="catalogue 3.19.9; man 5 acl", needs=NEEDS,
    also=("SETXATTR", "GETXATTR"), killers=("REMOVEXATTR:fake", "REMOVEXATTR:errno=EIO", "GETXATTR:errno=EIO"),
)
def removed(m: Mount) -> None:
    """A file whose ACL is removed has none any more, and its mode stays."""
    path = m.file("shared", mode=0o600)
    give(m, path, ACCESS, (OWNER, 6), (USER, 6, guest(m)), (GROUP, 0), (MASK, 4), (OTHER, 4))
    mode = mode_of(m, path)
    os.removexattr(path, ACCESS)
    m.expect_equal(mode, mode_of(m, path), "the mode", show=oct)
    with m.raises(errno.ENODATA, what="getxattr of a removed ACL"):
        os.getxattr(path, ACCESS)


@mount_check(
    "posix.acl.refused", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.9; man 2 setxattr, man 5 acl",
    needs=NEEDS, also=("GETXATTR",), killers=("SETXATTR:errno=EIO", "GETXATTR:errno=EIO"),
)
def refused(m: Mount) -> None:
    """A default ACL of a file that is no directory is EACCES, one without the mask that it needs EINVAL."""
    path = m.file("shared")
    whole = ((OWNER, 6), (USER, 4, guest(m)), (GROUP, 0), (MASK, 4), (OTHER, 0))
    value = give(m, path, ACCESS, *whole)
    with m.raises(errno.EACCES, what="a default ACL of a file", warn=DECLINED):
        os.setxattr(path, DEFAULT, value)
    with m.raises(errno.EINVAL, what="an ACL with a user and no mask"):
        os.setxattr(path, ACCESS, packed(*(entry for entry in whole if entry[0] != MASK)))
    m.expect_equal(permissions(value), permissions(os.getxattr(path, ACCESS)), "the ACL as it was before")


@mount_check(
    "posix.acl.enforced", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.9; man 5 acl",
    needs=(*NEEDS, "root", "allow_other"), also=("GETXATTR", "ACCESS", "OPEN"),
    killers=("OPEN:errno=EACCES", "OPEN:errno=EIO", "SETXATTR:errno=EIO"),
)
def enforced(m: Mount) -> None:
    """An ACL lets in the user it names, and keeps out the user to whom it gives nothing, whatever others may do."""
    let_in, kept_out = plain(m, "let-in", 0o600), plain(m, "kept-out", 0o644)
    give(m, let_in, ACCESS, (OWNER, 6), (USER, 4, NOBODY), (GROUP, 0), (MASK, 4), (OTHER, 0))
    give(m, kept_out, ACCESS, (OWNER, 6), (USER, 0, NOBODY), (GROUP, 4), (MASK, 4), (OTHER, 4))

    def tries(path: str) -> str:
        try:
            os.close(os.open(path, os.O_RDONLY))
        except OSError as error:
            return linux.errno_name(error.errno or 0)
        return "success"

    for path, wanted, about in ((kept_out, "EACCES", "gives nothing"), (let_in, "success", "lets read")):
        found = m.fork(partial(tries, path), uid=NOBODY)
        expected = f"{wanted} from open by a user to whom the ACL {about}{KEEP_IN_STEP}"
        m.expect(found == wanted, expected, f"open: {found}", warn=True)
