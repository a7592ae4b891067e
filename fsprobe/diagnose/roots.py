"""Which operation is at the root of a failed check, and how it fails, where no exchange proves it.

Owns the rules that read a check's words and set one operation's failures against another's; knows nothing of
absent handlers. All of this is likely and never proven.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fsprobe.diagnose.absent import FAILED
from fsprobe.diagnose.derived import works_alone
from fsprobe.diagnose.effects import set_nothing, short_read, wrong_size
from fsprobe.diagnose.evidence import Evidence
from fsprobe.diagnose.handlers import missing_answers
from fsprobe.diagnose.relatives import handler_of
from fsprobe.results.errnos import errno_in
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Cause, OpVerdict

_ATTRIBUTE_OPS = frozenset({"LOOKUP", "GETATTR", "SETATTR", "STATX", "STATFS", "ACCESS"})
_CHANGES = frozenset({"UNLINK", "RMDIR", "RENAME", "RENAME2", "REMOVEXATTR", "SETATTR", "FALLOCATE"})
_REMOVE = frozenset({"UNLINK", "RMDIR", "RENAME", "REMOVEXATTR"})
# What the next look at a thing says where making it was answered with success and did nothing.
MADE = {**dict.fromkeys(("CREATE", "MKNOD", "MKDIR", "SYMLINK", "LINK"), "ENOENT"), "SETXATTR": "ENODATA"}
XATTR = frozenset({"SETXATTR", "GETXATTR", "LISTXATTR", "REMOVEXATTR"})
REFUSED_REPLY = "a reply to "
"""How an expectation begins where a reply came that a kernel does not take."""
_NO_EFFECT = re.compile(
    r"\b(?:still (?:there|exists?|here|listed|present)|unchanged|no effect|nothing (?:happened|changed)|not removed"
    r"|did not change|as before|not changed)\b", re.IGNORECASE,
)  # fmt: skip
_ATTRIBUTE = re.compile(
    r"\b(?:st_\w+|mode|size|[amc]time|nlink|links?|uid|gid|owner|group|inode|ino|blocks|permissions?"
    r"|f_\w+|type|umask|sticky|0o[0-7]+)\b", re.IGNORECASE,
)  # fmt: skip

_SAME_WORD = {"link": "nlink", "links": "nlink", "inode": "ino", "owner": "uid", "group": "gid", "permissions": "mode"}

# What `stat` puts out tells attributes, what any other command does tells content.
_CONTENT = re.compile(r"\b(?:contents?|output of(?! `stat\b)|zeros|bytes (?:read|written|of))\b", re.IGNORECASE)
_WRITTEN = re.compile(r"\bwritten\b|write error|error writing", re.IGNORECASE)
_LISTED = re.compile(
    r"\b(?:listed|listing|entries|names|(?:directories|files) found)\b|\bfind: |output of `ls\b|^an offset that",
    re.IGNORECASE,
)
_TYPE_CHANGED = re.compile(r"\bnodeid \d+ stays a\b")
_SAME_FILE = re.compile(r"same file|file system loop|replaced while being copied")
_BYTES = re.compile(r"(?:(\d+) bytes, at offset \d+ )?b(['\"].*['\"])$")
_DATA_OPS = ("READ", "WRITE")
_ALONE = re.compile(r": the attributes that two other replies give$")
_TELLERS = ("GETATTR", "LOOKUP", "READDIRPLUS", "STATX")
_TIMES = re.compile(r"time|touch|utim", re.IGNORECASE)


def roots_of(failed: Sequence[CheckResult], evidence: Evidence) -> dict[str, Cause]:
    """Where an operation's main check fails, the way it fails is the root of its other failures.

    A check that fails only because every stat tells a wrong attribute makes no root of the operation it asks about.
    """
    lies = lying_attributes(failed, evidence)
    roots: dict[str, Cause] = {"GETATTR": Cause.WRONG_METADATA} if "nlink" in lies else {}
    for check in failed:
        if check.main and check.declared == check.op and not _told_by_stat(check, lies):
            cause = cause_of(check, evidence)
            if cause is Cause.SILENT_NOOP or check.op not in roots:
                roots[check.op] = cause
    shown = {_wrong_size(check, evidence): check for check in failed if "size" not in lies and not check.errno}
    if "WRITE" in shown and "GETATTR" not in shown and not any(map(contradicted, failed)):
        roots["WRITE"] = Cause.WRONG_DATA
        roots.pop("READ", None)  # it gives back what there is
    short = sum(map(short_read, failed))
    if "size" not in lies and short > sum("READ" in check.sent for check in failed) / 2:
        return {op: cause for op, cause in roots.items() if op not in _DATA_OPS} | {"READ": Cause.WRONG_DATA}
    for op in _TELLERS:
        if op in shown:
            roots.setdefault(op, Cause.WRONG_METADATA)
    if "SETATTR" in shown:
        nothing = any(set_nothing(check) for check in failed)
        roots.setdefault("SETATTR", Cause.SILENT_NOOP if nothing else Cause.WRONG_METADATA)
    return roots


def contradicted(check: CheckResult) -> bool:
    """Whether one reply, seen with no kernel in between, tells other attributes than two others do."""
    return check.layer == "wire" and check.op == check.declared and _ALONE.search(check.expected) is not None


def lying_attributes(failed: Sequence[CheckResult], evidence: Evidence) -> frozenset[str]:
    """The attributes that GETATTR's own failing main checks complain of: `size`; these do not ask about links."""
    return frozenset(
        word
        for check in failed
        if check.op == check.declared == "GETATTR" and cause_of(check, evidence) is Cause.WRONG_METADATA
        for word in _attributes(check)
        if check.main or word == "nlink" or contradicted(check)
    )


def root_of(
    check: CheckResult, roots: Mapping[str, Cause], evidence: Evidence, lies: frozenset[str] = frozenset()
) -> str:
    """The operation to charge a failed check to, most often the one that it blames already.

    `rm -r` that leaves directories behind, where unlink works and rmdir is known to lie, is rmdir's. A size that is
    wrong after any operation is GETATTR's where GETATTR is known to tell wrong sizes. Wrong content is charged to
    READ or WRITE where these are known to be broken.
    """
    if roots.get("READ") is Cause.WRONG_DATA and not check.errno and "size" not in lies and short_read(check):
        return "READ"
    shown = "" if check.errno or "size" in lies else _wrong_size(check, evidence)
    if shown and (shown != "WRITE" or "WRITE" in roots):
        return shown
    if _stored_nothing(roots, lies, evidence) and _is_data(check, evidence, lies):
        return "WRITE"
    if check.op != "GETATTR" and _told_by_stat(check, lies):
        return "GETATTR"
    mounted = check.layer != "wire" and not check.errno and "size" in lies
    if mounted and _is_data(check, evidence, lies) and not (_same_length(check) or _data_breaks_on_wire(evidence)):
        return "GETATTR"  # the kernel reads as far as the size goes
    if check.op == "LINK" and check.errno == "ENOENT" and "nlink" in lies:
        return "GETATTR"  # the kernel links nothing that has no links (fs/namei.c vfs_link)
    if _SAME_FILE.search(check.observed) and "ino" in lies:
        return "GETATTR"
    if check.op in XATTR:
        if roots.get("SETXATTR") is Cause.SILENT_NOOP:
            return "SETXATTR"
        if roots.get("REMOVEXATTR") is Cause.SILENT_NOOP and "No such attribute" in check.expected:
            return "REMOVEXATTR"
    kernel = made_by_kernel(check, evidence)
    if kernel and roots.get("LOOKUP") is Cause.WRONG_METADATA:  # a node whose type changes is EIO for good
        return "LOOKUP"
    if check.errno and not kernel:
        return check.op
    said = f"{check.expected} {check.observed}"
    if roots.get("READDIR") is Cause.WRONG_DATA and not check.errno and _LISTED.search(said):
        return "READDIR"
    data = _data_root(check, said, roots, evidence)
    if data:
        return data
    if check.op in roots:
        return check.op
    met = bool(check.errno or errno_in(check.observed))
    fits = (op for op in check.ops if op in roots and (met or roots[op] is not Cause.WRONG_ERRNO))
    return next(fits, check.op)


def _wrong_size(check: CheckResult, evidence: Evidence) -> str:
    """As `wrong_size`, of the handler that makes the answer."""
    told = wrong_size(check)
    return handler_of(told, ("GETATTR",), evidence.library.family) if told in _TELLERS else told


def _same_length(check: CheckResult) -> bool:
    """Whether just as many bytes came as were expected, so that no size is to blame."""
    told = [_BYTES.search(text) for text in (check.expected, check.observed)]
    sizes = [(match[1], len(match[2])) for match in told if match]
    return len(sizes) == 2 and sizes[0] == sizes[1]


def _data_breaks_on_wire(evidence: Evidence) -> bool:
    """Whether READ errs where no kernel goes by the size in between."""
    asked = [c for c in evidence.checks if c.layer == "wire" and c.declared == "READ" and c.verdict in FAILED]
    return any(_CONTENT.search(check.expected) for check in asked)


def _stored_nothing(roots: Mapping[str, Cause], lies: frozenset[str], evidence: Evidence) -> bool:
    """Sizes, what is read and what was written are all wrong: no READ and no GETATTR can do that, WRITE can."""
    both = all(roots.get(op) is Cause.WRONG_DATA for op in _DATA_OPS)
    return both and "size" in lies and _data_breaks_on_wire(evidence)


def _is_data(check: CheckResult, evidence: Evidence, lies: frozenset[str]) -> bool:
    told = check.op in (*_DATA_OPS, "GETATTR") or cause_of(check, evidence) is Cause.WRONG_DATA
    return told or bool(lies & _attributes(check))


def _data_root(check: CheckResult, said: str, roots: Mapping[str, Cause], evidence: Evidence) -> str:
    """READ or WRITE, where these are broken and the check tells of content; "" where it does not.

    Where both seem broken it cannot be told which: content that is read back wrong is then charged to READ.
    """
    broken = [op for op in _DATA_OPS if roots.get(op) is Cause.WRONG_DATA and took_part(op, check)]
    written = _WRITTEN.search(said) is not None
    if not broken or cause_of(check, evidence) not in (Cause.WRONG_DATA, Cause.WRONG_ERRNO):
        return ""
    if written and "WRITE" in broken:
        return "WRITE"
    return "" if check.errno else broken[0]


def took_part(op: str, check: CheckResult) -> bool:
    """Whether an operation was asked meanwhile; True where nothing was recorded."""
    return not check.sent or op in check.sent


def made_by_kernel(check: CheckResult, evidence: Evidence) -> bool:
    """Whether a check met an error that its operation never answered; False where nothing was recorded."""
    if not check.errno or not any(summary.replies for summary in evidence.operations.values()):
        return False
    summary = evidence.operations.get(check.op)
    return summary is None or not summary.replies.get(check.errno)


def _told_by_stat(check: CheckResult, lies: frozenset[str]) -> bool:
    return not check.errno and check.op != "GETATTR" and bool(lies & _attributes(check))


def _attributes(check: CheckResult) -> frozenset[str]:
    words = _ATTRIBUTE.findall(f"{check.expected} {check.observed}")
    return frozenset(_SAME_WORD.get(word, word) for word in (word.lower().removeprefix("st_") for word in words))


def cause_of(check: CheckResult, evidence: Evidence) -> Cause:
    said = f"{check.expected} {check.observed}"
    if _NO_EFFECT.search(check.observed) or _may_be_empty(check, evidence) or set_nothing(check):
        return Cause.SILENT_NOOP
    gone = ("ENODATA" if check.op == "REMOVEXATTR" else "ENOENT") if check.op in _REMOVE else ""
    if gone and check.expected.startswith(gone) and check.observed == "success":
        # Of a name that never was it tells nothing else.
        return Cause.WRONG_ERRNO if works_alone(check.op, evidence) else Cause.SILENT_NOOP
    if check.layer == "wire" and check.main and check.errno == MADE.get(check.op) and made_by_kernel(check, evidence):
        return Cause.SILENT_NOOP  # what it said to have made is not found
    if check.expected.startswith(REFUSED_REPLY):
        return Cause.MALFORMED_REPLY
    if _TYPE_CHANGED.search(said):
        return Cause.WRONG_METADATA
    if check.errno or errno_in(check.observed) or errno_in(check.expected):
        return Cause.WRONG_ERRNO
    if _CONTENT.search(said):
        return Cause.WRONG_DATA
    if check.op in ("READDIR", "READDIRPLUS") and _LISTED.search(said):
        return Cause.WRONG_DATA
    if check.op in (*_ATTRIBUTE_OPS, "MKNOD") or _ATTRIBUTE.search(said):  # what MKNOD makes holds nothing
        return Cause.WRONG_METADATA
    return Cause.WRONG_DATA


def _may_be_empty(check: CheckResult, evidence: Evidence) -> bool:
    """The library itself answers an empty success where the handler is missing, and the main check failed."""
    summary = evidence.operations.get(check.op)
    library_does = "ok" in missing_answers(evidence.library.family, check.op) and check.op in _CHANGES
    if evidence.library.family in ("fusepy", "mfusepy"):  # of SETATTR's four methods only utimens is so
        library_does = library_does and _TIMES.search(f"{check.id} {check.expected}") is not None
    return library_does and not check.errno and summary is not None and summary.verdict is OpVerdict.WRONG
