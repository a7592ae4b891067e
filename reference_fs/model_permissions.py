"""Who may do what: permission bits, ownership, the sticky bit.

Owns the rules of path_resolution(7) and inode(7); knows nothing of operations. Every `require_…` does nothing
where the store does not enforce, because the kernel then has checked before it asked (default_permissions).
"""

from __future__ import annotations

import errno
import functools
import os
import stat

from reference_fs.model import Store
from reference_fs.model_inode import ROOT, Caller, Inode, fail

READ, WRITE, EXECUTE = 4, 2, 1
FMODE_EXEC = 0x20  # how the kernel marks an open by execve(2) (linux/fs.h)


def allowed(inode: Inode, caller: Caller, mask: int) -> bool:
    """True where every bit of `mask` (READ, WRITE, EXECUTE) is granted.

    Root may do everything but execute a file that nobody may execute.
    """
    if caller.is_root:
        return not mask & EXECUTE or inode.is_dir or bool(inode.mode & 0o111)
    if caller.uid == inode.uid:
        bits = inode.mode >> 6
    elif caller.in_group(inode.gid):
        bits = inode.mode >> 3
    else:
        bits = inode.mode
    return bits & mask == mask


def mask_of(flags: int) -> int:
    """What open(2) with these flags needs. A program need not be readable to be run."""
    if flags & FMODE_EXEC:
        return EXECUTE
    mask = {os.O_RDONLY: READ, os.O_WRONLY: WRITE}.get(flags & os.O_ACCMODE, READ | WRITE)
    return mask | (WRITE if flags & os.O_TRUNC else 0)


def require(store: Store, inode: Inode, caller: Caller, mask: int) -> None:
    """Raises OSError(EACCES) where `mask` is not granted, EPERM where nobody may write (`Inode.fixed`)."""
    if inode.fixed and inode.is_dir and mask & WRITE:
        raise fail(errno.EPERM)
    if store.enforce and not allowed(inode, caller, mask):
        raise fail(errno.EACCES)


def require_owner(store: Store, inode: Inode, caller: Caller) -> None:
    """Raises OSError(EPERM) for anyone but the owner and root."""
    if store.enforce and not caller.is_root and caller.uid != inode.uid:
        raise fail(errno.EPERM)


def require_removal(store: Store, directory: Inode, victim: Inode, caller: Caller) -> None:
    """Raises OSError(EACCES or EPERM) where the caller may not take this entry out of its directory.

    In a sticky directory only the owner of the entry, of the directory, or root may (inode(7), S_ISVTX).
    """
    require(store, directory, caller, WRITE | EXECUTE)
    if victim.fixed:
        raise fail(errno.EPERM)
    sticky = store.enforce and directory.mode & stat.S_ISVTX and not caller.is_root
    if sticky and caller.uid not in (victim.uid, directory.uid):
        raise fail(errno.EPERM)


def require_linkable(store: Store, inode: Inode, caller: Caller) -> None:
    """Raises OSError(EPERM) where the kernel would not let the caller make links to a file of somebody else: no
    programs with set-id bits, nothing that it may not read and write (proc(5), protected_hardlinks)."""
    if not store.enforce or caller.uid in (0, inode.uid) or not protected_hardlinks():
        return
    program = inode.mode != inode.unprivileged_mode(ROOT)
    if program or not inode.is_file or not allowed(inode, caller, READ | WRITE):
        raise fail(errno.EPERM)


@functools.cache
def protected_hardlinks() -> bool:
    """Whether this machine guards hard links."""
    try:
        with open("/proc/sys/fs/protected_hardlinks", encoding="ascii") as setting:
            return setting.read().strip() != "0"
    except OSError:
        return False
