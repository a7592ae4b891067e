"""Files opened as the program asked, where the kernel caches writes: what it then reads and appends goes wrong.

Owns that one rule, read from the exchanges; knows nothing of other faults of OPEN and CREATE.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fsprobe.diagnose.absent import FAILED, commands, ids
from fsprobe.diagnose.advice import look_at
from fsprobe.diagnose.evidence import Evidence
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause

_OPENED = re.compile(
    r"^(?P<op>OPEN|CREATE) .*\bflags=\S*(?P<how>O_WRONLY|O_RDWR)(?P<append>\|O_APPEND)?.* → .*\bfh=(?P<fh>\w+)"
)
_CACHED = re.compile(r"^WRITE .*\bfh=(?P<fh>\w+)\b.*\bwrite_flags=CACHE\b")
_REFUSED = re.compile(r"^READ .*\bfh=(?P<fh>\w+)\b.* → EBADF\b")
_FIX = (
    "With writeback caching the kernel reads the rest of a page by the handle that is written to, and works out by "
    "itself where an append goes. So open the backing file O_RDWR where O_WRONLY is asked for, and without O_APPEND, "
    "in create as well as in open. Or do not agree to FUSE_WRITEBACK_CACHE in INIT."
)


def opened_as_asked(evidence: Evidence, explained: frozenset[str]) -> list[Diagnosis]:
    """One diagnosis of OPEN or CREATE, whichever made the handles by which reads were refused or appends went wrong."""
    met: list[tuple[CheckResult, str]] = []
    for check in evidence.checks:
        if check.verdict in FAILED and check.id not in explained and (op := _opener(check)):
            met.append((check, op))
    if not met:
        return []
    checks = [check for check, _ in met]
    ops = tuple(dict.fromkeys(op for _, op in met))
    lines = [f"{check.id}: expected {check.expected}, observed {check.observed}" for check in checks[:3]]
    return [
        Diagnosis(
            cause=Cause.WRONG_DATA,
            op=ops[0],
            confidence="likely",
            summary=f"{ops[0]} opens files as the program asked, though the kernel caches writes: it may not read by "
            "such a handle, or its appends are put elsewhere",
            evidence=(*lines, *commands(checks)),
            fix="\n".join((_FIX, look_at(ops[0], evidence.library), f"Repeat it: {checks[0].reproduce}")),
            checks=ids(checks),
            ops=ops,
        )
    ]  # fmt: skip


def _opener(check: CheckResult) -> str:
    """Which operation made the handle that a check fails by; "" where it fails by none such."""
    how = {match["fh"]: match for match in _matches(_OPENED, check.trace)}
    cached = {match["fh"] for match in _matches(_CACHED, check.trace)}
    for match in _matches(_REFUSED, check.trace):
        by = how.get(match["fh"])
        if by is not None and by["how"] == "O_WRONLY":
            return str(by["op"])
    appended = [match for fh, match in how.items() if match["append"] and fh in cached]
    return str(appended[0]["op"]) if appended and not check.errno else ""


def _matches(pattern: re.Pattern[str], trace: Sequence[str]) -> list[re.Match[str]]:
    return [match for line in trace if (match := pattern.match(line))]
