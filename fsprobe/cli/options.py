"""From the words of `fsprobe run` to the options of a run.

Owns what contradicts what; knows nothing of click, and leaves it to the plan whether a filter matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fsprobe.config.target import resolve
from fsprobe.errors import UsageError
from fsprobe.runners.options import RunOptions

# Two that exclude each other, and why.
_EXCLUDE = (
    ("no_mount", "no_relay", "without a mount the relay is all there is"),
    ("native", "no_mount", "a directory can only be checked through its mount"),
    ("native", "inject", "traffic is altered by the relay, and --native has none"),
    ("no_relay", "inject", "it is the relay that alters the traffic"),
)


def options_of(target: str | None, behind: Sequence[str], **given: Any) -> RunOptions:
    """The options, the target resolved. Raises UsageError or TargetError."""
    if given["native"] is not None and (target is not None or behind):
        raise UsageError("--native DIR stands in place of TARGET", command=f"fsprobe run --native {given['native']}")
    for one, other, why in _EXCLUDE:
        if given[one] and given[other]:
            raise UsageError(f"{_flag(one)} and {_flag(other)} exclude each other", causes=(why,))
    given["ops"] = tuple(op.upper() for op in given["ops"])
    resolved = None if given["native"] is not None else resolve(target, behind)
    return RunOptions(target=resolved, **given)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
