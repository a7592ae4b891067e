"""`fsprobe doctor`: what this machine offers.

Owns how it is shown; knows nothing of how it is found out (`sandbox.doctor` does).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import IO, TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from fsprobe.sandbox.doctor import Diagnosis, Item

_NAME = 25
_MEANS = {"full": "all three layers", "fusermount3": "all three layers", "userns": "all three layers",
          "wire only": "the wire layer only"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def doctor(as_json: bool) -> int:
    """Say what this machine offers, what is missing and how to get it.

    Exit status: 0 where every layer can be probed, 6 where only the wire layer can, or nothing.
    """
    from fsprobe.sandbox.doctor import diagnose_machine

    found = diagnose_machine()
    if as_json:
        best = found.best.name if found.best else None
        items, ways = [asdict(item) for item in found.items], [asdict(way) for way in found.ways]
        print(json.dumps({"best": best, "exit_code": found.exit_code, "ways": ways, "items": items}, indent=1))
    else:
        print_diagnosis(found)
    return found.exit_code


def print_diagnosis(found: Diagnosis, file: IO[str] | None = None) -> None:
    """What works as this user first; then every item, with what mends it where it is not well.

    file: standard output where none is given.
    """
    import sys

    from rich.console import Console
    from rich.text import Text

    from fsprobe.report.text import fold

    console = Console(file=file or sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)
    best = found.best
    uid = found.facts.uid
    answer = f"fsprobe works here as uid {uid}: {_MEANS.get(best.name, best.name)}." if best else (
        f"fsprobe cannot work here as uid {uid}."
    )
    style = "bold green" if found.exit_code == 0 else "bold red"
    console.print(Text(answer, style))
    for way in found.ways:
        mark = Text("  yes  " if way.ok else "   -   ", "green" if way.ok else "dim")
        lines = fold(way.detail, 80 - 7 - 13)
        console.print(mark.append(f"{way.name:<13}").append(lines[0]))
        for line in lines[1:]:
            console.print(" " * 20 + line)
    console.print()
    for item in found.items:
        for text in _item(item):
            console.print(text)


def _item(item: Item) -> Iterable[object]:
    from rich.text import Text

    from fsprobe.report.text import fold, fold_command, safe

    word, style = ("ok", "green") if item.ok else ("LACK", "bold red") if item.needed else ("lack", "yellow")
    lines = fold(safe(item.detail), 80 - 7 - _NAME)
    yield Text("  ").append(f"{word:<5}", style).append(f"{item.name:<{_NAME}}").append(lines[0])
    indent = " " * (7 + _NAME)
    yield from (Text(indent + line) for line in lines[1:])
    if not item.ok:
        yield from (Text(indent + line, "dim") for line in fold(item.matters, 80 - len(indent)))
        if item.mend:
            wrap = fold_command if item.mend.startswith("sudo ") else fold
            yield from (Text(indent + line, "bold") for line in wrap(item.mend, 80 - len(indent)))
