"""FUSE mounts that are there already, found without touching any: by mountinfo, and by links that are only read.

Owns which mount a path lies on, which mounts there are, and which processes hold a connection; knows nothing of why one
is stuck. No call here goes to a FUSE mount: a path is resolved name by name, and where the next name lies on one (or on
a network file system) the rest of it is taken as it stands.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from fsprobe.sandbox import mounts, process
from fsprobe.sandbox.mounts import Mount

DEVICE = "/dev/fuse"
_HANGING = ("fuse", "nfs", "cifs", "smb", "9p", "ceph", "afs", "autofs", "lustre", "gfs", "ocfs", "virtiofs")
_MOST_LINKS = 40  # as the kernel


def is_fuse(mount: Mount) -> bool:
    """Whether a mount is served by a FUSE daemon. fusectl is the kernel's own."""
    kind = mount.fs_type
    return kind == "fuse" or kind.startswith(("fuse.", "fuseblk"))


def fuse_mounts(pid: int | str = "self") -> list[Mount]:
    """The FUSE mounts of a process's namespace, none where that is not to be read."""
    try:
        return [mount for mount in mounts.mounts(pid) if is_fuse(mount)]
    except OSError:
        return []


def mount_at(path: str, table: Sequence[Mount]) -> Mount | None:
    """The mount that an absolute path lies on, by its text: of several at one place the last one."""
    best: Mount | None = None
    for mount in table:
        prefix = mount.mountpoint.rstrip("/") + "/"
        if (path.rstrip("/") + "/").startswith(prefix) and (best is None or len(prefix) >= len(best.mountpoint)):
            best = mount
    return best


def resolve(path: str, table: Sequence[Mount]) -> str:
    """The absolute path with symbolic links followed, as far as no file system is asked that might not answer."""
    left = os.path.join(os.getcwd(), path).split("/")
    left.reverse()
    done = "/"
    links = 0
    while left:
        name = left.pop()
        if name in ("", "."):
            continue
        if name == "..":
            done = os.path.dirname(done)
            continue
        here = mount_at(done, table)
        if here is not None and here.fs_type.startswith(_HANGING):
            return os.path.normpath("/".join([done, name, *reversed(left)]))
        joined = os.path.join(done, name)
        there = mount_at(joined, table)
        if there is not None and there.mountpoint == joined:  # a mount's root is no link
            done = joined
            continue
        try:
            target = os.readlink(joined)
        except OSError:
            done = joined
            continue
        links += 1
        if links > _MOST_LINKS:
            return joined
        left.extend(reversed(target.split("/")))
        done = "/" if target.startswith("/") else done
    return done


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a descriptor of /dev/fuse. connection: -1 where the kernel does not tell which."""

    pid: int
    connection: int


@dataclass(frozen=True, slots=True)
class Holders:
    """found: those that are seen, once for each connection. unseen: processes whose descriptors are not ours to see."""

    found: tuple[Holder, ...]
    unseen: int

    def of(self, connection: int) -> tuple[int, ...]:
        """The processes of one connection."""
        return tuple(one.pid for one in self.found if one.connection == connection)

    def connections(self, pid: int) -> tuple[int, ...]:
        """The connections of one process."""
        return tuple(one.connection for one in self.found if one.pid == pid and one.connection >= 0)


def holders(pids: Sequence[int] | None = None) -> Holders:
    """Who holds /dev/fuse, among these processes or all of them."""
    found: dict[Holder, None] = {}
    unseen = 0
    for pid in process.pids() if pids is None else pids:
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except PermissionError:
            unseen += 1
            continue
        except OSError:
            continue
        for name in names:
            try:
                link = os.readlink(f"/proc/{pid}/fd/{name}")
            except OSError:
                continue
            if link.endswith(DEVICE):  # in a container's own /dev, too
                found[Holder(pid, _connection(pid, name))] = None
    return Holders(tuple(found), unseen)


def _connection(pid: int, descriptor: str) -> int:
    """The connection that a descriptor serves, as fdinfo tells it (Linux 6.15)."""
    try:
        with open(f"/proc/{pid}/fdinfo/{descriptor}") as file:
            for line in file:
                if line.startswith("fuse_connection:"):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return -1
