#!/usr/bin/env python3
"""Who may do what: `permission_probe.py DIRECTORY SEED CASES`. Prints one line for each attempt, so that a file system
can be compared with another: the caller, what it tried on what, and the errno or what came of it.

Run as root; it takes the identity of others for each attempt.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import stat
import sys
from collections.abc import Callable

USERS = {"root": (0, 0, ()), "ann": (1001, 1001, (77,)), "bob": (1002, 1002, (1001, 88)), "eve": (1003, 77, ())}
DIRECTORY_MODES = (0o755, 0o777, 0o1777, 0o2775, 0o3777, 0o700, 0o711, 0o744, 0o770, 0o075, 0o707)
FILE_MODES = (0o644, 0o666, 0o600, 0o060, 0o006, 0o4755, 0o2755, 0o6777, 0o2666, 0o000, 0o755, 0o464)


def shown(path: str) -> str:
    found = os.lstat(path)
    return f"{found.st_mode:o} {found.st_uid} {found.st_gid} {found.st_nlink}"


def opened(path: str, flags: int) -> str:
    os.close(os.open(path, flags, 0o2775))
    return shown(path)


def appended(path: str) -> str:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.write(fd, b"more")
    os.close(fd)
    return shown(path)


def then(path: str, done: object) -> str:
    return shown(path)


def made(path: str, mode: int) -> str:
    os.mkdir(path, mode)
    return shown(path)


DEEDS: dict[str, Callable[[str, str, str], object]] = {
    "read": lambda f, d, e: opened(f, os.O_RDONLY),
    "write": lambda f, d, e: appended(f),
    "read and write": lambda f, d, e: opened(f, os.O_RDWR),
    "empty": lambda f, d, e: opened(f, os.O_WRONLY | os.O_TRUNC),
    "truncate": lambda f, d, e: then(f, os.truncate(f, 3)),
    "create": lambda f, d, e: opened(f"{d}/new", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
    "create existing": lambda f, d, e: opened(f, os.O_CREAT | os.O_RDWR),
    "mkdir": lambda f, d, e: made(f"{d}/new", 0o777),
    "symlink": lambda f, d, e: then(f"{d}/new", os.symlink("x", f"{d}/new")),
    "fifo": lambda f, d, e: then(f"{d}/new", os.mkfifo(f"{d}/new", 0o2660)),
    "device": lambda f, d, e: then(f"{d}/new", os.mknod(f"{d}/new", stat.S_IFCHR | 0o600, os.makedev(1, 3))),
    "link": lambda f, d, e: then(f, os.link(f, f"{e}/new")),
    "unlink": lambda f, d, e: os.unlink(f),
    "rmdir": lambda f, d, e: os.rmdir(f"{d}/sub"),
    "rename here": lambda f, d, e: os.rename(f, f"{d}/new"),
    "rename there": lambda f, d, e: os.rename(f, f"{e}/new"),
    "rename over": lambda f, d, e: os.rename(f"{e}/other", f),
    "rename directory": lambda f, d, e: os.rename(f"{d}/sub", f"{e}/new"),
    "list": lambda f, d, e: sorted(os.listdir(d)),
    "enter": lambda f, d, e: os.chdir(d) or os.chdir("/"),
    "stat": lambda f, d, e: shown(f),
    "access r": lambda f, d, e: os.access(f, os.R_OK),
    "access w": lambda f, d, e: os.access(f, os.W_OK),
    "access x": lambda f, d, e: os.access(f, os.X_OK),
    "access dir": lambda f, d, e: os.access(d, os.W_OK | os.X_OK),
    "chmod": lambda f, d, e: then(f, os.chmod(f, 0o640)),
    "chmod set-id": lambda f, d, e: then(f, os.chmod(f, 0o6751)),
    "chmod directory": lambda f, d, e: then(d, os.chmod(d, 0o3751)),
    "chown self": lambda f, d, e: then(f, os.chown(f, os.geteuid(), -1)),
    "chown other": lambda f, d, e: then(f, os.chown(f, 1002, -1)),
    "chown nothing": lambda f, d, e: then(f, os.chown(f, -1, -1)),
    "chgrp own": lambda f, d, e: then(f, os.chown(f, -1, os.getegid())),
    "chgrp 77": lambda f, d, e: then(f, os.chown(f, -1, 77)),
    "chgrp 88": lambda f, d, e: then(f, os.chown(f, os.stat(f).st_uid, 88)),
    "chown directory": lambda f, d, e: then(d, os.chown(d, -1, 1001)),
    "times now": lambda f, d, e: os.utime(f),
    "times": lambda f, d, e: os.utime(f, ns=(1, 2)),
    "set attribute": lambda f, d, e: os.setxattr(f, "user.k", b"v"),
    "get attribute": lambda f, d, e: os.getxattr(f, "user.there"),
    "remove attribute": lambda f, d, e: os.removexattr(f, "user.there"),
    "trusted attribute": lambda f, d, e: os.setxattr(f, "trusted.k", b"v"),
    "attributes": lambda f, d, e: sorted(os.listxattr(f)),
    "attribute of directory": lambda f, d, e: os.setxattr(d, "user.k", b"v"),
}


def identity(user: str) -> None:
    """Become this user, with a way back."""
    uid, gid, groups = USERS[user]
    os.setresuid(0, 0, 0)
    os.setgroups(groups)
    os.setresgid(gid, gid, 0)
    os.setresuid(uid, uid, 0)


def main() -> None:
    top, seed, cases = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.umask(0o002)
    chance = random.Random(seed)
    for number in range(cases):
        deed = list(DEEDS)[number % len(DEEDS)]
        identity("root")
        place = f"{top}/case{number}"
        directory, other = f"{place}/d", f"{place}/e"
        file = f"{directory}/f"
        for path in (place, directory, other, f"{directory}/sub"):
            os.mkdir(path)
        for path in (file, f"{other}/other"):
            with open(path, "w") as new:
                new.write("content")
        os.setxattr(file, "user.there", b"v")
        told = []
        for path, modes in ((f"{directory}/sub", DIRECTORY_MODES), (file, FILE_MODES), (f"{other}/other", FILE_MODES),
                            (other, DIRECTORY_MODES), (directory, DIRECTORY_MODES)):  # fmt: skip
            owner, mode = chance.choice((0, 1001, 1002)), chance.choice(modes)
            group = chance.choice((0, 1001, 77, 88))
            os.chown(path, owner, group)
            os.chmod(path, mode)
            told.append(f"{path[len(place) :]} {mode:o} {owner} {group}")
        os.chmod(place, 0o755)
        user = chance.choice(list(USERS))
        identity(user)
        try:
            came = str(DEEDS[deed](file, directory, other))
        except OSError as error:
            came = errno.errorcode[error.errno or 0]
        identity("root")
        print(f"{user}: {deed}: {came} ({'; '.join(told)})")
        shutil.rmtree(place)


main()
