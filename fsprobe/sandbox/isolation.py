"""Namespaces: entering them, and the private place that a run works in.

Owns the levels of isolation and how each is entered; knows nothing of FUSE traffic. `namespaces` is root's
own mount and pid namespaces, `user` adds a user namespace, `none` has none and relies on the janitor.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from fsprobe.posix import linux

_LAST_RESORT = 4  # seconds, beyond which a first process without a session is killed
LEVELS = ("namespaces", "user", "none")

# A directory that is empty hides nothing when a private tmpfs covers it, and needs no removal afterwards.
_COVERABLE = ("/mnt", "/media", "/srv", "/opt", "/home")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run works: `private` places vanish with their namespace, others the janitor removes."""

    path: str
    private: bool


def enter(level: str) -> None:
    """Become the first process of the level's namespaces. Returns in that process only.

    The caller stays behind as its parent, waiting, so that a signal to it (or its parent's death) ends all.
    Raises OSError where the level is not to be had.
    """
    if level == "none":
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
        die_with_parent()
        return
    uid, gid = os.geteuid(), os.getegid()
    flags = linux.CLONE_NEWNS | linux.CLONE_NEWPID
    linux.unshare(flags | (linux.CLONE_NEWUSER if level == "user" else 0))
    if level == "user":
        _map_self(uid, gid)
    child = os.fork()
    if child:
        os.closerange(3, 1 << 16)  # ours of the session's channel must be the first process's alone
        _stand_by(child)
    die_with_parent()
    linux.mount(b"none", b"/", b"", linux.MS_REC | linux.MS_PRIVATE)
    linux.mount(b"proc", b"/proc", b"proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)


def _stand_by(child: int) -> None:
    """Wait for the first process. It tidies up when the session is gone; where it does not come back, kill it."""
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(_LAST_RESORT))
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGTERM)  # after unshare: a change of credentials clears it
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0x7F)


def outlive_parent() -> None:
    """No signal when the parent ends: end-of-file on the channel tells it, and there is tidying up to do."""
    linux.prctl(linux.PR_SET_PDEATHSIG, 0)


def die_with_parent() -> None:
    """SIGKILL for this process when its parent ends."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)


def _map_self(uid: int, gid: int) -> None:
    """Map only the user's own ids, to themselves: what the daemon reports keeps its meaning."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def private_place(avoid: list[str]) -> Place | None:
    """A tmpfs over an empty directory that nothing in `avoid` mentions, inside our own mount namespace."""
    for directory in _COVERABLE:
        try:
            empty = os.path.isdir(directory) and not os.listdir(directory)
            # Said anywhere, as in --from=/mnt, it may be what the target serves.
            if not empty or os.path.islink(directory) or any(directory in text for text in avoid):
                continue
            linux.mount(b"fsprobe", directory.encode(), b"tmpfs", 0, b"mode=755")
        except OSError:
            continue
        return Place(directory, private=True)
    return None
