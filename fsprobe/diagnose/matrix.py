"""What a run shows of each operation: one summary, all layers together and each by itself.

Owns the rules for the verdict of an operation; knows nothing of causes (`diagnose` does) or of how the results came.
It lies here and not beside the result document because it fills in handlers and broken commands from the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fsprobe.diagnose.handlers import handler_names
from fsprobe.diagnose.library import UNKNOWN, Library
from fsprobe.diagnose.operations import OPERATIONS, rank
from fsprobe.diagnose.working import missing_handlers
from fsprobe.results.records import CheckResult, OpSummary
from fsprobe.results.verdicts import OpVerdict, Verdict

# Answers that a library gives before it looks for the handler: the node or handle is not one it knows, or the
# caller went away. They say nothing about whether the operation is implemented.
_BEFORE_THE_HANDLER = frozenset({"ENOENT", "ESTALE", "EBADF", "EINTR", "ECONNABORTED"})

_GOOD = (Verdict.PASS, Verdict.INFO, Verdict.WARN, Verdict.XPASS)
_BAD = (Verdict.FAIL, Verdict.XFAIL)

# Kinds of which an operation may lack one only, by a word in the id of the check.
_KINDS = (
    ("fifo", "FIFOs"), ("socket", "sockets"), ("device", "devices"), ("chardev", "devices"), ("chown", "chown"),
    ("chmod", "chmod"), ("chgrp", "chgrp"), ("truncate", "truncate"), ("utime", "times"), ("touch", "times"),
    ("exchange", "RENAME_EXCHANGE"), ("noreplace", "RENAME_NOREPLACE"), ("whiteout", "RENAME_WHITEOUT"),
    ("punch", "holes"), ("zero_range", "ZERO_RANGE"), ("keep_size", "KEEP_SIZE"), ("flock", "flock"),
)  # fmt: skip


def all_enosys(replies: Mapping[str, int]) -> bool:
    """Whether every answer that tells anything was ENOSYS, and there was one."""
    telling = {name: n for name, n in replies.items() if n and name not in _BEFORE_THE_HANDLER and name[:1] in "Eo"}
    return bool(telling) and set(telling) == {"ENOSYS"}


def summarise(
    results: Sequence[CheckResult],
    stats: Mapping[str, Mapping[str, Any]] | None = None,
    library: Library = UNKNOWN,
) -> dict[str, OpSummary]:
    """A summary for every operation of the table, and for any other that was sent or asked about.

    stats: by operation, `requests`, `replies` (counts by errno name, successes under "ok"), `p50_us`, `p99_us`,
    `max_us`; empty where nothing was recorded.
    """
    stats = stats or {}
    asked = {op for result in results for op in (result.op, *result.ops) if op}
    names = sorted({*OPERATIONS, *stats, *asked} - {"CUSE_INIT"}, key=lambda name: (rank(name), name))
    found = {}
    for name in names:
        found[name] = _summary(name, results, stats.get(name, {}), _no_proof(name, stats), library)
    return found


def _no_proof(op: str, stats: Mapping[str, Mapping[str, Any]]) -> str:
    """Which successes say nothing of an operation, everything having been recorded.

    `all` where the daemon was never asked: they are the kernel's work. `others` where it never answered with
    success: a check that is about something else did without. "" else.
    """
    row, stat = OPERATIONS.get(op), stats.get(op, {})
    if not stats or row is None:
        return ""
    if not stat.get("requests"):
        return "all"
    return "others" if row.replies and op != "INTERRUPT" and not stat.get("replies", {}).get("ok") else ""


def _summary(
    op: str, results: Sequence[CheckResult], stat: Mapping[str, Any], no_proof: str, library: Library
) -> OpSummary:
    about = [
        result
        for result in results
        if _is_about(result, op)
        and not (result.verdict in _GOOD and (no_proof == "all" or (no_proof == "others" and result.op != op)))
    ]
    replies = {str(name): int(n) for name, n in dict(stat.get("replies", {})).items()}
    row = OPERATIONS.get(op)
    absent = all_enosys(replies) and op in OPERATIONS
    layers = {
        layer: _layer(op, [r for r in about if r.layer == layer], absent) for layer in ("wire", "mount", "shell")
    }
    verdict = _overall(op, about, replies)
    return OpSummary(
        verdict=verdict,
        requests=int(stat.get("requests", 0)),
        replies=replies,
        p50_us=stat.get("p50_us"),
        p99_us=stat.get("p99_us"),
        max_us=stat.get("max_us"),
        wire=layers["wire"],
        mount=layers["mount"],
        shell=layers["shell"],
        handler=_handlers(op, library, verdict, results),
        breaks=row.breaks if row else (),
        detail=_detail(op, about, verdict),
        latency_us=dict(stat.get("latency_us", {})),
    )


def _handlers(op: str, library: Library, verdict: OpVerdict, results: Sequence[CheckResult]) -> str:
    """The names of the handlers; where there are several and it is not implemented, of those that are missing."""
    some = missing_handlers(op, library.family, results) if verdict is OpVerdict.ENOSYS else ()
    return " ".join(handler.name for handler in some) or handler_names(library.family, op)


def _is_about(result: CheckResult, op: str) -> bool:
    """Blamed on it; or declared for it, or exercising it, with nothing else to blame."""
    if result.op == op:
        return True
    return op in result.ops and result.verdict in _GOOD


def _layer(op: str, about: Sequence[CheckResult], absent: bool) -> OpVerdict | None:
    """absent: nothing but ENOSYS was ever answered, so that what passed in this layer did without the daemon."""
    verdict = _of_checks(op, about)
    if absent and verdict in (OpVerdict.WRONG, OpVerdict.PARTIAL):
        return OpVerdict.ENOSYS
    return None if verdict is OpVerdict.UNTESTED else verdict


def _overall(op: str, about: Sequence[CheckResult], replies: Mapping[str, int]) -> OpVerdict:
    """The worst that was seen; the count of replies, where there is one, decides whether it is ENOSYS."""
    verdict = _of_checks(op, about)
    if verdict in (OpVerdict.CRASH, OpVerdict.HANG):
        return verdict
    if all_enosys(replies) and op in OPERATIONS:  # for a number that nobody knows it is the right answer
        return OpVerdict.ENOSYS
    if verdict is OpVerdict.ENOSYS and replies.get("ok") and not _is_absent(op, about):
        return OpVerdict.PARTIAL
    return verdict


def _of_checks(op: str, about: Sequence[CheckResult]) -> OpVerdict:
    """From the checks alone, worst first."""
    blamed = [result for result in about if result.op == op]
    verdicts = {result.verdict for result in blamed}
    if Verdict.CRASH in verdicts:
        return OpVerdict.CRASH
    if Verdict.HANG in verdicts:
        return OpVerdict.HANG
    if _is_absent(op, about):
        return OpVerdict.ENOSYS
    passed = any(result.verdict in _GOOD for result in about)
    failed = [result for result in blamed if result.verdict in _BAD]
    declined = [result for result in blamed if result.verdict is Verdict.UNSUPPORTED]
    direct_pass = any(result.verdict in _GOOD and result.declared in (op, "") for result in blamed)
    if any(result.errno == "ENOSYS" for result in (*failed, *declined) if _hit(result, op)) and not direct_pass:
        return OpVerdict.ENOSYS
    if any(result.main and result.declared in (op, "") for result in failed):
        return OpVerdict.WRONG
    if failed:
        return OpVerdict.PARTIAL
    if declined and (not passed or any(result.main for result in declined)):
        return OpVerdict.UNSUPPORTED
    return OpVerdict.OK if passed else OpVerdict.UNTESTED


def _is_absent(op: str, about: Sequence[CheckResult]) -> bool:
    """Whether it is not implemented by what its main checks met, though a library may answer a request for nothing."""
    main = [result for result in about if result.main and result.declared in (op, "")]
    absent = any(result.errno == "ENOSYS" and _hit(result, op) for result in main)
    return absent and not any(result.verdict in _GOOD for result in main)


def _detail(op: str, about: Sequence[CheckResult], verdict: OpVerdict) -> str:
    """The kinds that are concerned, where it is not the whole operation."""
    if verdict not in (OpVerdict.PARTIAL, OpVerdict.WRONG, OpVerdict.OK):
        return ""
    parts: list[str] = []
    for name in dict.fromkeys(r.errno for r in about if _hit(r, op) and r.errno):
        kinds = dict.fromkeys(k for r in about if _hit(r, op) and r.errno == name for k in _kinds(r))
        if kinds:
            parts.append(f"{name} for {', '.join(kinds)}")
    return "; ".join(parts)


def _hit(result: CheckResult, op: str) -> bool:
    """Whether the operation itself met the error, and not one that only follows from it."""
    if result.verdict not in (*_BAD, Verdict.UNSUPPORTED):
        return False
    return result.op == op and op in (result.declared or op, *result.ops)


def _kinds(result: CheckResult) -> list[str]:
    return [kind for word, kind in _KINDS if word in result.id][:1]
