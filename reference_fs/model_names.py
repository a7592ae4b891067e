"""Names: finding, making, linking and removing them, and listing a directory.

Owns every operation on a directory but rename (`model_rename`); knows nothing of content. A `parent` is the
inode of a directory, a name is bytes without a slash.
"""

from __future__ import annotations

import errno
import stat

from reference_fs.model import Store, exclusive
from reference_fs.model_inode import DOT, DOTDOT, LINK_MAX, NAME_MAX, Caller, Directory, Inode, fail
from reference_fs.model_permissions import EXECUTE, WRITE, require, require_linkable, require_removal

PATH_MAX = 4096


def entries_of(parent: Inode) -> Directory:
    """The entries of a directory. Raises OSError(ENOTDIR) for anything else."""
    if parent.entries is None:
        raise fail(errno.ENOTDIR)
    return parent.entries


def find(parent: Inode, name: bytes) -> Inode:
    """The inode behind a name. Raises OSError(ENOENT, ENOTDIR or ENAMETOOLONG)."""
    entries = entries_of(parent)
    found = entries.get(name)
    if found is not None:
        return found
    if len(name) > NAME_MAX:
        raise fail(errno.ENAMETOOLONG)
    if name == b".":
        return parent
    if name == b".." and parent.parent is not None:
        return parent.parent
    raise fail(errno.ENOENT)


@exclusive
def lookup(store: Store, parent: Inode, name: bytes, caller: Caller) -> Inode:
    """`find`, for someone who needs search permission."""
    entries_of(parent)
    require(store, parent, caller, EXECUTE)
    return find(parent, name)


@exclusive
def resolve(store: Store, path: bytes, caller: Caller) -> Inode:
    """The inode at an absolute path that contains no link to follow: the kernel has walked it already."""
    inode = store.root
    for name in path.split(b"/"):
        if name:
            entries_of(inode)
            require(store, inode, caller, EXECUTE)
            inode = find(inode, name)
    return inode


def require_room(store: Store, parent: Inode, name: bytes, caller: Caller) -> None:
    """Raises OSError where no new entry of that name can be made in the directory."""
    if len(name) > NAME_MAX:
        raise fail(errno.ENAMETOOLONG)
    if entries_of(parent).get(name) is not None or name in (b".", b".."):
        raise fail(errno.EEXIST)
    if not name or parent.nlink == 0:  # removed, but somebody stands in it
        raise fail(errno.ENOENT)
    require(store, parent, caller, WRITE | EXECUTE)


@exclusive
def make(store: Store, parent: Inode, name: bytes, caller: Caller, mode: int, rdev: int = 0) -> Inode:
    """A new file of the type in `mode`: regular, FIFO, socket, device (mknod(2), open(2) with O_CREAT)."""
    require_room(store, parent, name, caller)
    inode = born(store, parent, caller, mode if stat.S_IFMT(mode) else mode | stat.S_IFREG, rdev)
    _enter(store, parent, name, inode)
    return inode


@exclusive
def open_or_make(
    store: Store, parent: Inode, name: bytes, caller: Caller, mode: int, *, exclusive: bool
) -> Inode:
    """open(2) with O_CREAT: the regular file of that name, made where there is none (`exclusive`: only then).

    The kernel asks for this where it saw no such name; somebody else may have made it since.
    """
    found = entries_of(parent).get(name)
    if found is None or exclusive:
        return make(store, parent, name, caller, stat.S_IFREG | stat.S_IMODE(mode))
    if found.is_dir:
        raise fail(errno.EISDIR)
    return found


@exclusive
def make_directory(store: Store, parent: Inode, name: bytes, caller: Caller, mode: int) -> Inode:
    """A new empty directory (mkdir(2))."""
    require_room(store, parent, name, caller)
    if parent.nlink >= LINK_MAX:
        raise fail(errno.EMLINK)
    inode = born(store, parent, caller, stat.S_IFDIR | (mode & 0o7777))
    inode.parent = parent
    parent.nlink += 1
    _enter(store, parent, name, inode)
    return inode


@exclusive
def make_symlink(store: Store, parent: Inode, name: bytes, caller: Caller, target: bytes) -> Inode:
    """A new symbolic link (symlink(2))."""
    if not target:
        raise fail(errno.ENOENT)
    if len(target) >= PATH_MAX:
        raise fail(errno.ENAMETOOLONG)
    require_room(store, parent, name, caller)
    inode = born(store, parent, caller, stat.S_IFLNK | 0o777)
    inode.target, inode.size = target, len(target)
    _enter(store, parent, name, inode)
    return inode


@exclusive
def make_unnamed(store: Store, parent: Inode, caller: Caller, mode: int, *, linkable: bool) -> Inode:
    """A file with no name (open(2), O_TMPFILE); it dies with its last reference unless linked before."""
    entries_of(parent)
    require(store, parent, caller, WRITE | EXECUTE)
    inode = born(store, parent, caller, stat.S_IFREG | stat.S_IMODE(mode))
    inode.nlink, inode.linkable = 0, linkable
    return inode


@exclusive
def link(store: Store, inode: Inode, parent: Inode, name: bytes, caller: Caller) -> Inode:
    """One more name for a file (link(2)). Returns the same inode."""
    if inode.is_dir or inode.fixed:
        raise fail(errno.EPERM)
    if inode.nlink == 0 and not inode.linkable:
        raise fail(errno.ENOENT)
    if inode.nlink >= LINK_MAX:
        raise fail(errno.EMLINK)
    require_linkable(store, inode, caller)
    require_room(store, parent, name, caller)
    inode.nlink += 1
    inode.linkable = False
    store.touch(inode)
    _enter(store, parent, name, inode)
    return inode


@exclusive
def unlink(store: Store, parent: Inode, name: bytes, caller: Caller) -> Inode:
    """Take a name of a file away (unlink(2)). What is open stays readable and writable."""
    inode = find(parent, name)
    require_removal(store, parent, inode, caller)
    if inode.is_dir:
        raise fail(errno.EISDIR)
    entries_of(parent).remove(name)
    store.touch(parent, changed=True)
    unnamed(store, inode)
    if store.watcher is not None:
        store.watcher.left(parent, name, inode)
    return inode


@exclusive
def remove_directory(store: Store, parent: Inode, name: bytes, caller: Caller) -> Inode:
    """Remove an empty directory (rmdir(2))."""
    if name == b".":
        raise fail(errno.EINVAL)
    if name == b"..":
        raise fail(errno.ENOTEMPTY)
    inode = find(parent, name)
    require_removal(store, parent, inode, caller)
    if entries_of(inode):
        raise fail(errno.ENOTEMPTY)
    entries_of(parent).remove(name)
    parent.nlink -= 1
    store.touch(parent, changed=True)
    unnamed(store, inode)
    return inode


@exclusive
def read_link(store: Store, inode: Inode) -> bytes:
    """Where a symbolic link points (readlink(2))."""
    if not inode.is_link:
        raise fail(errno.EINVAL)
    store.accessed(inode)
    return inode.target


@exclusive
def list_directory(store: Store, inode: Inode, offset: int, limit: int) -> list[tuple[bytes, Inode, int]]:
    """Up to `limit` entries (name, inode, offset) that follow `offset`; 0 is the start, [] the end."""
    entries = entries_of(inode)
    if offset == 0:
        store.accessed(inode)
    if inode.nlink == 0:
        return []
    listing: list[tuple[bytes, Inode, int]] = []
    if offset < DOT:
        listing.append((b".", inode, DOT))
    if offset < DOTDOT:
        listing.append((b"..", inode.parent or inode, DOTDOT))
    for entry in entries.after(max(offset, DOTDOT)):
        if len(listing) >= limit:
            break
        listing.append(entry)
    return listing[:limit]


def unnamed(store: Store, inode: Inode) -> None:
    """A name of this inode is gone: count it, and let the inode die where nothing else keeps it."""
    inode.nlink = 0 if inode.is_dir else inode.nlink - 1
    store.touch(inode)
    store.reap(inode)


def born(store: Store, parent: Inode, caller: Caller, mode: int, rdev: int = 0) -> Inode:
    """A new inode as its directory wants it: under S_ISGID it gets the directory's group (inode(7)).

    The kernel does none of this for FUSE: whoever makes the inode has to.
    """
    gid = caller.gid
    if parent.mode & stat.S_ISGID:
        gid = parent.gid
        group_program = stat.S_ISGID | stat.S_IXGRP
        if stat.S_ISDIR(mode):
            mode |= stat.S_ISGID
        elif mode & group_program == group_program and not caller.is_root and not caller.in_group(gid):
            mode &= ~stat.S_ISGID
    return store.new_inode(Caller(caller.uid, gid), mode, rdev)


def _enter(store: Store, parent: Inode, name: bytes, inode: Inode) -> None:
    entries_of(parent).put(name, inode)
    store.touch(parent, changed=True)
    if store.watcher is not None:
        store.watcher.entered(parent, name, inode)
