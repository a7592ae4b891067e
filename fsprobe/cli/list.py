"""`fsprobe list`: what can be checked.

Owns how checks are listed; knows nothing of running them.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from fsprobe.checks.check import Check


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
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines(found, cut_to=width):
        print(line)


def lines(checks: Sequence[Check], cut_to: int | None) -> Iterable[str]:
    """One line for each check; in a pipe the sentence is whole, so that grep finds all of it.

    cut_to: columns of the terminal, None where there is none.
    """
    from fsprobe.report.text import count, cut, safe

    table = [(safe(check.id), check.op, str(check.level), safe(check.title)) for check in checks]
    widths = [max((len(row[index]) for row in table), default=0) for index in range(3)]
    for row in table:
        line = "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[3]])
        yield cut(line, cut_to) if cut_to else line
    if cut_to:
        yield cut(f"{count(len(checks), 'check')}; all of one: fsprobe explain ID", cut_to)


def _as_data(check: Check) -> dict[str, Any]:
    return {field.name: getattr(check, field.name) for field in fields(check) if field.name != "function"}
