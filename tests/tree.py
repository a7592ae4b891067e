"""A directory tree that fsprobe did not make, and everything about it that must not change.

Owns taking the picture; knows nothing of what happens between two pictures.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

from tests.targets import make_tree

Picture = dict[str, dict[str, Any]]
OURS = ".fsprobe-"


def make_content(root: Path) -> None:
    """The small known tree, with extended attributes where they can be had, odd times and modes."""
    make_tree(root)
    (root / "read only").write_text("mine")
    (root / "fifo").touch()
    (root / "fifo").unlink()
    os.mkfifo(root / "fifo")
    (root / "full").mkdir(mode=0o750)
    for number in range(60):
        (root / "full" / f"entry {number}").write_text(str(number))
    try:
        os.setxattr(root / "hello.txt", "user.comment", b"do not touch")
        os.setxattr(root / "full", "user.comment", b"nor this")
    except OSError:
        pass  # a tmpfs of an old kernel
    for number, path in enumerate(sorted(root.rglob("*"), reverse=True)):
        os.utime(path, ns=(10**18 + number, 10**18 + 7 * number + 123_456_789), follow_symlinks=False)
    (root / "read only").chmod(0o400)


def picture(root: Path, *, but_ours: bool = False) -> Picture:
    """Names, types, modes, owners, sizes, times of the last change, links, content and xattrs of all below root.

    but_ours: leave out what a killed run had no chance to remove. Of the root itself the times are left out:
    making one directory in it changes them.
    """
    seen: Picture = {".": _entry(root)}
    del seen["."]["mtime"]
    for folder, folders, files in os.walk(root):
        at_root = Path(folder) == root
        if at_root and but_ours:
            folders[:] = [name for name in folders if not name.startswith(OURS)]
            files = [name for name in files if not name.startswith(OURS)]
        for name in [*folders, *files]:
            path = Path(folder, name)
            seen[str(path.relative_to(root))] = _entry(path)
    if but_ours:
        del seen["."]["nlink"]
    return seen


def _entry(path: Path) -> dict[str, Any]:
    info = path.lstat()
    kind = stat.S_IFMT(info.st_mode)
    entry: dict[str, Any] = {
        "type": kind,
        "mode": stat.S_IMODE(info.st_mode),
        "owner": (info.st_uid, info.st_gid),
        "nlink": info.st_nlink,
        "mtime": info.st_mtime_ns,
        "ino": info.st_ino,
        "xattrs": {name: os.getxattr(path, name, follow_symlinks=False) for name in _names(path)},
    }
    if kind == stat.S_IFREG:
        entry |= {"size": info.st_size, "content": hashlib.sha256(path.read_bytes()).hexdigest()}
    if kind == stat.S_IFLNK:
        entry["to"] = os.readlink(path)
    return entry


def _names(path: Path) -> list[str]:
    try:
        return os.listxattr(path, follow_symlinks=False)
    except OSError:
        return []


def difference(before: Picture, after: Picture) -> list[str]:
    """Each change in words; nothing where there is none."""
    told = [f"{name} is gone" for name in before if name not in after]
    told += [f"{name} is new" for name in after if name not in before]
    for name in before.keys() & after.keys():
        told += [
            f"{name}: {key} was {before[name][key]}, is {after[name][key]}"
            for key in before[name].keys() & after[name].keys()
            if before[name][key] != after[name][key]
        ]
    return sorted(told)
