"""`fsprobe explain`: what an operation or a check is.

Owns how it is told; knows nothing of runs. What is told lies in `diagnose.operations` and `diagnose.handlers`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import rich_click as click

from fsprobe.cli import completion

if TYPE_CHECKING:
    from fsprobe.checks.check import Check
    from fsprobe.diagnose.operations import Operation


@click.command()
@click.argument("name", metavar="OP|CHECK", shell_complete=completion.check_ids)
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
    from fsprobe.cli.selection import matching, nearest
    from fsprobe.diagnose.operations import needed_by
    from fsprobe.errors import UsageError

    fact = f"{name!r} is neither an operation nor the id of a check"
    needed = needed_by(name)
    if needed:
        told = (f"{name} is a command, and needs {', '.join(needed)}",)
        raise UsageError(fact, causes=told, command=f"fsprobe explain {needed[0]}")
    if matching(checks, (f"{name}.*",)):
        raise UsageError(fact, causes=("it is the beginning of ids",), command=f"fsprobe list '{name}.*'")
    near = difflib.get_close_matches(name.upper(), operations, 2) or nearest(name, [check.id for check in checks])
    return UsageError(
        fact, causes=(f"did you mean {' or '.join(near)}?",) if near else (),
        command=f"fsprobe explain {near[0]}" if near else "fsprobe list",
    )


def _operation(operation: Operation, checks: Sequence[Check]) -> Iterable[str]:
    from fsprobe.diagnose.operations import consequence

    since = f", since protocol 7.{operation.since}" if operation.since else ""
    yield f"{operation.name} (opcode {operation.opcode}{since})"
    yield f"  {operation.about}"
    yield ""
    yield from _told("sent by", ", ".join(operation.senders))
    yield from _told("needed", _need(operation))
    if operation.replies:
        yield from _told("on ENOSYS", consequence(operation.name))
    else:
        yield from _told("reply", "none is due, and one must not be sent")
    if operation.breaks:
        yield from _told("breaks", " ".join(operation.breaks))
    normal = sorted(operation.normal - {"EINTR", "ENOSYS"})
    if normal:
        yield from _told("may answer", f"{', '.join(normal)}: part of its daily work")
    yield from _handlers(operation.name, operation.replies)
    yield from _checks_of(operation.name, checks)


def _need(operation: Operation) -> str:
    if operation.core:
        return "by every file system" + (" that can be written to" if operation.mutates else "")
    return "no: it is optional" if operation.replies else "no: the kernel only tells"


def _handlers(op: str, answered: bool) -> Iterable[str]:
    """A paragraph for each library; those with the same handlers are one. answered: whether a reply is due."""
    from fsprobe.diagnose.handlers import FAMILIES, TITLES, missing_answers
    from fsprobe.report.text import fold

    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for family, title in TITLES.items():
        if op in FAMILIES[family]:
            signatures = tuple(row.signature for row in FAMILIES[family][op])
            groups.setdefault((signatures, missing_answers(family, op)), []).append(title)
    if groups:
        yield from ("", "WRITE IN THE DAEMON" + ", and what the library answers where that is missing" * answered)
    for (signatures, missing), titles in groups.items():
        told = f": {' or '.join(_MISSING.get(name, name) for name in missing)}" if answered else ""
        yield f"  {', '.join(titles)}{told}"
        for signature in signatures:
            for index, line in enumerate(fold(signature, 80 - 8)):
                yield f"    {'    ' if index else ''}{line}"


_MISSING = {"ok": "success, doing nothing"}


def _checks_of(op: str, checks: Sequence[Check]) -> Iterable[str]:
    """Its own checks with their sentences; others that exercise it by their ids."""
    from fsprobe.report.text import fold, pack, safe

    own = [check for check in checks if check.op == op]
    others = [check for check in checks if op in check.also and check.op != op]
    if own or others:
        yield from ("", f"WHAT IS CHECKED ({len(own) + len(others)}): fsprobe run TARGET --op {op}")
    for check in own:
        yield f"  {check.id}  {check.level}"
        yield from (f"    {line}" for line in fold(safe(check.title), 80 - 4))
    if others:
        yield "  and checks of other operations that it takes part in:"
        yield from (f"    {line}" for line in pack([check.id for check in others], 80 - 4, " "))


def _check(check: Check) -> Iterable[str]:
    from fsprobe.report.text import fold, safe

    yield check.id
    yield from (f"  {line}" for line in fold(safe(check.title), 80 - 2))
    yield ""
    yield from _told("level", f"{check.level}{_LEVELS[check.level]}")
    yield from _told("layer", f"{check.layer}: {_LAYERS[check.layer]}")
    yield from _told("blames", check.op + (f", or what fails it: {' '.join(check.also)}" if check.also else ""))
    yield from _told("needs", ", ".join(check.needs))
    yield from _told("source", safe(check.reference))
    yield from _told("code", f"{check.path}:{check.line}")
    yield from _told("what to write", f"fsprobe explain {check.op}")
    yield ""
    yield from _told("run it", f"fsprobe run TARGET --select {check.id}")
    rules = [killer for killer in check.killers if not killer.startswith("vexfs")]
    profiles = [killer for killer in check.killers if killer.startswith("vexfs")]
    if rules:
        yield from _told("see it fail", f"fsprobe run vexfs --select {check.id} --inject {rules[0]}")
        yield from _told("or with", " ".join(rules[1:]))
    if profiles:
        yield from _told("see it fail" if not rules else "", f"fsprobe run {profiles[0]} --select {check.id}")


_LEVELS = {
    "MUST": ": broken, it is a FAIL", "SHOULD": ": broken, it is a WARN", "INFO": ": an observation, never a fault",
    "OPTIONAL": ": may be declined, which is UNSUPPORTED",
}  # fmt: skip
_LAYERS = {
    "wire": "fsprobe plays the kernel and sends the requests itself",
    "mount": "system calls on the mounted file system",
    "shell": "a program on a terminal",
}


def _told(label: str, text: str, column: int = 15) -> Iterable[str]:
    from fsprobe.report.text import fold

    for index, line in enumerate(fold(text, 80 - column) if text else ()):
        yield f"  {label if index == 0 else '':<{column - 2}}{line}"
