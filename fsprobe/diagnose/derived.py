"""Failures that only follow from another one: the operation works by itself, and one that is at fault took part.

Owns how such a check is charged; knows nothing of how the roots were found. All of this is likely, never proven.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from fsprobe.diagnose.absent import FAILED
from fsprobe.diagnose.evidence import Evidence
from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause, Verdict

_ANSWER = re.compile(r" → (E[A-Z0-9]+)\b")
_NO_REPLY = " → no reply"
_GUESSES = (Cause.WRONG_DATA, Cause.READ_ONLY)  # what came to no end, and what may not be asked
_ABSENT = (Cause.NOT_IMPLEMENTED, Cause.SILENT_NOOP, Cause.MALFORMED_REPLY, Cause.OUT_OF_FILES)
_XATTR = ("GETXATTR", "SETXATTR", "LISTXATTR", "REMOVEXATTR")
_GOOD = (Verdict.PASS, Verdict.INFO, Verdict.WARN)


def charge(
    check: CheckResult, roots: Collection[str], evidence: Evidence, *, mild: Collection[str] = ()
) -> str:
    """The root to charge a failed check to; "" where its own operation is at fault, or no root took part.

    First the one that answered something of no daily work meanwhile, then one that the check is about, then the one
    that is asked least often: what takes part in everything tells nothing.
    mild: roots that do their work but for a corner of it, or that only answer with a wrong error: these are charged
    with what they answered and nothing else.
    """
    if check.op in roots or _is_proven(check, evidence) or not works_alone(check.op, evidence):
        return ""
    ordered = sorted(roots, key=lambda op: _requests(op, evidence))
    strange = [op for op in ordered if any(_is_strange(op, line) for line in check.trace)]
    if not check.errno and check.declared not in _XATTR:
        strange = [op for op in strange if op != "GETXATTR"]  # the kernel asks for a capability, and goes on without
    ordered = [op for op in ordered if op not in mild]
    about = [op for op in ordered if op in check.ops and (not check.sent or op in check.sent)]
    took_part = [op for op in ordered if op in check.sent]
    return next(iter([*strange, *about, *took_part]), "")


def works_alone(op: str, evidence: Evidence) -> bool:
    """Whether its own checks pass, of which there is one at least: those without a kernel where there are any, of these
    the main ones. What failed by another operation says nothing."""
    mine = [check for check in evidence.checks if check.declared == op and (check.op == op or check.verdict in _GOOD)]
    asked = [check for check in mine if check.verdict in (*_GOOD, *FAILED)]
    asked = [check for check in asked if check.layer == "wire"] or asked
    asked = [check for check in asked if check.main] or asked
    return bool(asked) and not any(check.verdict in FAILED for check in asked)


def _requests(op: str, evidence: Evidence) -> int:
    summary = evidence.operations.get(op)
    return summary.requests if summary else 0


def _is_proven(check: CheckResult, evidence: Evidence) -> bool:
    """Whether the daemon answered the operation with the error that was met, and that is no daily work of it."""
    summary, row = evidence.operations.get(check.op), OPERATIONS.get(check.op)
    answered = summary is not None and bool(check.errno) and summary.replies.get(check.errno, 0) > 0
    return answered and (row is None or check.errno not in row.normal)


def _is_strange(op: str, line: str) -> bool:
    """Whether a line of a trace shows the operation fail as it does not in its daily work."""
    if not line.startswith(f"{op} "):
        return False
    row, answer = OPERATIONS.get(op), _ANSWER.search(line)
    return _NO_REPLY in line or line.endswith("]") or (
        answer is not None and row is not None and answer[1] not in row.normal
    )


def absorb(found: Sequence[Diagnosis], evidence: Evidence) -> list[Diagnosis]:
    """The diagnoses, each with the checks that failed only because of it."""
    explained = {id for one in found for id in one.checks}
    roots = [one for one in reversed(found) if one.confidence != "note" and one.cause not in _GUESSES]
    by_op = {op: one for one in roots for op in one.ops or (one.op,) if op}
    mild = {op for op, one in by_op.items() if one.cause not in _ABSENT}  # it works, but where it did not answer
    more: dict[int, list[str]] = {}
    for check in evidence.checks:
        if check.verdict in FAILED and check.id not in explained:
            root = charge(check, by_op, evidence, mild=mild)
            if root:
                more.setdefault(id(by_op[root]), []).append(check.id)
    return [replace(one, checks=(*one.checks, *more.get(id(one), ()))) for one in found]
