"""The words of a report: verdicts of a check, verdicts of an operation, causes.

Owns the closed lists and their order; knows nothing of how a verdict is reached.
"""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """One word per check, never merged."""

    PASS = "PASS"  # it did what the sentence says
    FAIL = "FAIL"  # a MUST is broken
    WARN = "WARN"  # legal but surprising, or a SHOULD broken
    INFO = "INFO"  # an observation; never gates
    UNSUPPORTED = "UNSUPPORTED"  # an optional operation refused in a way the kernel allows; never green
    SKIP = "SKIP"  # this environment cannot ask; with the reason
    HANG = "HANG"  # a request got no answer
    CRASH = "CRASH"  # the daemon died
    ERROR = "ERROR"  # fsprobe's own fault
    NOTRUN = "NOTRUN"  # after an unrecovered hang or crash
    XFAIL = "XFAIL"  # a failure that the baseline knows
    XPASS = "XPASS"  # a pass that the baseline says should fail


UNEXPECTED = frozenset({Verdict.FAIL, Verdict.HANG, Verdict.CRASH, Verdict.NOTRUN, Verdict.XPASS})
"""Verdicts that make the exit code 1."""

STRICT_UNEXPECTED = UNEXPECTED | {Verdict.UNSUPPORTED, Verdict.WARN}
"""The same under `--strict`."""


class OpVerdict(StrEnum):
    """The worst that was seen of an operation, worst first."""

    CRASH = "crash"
    HANG = "hang"
    ENOSYS = "ENOSYS"
    WRONG = "wrong"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"
    OK = "ok"
    UNTESTED = "untested"


class Cause(StrEnum):
    """What is at the root of a failure: the fixed list of the result file."""

    NOT_IMPLEMENTED = "not-implemented"
    WRONG_ERRNO = "wrong-errno"
    WRONG_DATA = "wrong-data"
    WRONG_METADATA = "wrong-metadata"
    SILENT_NOOP = "silent-noop"
    LOST_REPLY = "lost-reply"
    MALFORMED_REPLY = "malformed-reply"
    DEADLOCK_LOCK = "deadlock-lock"
    DEADLOCK_OWN_MOUNT = "deadlock-own-mount"
    BLOCKED_OUTPUT = "blocked-output"
    BLOCKED_IO = "blocked-io"
    BUSY_LOOP = "busy-loop"
    STOPPED = "stopped"
    CRASHED = "crashed"
    OUT_OF_FILES = "out-of-files"
    NEVER_MOUNTED = "never-mounted"
    NO_ALLOW_OTHER = "no-allow-other"
    READ_ONLY = "read-only"


HELD = "held by a request for a lock"
"""Stands in what is told of a daemon all of whose threads wait in its handler of locks, a deadlock of its own kind."""
