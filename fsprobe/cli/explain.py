"""`fsprobe explain`: what an operation or a check is.

Owns how it is told; knows nothing of runs. What is told lies in `diagnose.operations` and `diagnose.handlers`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from fsprobe.checks.check import Check
    from fsprobe.diagnose.operations import Operation


@click.command()
@click.argument("name", metavar="OP|CHECK")
def explain(name: str) -> None:
    """Say what an operation is, who sends it and how each library names its handler; or what a check asks."""
    from fsprobe.cli.selection import all_checks
    from fsprobe.diagnose.operations import OPERATIONS

    checks = all_checks()
    operation = OPERATIONS.get(name.upper().removeprefix("FUSE_"))
    check = next((one for one in checks if one.id == name), None)
    if operation is not None:
        lines = _operation(operation, checks)
    elif check is not None:
        lines = _check(check)
    else:
        raise _unknown(name, list(OPERATIONS), checks)
    for line in lines:
        print(line)


def _unknown(name: str, operations: Sequence[str], checks: Sequence[Check]) -> Exception:
    from fsprobe.cli.selection import nearest
    from fsprobe.errors import UsageError

    near = difflib.get_close_matches(name.upper(), operations, 2) or nearest(name, [check.id for check in checks])
    return UsageError(
        f"{name!r} is neither an operation nor the id of a check",
        causes=(f"did you mean {' or '.join(near)}?",) if near else (),
        command=f"fsprobe explain {near[0]}" if near else "fsprobe list",
    )


def _operation(operation: Operation, checks: Sequence[Check]) -> Iterable[str]:
    from fsprobe.diagnose.handlers import in_every_library

    since = f", since protocol 7.{operation.since}" if operation.since else ""
    yield f"{operation.name} (opcode {operation.opcode}{since})"
    yield from _told("", operation.about)
    yield ""
    yield from _told("sent by", ", ".join(operation.senders))
    sticky = " From then on it is not sent any more." if operation.enosys.sticky else ""
    yield from _told("if ENOSYS", f"the application sees {operation.enosys.sees}.{sticky}")
    if operation.breaks:
        yield from _told("breaks", " ".join(operation.breaks))
    handlers = in_every_library(operation.name)
    if handlers:
        yield from ("", "write in the daemon, by its library:")
        for library, rows in handlers:
            for index, row in enumerate(rows):
                yield from _told(library if index == 0 else "", row.signature, 24)
    about = [check for check in checks if operation.name in (check.op, *check.also)]
    alone = f", run them with: fsprobe run TARGET --op {operation.name}" if about else ""
    yield from ("", f"checks of it: {len(about)}{alone}")
    yield from (f"  {check.id:<40} {check.level}" for check in about)


def _check(check: Check) -> Iterable[str]:
    from fsprobe.report.text import safe

    yield check.id
    yield from _told("", safe(check.title))
    yield ""
    yield from _told("level", f"{check.level}{_LEVELS[check.level]}")
    yield from _told("layer", f"{check.layer}: {_LAYERS[check.layer]}")
    yield from _told("blames", " ".join((check.op, *check.also)))
    yield from _told("source", safe(check.source))
    if check.needs:
        yield from _told("needs", ", ".join(check.needs))
    if check.killers:
        yield from _told("red by", ", ".join(check.killers) + " (each alone must turn it red)")
    yield from _told("written in", f"{check.path}:{check.line}")
    yield from _told("alone", f"fsprobe run TARGET --select {check.id}")


_LEVELS = {
    "MUST": ": broken, it is a FAIL", "SHOULD": ": broken, it is a WARN", "INFO": ": an observation, never a fault",
    "OPTIONAL": ": may be declined, which is UNSUPPORTED",
}  # fmt: skip
_LAYERS = {
    "wire": "fsprobe plays the kernel and sends the requests itself",
    "mount": "system calls on the mounted file system",
    "shell": "a program on a terminal",
}


def _told(label: str, text: str, column: int = 12) -> Iterable[str]:
    from fsprobe.report.text import fold

    for index, line in enumerate(fold(text, 80 - column)):
        yield f"  {label if index == 0 else '':<{column - 2}}{line}"
