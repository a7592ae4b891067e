"""The exit status of a run, from the verdicts it came to.

Owns that one rule (design of the command line); knows nothing of documents. Statuses 2, 4, 6 and 130 are not made of
verdicts and come from whoever met them.
"""

from __future__ import annotations

from collections.abc import Mapping

from fsprobe.results.verdicts import STRICT_UNEXPECTED, UNEXPECTED, Verdict

AS_EXPECTED, UNEXPECTED_VERDICT, OWN_ERROR, NOT_STARTED, NOTHING_CHECKED = 0, 1, 3, 4, 5


def exit_code(counts: Mapping[str, int], strict: bool = False, outdated: bool = False) -> int:
    """0 all as expected, 1 an unexpected verdict, 3 fsprobe's own error, 5 nothing was checked.

    outdated: the baseline has entries that are stale or expired, which is unexpected too.
    """
    bad = set(STRICT_UNEXPECTED if strict else UNEXPECTED)
    if counts.get(Verdict.ERROR, 0):
        bad -= {Verdict.NOTRUN}  # what fsprobe's own fault kept from running
    if outdated or any(counts.get(verdict, 0) for verdict in bad):
        return UNEXPECTED_VERDICT
    if counts.get(Verdict.ERROR, 0):
        return OWN_ERROR
    asked = sum(n for verdict, n in counts.items() if verdict != Verdict.SKIP)
    return AS_EXPECTED if asked else NOTHING_CHECKED
