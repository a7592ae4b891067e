"""A daemon that has used up what it may: every operation that needs a descriptor fails, and none of them is at fault.

Owns that one rule; knows nothing of operations that err by themselves.
"""

from __future__ import annotations

from fsprobe.diagnose.absent import FAILED, blocked_by, commands, ids
from fsprobe.diagnose.evidence import Evidence
from fsprobe.results.records import Diagnosis
from fsprobe.results.verdicts import Cause

_SPENT = ("EMFILE", "ENFILE")
_FIX = (
    "Close what RELEASE and RELEASEDIR give back (and FORGET, where nodes hold one), on every way through; "
    "do not keep a descriptor for each node. Raise the limit only then: setrlimit(RLIMIT_NOFILE)."
)


def out_of_files(evidence: Evidence) -> list[Diagnosis]:
    """One diagnosis for all operations that are answered EMFILE or ENFILE."""
    answered = [op for op, summary in evidence.operations.items() if any(summary.replies.get(e) for e in _SPENT)]
    failed = [check for check in evidence.checks if check.errno in _SPENT and check.verdict in FAILED]
    if not failed:
        return []
    ops = tuple(dict.fromkeys((*answered, *(check.op for check in failed))))
    used = [f"daemon {pid} holds {told['files']} of {told['files_limit']} descriptors (RLIMIT_NOFILE)"
            for pid, told in evidence.limits.items() if told.get("files") and told.get("files_limit")]  # fmt: skip
    name = next(check.errno for check in failed)
    return [
        Diagnosis(
            cause=Cause.OUT_OF_FILES,
            op=ops[0],
            confidence="proven" if answered else "likely",
            summary=f"the daemon has no descriptor left: {', '.join(ops)} " + ("answers" if len(ops) == 1 else "answer")
            + f" {name}",
            evidence=(*used, *commands(failed)),
            fix=f"{_FIX}\nRepeat it: {failed[0].reproduce}",
            checks=ids(failed, *(blocked_by(evidence, op) for op in ops)),
            ops=ops,
        )
    ]  # fmt: skip
