"""`fsprobe list`: what can be checked.

Owns how checks are listed; knows nothing of running them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from fsprobe.checks.check import Check

_ID, _OP, _LEVEL = 40, 13, 9


@click.command("list")
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@click.option("--suite", "suites", multiple=True, metavar="NAME|PATH", help="Of this suite; again for more.")
@click.option("--layer", type=click.Choice(["wire", "mount", "shell"]), help="Of this layer only.")
@click.option("--op", metavar="OP", help="About this operation only.")
@click.option("--json", "as_json", is_flag=True, help="With everything that is known of each, as JSON.")
def list_checks(
    globs: tuple[str, ...], suites: tuple[str, ...], layer: str | None, op: str | None, as_json: bool
) -> None:
    """List the checks: id, operation, level and the sentence that is checked."""
    from fsprobe.cli.selection import all_checks, matching, require_matches, require_operations

    checks = all_checks(suites)
    require_matches(checks, globs)
    require_operations(checks, (op.upper(),) if op else ())
    found = [
        check for check in matching(checks, globs)
        if layer in (None, check.layer) and (op is None or op.upper() in (check.op, *check.also))
    ]  # fmt: skip
    if as_json:
        print(json.dumps([_as_data(check) for check in found], indent=1))
        return
    for line in _lines(found, cut_to=80 if sys.stdout.isatty() else None):
        print(line)


def _lines(checks: Sequence[Check], cut_to: int | None) -> Iterable[str]:
    """One line for each check; in a pipe the sentence is whole, so that grep finds all of it."""
    from fsprobe.report.text import cut, safe

    for check in checks:
        line = f"{safe(check.id):<{_ID}} {check.op:<{_OP}} {check.level:<{_LEVEL}} {safe(check.title)}"
        yield cut(line, cut_to) if cut_to else line
    if cut_to:
        yield f"{len(checks)} checks; fsprobe explain ID tells all of one"


def _as_data(check: Check) -> dict[str, Any]:
    return {field.name: getattr(check, field.name) for field in fields(check) if field.name != "function"}
