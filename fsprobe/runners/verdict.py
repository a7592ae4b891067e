"""From what a check came to, to its verdict: one pure function.

Owns the rules that make an outcome, its exchanges and an incident into a `CheckResult`. Knows nothing of
workers, relays or clocks. The verdict's word comes from the outcome and the incident alone, so it is the same
with and without the relay; exchanges only move the blame (see `blame`) and fill the trace. Without the relay
the blamed operation is the declared one, and the observed text says "Function not implemented" where that
was met.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fsprobe.checks.check import Check, Level
from fsprobe.checks.outcome import Outcome
from fsprobe.diagnose.operations import DECLINED, OPERATIONS, consequence, operation_name
from fsprobe.results.errnos import errno_in, errno_name, errno_text
from fsprobe.results.records import CheckResult, Incident
from fsprobe.results.verdicts import Verdict
from fsprobe.runners.blame import answered, blame, is_fault
from fsprobe.runners.blame_crash import crash_blame, found_before
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import NO_REPLY

# A trace longer than this hides what it should show; the beginning, the end and the first that failed are kept.
_TRACE_HEAD, _TRACE_TAIL, _TRACE_TELLING = 20, 40, 4

# What a wrong-result finding may say and still mean that the feature is not there. EPERM and EINVAL are
# answers to a question as well, so they count only where the failed call itself, or a command, met them.
_ABSENT = frozenset({"ENOSYS", "EOPNOTSUPP", "ENOTTY"})

# A SHOULD that is refused is a warning; these are no refusals.
_NEVER_RIGHT = frozenset({"ENOSYS", "EIO"})


@dataclass(frozen=True, slots=True)
class _Ruling:
    verdict: Verdict
    expected: str = ""
    observed: str = ""
    errno: str = ""
    reason: str = ""


def describe_plainly(exchange: Exchange) -> str:
    """`SETATTR nodeid 2: ENOSYS`: what can be said without decoding the message."""
    end = "no reply" if exchange.error is None else answered(exchange) or "ok"
    return f"{operation_name(exchange.opcode)} nodeid {exchange.nodeid}: {end}"


def judge(
    check: Check,
    outcome: Outcome | None,
    exchanges: Sequence[Exchange],
    incident: Incident | None,
    *,
    reproduce: str,
    describe: Callable[[Exchange], str] = describe_plainly,
) -> CheckResult:
    """The result of one check.

    outcome: None where none came (the worker was lost, or the check never ran). exchanges: those it caused,
    in order, empty where nothing was recorded. incident: what went wrong with the daemon meanwhile.
    reproduce: the command that repeats the check. describe: one line for an exchange.
    """
    ruling = _rule(check, outcome, incident)
    op, blocked_by, reason = check.op, "", ruling.reason
    if incident is not None and ruling.verdict is Verdict.CRASH and outcome and found_before(outcome, incident.opcode):
        op = blame(check.op, check.layer, errno_name(outcome.errno) or errno_in(outcome.observed), exchanges)
    elif incident is not None and ruling.verdict is Verdict.CRASH:
        op = crash_blame(check.op, incident, exchanges)
    elif incident is not None and ruling.verdict is Verdict.HANG:
        op = incident.opcode or check.op
    elif outcome is not None and outcome.kind == "blocked":
        blocked_by = _in_the_way(check.layer, outcome, ruling.errno, exchanges)
        reason = _blocked_reason(blocked_by, outcome)
    elif outcome is not None and outcome.kind in ("finding", "oserror", "unsupported"):
        op = blame(check.op, check.layer, ruling.errno, exchanges)
    ops = tuple(dict.fromkeys((check.op, *check.also, op)))
    quiet = ruling.verdict in (Verdict.PASS, Verdict.SKIP, Verdict.NOTRUN)
    return CheckResult(
        id=check.id,
        layer=check.layer,
        op=op,
        title=check.title,
        level=check.level.value,
        verdict=ruling.verdict,
        ops=ops,
        declared=check.op,
        expected=ruling.expected,
        observed=ruling.observed,
        errno=ruling.errno,
        seconds=outcome.seconds if outcome else 0.0,
        reference=check.reference,
        trace=() if quiet and not blocked_by else _trace(exchanges, describe, op, ruling.errno),
        reproduce=reproduce,
        reason=reason,
        blocked_by=blocked_by,
        notes=outcome.notes if outcome else (),
        evidence=_evidence(outcome, incident),
        main=check.main,
        script=outcome.script if outcome and ruling.verdict in (Verdict.FAIL, Verdict.WARN) else "",
        sent=() if quiet and not blocked_by else tuple(dict.fromkeys(operation_name(e.opcode) for e in exchanges)),
    )


def _rule(check: Check, outcome: Outcome | None, incident: Incident | None) -> _Ruling:
    if incident is not None:
        return _incident(incident)
    if outcome is None:
        return _Ruling(Verdict.NOTRUN, reason="the run ended before this check")
    match outcome.kind:
        case "ok":
            informs = check.level is Level.INFO and bool(outcome.notes)
            return _Ruling(Verdict.INFO if informs else Verdict.PASS, observed="; ".join(outcome.notes))
        case "finding":
            return _finding(check, outcome)
        case "oserror":
            return _oserror(check, outcome)
        case "unsupported":
            name = errno_name(outcome.errno) or errno_in(outcome.observed)
            return _Ruling(
                Verdict.UNSUPPORTED, outcome.expected, outcome.observed, name, _declined_reason(check.op, name)
            )
        case "blocked":
            observed = outcome.observed or _call(outcome)
            return _Ruling(Verdict.SKIP, observed=observed, errno=errno_name(outcome.errno))
        case "skip":
            return _Ruling(Verdict.SKIP, reason=outcome.observed)
        case "lost":
            return _Ruling(Verdict.HANG, "a reply", outcome.observed or "no reply came")
        case _:
            return _Ruling(Verdict.ERROR, observed=outcome.observed, reason="fsprobe's own fault")


def _incident(incident: Incident) -> _Ruling:
    where = incident.opcode + (f" on {incident.path}" if incident.path else "")
    if incident.kind == "crash":
        told = incident.detail or "the daemon died" + (f" in {where}" if where else "")
        return _Ruling(Verdict.CRASH, "a daemon that stays alive", told)
    if incident.kind == "worker":
        return _Ruling(Verdict.ERROR, observed=incident.detail, reason="fsprobe's own fault")
    told = incident.detail or (f"{where} got no reply" if where else "the caller did not come back")
    return _Ruling(Verdict.HANG, "a reply", told)


def _finding(check: Check, outcome: Outcome) -> _Ruling:
    name = errno_name(outcome.errno) or errno_in(outcome.observed)
    ruled = (outcome.expected, outcome.observed, name)
    declines = _declines(check.op) if check.layer == "shell" else _ABSENT
    if check.level is Level.OPTIONAL and name in declines and name not in outcome.expected:
        return _Ruling(Verdict.UNSUPPORTED, *ruled, _declined_reason(check.op, name))
    return _Ruling(_severity(check, outcome.warn), *ruled)


def _oserror(check: Check, outcome: Outcome) -> _Ruling:
    name = errno_name(outcome.errno)
    ruled = ("the call succeeds", _call(outcome), name)
    if check.level is Level.OPTIONAL and name in _declines(check.op):
        return _Ruling(Verdict.UNSUPPORTED, *ruled, _declined_reason(check.op, name))
    verdict = _severity(check, warn=False)
    if verdict is Verdict.WARN and name in _NEVER_RIGHT:
        verdict = Verdict.FAIL
    return _Ruling(verdict, *ruled)


def _severity(check: Check, warn: bool) -> Verdict:
    if check.level is Level.INFO:
        return Verdict.INFO
    return Verdict.WARN if warn or check.level is Level.SHOULD else Verdict.FAIL


def _declines(op: str) -> frozenset[str]:
    row = OPERATIONS.get(op)
    return row.declines if row else DECLINED


def _declined_reason(op: str, name: str) -> str:
    """What declining comes to; for a raw ENOSYS, that another error would be right."""
    row = OPERATIONS.get(op)
    if name == "ENOSYS" and row is not None:
        return f"{op} answers ENOSYS: {consequence(op)}"
    return f"declined with {name}" if name else ""


def _call(outcome: Outcome) -> str:
    text = errno_text(outcome.errno) or outcome.observed
    if not outcome.call or text.startswith(outcome.call):
        return text
    return f"{outcome.call}: {text}"


# A set-up step by the words of its call, where no exchange names the operation; longer words first.
_STEPS = (
    ("symlink", "SYMLINK"), ("readlink", "READLINK"), ("unlink", "UNLINK"), ("link", "LINK"),
    ("makedirs", "MKDIR"), ("mkdir", "MKDIR"), ("rmdir", "RMDIR"), ("rename", "RENAME"), ("mknod", "MKNOD"),
    ("mkfifo", "MKNOD"), ("chmod", "SETATTR"), ("chown", "SETATTR"), ("truncate", "SETATTR"), ("utime", "SETATTR"),
    ("setxattr", "SETXATTR"), ("listdir", "READDIR"), ("scandir", "READDIR"), ("pread", "READ"), ("write", "WRITE"),
    ("O_CREAT", "CREATE"), ("create", "CREATE"), ("stat", "GETATTR"), ("open", "OPEN"), ("read", "READ"),
)  # fmt: skip


def _step_operation(call: str) -> str:
    upper = call.split("(")[0].strip()
    if upper in OPERATIONS:
        return upper
    return next((op for word, op in _STEPS if word in call), "")


def _in_the_way(layer: str, outcome: Outcome, errno: str, exchanges: Sequence[Exchange]) -> str:
    """What failed while the question was prepared; "" where the kernel alone said no, or it does not show."""
    step = _step_operation(outcome.call)
    if errno and exchanges and not any(answered(exchange) == errno for exchange in exchanges):
        return ""
    return blame(step, layer, errno, exchanges)


def _blocked_reason(op: str, outcome: Outcome) -> str:
    step = _call(outcome)
    return f"blocked by {op}: {step}" if op else f"a step before the question failed: {step}"


def _trace(
    exchanges: Sequence[Exchange], describe: Callable[[Exchange], str], op: str, errno: str
) -> tuple[str, ...]:
    """The lines, in order; of a long one the two ends, and from between them what failed the check."""
    last = len(exchanges) - _TRACE_TAIL
    lines: list[str] = []
    gap = kept = 0
    for index, exchange in enumerate(exchanges):
        between = _TRACE_HEAD <= index < last
        if between and (kept == _TRACE_TELLING or not _failed(exchange, op, errno)):
            gap += 1
            continue
        kept += between
        if gap:
            lines.append(f"… {gap} exchanges left out …")
            gap = 0
        lines.append(describe(exchange))
    return tuple(lines)


def _failed(exchange: Exchange, op: str, errno: str) -> bool:
    """Whether it is the request that failed the check: answered with the error that was met, not at all, or, where the
    check met none, with what is no daily work of the operation."""
    unanswered = exchange.error is None and exchange.opcode not in NO_REPLY
    met = bool(errno) and answered(exchange) == errno
    strange = not errno and is_fault(exchange)
    return (operation_name(exchange.opcode) == op and (unanswered or met or strange)) or (met and errno != "ENOENT")


def _evidence(outcome: Outcome | None, incident: Incident | None) -> tuple[str, ...]:
    lines = incident.evidence if incident else ()
    return (*lines, *outcome.detail.splitlines()) if outcome and outcome.detail else lines
