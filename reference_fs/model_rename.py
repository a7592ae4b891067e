"""Renaming: one name to another, over another, or two names exchanged.

Owns rename(2) and renameat2(2) with their corner cases; knows nothing of content.
"""

from __future__ import annotations

import errno
import stat

from reference_fs.model import Store, exclusive
from reference_fs.model_inode import NAME_MAX, Caller, Inode, fail
from reference_fs.model_names import born, entries_of, find, unnamed
from reference_fs.model_permissions import EXECUTE, WRITE, require, require_removal

NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4


@exclusive
def rename(
    store: Store, old_parent: Inode, old_name: bytes, new_parent: Inode, new_name: bytes, caller: Caller,
    flags: int = 0,
) -> None:
    """Move an entry. Everything is checked before anything changes.

    flags: NOREPLACE fails with EEXIST where the new name is taken, EXCHANGE swaps the two, WHITEOUT leaves a
    character device 0:0 behind. Any other flag is OSError(EINVAL): ignoring one would do what was not asked.
    """
    if flags & ~(NOREPLACE | EXCHANGE | WHITEOUT) or (flags & EXCHANGE and flags & (NOREPLACE | WHITEOUT)):
        raise fail(errno.EINVAL)
    if {old_name, new_name} & {b".", b".."}:
        raise fail(errno.EBUSY)
    if len(new_name) > NAME_MAX:
        raise fail(errno.ENAMETOOLONG)
    moved, victim = find(old_parent, old_name), entries_of(new_parent).get(new_name)
    if victim is None and flags & EXCHANGE:
        raise fail(errno.ENOENT)
    if victim is not None and flags & NOREPLACE:
        raise fail(errno.EEXIST)
    if victim is moved:  # two links to one file: success, and both names remain (POSIX rename)
        return
    _require_tree(moved, victim, old_parent, new_parent, exchange=bool(flags & EXCHANGE))
    _require_permission(store, moved, victim, old_parent, new_parent, caller, exchange=bool(flags & EXCHANGE))
    if not flags & EXCHANGE:
        _require_kind(moved, victim)
    if flags & EXCHANGE and victim is not None:
        _exchange(moved, victim, old_parent, old_name, new_parent, new_name)
        store.touch(victim)
    else:
        whiteout = born(store, old_parent, caller, stat.S_IFCHR) if flags & WHITEOUT else None
        _move(store, moved, victim, old_parent, old_name, new_parent, new_name)
        if whiteout is not None:
            entries_of(old_parent).put(old_name, whiteout)
    store.touch(moved)
    store.touch(old_parent, changed=True)
    store.touch(new_parent, changed=True)
    if store.watcher is not None:
        store.watcher.left(old_parent, old_name, moved)
        if victim is not None:
            store.watcher.left(new_parent, new_name, victim)
            if flags & EXCHANGE:
                store.watcher.entered(old_parent, old_name, victim)
        store.watcher.entered(new_parent, new_name, moved)


def _require_tree(
    moved: Inode, victim: Inode | None, old_parent: Inode, new_parent: Inode, *, exchange: bool
) -> None:
    """Raises OSError where the result would not be a tree."""
    if new_parent.nlink == 0:
        raise fail(errno.ENOENT)
    if moved.is_dir and _contains(moved, new_parent):
        raise fail(errno.EINVAL)
    if victim is None:
        return
    if victim.is_dir and _contains(victim, old_parent):
        raise fail(errno.EINVAL if exchange else errno.ENOTEMPTY)


def _require_kind(moved: Inode, victim: Inode | None) -> None:
    """Raises OSError where one kind of file, or a directory that is not empty, would be replaced."""
    if victim is None:
        return
    if moved.is_dir and not victim.is_dir:
        raise fail(errno.ENOTDIR)
    if victim.is_dir and not moved.is_dir:
        raise fail(errno.EISDIR)
    if victim.entries:
        raise fail(errno.ENOTEMPTY)


def _require_permission(
    store: Store, moved: Inode, victim: Inode | None, old_parent: Inode, new_parent: Inode, caller: Caller,
    *, exchange: bool,
) -> None:
    """Raises OSError(EACCES or EPERM). A directory that gets another parent has its ".." rewritten, which is
    a write to the directory itself (EACCES in rename(2))."""
    require_removal(store, old_parent, moved, caller)
    if victim is None:
        require(store, new_parent, caller, WRITE | EXECUTE)
    else:
        require_removal(store, new_parent, victim, caller)
    if old_parent is not new_parent:
        for inode in (moved, victim if exchange else None):
            if inode is not None and inode.is_dir:
                require(store, inode, caller, WRITE)


def _move(
    store: Store, moved: Inode, victim: Inode | None, old_parent: Inode, old_name: bytes, new_parent: Inode,
    new_name: bytes,
) -> None:
    entries_of(old_parent).remove(old_name)
    entries_of(new_parent).put(new_name, moved)
    if moved.is_dir:
        old_parent.nlink -= 1
        new_parent.nlink += 1
        moved.parent = new_parent
    if victim is not None:
        if victim.is_dir:
            new_parent.nlink -= 1
        unnamed(store, victim)


def _exchange(
    moved: Inode, victim: Inode, old_parent: Inode, old_name: bytes, new_parent: Inode, new_name: bytes
) -> None:
    entries_of(old_parent).put(old_name, victim)
    entries_of(new_parent).put(new_name, moved)
    for inode, left, entered in ((moved, old_parent, new_parent), (victim, new_parent, old_parent)):
        if inode.is_dir:
            left.nlink -= 1
            entered.nlink += 1
            inode.parent = entered


def _contains(ancestor: Inode, directory: Inode | None) -> bool:
    """True where `directory` is `ancestor` or lies below it."""
    while directory is not None:
        if directory is ancestor:
            return True
        if directory.parent is directory:
            return False
        directory = directory.parent
    return False
