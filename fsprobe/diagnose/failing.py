"""Operations that exist and err: wrong errors, wrong data, wrong attributes, successes without effect.

Owns how a failed check is told to be one of these; knows nothing of absent handlers or of daemons that died.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from fsprobe.diagnose.absent import FAILED, blocked_by, commands, ids
from fsprobe.diagnose.advice import implement, look_at
from fsprobe.diagnose.derived import charge, works_alone
from fsprobe.diagnose.evidence import Evidence
from fsprobe.diagnose.handlers import missing_answers
from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.diagnose.relatives import handler_of, one_handler
from fsprobe.diagnose.roots import MADE, XATTR, cause_of, lying_attributes, made_by_kernel, root_of, roots_of
from fsprobe.diagnose.working import sets_sizes
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause

_XATTR_FIX = "Answer EOPNOTSUPP, or ENOSYS once: programs such as `ls -l` and `cp -p` then do without."
_PARENT_MTIME = re.compile(r"newer mtime after .*\bthe directory\b")
_MTIME_FIX = "Set mtime and ctime of the parent whenever an entry is made, removed or renamed in it (POSIX)."
# An open file whose name is gone is not known any more.
_GONE = re.compile(r"^(?!LOOKUP|UNLINK|RMDIR|RENAME|LINK )\w+ \S+ \(deleted\).* → (ESTALE|ENOENT|EBADF)\b")
_LOOKS_UP = ("libfuse2", "libfuse3", "fusepy", "mfusepy", "fuse-python", "cgofuse")
# What a library that answers success without a handler has to fill in by itself.
_MADE_UP = ("STATFS", "LSEEK", "READDIR", "READDIRPLUS")
_MANY = 4
_ONE_TIME = re.compile(r"setattr\.(?:one-time|times-omit)|touch-[am]\b")
_ONE_TIME_TOLD = "libfuse 2 drops a change of atime or mtime alone, and answers success, unless it was told not to"
_IN_PYTHON = (
    "Give the class flag_utime_omit_ok = 1 and use_ns = True: a time that is to stay then comes to utimens as "
    "1073741822 (UTIME_OMIT)."
)
ONE_TIME = {
    "libfuse2": "Set flag_utime_omit_ok = 1 in struct fuse_operations, and let .utimens heed UTIME_OMIT.",
    "fusepy": _IN_PYTHON,
    "mfusepy": _IN_PYTHON,
}
"""What to set where libfuse 2's high-level interface loses a time that was set by itself."""
# Errors that the kernel makes by what an operation said before: that operation, and what it said.
_KERNEL_BY = {"ESPIPE": ("OPEN", "OPEN answers FOPEN_NONSEEKABLE or FOPEN_STREAM, so the kernel refuses to seek")}
_SUCCESS = ("the call succeeds", "exit 0")
_TITLE: Mapping[Cause, str] = {
    Cause.WRONG_ERRNO: "answers the wrong error",
    Cause.WRONG_DATA: "gives wrong data",
    Cause.WRONG_METADATA: "gives wrong attributes",
    Cause.SILENT_NOOP: "answers success and does nothing",
    Cause.MALFORMED_REPLY: "is answered with what the kernel does not take",
}


def wrong_results(evidence: Evidence, explained: frozenset[str]) -> list[Diagnosis]:
    """What failed and has no other explanation, one diagnosis for each operation and way of failing."""
    failed = [check for check in evidence.checks if check.verdict in FAILED and check.id not in explained]
    roots, lies = roots_of(failed, evidence), lying_attributes(failed, evidence)
    found, failed = _shared(failed, roots, evidence)
    groups: dict[tuple[str, Cause], list[CheckResult]] = {}
    known = {**_alone(failed, evidence), **roots}
    solid = [op for op in known if op not in roots or not works_alone(op, evidence)]
    errs = {op for op, cause in known.items() if cause is Cause.WRONG_ERRNO}
    partial = {op for op in known if op not in roots}
    noop = {op for op, cause in roots.items() if cause is Cause.SILENT_NOOP}
    for check in failed:
        op = handler_of(root_of(check, roots, evidence, lies), noop, evidence.library.family)
        if op == check.op:
            mild = partial if check.errno else partial | errs
            op = charge(check, solid, evidence, mild=mild) or op
            if op != check.op:
                groups.setdefault((op, known[op]), []).append(check)
                continue
        cause = roots.get(op) or cause_of(check, evidence)
        groups.setdefault((op, cause), []).append(check)
    told: set[str] = set()
    for (op, cause), checks in _by_handler(groups, evidence.library.family).items():
        collateral = [] if op in told else blocked_by(evidence, op)
        told.add(op)
        found.append(_wrong(op, cause, checks, collateral, evidence))
    return found


def _by_handler(
    groups: Mapping[tuple[str, Cause], list[CheckResult]], family: str
) -> dict[tuple[str, Cause], list[CheckResult]]:
    """What fails alike in two operations that end in one handler is one fault, of the one that fails more often."""
    merged: dict[tuple[str, Cause], list[CheckResult]] = {}
    for (op, cause), checks in sorted(groups.items(), key=lambda group: -len(group[1])):
        alike = (
            key
            for key, others in merged.items()
            if key[1] is cause and others[0].errno == checks[0].errno and one_handler(op, key[0], family)
        )
        merged.setdefault(next(alike, (op, cause)), []).extend(checks)
    return merged


def _alone(failed: Sequence[CheckResult], evidence: Evidence) -> dict[str, Cause]:
    """Operations that fail where they are asked by themselves, with no kernel or program in between, and how."""
    found: dict[str, Cause] = {}
    for check in failed:
        if check.layer == "wire" and check.declared == check.op:
            found.setdefault(check.op, cause_of(check, evidence))
    return found


def _shared(
    failed: Sequence[CheckResult], roots: Mapping[str, Cause], evidence: Evidence
) -> tuple[list[Diagnosis], list[CheckResult]]:
    """Causes that several operations share by their nature, and the checks that are left over."""
    found = []
    gone = [check for check in failed if any(map(_GONE.search, check.trace))]
    hidden = roots.get("RENAME") is Cause.SILENT_NOOP and evidence.library.family in _LOOKS_UP  # by that very rename
    if gone and not hidden:
        gone += [check for check in evidence.checks if check.blocked_by and any(map(_GONE.search, check.trace))]
        found.append(_gone_with_its_name(gone, evidence))
        failed = [check for check in failed if check not in gone]
    parents = [check for check in failed if _PARENT_MTIME.search(check.expected) and not check.errno]
    if len({check.op for check in parents}) > 1:
        told = "the mtime of a directory does not change when its entries do"
        found.append(_together(Cause.WRONG_METADATA, told, parents, evidence, _MTIME_FIX))
    else:
        parents = []
    xattrs = [check for check in failed if check.op in XATTR and _never_works(check, evidence)]
    answers = {check.errno for check in xattrs} - {""}
    if len(answers) == 1 and answers != {"ENODATA"} and len({check.op for check in xattrs}) > 1:
        told = f"extended attributes are answered with {answers.pop()}, where EOPNOTSUPP is due"
        found.append(_together(Cause.WRONG_ERRNO, told, xattrs, evidence, _XATTR_FIX))
    else:
        xattrs = []
    taken = {check.id for check in (*parents, *xattrs)}
    refused = next((op for op, cause in roots.items() if cause is Cause.MALFORMED_REPLY), "")
    for errno, met in _unanswered(failed, evidence).items():
        mine = [check for check in met if check.id not in taken]
        found.append(_spread(errno, mine, evidence, refused if errno == "EIO" else ""))
        taken |= {check.id for check in mine}
    return found, [check for check in failed if check.id not in taken]


def _gone_with_its_name(checks: Sequence[CheckResult], evidence: Evidence) -> Diagnosis:
    """Temporary files are unlinked while open, everywhere: they have to be there until they are closed."""
    lines = dict.fromkeys(line for check in checks for line in check.trace if _GONE.search(line))
    answered = tuple(dict.fromkeys(line.split(" ")[0] for line in lines))
    errnos = dict.fromkeys(match[1] for line in lines if (match := _GONE.search(line)))
    return Diagnosis(
        cause=Cause.WRONG_DATA,
        op="UNLINK",
        confidence="proven",
        summary=f"a file that is unlinked while it is open is gone: {', '.join(answered[:4])} "
        f"{'answers' if len(answered) == 1 else 'answer'} {', '.join(errnos)} for it",
        evidence=(*tuple(lines)[:3], *commands(checks)),
        fix="\n".join((f"{look_at('UNLINK', evidence.library)} Keep a node and its data until its last handle is "
                       "released and the kernel has forgotten it; UNLINK only takes the name away.",
                       f"Repeat it: {checks[0].reproduce}")),
        checks=ids(checks),
        ops=tuple(dict.fromkeys(("UNLINK", *answered))),
    )  # fmt: skip


def _unanswered(failed: Sequence[CheckResult], evidence: Evidence) -> dict[str, list[CheckResult]]:
    """By errno, the checks of operations that never answered with what the caller got, where these are many."""
    found: dict[str, list[CheckResult]] = {}
    for check in failed:
        if made_by_kernel(check, evidence) and cause_of(check, evidence) is Cause.WRONG_ERRNO:
            found.setdefault(check.errno, []).append(check)
    return {errno: met for errno, met in found.items() if len({check.op for check in met}) >= _MANY}


def _spread(errno: str, checks: Sequence[CheckResult], evidence: Evidence, refused: str) -> Diagnosis:
    """One error in many places comes of one operation: the one that answers it, or whose answer the kernel goes by."""
    answers = {op: summary.replies.get(errno, 0) for op, summary in evidence.operations.items()}
    most = max(answers, key=lambda op: answers[op], default="")
    by, told = _KERNEL_BY.get(errno, ("", f"the kernel says {errno}"))
    if refused:
        by, told = refused, f"the kernel makes {errno} of what {refused} answers"
    elif answers.get(most):
        by, told = most, f"{most} answers {errno}"
    others = tuple(dict.fromkeys(check.op for check in checks if check.op != by))
    op = by or others[0]
    lines = list(dict.fromkeys(f"{c.id}: expected {c.expected}, observed {c.observed}" for c in checks[:3]))
    return Diagnosis(
        cause=Cause.WRONG_ERRNO,
        op=op,
        confidence="likely",
        summary=f"{told}, and with that {len(others)} other operations fail",
        evidence=(*lines, f"callers get {errno}, with which these were never answered: {', '.join(others)}",
                  *commands(checks)),
        fix="\n".join((look_at(op, evidence.library), f"Repeat it: {checks[0].reproduce}")),
        checks=ids(checks),
        ops=tuple(dict.fromkeys((op, *others))),
    )  # fmt: skip


def _never_works(check: CheckResult, evidence: Evidence) -> bool:
    summary = evidence.operations.get(check.op)
    return summary is not None and not summary.replies.get("ok") and summary.replies.get(check.errno, 0) > 0


def _together(
    cause: Cause, told: str, checks: Sequence[CheckResult], evidence: Evidence, fix: str
) -> Diagnosis:
    ops = tuple(dict.fromkeys(check.op for check in checks))
    return Diagnosis(
        cause=cause,
        op=ops[0],
        confidence="proven" if cause is Cause.WRONG_ERRNO else "likely",
        summary=told,
        evidence=(f"concerned: {', '.join(ops)}", *commands(checks)),
        fix=fix,
        checks=ids(checks, *(blocked_by(evidence, op) for op in ops if op in XATTR)),
        ops=ops,
    )


def _wrong(
    op: str, cause: Cause, checks: Sequence[CheckResult], collateral: Sequence[CheckResult], evidence: Evidence
) -> Diagnosis:
    first = min(checks, key=lambda check: (check.declared != op, not check.main))
    lines = list(dict.fromkeys(f"{c.id}: expected {c.expected}, observed {c.observed}" for c in checks[:3]))
    summary = evidence.operations.get(op)
    proven = cause is Cause.WRONG_ERRNO and summary is not None and summary.replies.get(first.errno, 0) > 0
    fix = look_at(op, evidence.library)
    ops: tuple[str, ...] = (op,) if op else ()
    if op == "READ" and any(check.op == "WRITE" for check in checks):
        lines.append("what is read back differs from what was written: WRITE may be at fault as well")
        ops = ("READ", "WRITE")
    family = evidence.library.family
    noop = cause is Cause.SILENT_NOOP and not (op == "SETATTR" and sets_sizes(evidence.checks))
    if family and "ok" in missing_answers(family, op) and (noop or op in _MADE_UP):
        lines.append(f"{evidence.library.name} answers success by itself where the handler is missing")
        fix = implement(op, evidence.library) if noop else f"{fix} Or write it, where it is missing."
    if op == "SETATTR" and family in ONE_TIME and any(_ONE_TIME.search(check.id) for check in checks):
        lines.append(_ONE_TIME_TOLD)
        fix = f"{ONE_TIME[family]}\n{fix}"
    if first.errno in ("EINVAL", "EFAULT") and family in ("fusepy", "mfusepy"):
        lines.append(f"{evidence.library.name} answers {first.errno} for an exception that is no OSError: look for a "
                     "traceback in the daemon's output")  # fmt: skip
    if op in MADE and first.errno == "ENOENT" and family in _LOOKS_UP:
        lines.append(f"{evidence.library.name} looks the new name up before it answers: ENOENT means that the handler "
                     "said yes and made nothing, or that getattr does not find it")  # fmt: skip
    return Diagnosis(
        cause=cause,
        op=op,
        confidence="proven" if proven else "likely",
        summary=_summary(op, cause, first, evidence),
        evidence=(*lines, *(line for line in commands(checks) if not any(line in told for told in lines))),
        fix="\n".join(part for part in (fix, first.reproduce and f"Repeat it: {first.reproduce}") if part),
        checks=ids(checks, collateral),
        ops=ops,
    )


def _summary(op: str, cause: Cause, first: CheckResult, evidence: Evidence) -> str:
    if cause is Cause.SILENT_NOOP:
        return f"{op} {_TITLE[cause]}"
    if cause is Cause.MALFORMED_REPLY:
        return f"{op} {_TITLE[cause]}: {first.observed}"
    if cause is Cause.WRONG_ERRNO and made_by_kernel(first, evidence) and first.op == op:
        return f"{op}: the caller gets {first.errno}, though the daemon never answered {op} with it"
    if cause is Cause.WRONG_ERRNO and first.errno and first.expected.startswith(_SUCCESS):
        return f"{op} answers {first.errno}"
    if cause is Cause.WRONG_ERRNO and first.observed == "success":
        return f"{op} succeeds where an error is due: expected {first.expected}"
    return f"{op} {_TITLE[cause]}: expected {first.expected}, observed {first.observed}"


def in_the_way(evidence: Evidence, explained: frozenset[str]) -> list[Diagnosis]:
    """Operations that failed only while something else was prepared, so that no check of their own says so."""
    groups: dict[tuple[str, str], list[CheckResult]] = {}
    ours = {incident.opcode for incident in evidence.incidents}  # fsprobe answers these in the daemon's place
    for check in evidence.checks:
        if check.blocked_by in ours:
            continue
        row = OPERATIONS.get(check.blocked_by)
        if row is None or check.id in explained or check.errno in row.normal:
            continue  # an ordinary answer: what was in the way lies elsewhere
        if not row.core and check.errno in row.declines - {"ENOSYS"}:
            continue  # it is not offered, and says so as it should
        groups.setdefault((check.blocked_by, check.errno), []).append(check)
    return [_blocking(op, errno, checks, evidence) for (op, errno), checks in groups.items()]


def _blocking(op: str, errno: str, checks: Sequence[CheckResult], evidence: Evidence) -> Diagnosis:
    missing = errno == "ENOSYS"
    answer = errno or "an error"
    return Diagnosis(
        cause=Cause.NOT_IMPLEMENTED if missing else Cause.WRONG_ERRNO,
        op=op,
        confidence="likely",
        summary=f"{op} answers {answer} while a check is prepared: {_count(checks)} could not be asked",
        evidence=tuple(dict.fromkeys(check.observed for check in checks))[:3],
        fix=implement(op, evidence.library) if missing else look_at(op, evidence.library),
        checks=ids(checks),
        ops=(op,),
    )


def _count(checks: Iterable[CheckResult]) -> str:
    number = len(list(checks))
    return f"{number} check{'' if number == 1 else 's'}"
