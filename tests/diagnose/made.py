"""Results made by hand for the tests of diagnosis.

Owns small builders; knows nothing of what should follow from them.
"""

from __future__ import annotations

from typing import Any

from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Verdict


def check(id: str, op: str, verdict: str, **fields: Any) -> CheckResult:
    """A result; the layer comes from the id (`wire.…`, `shell.…`, else mount)."""
    layer = id.split(".")[0] if id.split(".")[0] in ("wire", "shell") else "mount"
    given = {"title": f"{id} works", "level": "MUST", "declared": op, "ops": (op,), **fields}
    return CheckResult(id=id, layer=layer, op=op, verdict=Verdict(verdict), **given)


def enosys(id: str, op: str, verdict: str = "FAIL", **fields: Any) -> CheckResult:
    """A result that met ENOSYS."""
    observed = fields.pop("observed", "ENOSYS (Function not implemented)")
    return check(id, op, verdict, errno="ENOSYS", observed=observed, **fields)


def stat(requests: int = 0, **replies: int) -> dict[str, Any]:
    """Statistics of one operation."""
    return {"requests": requests or sum(replies.values()), "replies": replies, "p50_us": 50.0, "p99_us": 90.0,
            "max_us": 120.0}


def before_fix() -> tuple[tuple[CheckResult, ...], dict[str, dict[str, Any]]]:
    """The first vexfs_fuse: lookup, getattr, read, write, create, readdir, and nothing else."""
    absent = ("SETATTR", "MKNOD", "MKDIR", "UNLINK", "RMDIR", "RENAME", "LINK", "SYMLINK", "READLINK")
    optional = ("MKNOD", "LINK", "SYMLINK", "READLINK")
    works = ("LOOKUP", "GETATTR", "READ", "WRITE", "CREATE", "READDIR", "OPEN", "RELEASE", "OPENDIR", "STATFS")
    checks = [check(f"wire.{op.lower()}.works", op, "PASS", main=True) for op in works]
    for op in absent:
        verdict, level = ("UNSUPPORTED", "OPTIONAL") if op in optional else ("FAIL", "MUST")
        checks.append(enosys(f"wire.{op.lower()}.works", op, verdict, level=level, main=True))
    for command, op in (
        ("touch", "SETATTR"), ("chmod", "SETATTR"), ("truncate", "SETATTR"), ("mkdir", "MKDIR"), ("rm", "UNLINK"),
        ("mv", "RENAME"),
    ):
        observed = f"{command}: doing it to 'test.txt': Function not implemented"
        checks.append(enosys(f"shell.{command}", op, observed=observed, main=True))
    for n in range(30):
        checks.append(
            check(f"posix.rename.{n}", "RENAME", "SKIP", blocked_by="MKDIR", errno="ENOSYS",
                  observed="mkdir: Function not implemented")
        )
    checks.append(enosys("wire.fsync.works", "FSYNC", "UNSUPPORTED", level="OPTIONAL"))
    checks.append(enosys("wire.flush.works", "FLUSH", "UNSUPPORTED", level="OPTIONAL"))
    checks.append(enosys("wire.access.works", "ACCESS", "UNSUPPORTED", level="OPTIONAL"))
    for op in ("SETXATTR", "GETXATTR", "LISTXATTR", "REMOVEXATTR"):
        checks.append(enosys(f"wire.{op.lower()}.works", op, "UNSUPPORTED", level="OPTIONAL", main=True))
    stats = {op: stat(ok=20) for op in works} | {op: stat(ENOSYS=3) for op in absent}
    stats |= {op: stat(ENOSYS=1) for op in ("FSYNC", "FLUSH", "ACCESS", "SETXATTR", "GETXATTR", "LISTXATTR")}
    stats["SETATTR"] = stat(ENOSYS=9, ENOENT=1)
    return tuple(checks), stats
