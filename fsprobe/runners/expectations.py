"""What a target is meant to be, and what it may decline for that: the table behind `--expect object-store`.

Owns the table and its small interpreter: a result that only says that a declined feature is not there becomes
UNSUPPORTED, with the reason. Knows nothing of how a check is asked. Whatever tells of lost or wrong data, a hang, a
crash or an operation that does not work at all stays what it is. (read-only needs no table: its checks are others.)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fsprobe.diagnose.operations import DECLINED, OPERATIONS, operation_name
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Verdict
from fsprobe.runners.blame import answered, is_fault
from fsprobe.trace.exchange import Exchange

OBJECT_STORE = "object-store"

# A clean refusal says what it is. ENOSYS and EIO reach programs as they are, and mean other things to them.
_CLEAN = (DECLINED | {"EINVAL", "EXDEV", "EACCES"}) - {"ENOSYS"}
_UNCLEAN = frozenset({"ENOSYS", "EIO"})
# What is said of content is never excused by a word that stands beside it.
_DATA = re.compile(
    r"\bcontents?\b|\bbytes?\b|\bsize\b|sha-?256|\bzeros\b|\bentries\b|\bnames?\b|\bcmp\b|differ: byte|\blines?\b"
)
_NOTHING = re.compile(r"^(?:\(\d+, )?(?:b''|b\"\"|b'(?:\\x00)+'|nothing|0|E[A-Z]+|.*\bSIGBUS)\)?$")
_TUPLE = re.compile(r"^(.*?)\s*(\([^()]*\))$")
_JUDGED = (Verdict.FAIL, Verdict.WARN)


@dataclass(frozen=True, slots=True)
class Allowance:
    """One feature that a target of this kind may do without.

    feature: as the reason names it. ops: operations that may be refused for it. errnos: by which errors; one
    that programs misread is told in the reason. main: whether an operation may be refused even by the check that asks
    whether it works at all. ids: parts of check ids that limit `ops`, none: no limit. words: in what was expected; a
    difference in just that is excused, whatever the operation. programs: words by which programs tell that they met it.
    anywhere: errors that mean just this, whoever is blamed for them.
    vanishes: ids of checks where an error, or nothing at all in place of the content, is excused, other content not.
    """

    feature: str
    ops: tuple[str, ...] = ()
    errnos: frozenset[str] = _CLEAN | _UNCLEAN
    main: bool = True
    ids: tuple[str, ...] = ()
    words: str = ""
    programs: str = ""
    anywhere: frozenset[str] = frozenset()
    vanishes: tuple[str, ...] = ()


_BUSY = _CLEAN | {"ESPIPE", "EBADF", "EBUSY", "EFBIG"}

ALLOWANCES: tuple[Allowance, ...] = (
    Allowance("hard links", ops=("LINK",), words=r"\bnumber of links\b|\b\d+ links?\b|\blinks\b|\bnlink\b"),
    Allowance("symbolic links", ops=("SYMLINK", "READLINK")),
    Allowance("FIFOs, sockets and devices", ops=("MKNOD",)),
    Allowance("extended attributes", ops=("SETXATTR", "GETXATTR", "LISTXATTR", "REMOVEXATTR")),
    Allowance(
        "unlinked files that stay open",
        vanishes=("unlinked", "victim", "unlink.open-file", "name-used-again", "written-on", "twice-open",
                  "outlives-unlink", "forget.open-file-stays", "after-unlink", "removed-directory",
                  "open-and-unlink", "path-only"),
    ),
    Allowance(
        "changes of mode", words=r"\bmodes?\b|\bpermissions?\b|\bumask\b|\bX_OK\b|-perm\b|%a\b|from f?chmod\b|"
        r"^[.][fd][.]{3}p",
        programs=r"(?:changing|setting|preserving) permissions|preserving mode|Mode differs|\[ (?:! )?-x |"
        r"(?:bad interpreter|\./\S+): Permission denied",
    ),
    Allowance(
        "changes of owner", words=r"\bowner\b|\bgroup\b|\b[ug]id\b|%[uUgG]\b",
        programs=r"changing (?:ownership|group)|preserving ownership|chown|chgrp",
    ),
    Allowance(
        "times as they were set", words=r"\b[amc]times?(?:_ns)?\b|\btimes\b|%[XYZ]\b|-newer\b|\bbtime\b|`ls -1t|"
        r"^[.][fd][.]{2}t",
        programs=r"setting times|preserving times|Cannot utime|set modification time|Mod time differs|"
        r"failed to set times|file changed as we read it",
    ),
    Allowance(
        "changes of attributes", ops=("SETATTR",),
        ids=("chmod", "chown", "chgrp", "times", "touch", "owner", "mode", "one-time", "directory", "install", "cp-a",
             "cp-p", "tar", "rsync", "umask", "test-x", "find-tests"),
    ),
    Allowance("working directories that are renamed", vanishes=("shell.cd", "working-directory", "current-directory")),
    Allowance(
        "modes and owners that decide", ops=("MKDIR", "CREATE", "OPEN", "SETATTR", "WRITE"), main=False,
        errnos=frozenset({"EACCES", "EPERM"}), ids=("owner", "setuid", "other-user", "group", "denied", "chmod"),
    ),
    Allowance(
        "renaming directories in one step", ops=("RENAME",), main=False,
        errnos=_CLEAN | {"EEXIST", "ENOTEMPTY", "ENOSYS"},
        ids=("director", "tree", "children", "parent", "descriptors-follow", "deep"), anywhere=frozenset({"EXDEV"}),
    ),
    Allowance("renaming with flags", ops=("RENAME2",)),
    Allowance(
        "writing anywhere but from beginning to end", ops=("WRITE", "OPEN", "SETATTR", "FLUSH", "FALLOCATE",
        "COPY_FILE_RANGE", "LSEEK"), errnos=_BUSY, main=False,
    ),
    Allowance(
        "reading what is being written", ops=("READ",), errnos=frozenset({"EPERM", "EBADF", "EOPNOTSUPP"}), main=False,
    ),
    Allowance("space that only data takes", words=r"\btaken by a hole\b|\bblocks\b"),
    Allowance("inode numbers that stay", words=r"\binode numbers?\b"),
    Allowance("locks", ops=("GETLK", "SETLK", "SETLKW")),
)  # fmt: skip


def excuse(result: CheckResult, exchanges: Sequence[Exchange], expect: str | None) -> CheckResult:
    """The result as it is, or UNSUPPORTED with the reason, where all that is wrong is a feature which a target of that
    kind may do without. exchanges: those of the check; a program may not name the error that it met."""
    if expect != OBJECT_STORE or result.verdict not in _JUDGED:
        return result
    met = result.errno
    if not met and result.layer == "shell":
        met = next((answered(e) for e in exchanges if operation_name(e.opcode) == result.op and is_fault(e)), "")
    for row in ALLOWANCES:
        if _refused(row, result, met) or _lacks(row, result):
            due = f"; {met} is misread by programs, EOPNOTSUPP is due" * (met in _UNCLEAN)
            reason = f"an object store may do without {row.feature}{due}"
            return replace(result, verdict=Verdict.UNSUPPORTED, reason=reason)
    return result


def soften(diagnoses: Sequence[Diagnosis], checks: Iterable[CheckResult], expect: str | None) -> list[Diagnosis]:
    """The same, where what explains no failure any more is only a note."""
    if expect != OBJECT_STORE:
        return list(diagnoses)
    failing = {check.id for check in checks if check.verdict not in (Verdict.UNSUPPORTED, Verdict.SKIP, Verdict.WARN)}
    return [
        one if not one.checks or failing.intersection(one.checks) else replace(one, confidence="note")
        for one in diagnoses
    ]


def _refused(row: Allowance, result: CheckResult, met: str) -> bool:
    """Whether an operation of the row answered with a refusal, in a check that asks for no other answer."""
    if met in row.anywhere and not result.main:
        return True
    if result.op not in row.ops or met not in row.errnos:
        return False
    if row.ids and not any(part in result.id for part in row.ids):
        return False
    core = result.op in OPERATIONS and OPERATIONS[result.op].core
    return (row.main or not result.main) and not (met == "EIO" and core)


def _lacks(row: Allowance, result: CheckResult) -> bool:
    """Whether the words say that just this is not as on a file system that has it."""
    if any(part in result.id for part in row.vanishes):
        return bool(result.errno) or bool(_NOTHING.match(result.observed))
    if row.programs and result.layer == "shell" and re.search(row.programs, result.observed):
        return result.errno in ("", *_CLEAN, *_UNCLEAN)
    if not row.words or result.errno:
        return False
    subject = differing(result.expected, result.observed)
    return bool(re.search(row.words, subject)) and not _DATA.search(subject)


def differing(expected: str, observed: str) -> str:
    """What a finding is about: of several values compared at once (`size and mode (10, 416)` beside `(10, 420)`) the
    names of those that differ, else the expectation as it is; where that is only `attributes`, what was seen."""
    if expected.partition(":")[2].startswith(" the attributes") or expected.startswith("attributes "):
        return observed
    found = _TUPLE.match(expected)
    try:
        wanted = ast.literal_eval(found[2]) if found else None
        seen = ast.literal_eval(observed) if found else None
    except (ValueError, SyntaxError):
        return expected
    if found is None or not isinstance(wanted, tuple) or not isinstance(seen, tuple) or len(wanted) != len(seen):
        return expected
    names = re.split(r", | and ", found[1])
    if len(names) != len(wanted):
        return expected
    return " ".join(name for name, a, b in zip(names, wanted, seen, strict=True) if a != b)
