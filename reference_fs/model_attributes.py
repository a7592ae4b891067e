"""Attributes: mode, owner, size and times, and what changing one does to the others.

Owns chmod(2), chown(2), truncate(2) and utimensat(2), which FUSE sends as one operation; knows nothing of
names.
"""

from __future__ import annotations

import errno
import stat
from dataclasses import dataclass
from typing import Literal

from reference_fs import model_files
from reference_fs.model import Store, exclusive
from reference_fs.model_inode import Caller, Inode, fail
from reference_fs.model_permissions import WRITE, allowed, require, require_owner

Time = int | Literal["now"] | None
"""Nanoseconds since the epoch, the present, or leave it as it is."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What to set; None leaves a field as it is."""

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size: int | None = None
    atime: Time = None
    mtime: Time = None


NOTHING = Changes()
"""What write(2), and chown(2) with -1 for both, come as where the kernel leaves set-id bits to the file system: they
go."""


@exclusive
def set_attributes(
    store: Store, inode: Inode, caller: Caller, changes: Changes, *, opened: bool = False,
    kill: bool | None = None,
) -> None:
    """Apply the changes, or none of them.

    opened: through a file that is open for writing, so that truncating needs no permission (ftruncate(2)), or
    nothing but set-id bits is to go and somebody has it open for writing.
    kill: whether a change of size takes set-id bits away; None where the kernel has not said: then for all
    but root.
    """
    if inode.fixed:  # what is written there is taken line by line: it has no size to set
        if changes.size is None:
            raise fail(errno.EPERM)
        return
    _require_permission(store, inode, caller, changes, opened)
    if changes.size is not None:
        kills = not caller.is_root if kill is None else kill
        model_files.truncate(store, inode, changes.size, kill=caller if kills else None)
    if changes.uid is not None or changes.gid is not None or changes == NOTHING:
        inode.drop_privileges(caller)
        inode.uid = inode.uid if changes.uid is None else changes.uid
        inode.gid = inode.gid if changes.gid is None else changes.gid
    if changes.mode is not None:
        inode.mode = stat.S_IFMT(inode.mode) | _mode_for(store, inode, caller, stat.S_IMODE(changes.mode))
    store.touch(inode)
    if changes.size is not None:
        inode.mtime = inode.ctime  # one change, one time
    if changes.atime is not None:
        inode.atime = inode.ctime if changes.atime == "now" else changes.atime
    if changes.mtime is not None:
        inode.mtime = inode.ctime if changes.mtime == "now" else changes.mtime


def _mode_for(store: Store, inode: Inode, caller: Caller, mode: int) -> int:
    """An owner outside the file's group cannot set S_ISGID: the call succeeds without it (chmod(2))."""
    if store.enforce and not caller.is_root and not caller.in_group(inode.gid):
        return mode & ~stat.S_ISGID
    return mode


def _only_drops_privileges(inode: Inode, caller: Caller, mode: int) -> bool:
    """Who may write may take set-id bits away: the kernel asks so in the name of a writer, where it has not agreed
    to leave it to the file system (HANDLE_KILLPRIV)."""
    dropped = stat.S_IMODE(inode.mode) ^ stat.S_IMODE(mode)
    lesser = not dropped & ~(stat.S_ISUID | stat.S_ISGID) and not dropped & mode
    return inode.is_file and lesser and allowed(inode, caller, WRITE)


def _require_permission(store: Store, inode: Inode, caller: Caller, changes: Changes, opened: bool) -> None:
    if changes.size is not None and inode.is_dir:
        raise fail(errno.EISDIR)
    drops = changes == NOTHING and inode.mode != inode.unprivileged_mode(caller)
    if drops and caller.uid not in (0, inode.uid) and not opened:
        raise fail(errno.EPERM)  # the kernel has not looked, whatever it looks at otherwise
    if not store.enforce or caller.is_root:
        return
    if changes.size is not None and not opened:
        require(store, inode, caller, WRITE)
    if changes.mode is not None and not _only_drops_privileges(inode, caller, changes.mode):
        require_owner(store, inode, caller)
    if changes.uid is not None and (changes.uid != inode.uid or caller.uid != inode.uid):
        raise fail(errno.EPERM)
    if changes.gid is not None and (
        caller.uid != inode.uid or (changes.gid != inode.gid and not caller.in_group(changes.gid))
    ):
        raise fail(errno.EPERM)
    times = (changes.atime, changes.mtime)
    if times == ("now", "now"):
        if caller.uid != inode.uid and not allowed(inode, caller, WRITE):
            raise fail(errno.EACCES)
    elif times != (None, None) and changes.size is None:  # with a size the kernel adds times of its own
        require_owner(store, inode, caller)
