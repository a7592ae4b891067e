"""What one run was asked to do.

Owns the record the command line, the pytest plugin and the library hand to the session; knows nothing of how
it is carried out or of how it was typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fsprobe.config.target import Target
from fsprobe.results.baseline import Baseline

Expectation = Literal["full", "read-only", "object-store"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Everything `fsprobe run` can be told.

    target: the daemon to start; None with `native`. native: a directory of a mounted file system that is
    checked in place, with no daemon and no relay. suites: names or folders; empty means the built-in ones and
    the target's own. select: globs over check ids, any of which keeps a check. ops: names of operations in
    upper case, any of which keeps a check. quick: only the checks marked so.
    no_mount: the wire layer only. no_relay: the daemon holds the device itself. expect: what the target is
    meant to be; None: find out (`expectations` has what an object store may decline).
    strict: WARN and UNSUPPORTED are unexpected too. start_timeout: seconds until
    the daemon must have answered INIT. timeout: seconds after which one command or request counts as
    unanswered. baseline: the known failures, where a file names them. inject: fault rules of the relay, as typed.
    seed: of every random choice; None draws one. keep: the run directory is copied out and named.
    """

    target: Target | None = None
    native: str | None = None
    suites: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ops: tuple[str, ...] = ()
    quick: bool = False
    no_mount: bool = False
    no_relay: bool = False
    expect: Expectation | None = None
    strict: bool = False
    start_timeout: float = 10.0
    timeout: float = 10.0
    inject: tuple[str, ...] = ()
    baseline: Baseline | None = None
    seed: int | None = None
    keep: bool = False

    @property
    def target_name(self) -> str:
        """What the run is called on the screen and in the result file."""
        if self.target is not None:
            return self.target.name
        return self.native or ""
