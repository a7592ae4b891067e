"""Causes that only follow from another one: the same symptom, in checks in which that one's operation took part.

Owns what each check is a symptom of, what follows from what, and which of two causes is the root. Knows nothing of how
they were found. All of this is likely, never proven.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fsprobe.diagnose.absent import FAILED
from fsprobe.diagnose.evidence import Evidence
from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.diagnose.relatives import handler_of, one_handler
from fsprobe.diagnose.roots import contradicted
from fsprobe.results.errnos import errno_in
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause, Verdict

_BROKEN = (*FAILED, Verdict.HANG)
# A daemon that dies, hangs or has nothing left is a root by itself, and what is a habit concerns many by its nature.
_ROOTS_ONLY = (
    Cause.CRASHED, Cause.DEADLOCK_LOCK, Cause.DEADLOCK_OWN_MOUNT, Cause.BLOCKED_OUTPUT, Cause.LOST_REPLY,
    Cause.BLOCKED_IO, Cause.BUSY_LOOP, Cause.STOPPED, Cause.OUT_OF_FILES, Cause.NOT_IMPLEMENTED, Cause.MALFORMED_REPLY,
)  # fmt: skip
_MAY_FOLLOW = (Cause.WRONG_DATA, Cause.WRONG_METADATA, Cause.WRONG_ERRNO, Cause.SILENT_NOOP)
# By so many times more checks does a root fail.
_MORE, _MUCH_MORE, _FAR_MORE = 3, 10, 20
_MOST = 0.7
_FEW = 5
_LINES = 4
"""Of so many that follow the evidence tells."""
# These take part in nearly every check, so that having taken part says little.
_EVERYWHERE = frozenset({"LOOKUP", "GETATTR", "CREATE", "MKDIR", "OPEN", "FLUSH", "RELEASE", "FORGET"})

_WORDS = (
    ("times", r"\b[amc]times?(?:_ns)?\b|\btimes?\b|\bnanoseconds\b|%[XYZ]\b|changed as we read"),
    ("mode", r"\bmodes?\b|\bpermissions?\b|\bumask\b|\bsticky\b|\b0o[0-7]{3,}\b|%a\b"),
    ("owner", r"\b[ug]id\b|\bowner\b|\bgroup\b|%[ugUG]\b"),
    ("nlink", r"\bnlink\b|\blinks\b|\b[0-9]+ links?\b"),
    ("size", r"\bsizes?\b|\bblocks\b"),
    ("fault", r"\bSIGBUS\b|\bsignal 7\b"),
    ("node", r"\bnodeid\b"),
    ("ino", r"\bino(?:de)?s?\b|same file|file system loop"),
    ("lock", r"\block(?:ed|s)?\b"),
    ("names", r"\b(?:listed|listing|lists|entries|names|found)\b|\bfind: |the tree after|output of `(?:ls|find)\b"
              r"|who did not find|\[b['\"]"),
    ("content", r"\bcontents?\b|\bcopy equal\b|\bSHA-256\b|\bbytes\b|\bzeros\b|\bdata\b|\bvalue\b"
                r"|output of `(?!stat\b|ls\b|find\b)|the tree after|(?<!\[)\bb['\"]"),
    ("type", r"\btype\b|\bstays a\b"),
)  # fmt: skip
_SYMPTOMS = tuple((name, re.compile(pattern)) for name, pattern in _WORDS)
_ENDLESS = "does not come to an end"
# What is met further on where a thing is wrong; `program`: any complaint of a program. Errors by their name.
_LEADS_TO: dict[str, frozenset[str]] = {
    "size": frozenset({"content", "program", "fault", "ENXIO"}),
    "content": frozenset({"program", "fault"}),
    "names": frozenset({"program", "ENOENT", "ENOTEMPTY", "EEXIST"}),
    "type": frozenset({"program", "EISDIR", "ENOTDIR", "EIO"}),
    "ino": frozenset({"program", "names", "ENOTEMPTY", "ECONNREFUSED", "ESTALE", "ENOENT"}),
    "nlink": frozenset({"ENOENT"}),
    "node": frozenset({"EIO", "ESTALE", "ENOENT"}),
    "times": frozenset({"program"}),
    "mode": frozenset({"program", "EACCES", "EPERM"}),
    "endless": frozenset({"endless"}),
    "ESPIPE": frozenset({"EINVAL"}),
}
_UNDONE = frozenset({"ENOENT", "EEXIST", "ENOTEMPTY", "ENODATA", "names", "content"})  # where a success did nothing
_LOST_HANDLE = frozenset({"EBADF"})
_MANY_HANDLERS = ("SETATTR",)  # chmod, chown, truncate and utimens, most often
_LOCKS = frozenset({"SETLK", "SETLKW", "GETLK"})
# READDIRPLUS does READDIR's work, and where there is no STATX the kernel asks GETATTR.
_ALSO_BY = {"READDIR": ("READDIRPLUS",), "READDIRPLUS": ("READDIR",), "GETATTR": ("STATX",), "RENAME": ("RENAME2",)}
# What a file that holds other bytes than were written leads to besides: a hole where data should be.
_HIDES = ("libfuse2", "libfuse3", "fusepy", "mfusepy", "fuse-python", "cgofuse")
_NOTHING_STORED = ("WRITE", "SETATTR", "CREATE", "OPEN", "RELEASE")


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A cause with its failed checks and what they are symptoms of.

    alone: whether the operation fails where it is asked with no kernel in between. main: whether its own main check is
    among those that fail.
    """

    cause: Diagnosis
    checks: tuple[CheckResult, ...]
    symptoms: frozenset[str]
    alone: bool
    main: bool

    @property
    def weight(self) -> tuple[bool, bool]:
        """What speaks for its being the root, whatever the number of checks."""
        return self.alone, self.main


def settle(found: Sequence[Diagnosis], evidence: Evidence) -> list[Diagnosis]:
    """The causes, those that only follow from another one put to it: first the root that explains most."""
    results = {check.id: check for check in evidence.checks if check.verdict in _BROKEN or check.blocked_by}
    suspects = [_suspect(one, results) for one in found if one.confidence != "note"]
    kept = list(found)
    while True:
        chains = [(root, [one for one in suspects if _follows(one, root, evidence)]) for root in suspects]
        root, after = max(chains, key=lambda chain: sum(len(one.checks) for one in chain[1]), default=(None, []))
        if root is None or not after:
            return kept
        gone = [one.cause for one in after]
        ids = dict.fromkeys((*root.cause.checks, *(id for one in gone for id in one.checks)))
        # Where the words of two prove neither, the other is named beside.
        even = [op for one in after if not any(root.weight) for op in one.cause.ops if op not in root.cause.ops]
        lines = [f"with it: {one.cause.summary}" for one in after]
        whole = replace(
            root.cause, checks=tuple(ids), ops=(*root.cause.ops, *dict.fromkeys(even)),
            evidence=tuple(dict.fromkeys((*root.cause.evidence, *lines[:_LINES]))),
        )  # fmt: skip
        kept = [whole if one is root.cause else one for one in kept if not any(one is other for other in gone)]
        suspects = [_suspect(whole, results) if one is root else one for one in suspects if one not in after]


def symptoms_of(check: CheckResult) -> frozenset[str]:
    """What a failed check tells of: the names of errors, or words such as `size` and `content`."""
    if check.verdict is Verdict.HANG or _ENDLESS in check.observed:
        return frozenset({"endless"})
    told = {"program"} if check.layer == "shell" else set()
    errno = check.errno or errno_in(check.observed)
    if errno:
        return frozenset({*told, errno})
    said, due = f"{check.expected} {check.observed}", errno_in(check.expected)
    told |= {f"no {due}"} if due else set()
    return frozenset({*told, *(name for name, sign in _SYMPTOMS if sign.search(said))})


def _suspect(cause: Diagnosis, results: dict[str, CheckResult]) -> _Suspect:
    met = [results[id] for id in cause.checks if id in results]
    checks = tuple([check for check in met if check.verdict in _BROKEN] or met)
    mine = [check for check in checks if check.op == cause.op] or checks
    symptoms = frozenset(name for check in mine for name in symptoms_of(check)) - {"program"}
    if cause.cause is Cause.NOT_IMPLEMENTED and cause.op in ("READDIR", "READDIRPLUS"):
        symptoms |= {"names"}
    if cause.cause is Cause.NOT_IMPLEMENTED and cause.op == "READ":
        symptoms |= {"content", "size"}
    own = [check for check in checks if check.declared == cause.op]
    alone = any(check.layer == "wire" for check in own)
    return _Suspect(cause, checks, symptoms, alone, any(c.main or contradicted(c) for c in own))


def _follows(one: _Suspect, root: _Suspect, evidence: Evidence) -> bool:
    if one is root or not one.checks or not root.cause.op:
        return False
    ops, family = (one.cause.op, root.cause.op), evidence.library.family
    both = one.cause.cause in _MAY_FOLLOW and root.cause.cause in _MAY_FOLLOW
    plain = one.cause.ops == (ops[0],) and root.cause.ops[:1] == (ops[1],) and not _shared(root.cause)
    if both and plain and ops[0] == ops[1] and ops[0] not in _MANY_HANDLERS:
        return len(root.checks) >= len(one.checks)  # one handler, though it errs in two ways
    if both and one.symptoms == root.symptoms == _LOST_HANDLE:
        return len(root.checks) >= len(one.checks)  # whichever operation comes by a handle that is gone
    if not _explains(root, one, evidence):
        return False
    if one.cause.cause is Cause.NOT_IMPLEMENTED:
        return root.cause.cause is Cause.NOT_IMPLEMENTED and ops[1] == "GETATTR" and _ends_in(*ops, family)
    if one.cause.cause is Cause.MALFORMED_REPLY:
        return root.cause.cause is Cause.MALFORMED_REPLY and ops[1] == "GETATTR" and _ends_in(*ops, family)
    if one.cause.cause not in _MAY_FOLLOW:
        return False
    if _ends_in(*ops, family):
        return True
    if ops[0] == ops[1]:
        return root.cause.cause in _ROOTS_ONLY or len(root.checks) >= len(one.checks)
    if set(ops) <= _LOCKS and one_handler(*ops, family):
        return len(root.checks) >= len(one.checks)
    if _explains(one, root, evidence):  # each took part in all that the other failed in
        times = len(root.checks) / len(one.checks)
        few = not any(one.weight) and len(one.checks) <= len(root.checks) <= _FEW
        return root.weight > one.weight or (root.weight == one.weight and (times >= _MORE or few))
    if root.cause.op in _EVERYWHERE:
        return root.weight >= one.weight and len(root.checks) >= len(one.checks)
    return root.main or (root.alone and not any(one.weight)) or len(root.checks) >= len(one.checks)


def _shared(cause: Diagnosis) -> bool:
    """Whether it is one of several operations by its nature, and not of the handler of the first of them."""
    return not cause.summary.startswith(cause.op)


def _ends_in(op: str, other: str, family: str) -> bool:
    """Whether the handler of the other operation does the work of this one as well."""
    return op != other and handler_of(op, (other,), family) == other


def _explains(root: _Suspect, one: _Suspect, evidence: Evidence) -> bool:
    """Whether all that fails of the one may come of the other; of one that fails nearly everywhere anything does."""
    times, small = len(root.checks) / len(one.checks), not any(one.weight)
    op, family = one.cause.op, evidence.library.family
    told = [
        (small and times >= _FAR_MORE and _took_part(root.cause.op, check, family))
        or (small and times >= _MUCH_MORE and _took_part(root.cause.op, check, family)
            and bool(symptoms_of(check) & root.symptoms))
        or (small and times >= _MORE and (op == root.cause.op or not symptoms_of(check) - {"program"})
            and _took_part(root.cause.op, check, family))
        or _explains_check(root, op, check, evidence)
        for check in one.checks
    ]  # fmt: skip
    there = all(_took_part(root.cause.op, check, family) for check in one.checks)
    if small and there and (root.alone or times >= _MUCH_MORE):
        return sum(told) >= _MOST * len(told)  # it errs by itself, the other one never
    return all(told)


def _explains_check(root: _Suspect, op: str, check: CheckResult, evidence: Evidence) -> bool:
    cause, family = root.cause, evidence.library.family
    if check.errno == "EBUSY" and family in _HIDES and cause.op in ("LOOKUP", "GETATTR"):
        return cause.cause is Cause.WRONG_ERRNO  # no name is free to hide an open file by (lib/fuse.c hidden_name)
    related = _ends_in(op, cause.op, family) or ({op, cause.op} <= _LOCKS and one_handler(op, cause.op, family))
    if not related and op != cause.op and not _took_part(cause.op, check, family):
        return False
    shown = symptoms_of(check) - {"program"} or symptoms_of(check)
    if cause.op == op and cause.cause in (Cause.DEADLOCK_OWN_MOUNT, Cause.OUT_OF_FILES):
        return True
    if cause.cause is Cause.MALFORMED_REPLY and (related or op in (cause.op, *_ALSO_BY.get(cause.op, ()))):
        return shown <= {"EIO"}
    if cause.cause in _ROOTS_ONLY and cause.cause is not Cause.NOT_IMPLEMENTED:
        return False
    errno = next((name for name in shown if name[:1] == "E"), "")
    if related and {op, cause.op} <= _LOCKS and not (errno and _answered_by(op, errno, evidence)):
        return True
    if errno and _answered_by(op, errno, evidence):
        if related or op == cause.op:
            return errno in root.symptoms
        if cause.op in ("RENAME", "UNLINK") and any(f"(deleted) → {errno}" in _short(line) for line in check.trace):
            return True
        return errno == "ENXIO" and bool(root.symptoms & {"content", "size"}) and cause.op in _NOTHING_STORED
    leads_to = frozenset(name for symptom in root.symptoms for name in _LEADS_TO.get(symptom, ()))
    if cause.cause is Cause.SILENT_NOOP:
        leads_to |= _UNDONE
    if "content" in root.symptoms and check.layer == "shell":
        leads_to |= {"size", "endless"}  # `wc -c` counts what it reads, and somebody waits for what is not there
    if "times" in root.symptoms and check.layer == "shell":
        leads_to |= {"names", "content"}  # `ls -t`, `find -newer`, make
    if cause.cause is Cause.WRONG_ERRNO and cause.op in ("READ", "WRITE", "OPEN", "FLUSH", "FSYNC"):
        leads_to |= {"program", "fault", "content", "size"}  # a call of several requests stops at the first that fails
    return bool(shown & (root.symptoms | leads_to))


def _short(line: str) -> str:
    """A line of a trace without what was asked."""
    return re.sub(r"\(deleted\).* → ", "(deleted) → ", line)


def _took_part(op: str, check: CheckResult, family: str) -> bool:
    if check.blocked_by and not check.sent:
        return True  # nobody knows what was asked before
    sent = check.sent or check.ops
    return any(name in sent for name in (op, *_ALSO_BY.get(op, ()))) or any(_ends_in(name, op, family) for name in sent)


def _answered_by(op: str, errno: str, evidence: Evidence) -> bool:
    """Whether the daemon answered the operation with that error, and it is no daily work of it."""
    summary, row = evidence.operations.get(op), OPERATIONS.get(op)
    return summary is not None and bool(summary.replies.get(errno)) and (row is None or errno not in row.normal)
