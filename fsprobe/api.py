"""fsprobe as a library: one function for the main job.

Owns choosing the kind of run; everything else is `runners`'.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from fsprobe.relay.rules import parse, seeded
from fsprobe.runners.events import Listener
from fsprobe.runners.native import NativeSession
from fsprobe.runners.options import RunOptions
from fsprobe.runners.session import Session


def run(options: RunOptions, on_event: Listener) -> dict[str, Any]:
    """Probe a target and return the result document (`fsprobe.result/1`).

    Raises FsprobeError (its `document` holds the result as far as the run came): UsageError for a bad suite,
    glob or rule; TargetError where the target does not start; MachineError where this machine cannot.
    """
    options = _repeatable(options)
    session = NativeSession(options, on_event) if options.native is not None else Session(options, on_event)
    return session.run()


def _repeatable(options: RunOptions) -> RunOptions:
    """The options with every rule checked, and the run's seed in each that draws without one of its own."""
    if all(parse(rule).p is None for rule in options.inject):
        return options
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "little")
    return replace(options, seed=seed, inject=tuple(seeded(rule, seed) for rule in options.inject))
