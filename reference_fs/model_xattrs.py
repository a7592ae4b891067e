"""Extended attributes: xattr(7).

Owns their namespaces, limits and flags; knows nothing of names or content.
"""

from __future__ import annotations

import errno
import stat

from reference_fs.model import Store, exclusive
from reference_fs.model_inode import Caller, Inode, fail
from reference_fs.model_permissions import READ, WRITE, require, require_owner

CREATE, REPLACE = 1, 2  # sys/xattr.h
NAME_MAX = 255
VALUE_MAX = 65_536
LIST_MAX = 65_536
NAMESPACES = (b"user.", b"trusted.", b"security.")


def _checked(store: Store, inode: Inode, name: bytes, caller: Caller, *, setting: bool) -> None:
    """Raises OSError where this caller cannot have such an attribute on this inode."""
    if not name or len(name) > NAME_MAX:
        raise fail(errno.ERANGE)
    if setting and inode.fixed:
        raise fail(errno.EPERM)
    if name.startswith(b"user."):
        if not (inode.is_file or inode.is_dir):
            raise fail(errno.EPERM if setting else errno.ENODATA)
        if setting and inode.is_dir and inode.mode & stat.S_ISVTX:
            require_owner(store, inode, caller)
        require(store, inode, caller, WRITE if setting else READ)
    elif name.startswith(b"trusted.") and not caller.is_root:
        raise fail(errno.EPERM if setting else errno.ENODATA)
    elif not name.startswith(NAMESPACES):
        if not name.startswith(b"system."):
            require(store, inode, caller, WRITE if setting else READ)
        raise fail(errno.EOPNOTSUPP)
    elif setting:
        require_owner(store, inode, caller)
    if name in NAMESPACES:
        raise fail(errno.EINVAL)


@exclusive
def set_xattr(store: Store, inode: Inode, name: bytes, value: bytes, flags: int, caller: Caller) -> None:
    """setxattr(2). CREATE wants the name to be new, REPLACE wants it to be there."""
    _checked(store, inode, name, caller, setting=True)
    if flags & ~(CREATE | REPLACE):
        raise fail(errno.EINVAL)
    if len(value) > VALUE_MAX:
        raise fail(errno.E2BIG)
    if flags & REPLACE and name not in inode.xattrs:
        raise fail(errno.ENODATA)
    if flags & CREATE and name in inode.xattrs:
        raise fail(errno.EEXIST)
    if name not in inode.xattrs and sum(len(known) + 1 for known in inode.xattrs) + len(name) >= LIST_MAX:
        raise fail(errno.ENOSPC)
    inode.xattrs[name] = value
    store.touch(inode)


@exclusive
def get_xattr(store: Store, inode: Inode, name: bytes, caller: Caller) -> bytes:
    """getxattr(2). Raises OSError(ENODATA) where there is none of that name."""
    _checked(store, inode, name, caller, setting=False)
    value = inode.xattrs.get(name)
    if value is None:
        raise fail(errno.ENODATA)
    return value


@exclusive
def list_xattrs(store: Store, inode: Inode, caller: Caller) -> list[bytes]:
    """The names this caller may see (listxattr(2)): `trusted.` ones only as root."""
    return [name for name in inode.xattrs if caller.is_root or not name.startswith(b"trusted.")]


@exclusive
def remove_xattr(store: Store, inode: Inode, name: bytes, caller: Caller) -> None:
    """removexattr(2). Raises OSError(ENODATA) where there is none of that name."""
    _checked(store, inode, name, caller, setting=True)
    if name not in inode.xattrs:
        raise fail(errno.ENODATA)
    del inode.xattrs[name]
    store.touch(inode)
