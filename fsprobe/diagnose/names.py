"""Names of one file that the kernel takes for several files: every surprise that comes of it is one line.

Owns that one rule; knows nothing of other faults of LINK.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fsprobe.diagnose.absent import FAILED, commands, ids
from fsprobe.diagnose.evidence import Evidence
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause, Verdict

_TWO_NODES = re.compile(r"takes the two names for two files|nobody reads the second")
_TWO_NUMBERS = re.compile(r"^(?:the|one) inode number\b")
_TWO_NUMBERS_SEEN = re.compile(r"two (?:different )?inode numbers|hardlink different from source")
_PATHS = ("libfuse2", "libfuse3", "fusepy", "mfusepy", "fuse-python", "cgofuse")
_BY_PATH = (
    "libfuse's high-level interface gives every name a node of its own. Mount with the options attr_timeout=0 and "
    "entry_timeout=0, so that the kernel keeps nothing that the other name has changed; or use the low-level interface."
)
_BY_NODE = "Answer LINK, and LOOKUP of the new name, with the nodeid and generation that the file has already."
_NUMBERS = " Fill in st_ino, the same for both names, and mount with the option use_ino."
_NUMBERS_BY_NODE = " Answer one attr.ino for both."


def two_nodes(evidence: Evidence) -> list[Diagnosis]:
    """One diagnosis of LINK, a note where nothing fails of it."""
    nodes = _met(evidence, _TWO_NODES)
    numbers = [check for check in evidence.checks if _differs(check)]
    found = [check for check in evidence.checks if check in nodes or check in numbers]
    if not nodes:
        return []
    failed = [check for check in found if check.verdict in FAILED]
    by_path = evidence.library.family in _PATHS and evidence.library.kind != "low"
    fix = _BY_PATH if by_path else _BY_NODE
    if numbers:
        fix += _NUMBERS if by_path else _NUMBERS_BY_NODE
    again = f"\nRepeat it: {failed[0].reproduce}" if failed else ""
    return [
        Diagnosis(
            cause=Cause.WRONG_METADATA,
            op="LINK",
            confidence="proven" if failed else "note",
            summary="the names of one file are several files to the kernel"
            + (", with inode numbers of their own" if numbers else ""),
            evidence=(*dict.fromkeys(f"{c.id}: expected {c.expected}, observed {c.observed}" for c in found[:2]),
                      *commands(failed)),
            fix=fix + again,
            checks=ids(found),
            ops=("LINK",),
        )
    ]  # fmt: skip


def _met(evidence: Evidence, sign: re.Pattern[str]) -> Sequence[CheckResult]:
    told = (Verdict.WARN, *FAILED)
    return [check for check in evidence.checks if check.verdict in told and sign.search(check.observed)]


def _differs(check: CheckResult) -> bool:
    """Whether two names showed two numbers, or a program fell over that."""
    if _TWO_NUMBERS_SEEN.search(check.observed):
        return check.verdict in (Verdict.WARN, *FAILED)
    return check.verdict is Verdict.WARN and "LINK" in check.ops and bool(_TWO_NUMBERS.match(check.expected))
