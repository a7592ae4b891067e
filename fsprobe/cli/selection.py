"""Which checks the words of a command line mean.

Owns globs over ids and the "did you mean"; knows nothing of running checks.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from fsprobe.checks.check import Check
from fsprobe.checks.suite import BUILT_IN, load_suite, unique_ids
from fsprobe.errors import UsageError


def all_checks(suites: Sequence[str] = (), more: Sequence[str] = ()) -> list[Check]:
    """Every check of these suites, or of the built-in ones and `more`. Raises UsageError."""
    names = tuple(suites) or (*BUILT_IN, *more)
    return unique_ids([check for name in names for check in load_suite(name)])


def matching(checks: Iterable[Check], globs: Sequence[str]) -> list[Check]:
    """Checks whose id one of the globs matches; all of them without a glob."""
    return [check for check in checks if not globs or any(fnmatchcase(check.id, glob) for glob in globs)]


def require_matches(checks: Sequence[Check], globs: Sequence[str]) -> None:
    """Raises UsageError for the first glob that matches nothing, with ids that come near."""
    for glob in globs:
        if not matching(checks, (glob,)):
            if matching(checks, (f"{glob}.*",)):
                hint = (f"did you mean '{glob}.*'?",)
                raise UsageError(f"no check matches {glob!r}", causes=hint, command=f"fsprobe list '{glob}.*'")
            near = nearest(glob, [check.id for check in checks])
            raise UsageError(
                f"no check matches {glob!r}",
                causes=(f"did you mean {' or '.join(near)}?",) if near else (),
                command="fsprobe list",
            )


def require_operations(checks: Sequence[Check], ops: Sequence[str]) -> None:
    """Raises UsageError for the first operation that no check is about."""
    known = {op for check in checks for op in (check.op, *check.also)}
    for op in ops:
        if op not in known:
            near = difflib.get_close_matches(op, sorted(known), 3)
            raise UsageError(
                f"no check is about the operation {op!r}",
                causes=(f"did you mean {' or '.join(near)}?",) if near else (),
                command="fsprobe list --json",
            )


def nearest(word: str, ids: Sequence[str], most: int = 3) -> list[str]:
    """Ids that look like the word: alike as a whole, else ones that hold it or its last part."""
    bare = word.strip("*?").strip(".")
    close = difflib.get_close_matches(bare, ids, most, 0.7)
    if close or not bare:
        return close
    part = bare.rsplit(".", 1)[-1]
    close = [id for id in ids if part in id][:most]
    if close:
        return close
    parts = sorted({piece for id in ids for piece in id.split(".")})
    alike = difflib.get_close_matches(part, parts, 1, 0.7)
    return [id for id in ids if alike and alike[0] in id.split(".")][:most]
