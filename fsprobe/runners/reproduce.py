"""The command that repeats one check as it was asked.

Owns turning the options of a run back into words; knows nothing of results.
"""

from __future__ import annotations

import shlex

from fsprobe.runners.options import RunOptions


def reproduce(options: RunOptions, check_id: str, seed: int) -> str:
    """A command line: the target as it was typed, this check alone, and what else may matter."""
    words = ["fsprobe", "run"]
    args: tuple[str, ...] = ()
    if options.native is not None:
        words += ["--native", options.native]
    elif options.target is not None:
        words += [options.target.name]
        args = options.target.args
    words += ["--select", check_id, "--seed", str(seed)]
    for name, values in (("--suite", options.suites), ("--inject", options.inject)):
        for value in values:
            words += [name, value]
    if options.no_relay:
        words.append("--no-relay")
    if options.expect is not None:
        words += ["--expect", options.expect]
    return shlex.join([*words, *(("--", *args) if args else ())])
