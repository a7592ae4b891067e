"""Which handlers a daemon has of an operation that has several, by what it answered: `.truncate` but no `.chmod`.

Owns reading that off the traffic of SETATTR, the one such operation; knows nothing of causes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fsprobe.diagnose.handlers import handlers
from fsprobe.diagnose.rows import Handler
from fsprobe.results.records import CheckResult

_LINE = re.compile(r"^SETATTR (.*) → (ENOSYS\b|(?!E[A-Z0-9]+\b|no reply))")
_GIVEN = re.compile(r" (mode|uid|gid|size|atime|mtime|ctime)=")
# Times are left out: some libraries answer success for them by themselves.
_KINDS = (({"size"}, ("truncate", "ftruncate")), ({"mode"}, ("chmod",)), ({"uid", "gid"}, ("chown",)))


def missing_handlers(op: str, family: str, checks: Sequence[CheckResult]) -> tuple[Handler, ...]:
    """The handlers of an operation without those that were seen at work; empty where that says nothing."""
    found = handlers(family, op)
    if op != "SETATTR" or len(found) < 2:
        return ()
    there = _at_work(checks)
    rest = tuple(handler for handler in found if handler.word not in there)
    return rest if len(rest) < len(found) else ()


def _at_work(checks: Sequence[CheckResult]) -> set[str]:
    """By their bare names; one that answered ENOSYS as well is not: go-fuse asks an open file first."""
    good: set[str] = set()
    absent: set[str] = set()
    for line in (line for check in checks for line in check.trace):
        if match := _LINE.match(line):
            given = set(_GIVEN.findall(f" {match[1]}"))
            words = {word for kind, names in _KINDS if given and given <= kind for word in names}
            (absent if match[2] else good).update(words)
    return good - absent


_SIZE = re.compile(r"^SETATTR .* size=([1-9]\d*)\b.* → \w.* size=(\d+)\b")


def sets_sizes(checks: Sequence[CheckResult]) -> bool:
    """Whether most sizes that were set were taken: a handler is there, whatever else it leaves undone."""
    told = [match for check in checks for line in check.trace if (match := _SIZE.match(line))]
    taken = [match for match in told if match[1] == match[2]]
    return len(taken) * 2 > len(told)
