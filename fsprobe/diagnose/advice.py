"""The words of a diagnosis: what to write or to do.

Owns sentences for the person who mends the daemon; knows nothing of which diagnosis is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fsprobe.diagnose.handlers import handlers, in_the_best_known
from fsprobe.diagnose.library import Library
from fsprobe.diagnose.operations import OPERATIONS, consequence
from fsprobe.diagnose.rows import Handler
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Cause


def implement(op: str, library: Library, concerned: Sequence[Handler] = ()) -> str:
    """Which handler to write, with its declaration, and what works again then."""
    found = tuple(concerned) or handlers(library.family, op)
    lines: list[str] = []
    if found:
        names = ", ".join(handler.name for handler in found)
        lines.append(f"Implement {names} ({library.label}):")
        lines += [f"  {handler.signature}" for handler in found]
    elif library.family:
        lines.append(f"{library.label} has no handler for {op}: nothing to write there.")
    else:
        named = in_the_best_known(op)
        lines.append(f"Implement the handler for {op}" + (f": {named}." if named else "."))
    row = OPERATIONS.get(op)
    if row and row.breaks:
        lines.append("It is needed by " + ", ".join(row.breaks) + ".")
    return "\n".join(lines)


def concerned_handlers(op: str, library: Library, checks: Sequence[CheckResult]) -> tuple[Handler, ...]:
    """The handlers that the failing checks point at, where an operation has several; empty for all of them.

    A handler is meant where its name, or what it is for, stands in a check's id or in what it observed.
    """
    rows = handlers(library.family, op)
    if len(rows) < 2 or not checks:
        return ()
    hits = tuple(row for row in rows if any(_names(row, check) for check in checks))
    return hits if len(hits) < len(rows) else ()


_ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "utimens": ("utime", "touch", "times"), "chown": ("chgrp",), "truncate": ("o_trunc",), "read_buf": ("\0",),
    "write_buf": ("\0",), "fgetattr": ("fstat",),
}  # fmt: skip


def _names(handler: Handler, check: CheckResult) -> bool:
    text = f"{check.id} {check.observed}".lower()
    return any(word in text for word in (handler.word, *_ALSO_CALLED.get(handler.word, ())))


def what_happens(op: str) -> str:
    """What the kernel makes of ENOSYS, for the evidence."""
    return f"on ENOSYS {consequence(op)}"


def look_at(op: str, library: Library) -> str:
    """Where to look for a fault in an operation that exists."""
    found = handlers(library.family, op)
    if not found:
        return f"Look at the handler for {op}." if op else ""
    return f"Look at {', '.join(handler.name for handler in found)} ({library.label})."


ON_INCIDENT: Mapping[Cause, str] = {
    Cause.LOST_REPLY: "Make sure that every way through the handler of {op} ends in exactly one reply, "
    "errors and exceptions included.",
    Cause.MALFORMED_REPLY: "The kernel refuses such a reply and the caller waits for ever. The error in the "
    "header must be 0 or a negative errno above -512, the length that of the message, the unique that of the request.",
    Cause.DEADLOCK_LOCK: "A thread waits for a lock that is never freed: never take a lock twice, take locks in one "
    "order, and hold none across a call that waits.",
    Cause.DEADLOCK_OWN_MOUNT: "The daemon uses its own mount (a path, its working directory, a log file) inside a "
    "handler. Reach the backing data by a path or a descriptor outside the mount, opened before mounting.",
    Cause.BLOCKED_OUTPUT: "The daemon waits because nobody reads its standard output or error. Log to a file or to "
    "syslog, or drop lines when the pipe is full.",
    Cause.BLOCKED_IO: "A handler waits for the network, a device or a timer. Give that wait a limit, and answer EIO or "
    "ETIMEDOUT when it is over.",
    Cause.BUSY_LOOP: "A loop in the handler of {op} does not come to its end: look at its condition, and at what is to "
    "change it. The stack in the evidence says where.",
    Cause.STOPPED: "The daemon is stopped (SIGSTOP, a debugger, a frozen cgroup). Let it continue.",
    Cause.WRONG_DATA: "Each answer has to bring the caller on: a listing goes on after the offset that was asked for "
    "and ends with an empty reply, READ answers nothing at the end of the file, and WRITE more than 0 bytes.",
    Cause.CRASHED: "Run the daemon under gdb, or with its own backtrace switched on, and repeat the check.",
}  # fmt: skip
"""What to do about each way of not answering."""
