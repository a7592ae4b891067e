"""The records that a result is made of: a check's result, an incident, a diagnosis, an operation's summary.

Owns their fields; knows nothing of how they are reached or written. The names are those of the result file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fsprobe.results.verdicts import Cause, OpVerdict, Verdict


@dataclass(frozen=True, slots=True)
class Incident:
    """A request that stayed open, or a daemon that died.

    kind: `hang` a request got no answer; `crash` the daemon died; `stuck` the worker itself did not come
    back and no open request is known; `worker` fsprobe's own worker ended, which is no fault of the target.
    opcode: the operation's name, "" where unknown. cause: a `Cause`, "" where the evidence does not say.
    proven: the evidence leaves no other explanation. detail: one line for the person at the terminal.
    evidence: lines taken before anything was killed. facts: the same as a record, for the result file.
    """

    kind: str
    opcode: str = ""
    unique: int = 0
    path: str = ""
    detail: str = ""
    proven: bool = False
    cause: str = ""
    evidence: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check with its verdict.

    op: the operation to blame (or that was asked). declared: the one the check is declared for. ops: all
    it is about. errno: the name of the error that it met, "" where none. blocked_by: the operation that
    stood in the way of a question that could not be asked. reason: why SKIP or NOTRUN, or what UNSUPPORTED
    means, or the baseline's. seen: the verdict without the baseline, where that made it XFAIL or XPASS. trace:
    described exchanges, where the verdict is not a plain success; sent: every operation that was asked meanwhile.
    reproduce: a command line. script: a program that shows the failure. incident: the id of the record of what was
    taken down when it hung or crashed.
    """

    id: str
    layer: str
    op: str
    title: str
    level: str
    verdict: Verdict
    ops: tuple[str, ...] = ()
    declared: str = ""
    expected: str = ""
    observed: str = ""
    errno: str = ""
    seconds: float = 0.0
    reference: str = ""
    trace: tuple[str, ...] = ()
    reproduce: str = ""
    reason: str = ""
    blocked_by: str = ""
    notes: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    main: bool = False
    incident: str = ""
    script: str = ""
    sent: tuple[str, ...] = ()
    seen: str = ""


@dataclass(frozen=True, slots=True)
class OpSummary:
    """What was seen of one operation, all layers together.

    wire, mount, shell: the verdict of that layer, None where untested. replies: counts by errno name,
    successes under "ok". handler: what to write in the recognised library. breaks: commands that fail
    without it. detail: the kind that is concerned where it is not all of it ("ENOSYS for FIFOs").
    latency_us: a histogram, counts by upper bound in microseconds.
    """

    verdict: OpVerdict
    requests: int = 0
    replies: dict[str, int] = field(default_factory=dict)
    p50_us: float | None = None
    p99_us: float | None = None
    max_us: float | None = None
    wire: OpVerdict | None = None
    mount: OpVerdict | None = None
    shell: OpVerdict | None = None
    handler: str = ""
    breaks: tuple[str, ...] = ()
    detail: str = ""
    latency_us: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One root cause.

    confidence: `proven`, `likely`, or `note` (an optional feature that is absent, no fault). op: the
    operation at fault, "" where it is not one. ops: others that share the cause. fix: what to write or to
    do. checks: ids of every check that it explains, those that could not be asked included. known: every failure behind
    it is in the baseline.
    """

    cause: Cause
    op: str
    confidence: str
    summary: str
    evidence: tuple[str, ...] = ()
    fix: str = ""
    checks: tuple[str, ...] = ()
    ops: tuple[str, ...] = ()
    known: bool = False
