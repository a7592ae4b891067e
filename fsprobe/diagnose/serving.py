"""Daemons that do not serve: never started, died, hung, or closed to whoever asks.

Owns the rules for these; knows nothing of what a serving daemon answers.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from fsprobe.diagnose.absent import FAILED, ids
from fsprobe.diagnose.advice import ON_INCIDENT, look_at
from fsprobe.diagnose.evidence import Evidence, StartFailure
from fsprobe.diagnose.handlers import handlers
from fsprobe.diagnose.library import Library
from fsprobe.diagnose.relatives import handler_of
from fsprobe.results.records import CheckResult, Diagnosis, Incident
from fsprobe.results.verdicts import HELD, Cause, Verdict

_LAST_WORDS = 8
_EVIDENCE = 40

# What the kernel says of a mount whose daemon is gone, and how a command prints it.
_GONE = ("ENOTCONN", "ECONNABORTED")
_REFUSED = re.compile(r"\brefuse[sd]\b|malformed")
_GONE_TEXT = "Transport endpoint is not connected"

# Where the author has to look into the operation's own handler, whatever else may be to do.
_IN_A_HANDLER = (Cause.CRASHED, Cause.LOST_REPLY, Cause.BLOCKED_IO, Cause.DEADLOCK_LOCK, Cause.BUSY_LOOP)

_HELD_SUMMARY = "every thread of the daemon is held by a lock that is waited for ({op}), so the unlock is never read"
_HELD_FIX = (
    "Do not wait in the handler of SETLKW: keep the request, go on reading, and answer it when the lock is free (low "
    "level: store the req, and answer EINTR when it is interrupted); or wait in a thread of its own for each such "
    "request. Raising max_threads only moves the limit. Without a handler of locks the kernel keeps them by itself."
)

_SUMMARY = {
    Cause.LOST_REPLY: "{op} is taken by the daemon and never answered",
    Cause.MALFORMED_REPLY: "the reply to {op} is malformed, so the kernel refuses it and the caller waits for ever",
    Cause.DEADLOCK_LOCK: "deadlock on a lock inside the daemon, in {op}",
    Cause.DEADLOCK_OWN_MOUNT: "the daemon waits for its own mount, in {op}",
    Cause.BLOCKED_OUTPUT: "the daemon is blocked writing to its own output, in {op}",
    Cause.BLOCKED_IO: "the daemon waits for something outside, in {op}",
    Cause.BUSY_LOOP: "the daemon computes without end, in {op}",
    Cause.STOPPED: "the daemon is stopped, so {op} is not even taken",
    Cause.CRASHED: "the daemon dies in {op}",
    Cause.WRONG_DATA: "the caller does not come to an end though every request is answered: look at {op}",
}

_START = {
    "not-found": ("the target does not exist", "Check the path, or the name in fsprobe.toml."),
    "not-executable": ("the target cannot be executed", "chmod +x it, or check that it is built for this machine."),
    "usage": ("the target printed its usage and left", "Give the arguments it wants, with {mountpoint} in place."),
    "exited": ("the target exited before it mounted", "Run it by hand and see what it says."),
    "signalled": ("the target was killed by a signal before it mounted", "Run it under a debugger."),
    "no-init": ("the target mounted and never answered INIT", "Its loop that reads /dev/fuse does not run or answer."),
    "refused-init": ("the target answered INIT, but not with success", "See what its handler of INIT refuses."),
    "died": ("the target mounted, then died", "Run it by hand and see what it says."),
    "no-access": (
        "the mount lets nobody in but the user who mounted it",
        "Mount with -o allow_other, or run fsprobe as the user whom the daemon runs as.",
    ),
    "timeout": (
        "the target is alive and never mounted anything",
        "Run it by hand and see what it waits for; if it only needs longer, give --start-timeout 60.",
    ),
}  # fmt: skip


# What well-known last words call for.
_SAID = (
    ("user_allow_other", "The target asks for allow_other, which an ordinary user may not have here: add "
     "user_allow_other to /etc/fuse.conf, or start the target without it (bindfs: --no-allow-other)."),
    ("mountpoint is not empty", "fsprobe's mountpoint is a fresh directory: the target has put something there before "
     "it mounted."),
    ("fusermount: command not found", "Install fuse, or fuse3 (fsprobe doctor tells which)."),
)  # fmt: skip


def never_mounted(failure: StartFailure) -> Diagnosis:
    """The one thing to say of a target that never served."""
    told, advice = _START.get(failure.kind, ("the target never served", "Run it by hand and see what it says."))
    how = _how_it_ended(failure)
    lines = [failure.detail] if failure.detail else []
    words = failure.last_words[-_LAST_WORDS:]
    if words:
        lines += ["its last words:", *(f"  {line}" for line in words)]
    elif failure.kind not in ("not-found", "not-executable"):
        lines.append("it printed nothing")
    return Diagnosis(
        cause=Cause.NEVER_MOUNTED,
        op="",
        confidence="proven",
        summary=told + how,
        evidence=tuple(lines),
        fix=next((known for sign, known in _SAID if any(sign in line for line in words)), advice),
    )


def _how_it_ended(failure: StartFailure) -> str:
    if failure.signal is not None:
        return f" ({_signal(failure.signal)})"
    if failure.exit_status is not None:
        return f" (exit status {failure.exit_status})"
    waited = failure.kind in ("timeout", "no-init") and failure.seconds
    return f" (waited {failure.seconds:g} s)" if waited else ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def incidents(evidence: Evidence) -> list[Diagnosis]:
    """One diagnosis for each way of not answering and operation; checks that then could not run go to the first."""
    groups: dict[tuple[Cause, str], list[Incident]] = {}
    mishaps = [incident for incident in evidence.incidents if incident.kind != "worker"]  # that is fsprobe's fault
    for incident in (*mishaps, *_unrecorded(evidence)):
        groups.setdefault((_cause(incident), incident.opcode), []).append(incident)
    _merge_unnamed(groups)
    _merge_relatives(groups, evidence.library.family)
    left = [check for check in evidence.checks if check.verdict is Verdict.NOTRUN or _is_gone(check)]
    found: list[Diagnosis] = []
    for cause, op in sorted(groups, key=lambda key: key[0] is not Cause.CRASHED):
        alike = {other for kind, other in groups if (kind is Cause.CRASHED) == (cause is Cause.CRASHED)}
        named = {op, *(one.opcode for one in groups[cause, op])} - {""}
        mine = [check for check in evidence.checks if _explains(cause, named, alike - named, check)]
        found.append(_incident(cause, op, groups[cause, op], mine if found else [*mine, *left], evidence.library))
    return found


def _merge_unnamed(groups: dict[tuple[Cause, str], list[Incident]]) -> None:
    """An incident whose request is not known is like the one that is, where there is just one of its kind."""
    for cause in [cause for cause, op in groups if not op]:
        named = [key for key in groups if key[0] is cause and key[1]]
        if len(named) == 1:
            groups[named[0]] += groups.pop((cause, ""))


def _merge_relatives(groups: dict[tuple[Cause, str], list[Incident]], family: str) -> None:
    """What dies or hangs in an operation, and in others that the library answers by the same handler, is one fault."""
    for cause, op in list(groups):
        if cause is Cause.MALFORMED_REPLY:  # made behind the handler, for each operation in its own way
            continue
        root = handler_of(op, {other for kind, other in groups if kind is cause}, family)
        if root != op:
            groups[cause, root] += groups.pop((cause, op))


def _cause(incident: Incident) -> Cause:
    if incident.cause:
        return Cause(incident.cause)
    if incident.kind == "crash":
        return Cause.CRASHED
    if incident.kind == "stuck":
        return Cause.WRONG_DATA  # every request was answered, and still the caller never comes to an end
    return Cause.MALFORMED_REPLY if _REFUSED.search(incident.detail) else Cause.LOST_REPLY


def _unrecorded(evidence: Evidence) -> list[Incident]:
    """HANG and CRASH verdicts that no incident speaks of, and a mount that is gone though no one saw it go."""
    known = {(incident.kind == "crash", incident.opcode) for incident in evidence.incidents}
    found = [
        Incident("crash" if check.verdict is Verdict.CRASH else "hang", check.op, detail=check.observed)
        for check in evidence.checks
        if check.verdict in (Verdict.HANG, Verdict.CRASH)
        and (check.verdict is Verdict.CRASH, check.op) not in known
        and (check.verdict is Verdict.CRASH, "") not in known
    ]
    gone = [check for check in evidence.checks if _is_gone(check)]
    if gone and not known and not found:
        found.append(Incident("crash", detail=gone[0].observed))
    return found


def _is_gone(check: CheckResult) -> bool:
    """It met a mount whose daemon had died before: what it asks about is not at fault."""
    return check.verdict in FAILED and (check.errno in _GONE or _GONE_TEXT in check.observed)


def _explains(cause: Cause, ops: set[str], others: set[str], check: CheckResult) -> bool:
    if check.verdict is Verdict.NOTRUN:
        return check.op in ops
    wanted = Verdict.CRASH if cause is Cause.CRASHED else Verdict.HANG
    mine = check.op in ops or (check.op not in others and (not ops or not others))
    return check.verdict is wanted and mine


def _incident(
    cause: Cause, op: str, members: Sequence[Incident], checks: Sequence[CheckResult], library: Library
) -> Diagnosis:
    where = op or "a request that is not known"
    ops = tuple(dict.fromkeys(name for name in (op, *(one.opcode for one in members)) if name))
    details = dict.fromkeys(line for one in members for line in (one.detail, *one.evidence) if line)
    fallback = f"{where}: {cause.value}"
    also = [f"in {', '.join(ops[1:])} too, which {library.label} answers by the handler of {op} as well"]
    held = any(HELD in one.detail for one in members)
    advice = _HELD_FIX if held else ON_INCIDENT.get(cause, "").format(op=where)
    place = look_at(op, library) if cause in _IN_A_HANDLER and handlers(library.family, op) else ""
    return Diagnosis(
        cause=cause,
        op=op,
        confidence="proven" if any(one.proven for one in members) else "likely",
        summary=(_HELD_SUMMARY if held else _SUMMARY.get(cause, fallback)).format(op=where),
        evidence=(*tuple(details)[:_EVIDENCE], *(also if len(ops) > 1 else ())),
        fix=" ".join(part for part in (place, advice) if part),
        checks=ids(checks),
        ops=ops,
    )


def no_allow_other(evidence: Evidence) -> list[Diagnosis]:
    """Everything on the mount is refused with EACCES and the daemon is never asked: the kernel keeps others out."""
    if not evidence.mount_options or {"allow_other", "allow_root"} & set(evidence.mount_options):
        return []
    asked = [
        check
        for check in evidence.checks
        if check.layer in ("mount", "shell") and (check.verdict is not Verdict.SKIP or check.errno)
    ]
    refused = [check for check in asked if check.errno == "EACCES" and not check.trace]
    if not refused or len(refused) < len(asked):
        return []
    return [
        Diagnosis(
            cause=Cause.NO_ALLOW_OTHER,
            op="",
            confidence="likely",
            summary="the mount lets nobody in but the user who mounted it",
            evidence=(
                f"all {len(refused)} calls on the mount got EACCES and none reached the daemon",
                "mount options: " + ",".join(evidence.mount_options),
            ),
            fix="Mount with -o allow_other (as a user this needs `user_allow_other` in /etc/fuse.conf).",
            checks=ids(refused),
        )
    ]
