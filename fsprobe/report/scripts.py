"""The program that shows one check's failure without fsprobe, out of a result.

Owns finding it, and saying which checks have one; knows nothing of how it was made.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from fsprobe.errors import UsageError
from fsprobe.report.words import is_failure

_SHOWN = 12


def script_of(document: Mapping[str, Any], check: str) -> str:
    """Its text. Raises UsageError where there is no such check, or it has none."""
    checks = {one["id"]: one for one in document["checks"]}
    having = [id for id, one in checks.items() if one.get("script")]
    there = f"with one: {', '.join(having[:_SHOWN])}" + (" …" if len(having) > _SHOWN else "") if having else ""
    if check not in checks:
        near = difflib.get_close_matches(check, checks, 1)
        causes = (f"did you mean {near[0]}?",) if near else (there or "no check of this result has a script",)
        raise UsageError(f"this result has no check {check!r}", causes=causes)
    script = str(checks[check].get("script") or "")
    if not script:
        if not is_failure(checks[check]):
            why = f"its verdict is {checks[check]['verdict']}"
        elif checks[check]["layer"] == "wire":
            why = "it is of the wire layer, where fsprobe speaks the protocol itself: nothing on a mount can ask that"
        else:
            why = "its calls alone do not show the failure: they hang, or need other processes, users or much data"
        raise UsageError(
            f"{check} has no script", causes=tuple(cause for cause in (why, there) if cause),
            command=str(checks[check].get("reproduce") or ""),
        )  # fmt: skip
    return script
