"""Operations that the daemon does not implement: said openly, or hidden behind another error.

Owns the rules for `not-implemented` and `read-only`; knows nothing of operations that exist and err.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fsprobe.diagnose.advice import concerned_handlers, implement, what_happens
from fsprobe.diagnose.evidence import Evidence
from fsprobe.diagnose.handlers import missing_answers
from fsprobe.diagnose.matrix import all_enosys
from fsprobe.diagnose.operations import MUTATORS, OPERATIONS
from fsprobe.diagnose.working import missing_handlers
from fsprobe.results.records import CheckResult, Diagnosis, OpSummary
from fsprobe.results.verdicts import Cause, OpVerdict, Verdict

FAILED = (Verdict.FAIL, Verdict.XFAIL)
_MET = (*FAILED, Verdict.WARN, Verdict.UNSUPPORTED)

# What a read-only file system may answer to a change.
_REFUSALS = frozenset({"EROFS", "EACCES", "EPERM"})

_COMMANDS_SHOWN = 4
_HIDES_BY_RENAME = ("libfuse2", "libfuse3", "fusepy", "mfusepy", "fuse-python", "cgofuse")


def not_implemented(evidence: Evidence) -> list[Diagnosis]:
    """One diagnosis for each operation that answers ENOSYS, notes for optional ones that nothing needed."""
    found = []
    for op, summary in evidence.operations.items():
        if evidence.read_only and _silenced_by_read_only(op):
            continue
        row = OPERATIONS.get(op)
        about = [check for check in evidence.checks if check.op == op and check.verdict in _MET]
        met = [check for check in about if check.errno == "ENOSYS" or _met_unsaid(check, summary)]
        whole = summary.verdict is OpVerdict.ENOSYS
        failed = [check for check in met if check.verdict in FAILED]
        if row is None or op == "INIT" or not (whole or failed):
            continue
        serious = _is_serious(op, failed, evidence)
        if not serious and row.enosys.word == "INFO":
            continue  # the kernel does without, and nobody notices
        explained = about if whole else met
        found.append(_absent(op, summary, explained, whole, serious, evidence))
    return _gather_notes(_fold_together(_fold_hidden_files(found, evidence)))


def _met_unsaid(check: CheckResult, summary: OpSummary) -> bool:
    """Whether a program went on after an ENOSYS of the operation, and left what is wrong for that (`cp -a`: modes)."""
    row = OPERATIONS.get(check.op)
    if row is None or not row.enosys.raw or check.verdict not in FAILED or summary.replies.get(check.errno):
        return False
    return any(line.startswith(f"{check.op} ") and " → ENOSYS" in line for line in check.trace)


# What the kernel uses instead, so that the application never sees the ENOSYS: CREATE is made of MKNOD and OPEN
# (fuse_atomic_open), READDIR is not sent where READDIRPLUS was agreed on.
_STANDS_IN = {"CREATE": "MKNOD", "READDIR": "READDIRPLUS"}


def _is_serious(op: str, failed: Sequence[CheckResult], evidence: Evidence) -> bool:
    """Whether an application meets it: by a check that failed on the mount, or by what is known of the operation."""
    if any(check.layer != "wire" for check in failed):
        return True
    row = OPERATIONS[op]
    if op in _STANDS_IN:
        other = evidence.operations.get(_STANDS_IN[op])
        return other is None or not (other.replies.get("ok") or other.verdict is OpVerdict.OK)
    return bool(failed) or (row.core and row.enosys.raw)


def _fold_hidden_files(found: Sequence[Diagnosis], evidence: Evidence) -> list[Diagnosis]:
    """libfuse's high level hides a file that is unlinked while open by renaming it (lib/fuse.c, hide_node).

    Without a rename handler such an UNLINK answers ENOSYS: the fault is RENAME's.
    """
    rename = next((one for one in found if one.op == "RENAME"), None)
    unlink = next((one for one in found if one.op == "UNLINK"), None)
    if rename is None or unlink is None or evidence.library.family not in _HIDES_BY_RENAME:
        return list(found)
    if evidence.operations["UNLINK"].verdict is OpVerdict.ENOSYS:
        return list(found)
    whole = replace(
        rename,
        evidence=(*rename.evidence, "UNLINK of an open file fails too: libfuse hides such a file by renaming it"),
        checks=tuple(dict.fromkeys((*rename.checks, *unlink.checks))),
        ops=("RENAME", "UNLINK"),
    )
    return [whole if one is rename else one for one in found if one is not unlink]


# What offers one thing by several operations, the one to begin with first, and what is to be said of the others.
_TOGETHER = (
    ("READDIR", ("READDIRPLUS",), "with READDIR alone a listing works"),
    ("SETLK", ("GETLK", "SETLKW"), "without locks in INIT the kernel keeps them itself, and nothing has to be written"),
)


def _fold_together(found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Who has none of the operations that belong together lacks one thing."""
    kept = list(found)
    for first, others, told in _TOGETHER:
        plain = next((one for one in kept if one.op == first and one.confidence != "note"), None)
        rest = [one for one in kept if one.op in others]
        if plain is None or not rest:
            continue
        names = tuple(one.op for one in rest)
        whole = replace(
            plain,
            evidence=(*plain.evidence, f"{' and '.join(names)} answers ENOSYS too: {told}"),
            checks=tuple(dict.fromkeys(id for one in (plain, *rest) for id in one.checks)),
            ops=(first, *names),
        )
        kept = [whole if one is plain else one for one in kept if one not in rest]
    return kept


def _absent(
    op: str, summary: OpSummary, explained: Sequence[CheckResult], whole: bool, serious: bool, evidence: Evidence
) -> Diagnosis:
    seen = summary.replies.get("ENOSYS", 0)
    library = evidence.library
    some = missing_handlers(op, library.family, evidence.checks)
    concerned = some if whole else concerned_handlers(op, library, explained)
    part = "" if whole else f" for {_kinds(summary) or 'some requests'}"
    lines = []
    if seen:
        total = sum(summary.replies.values())
        lines.append(f"{op} was answered ENOSYS {seen} of {total} times")
    lines.append(what_happens(op))
    lines += commands(explained)
    return Diagnosis(
        cause=Cause.NOT_IMPLEMENTED,
        op=op,
        confidence="note" if not serious else "proven" if seen else "likely",
        summary=f"{op} is not implemented{part}: the daemon answers ENOSYS",
        evidence=tuple(lines),
        fix=implement(op, library, concerned),
        checks=ids(explained, blocked_by(evidence, op)),
        ops=(op,),
    )


def _kinds(summary: OpSummary) -> str:
    parts = [part for part in summary.detail.split("; ") if part.startswith("ENOSYS for ")]
    return parts[0].removeprefix("ENOSYS for ") if parts else ""


def _gather_notes(found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """All that is merely absent as one note: a list of what the file system does not offer."""
    serious = [one for one in found if one.confidence != "note"]
    notes = [one for one in found if one.confidence == "note"]
    if not notes:
        return serious
    names = tuple(one.op for one in notes)
    note = Diagnosis(
        cause=Cause.NOT_IMPLEMENTED,
        op=names[0],
        confidence="note",
        summary=f"not offered, and optional: {', '.join(names)}",
        evidence=tuple(f"{name}: {what_happens(name)}" for name in names),
        fix="Nothing has to be done; implement them if users ask for them.",
        checks=tuple(dict.fromkeys(id for one in notes for id in one.checks)),
        ops=names,
    )
    return [*serious, note]


def disguised(evidence: Evidence) -> list[Diagnosis]:
    """Missing handlers that the library hides: fusepy's EROFS on a file system that can be written, and the like."""
    family = evidence.library.family
    if not family:
        return []
    refuses = evidence.read_only or "ro" in evidence.mount_options
    writable = [op for op in MUTATORS if (s := evidence.operations.get(op)) and s.replies.get("ok")]
    found = []
    seen = any(summary.replies for summary in evidence.operations.values())
    for op, summary in evidence.operations.items():
        answers = frozenset(missing_answers(family, op)) - {"ok", "ENOSYS"}
        if seen:
            answers &= set(summary.replies)  # what the daemon never said is the kernel's word
        hits = [c for c in evidence.checks if c.op == op and c.verdict in FAILED and c.errno in answers]
        others = [name for name in writable if name != op]
        if not hits or (op in MUTATORS and (refuses or not others)) or _works_elsewhere(op, summary, evidence):
            continue
        found.append(_hidden(op, hits, others, evidence))
    return found


def _works_elsewhere(op: str, summary: OpSummary, evidence: Evidence) -> bool:
    """Success of the same operation proves its handler, but where several handlers share it."""
    shares = op == "SETATTR" and evidence.library.family in ("fusepy", "mfusepy")
    return bool(summary.replies.get("ok")) and not shares


def _hidden(op: str, hits: Sequence[CheckResult], others: Sequence[str], evidence: Evidence) -> Diagnosis:
    library, answer = evidence.library, hits[0].errno
    concerned = concerned_handlers(op, library, hits)
    lines = [f"{library.name} answers {answer} by itself where the handler is missing"]
    if answer == "EROFS":
        lines.append(f"the file system is not read-only: {', '.join(others[:4])} succeed")
    return Diagnosis(
        cause=Cause.NOT_IMPLEMENTED,
        op=op,
        confidence="likely",
        summary=f"{op} is not implemented: {library.name} hides it behind {answer}",
        evidence=(*lines, *commands(hits)),
        fix=implement(op, library, concerned),
        checks=ids(hits, blocked_by(evidence, op)),
        ops=(op,),
    )


def read_only(evidence: Evidence) -> list[Diagnosis]:
    """A read-only target that does not say so: one diagnosis for all its changing operations."""
    if not evidence.read_only or "ro" in evidence.mount_options:
        return []
    failed = [
        check
        for check in evidence.checks
        if check.op in MUTATORS and check.verdict in FAILED and check.errno and check.errno not in _REFUSALS
    ]
    silent = [op for op, s in evidence.operations.items() if _silenced_by_read_only(op) and all_enosys(s.replies)]
    ops = tuple(dict.fromkeys((*(check.op for check in failed), *silent)))
    if not ops:
        return []
    answers = dict.fromkeys([check.errno for check in failed] or ["ENOSYS"])
    return [
        Diagnosis(
            cause=Cause.READ_ONLY,
            op=ops[0],
            confidence="proven" if failed else "note",
            summary=f"a read-only file system that answers {', '.join(answers)} where EROFS is due",
            evidence=(f"concerned: {', '.join(ops)}", *commands(failed)),
            fix="Mount with the option `ro`: the kernel then answers EROFS by itself. Or answer EROFS.",
            checks=ids(failed, *(blocked_by(evidence, op) for op in ops)),
            ops=ops,
        )
    ]


def _silenced_by_read_only(op: str) -> bool:
    row = OPERATIONS.get(op)
    return row is not None and row.mutates and (row.enosys.raw or op == "CREATE")


def commands(checks: Iterable[CheckResult]) -> list[str]:
    """The commands of the shell layer among them, with what they printed."""
    lines = [check.observed for check in checks if check.layer == "shell" and check.observed]
    return list(dict.fromkeys(lines))[:_COMMANDS_SHOWN]


def blocked_by(evidence: Evidence, op: str) -> list[CheckResult]:
    """The checks that could not be asked because an operation stood in the way."""
    return [check for check in evidence.checks if check.blocked_by == op]


def ids(*groups: Iterable[CheckResult]) -> tuple[str, ...]:
    """Ids of checks, each once, in order."""
    return tuple(dict.fromkeys(check.id for group in groups for check in group))
