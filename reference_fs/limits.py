"""What a front cannot carry, and what programs are told in its place: a table.

Owns the table, which `vexfs-fuse --help` prints and a test holds against what happens; knows nothing of how fronts
work.
"""

from __future__ import annotations

from dataclasses import dataclass

from reference_fs.profiles import FRONTS, FUSEPY, MFUSEPY


@dataclass(frozen=True, slots=True)
class Limit:
    """fronts: those that have it. told: what the caller gets in its place."""

    what: str
    fronts: tuple[str, ...]
    told: str


_PATHS = (FUSEPY, MFUSEPY)
LIMITS: tuple[Limit, ...] = (
    Limit("rename flags (NOREPLACE, EXCHANGE, WHITEOUT)", (FUSEPY,), "EINVAL"),
    Limit("fallocate", (FUSEPY,), "EOPNOTSUPP; posix_fallocate writes zeros"),
    Limit("lseek SEEK_DATA, SEEK_HOLE", (FUSEPY,), "the whole file is data"),
    Limit("COPY_FILE_RANGE", (FUSEPY,), "copied all the same, by reading and writing"),
    Limit("O_TMPFILE", _PATHS, "EOPNOTSUPP"),
    Limit("STATX: time of birth", _PATHS, "not told"),
    Limit("one node for all names of a file", _PATHS, "mappings and locks by two names miss each other"),
    Limit("a directory that is in use and removed", (MFUSEPY,), "ENOENT or ESTALE"),
    Limit("chown to nobody (-1, -1) marks ctime", (MFUSEPY,), "nothing changes"),
    Limit("POSIX ACLs (system.posix_acl_*)", FRONTS, "EOPNOTSUPP: modes are all there is"),
    Limit("fallocate COLLAPSE_RANGE, INSERT_RANGE", FRONTS, "EOPNOTSUPP"),
    Limit("FS_IOC_GETFLAGS (lsattr, chattr)", FRONTS, "ENOTTY"),
    Limit("devices, without the mount option dev", FRONTS, "EACCES"),
)


def listed() -> str:
    """The table as text."""
    width = max(len(limit.what) for limit in LIMITS)
    lines = ["what a front cannot carry, and what comes of it:"]
    for limit in LIMITS:
        fronts = "every front" if limit.fronts == FRONTS else ", ".join(limit.fronts)
        lines.append(f"  {limit.what:<{width}}  {fronts:<16}  {limit.told}")
    return "\n".join(lines)
