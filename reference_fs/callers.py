"""Who sent a request: from what the kernel tells to the model's `Caller`.

Owns the look in /proc for supplementary groups; knows nothing of requests.
"""

from __future__ import annotations

from reference_fs.model_inode import Caller


def caller_of(uid: int, gid: int, pid: int) -> Caller:
    """The caller; its groups are found out when somebody asks for them."""
    return Caller(uid, gid, lambda: groups_of(pid))


def groups_of(pid: int) -> frozenset[int]:
    """The supplementary groups of a process, empty where it cannot be seen (proc(5), status)."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("Groups:"):
                    return frozenset(int(gid) for gid in line.split()[1:])
    except OSError:
        pass
    return frozenset()
