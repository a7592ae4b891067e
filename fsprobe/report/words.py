"""The words of a report: their order, their colours, what makes a verdict a problem.

Owns these tables; knows nothing of documents. Colour only repeats what the word says already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsprobe.results.verdicts import STRICT_UNEXPECTED, UNEXPECTED, OpVerdict, Verdict

LAYERS = ("wire", "mount", "shell")

OP_ORDER = {verdict.value: rank for rank, verdict in enumerate(OpVerdict)}
"""Worst first."""

OP_STYLE = {
    "crash": "bold red", "hang": "bold red", "ENOSYS": "red", "wrong": "red", "partial": "yellow",
    "unsupported": "yellow", "ok": "green", "untested": "dim",
}  # fmt: skip

CELL = {"unsupported": "unsup", "partial": "part", "untested": "·"}
"""What a cell of the matrix says where the verdict's own word is too long or says nothing."""

VERDICT_STYLE = {
    "CRASH": "bold red", "HANG": "bold red", "FAIL": "bold red", "ERROR": "bold magenta", "NOTRUN": "red",
    "XPASS": "red", "WARN": "yellow", "UNSUPPORTED": "yellow", "SKIP": "cyan", "XFAIL": "dim", "INFO": "dim",
    "PASS": "green",
}  # fmt: skip
"""In the order of a summary line: what needs a look first."""

EXIT_MEANING = {
    0: "all as expected",
    1: "unexpected verdicts",
    2: "usage or configuration",
    3: "fsprobe's own error",
    4: "the target did not start, mount or answer INIT",
    5: "nothing was checked",
    6: "this machine cannot do what was asked",
    130: "interrupted; this report is partial",
}


INSTEAD = {
    "LINK": "EPERM", "OPEN": "success", "OPENDIR": "success", "RELEASE": "ignored", "RELEASEDIR": "ignored",
    "FSYNC": "success", "FSYNCDIR": "success", "SYNCFS": "success", "FLUSH": "success", "SETXATTR": "EOPNOTSUPP",
    "GETXATTR": "EOPNOTSUPP", "LISTXATTR": "EOPNOTSUPP", "REMOVEXATTR": "EOPNOTSUPP", "FALLOCATE": "EOPNOTSUPP",
    "TMPFILE": "EOPNOTSUPP", "ACCESS": "granted", "CREATE": "MKNOD+OPEN", "INTERRUPT": "ignored", "BMAP": "block 0",
    "DESTROY": "ignored", "IOCTL": "ENOTTY", "POLL": "ready", "RENAME2": "EINVAL", "LSEEK": "no holes",
    "COPY_FILE_RANGE": "success", "COPY_FILE_RANGE_64": "success", "STATX": "GETATTR",
}  # fmt: skip
"""In a word what the kernel makes of ENOSYS (`diagnose.operations` has the sentences). Where there is none the
application itself meets the ENOSYS."""


def serious(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The diagnoses that matter, in their order: no notes of what is merely absent, nothing that the baseline knows."""
    return [one for one in document.get("diagnoses") or () if one.get("confidence") != "note" and not one.get("known")]


def charged(document: Mapping[str, Any]) -> dict[str, str]:
    """For each check that a serious diagnosis explains, the operation at its root, which the check may not know.

    Where several operations share a cause it is the check's own, if it is one of them.
    """
    own = {check["id"]: check["op"] for check in document["checks"]}
    found: dict[str, str] = {}
    for one in serious(document):
        for check in one.get("checks") or ():
            mine = own.get(check, "")
            found.setdefault(check, mine if mine in (one.get("ops") or ()) else one["op"])
    return found


def blamed(document: Mapping[str, Any]) -> list[str]:
    """Operations at fault: those of serious diagnoses, in their order, and of failed checks that have none. Where
    fsprobe itself failed (ERROR) nothing is known of the operation.

    One that answers ENOSYS is not among them where nothing needs it: POLL, STATX, …
    """
    known = charged(document)
    named = [op for one in serious(document) for op in (one["op"], *(one.get("ops") or ()))]
    alone = [
        check["op"] for check in document["checks"]
        if is_failure(check) and check["verdict"] != "ERROR" and check["id"] not in known
    ]  # fmt: skip
    return [op for op in dict.fromkeys((*named, *alone)) if op]


def root_of(check: Mapping[str, Any], known: Mapping[str, str]) -> str:
    """The operation to show beside a check. known: as `charged` gives it."""
    return str(known.get(check["id"]) or check["op"])


def is_failure(check: Mapping[str, Any]) -> bool:
    """Whether it was asked and did not pass: a problem, other than NOTRUN and XPASS."""
    return check["verdict"] not in ("NOTRUN", "XPASS") and is_problem(check)


def is_problem(check: Mapping[str, Any], *, strict: bool = False) -> bool:
    """Whether a check's verdict needs a look: what makes the exit code 1, and fsprobe's own errors."""
    try:
        verdict = Verdict(check["verdict"])
    except ValueError:
        return True
    return verdict in (STRICT_UNEXPECTED if strict else UNEXPECTED) or verdict is Verdict.ERROR
