"""Mounts as the kernel tells them, and taking them away without ever waiting on one.

Owns mountinfo and unmounting; knows nothing of FUSE. A mount is looked up in /proc/self/mountinfo and never
by stat, which blocks on a hung one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from fsprobe.posix import linux


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo. `minor` is the FUSE connection's number; `line` the text itself.

    That number is the device's as the kernel packs it (fs/fuse/control.c): with the major of a block device, too.
    """

    mountpoint: str
    fs_type: str
    source: str
    minor: int
    options: str
    super_options: str
    line: str


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), text)


def mounts(pid: int | str = "self") -> list[Mount]:
    """Every mount of a process's namespace, in the order of mounting."""
    # A carriage return in a name is not escaped, and would end a line.
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape", newline="\n") as table:
        return [parse_line(line.rstrip("\n")) for line in table]


def parse_line(line: str) -> Mount:
    """One line of mountinfo (proc(5))."""
    left, _, right = line.partition(" - ")
    fields, (fs_type, source, *rest) = left.split(" "), right.split(" ")
    major, _, minor = fields[2].partition(":")
    return Mount(
        mountpoint=_unescape(fields[4]), fs_type=fs_type, source=_unescape(source),
        minor=int(major) << 20 | int(minor), options=fields[5], super_options=rest[0] if rest else "", line=line,
    )  # fmt: skip


def find(mountpoint: str) -> Mount | None:
    """The topmost mount on a path, None where there is none."""
    for mount in reversed(mounts()):
        if mount.mountpoint == mountpoint:
            return mount
    return None


def below(directory: str) -> list[Mount]:
    """Mounts at or under a directory, the last mounted first."""
    prefix = directory.rstrip("/") + "/"
    return [m for m in reversed(mounts()) if m.mountpoint == directory or m.mountpoint.startswith(prefix)]


def detach_in_child(mountpoint: str) -> int:
    """Lazily unmount in a child, since writing back dirty pages may wait on the daemon. Returns its pid.

    The child's exit status is 0, or 1 where the kernel refused; it may never come back.
    """
    child = os.fork()
    if child == 0:
        try:
            linux.umount(os.fsencode(mountpoint), linux.MNT_DETACH)
        except OSError:
            os._exit(1)
        os._exit(0)
    return child
