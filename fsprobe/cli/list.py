"""`fsprobe list`: what can be checked, by which faults each check is proven, and how a fault is written.

Owns how they are listed; knows nothing of running them.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import rich_click as click

from fsprobe.cli import completion

if TYPE_CHECKING:
    from fsprobe.checks.check import Check


@click.command("list")
@click.argument("globs", nargs=-1, metavar="[GLOB]...", shell_complete=completion.checks)
@click.option("--suite", "suites", multiple=True, metavar="NAME|PATH", help="Of this suite; again for more.")
@click.option("--layer", type=click.Choice(["wire", "mount", "shell"]), help="Of this layer only.")
@click.option("--op", metavar="OP", help="About this operation only.")
@click.option("--killers", is_flag=True, help="The seeded faults that turn each check red, one a line.")
@click.option("--rules", is_flag=True, help="The language of --inject in place of the checks.")
@click.option("--json", "as_json", is_flag=True, help="With everything that is known of each, as JSON.")
def list_checks(
    globs: tuple[str, ...], suites: tuple[str, ...], layer: str | None, op: str | None, killers: bool, rules: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """List the checks: id, operation, level and the sentence that is checked.

    With --killers: each check's id and one fault that must turn it red. With --rules: how faults are written.
    """
    if rules:
        _list_rules(as_json, bool(globs or suites or layer or op or killers))
        return
    from fsprobe.cli.selection import all_checks, matching, require_matches, require_operations

    checks = all_checks(suites)
    require_matches(checks, globs)
    require_operations(checks, (op.upper(),) if op else ())
    found = [
        check for check in matching(checks, globs)
        if layer in (None, check.layer) and (op is None or op.upper() in (check.op, *check.also))
    ]  # fmt: skip
    if killers:
        _list_killers(found, as_json)
        return
    if as_json:
        print(json.dumps([_as_data(check) for check in found], indent=1))
        return
    if not found:
        from fsprobe.errors import NothingChecked

        raise NothingChecked("no check is left by these options", command="fsprobe list")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines(found, cut_to=width):
        print(line)


def _list_rules(as_json: bool, other_words: bool) -> None:
    from fsprobe.errors import UsageError
    from fsprobe.relay import kinds

    if other_words:
        causes = ("the language of faults is the same whatever the check",)
        raise UsageError("--rules stands alone, or with --json", causes=causes, command=kinds.TABLE_COMMAND)
    if as_json:
        print(json.dumps(kinds.as_data(), indent=1))
        return
    for line in kinds.lines():
        print(line)


def _list_killers(checks: Sequence[Check], as_json: bool) -> None:
    """The table check -> killers: a line for each pair, so that grep and cut can read it."""
    from fsprobe.report.text import safe

    if as_json:
        print(json.dumps({check.id: list(check.killers) for check in checks}, indent=1))
        return
    width = max((len(safe(check.id)) for check in checks), default=0)
    for check in checks:
        for killer in check.killers or ("(none)",):
            print(f"{safe(check.id):<{width}}  {safe(killer)}")


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
    known = {field.name: getattr(check, field.name) for field in fields(check) if field.name != "function"}
    return known | {"reference": check.reference}
