"""Which checks a run makes, in which order.

Owns loading, filtering and ordering; knows nothing of running them.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

from fsprobe.checks.check import LAYERS, Check
from fsprobe.checks.suite import BUILT_IN, load_suite, unique_ids
from fsprobe.diagnose.operations import needed_by
from fsprobe.errors import NothingChecked, UsageError
from fsprobe.runners.options import RunOptions


@dataclass(frozen=True, slots=True)
class Plan:
    """Checks by layer, wire first: it needs no mount and knows no sticky ENOSYS. The extreme ones are last in each,
    but for the end of the connection.

    suites: by layer, those that hold any of them, so that a worker loads no others. known: ids of all checks that
    these suites have, whether wanted or not.
    """

    layers: dict[str, list[Check]]
    suites: dict[str, tuple[str, ...]]
    known: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many checks there are."""
        return sum(len(checks) for checks in self.layers.values())


def make(options: RunOptions) -> Plan:
    """The plan that the options ask for.

    Raises UsageError where a glob or an operation matches nothing, NothingChecked where no check is left.
    """
    suites = options.suites or (*BUILT_IN, *(options.target.suites if options.target else ()))
    loaded = {name: load_suite(name) for name in suites}
    checks = unique_ids([check for found in loaded.values() for check in found])
    for glob in _parts(options.select):
        ids = [c.id for c in checks]
        if not fnmatch.filter(ids, glob):
            below = any(id.startswith(f"{glob}.") for id in ids)
            causes = (f"did you mean '{glob}.*'?",) if below else _near(glob, ids)
            command = f"fsprobe list '{glob}.*'" if below else "fsprobe list"
            raise UsageError(f"--select {glob!r} matches no check", causes=causes, command=command)
    operations = sorted({name for check in checks for name in (check.op, *check.also)})
    for op in _parts(options.ops):
        if op not in operations:
            needed = needed_by(op)
            causes = (f"{op.lower()} is a command, and needs {', '.join(needed)}",) if needed else _near(op, operations)
            command = f"--op {','.join(needed)}" if needed else "fsprobe list"
            raise UsageError(f"--op {op!r}: no check is about it", causes=causes, command=command)
    kept = [check for check in checks if _wanted(check, options)]
    allowed = _layers(options)
    layers = {layer: [c for c in kept if c.layer == layer] for layer in LAYERS if layer in allowed}
    layers = {layer: sorted(found, key=_place) for layer, found in layers.items() if found}
    holders = {layer: _holders(loaded, set(map(id, found))) for layer, found in layers.items()}
    plan = Plan(layers, holders, tuple(check.id for check in checks))
    if not plan.total:
        raise _nothing_left(options, [name for name, found in loaded.items() if not found])
    return plan


def _place(check: Check) -> int:
    return 2 if check.op == "DESTROY" else int(check.extreme)


def _nothing_left(options: RunOptions, empty: list[str]) -> NothingChecked:
    """empty: suites without a check."""
    if empty:
        causes: tuple[str, ...] = (
            "a check is a function under @wire_check, @mount_check or @shell_check of fsprobe.checks",
            "files are read whose names end with .py and do not begin with _, of the folder itself and not below",
        )
        return NothingChecked(f"there is no check in the suite {empty[0]}", causes=causes,
                              command=f"ls -l {empty[0]}")  # fmt: skip
    given = [flag for flag, value in (
        ("--suite", options.suites), ("--select", options.select), ("--op", options.ops), ("--quick", options.quick),
        ("--no-mount", options.no_mount), ("--native", options.native),
    ) if value]  # fmt: skip
    causes = (f"each check has to meet all of {', '.join(given)}",) if len(given) > 1 else ()
    return NothingChecked("no check is left by these options", causes=causes, command="fsprobe list")


def _parts(given: Iterable[str]) -> list[str]:
    """Neither ids nor operations have commas, so that one option can hold several."""
    return [part.strip() for one in given for part in one.split(",") if part.strip()]


def _layers(options: RunOptions) -> tuple[str, ...]:
    if options.native is not None:
        return ("mount", "shell")
    return ("wire",) if options.no_mount else LAYERS


def _wanted(check: Check, options: RunOptions) -> bool:
    if options.select and not any(fnmatch.fnmatchcase(check.id, glob) for glob in _parts(options.select)):
        return False
    if options.ops and not set(_parts(options.ops)) & {check.op, *check.also}:
        return False
    return check.quick or not options.quick


def _holders(loaded: dict[str, list[Check]], wanted: set[int]) -> tuple[str, ...]:
    return tuple(name for name, checks in loaded.items() if any(id(check) in wanted for check in checks))


def _near(word: str, known: list[str]) -> tuple[str, ...]:
    near = difflib.get_close_matches(word, known, 3, 0.5)
    return (f"did you mean {', '.join(near)}?",) if near else ()
