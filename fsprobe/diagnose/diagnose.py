"""From everything a run found to the ranked list of root causes.

Owns the order of the rules and of what they find; the rules lie in `serving`, `absent`, `habits` and `failing`.
Pure: it reads nothing but its argument. A check that one rule explains is no matter for the rules after it, so that
thirty checks failing for one missing handler are one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fsprobe.diagnose.absent import FAILED, disguised, not_implemented, read_only
from fsprobe.diagnose.derived import absorb
from fsprobe.diagnose.evidence import Evidence, StartFailure
from fsprobe.diagnose.failing import in_the_way, wrong_results
from fsprobe.diagnose.follows import settle
from fsprobe.diagnose.habits import habits
from fsprobe.diagnose.names import two_nodes
from fsprobe.diagnose.operations import OPERATIONS, rank
from fsprobe.diagnose.serving import incidents, never_mounted, no_allow_other
from fsprobe.diagnose.spent import out_of_files
from fsprobe.diagnose.writeback import opened_as_asked
from fsprobe.results.records import Diagnosis
from fsprobe.results.verdicts import Cause, OpVerdict, Verdict

__all__ = ["Diagnosis", "Evidence", "StartFailure", "diagnose"]

# What breaks most comes first; causes in one tuple are alike and are ordered by how much each explains.
_SEVERITY: tuple[tuple[Cause, ...], ...] = (
    (Cause.NEVER_MOUNTED,),
    (Cause.CRASHED,),
    (
        Cause.DEADLOCK_LOCK, Cause.DEADLOCK_OWN_MOUNT, Cause.BLOCKED_OUTPUT, Cause.MALFORMED_REPLY,
        Cause.LOST_REPLY, Cause.BLOCKED_IO, Cause.BUSY_LOOP, Cause.STOPPED,
    ),
    (Cause.OUT_OF_FILES,),
    (Cause.NO_ALLOW_OTHER,),
    (Cause.NOT_IMPLEMENTED,),
    (Cause.WRONG_DATA, Cause.SILENT_NOOP),
    (Cause.WRONG_METADATA,),
    (Cause.WRONG_ERRNO, Cause.READ_ONLY),
)  # fmt: skip
_MISHAPS = (*_SEVERITY[1], *_SEVERITY[2])
_UNASKED = (Verdict.SKIP, Verdict.NOTRUN)
_GRADE = {cause: grade for grade, causes in enumerate(_SEVERITY) for cause in causes}


def diagnose(evidence: Evidence) -> list[Diagnosis]:
    """Root causes, worst first, each once; notes about what is merely optional come last."""
    failure = evidence.start_failure
    if failure is not None and all(check.verdict in _UNASKED for check in evidence.checks):
        return [never_mounted(failure)]
    found = incidents(evidence)
    if failure is not None:  # it served before: that it did not start again comes of what happened then
        found.append(never_mounted(failure))
    closed = no_allow_other(evidence)
    if closed:
        return _ranked([*found, *closed], evidence)
    found += [*out_of_files(evidence), *read_only(evidence), *two_nodes(evidence), *not_implemented(evidence)]
    found += [one for one in disguised(evidence) if not _has(found, one.op)]
    found = absorb(found, evidence)
    found += opened_as_asked(evidence, _explained(found))
    everywhere = habits(evidence, _explained(found))
    found += wrong_results(evidence, _explained([*found, *everywhere]))
    found += in_the_way(evidence, _explained([*found, *everywhere]))
    return _ranked(settle([*_merged(found), *everywhere], evidence), evidence)


def _merged(found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """One for each operation and cause: what one rule knows of it stands first, the checks of the others are added."""
    merged: dict[tuple[str, Cause, bool], Diagnosis] = {}
    for one in found:
        key = (one.op, one.cause, one.confidence == "note")
        first = merged.get(key)
        checks = (*(first.checks if first else ()), *one.checks)
        merged[key] = replace(first or one, checks=tuple(dict.fromkeys(checks)))
    return list(merged.values())


def _has(found: Sequence[Diagnosis], op: str) -> bool:
    return any(one.cause is Cause.NOT_IMPLEMENTED and one.confidence != "note" and one.op == op for one in found)


def _explained(found: Sequence[Diagnosis]) -> frozenset[str]:
    return frozenset(id for one in found for id in one.checks)


def _ranked(found: Sequence[Diagnosis], evidence: Evidence) -> list[Diagnosis]:
    failed = {check.id: check for check in evidence.checks if check.verdict in FAILED}

    def key(one: Diagnosis) -> tuple[bool, int, bool, int, int, int]:
        mine = [failed[id] for id in one.checks if id in failed]
        row = OPERATIONS.get(one.op)
        commands = sum(check.layer == "shell" for check in mine)
        optional = row is not None and not row.core and one.cause not in _MISHAPS  # who dies there dies for all
        return one.confidence == "note", _grade(one, evidence), optional, -commands, -len(mine), rank(one.op)

    return sorted(found, key=key)


def _grade(one: Diagnosis, evidence: Evidence) -> int:
    """A core operation that does not work at all is as bad by a wrong error or wrong attributes as by wrong data."""
    summary, row = evidence.operations.get(one.op), OPERATIONS.get(one.op)
    useless = summary is not None and summary.verdict is OpVerdict.WRONG and row is not None and row.core
    if one.cause is Cause.NEVER_MOUNTED and any(check.verdict not in _UNASKED for check in evidence.checks):
        return _GRADE[Cause.NO_ALLOW_OTHER]
    alike = one.cause in (Cause.WRONG_ERRNO, Cause.WRONG_METADATA) and useless
    return _GRADE[Cause.WRONG_DATA if alike else one.cause]
