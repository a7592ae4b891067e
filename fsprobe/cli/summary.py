"""`fsprobe summary`: one page of what was measured.

Owns reading the results and the choice of the form; knows nothing of any.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import rich_click as click

from fsprobe.errors import UsageError


@click.command()
@click.argument("results", nargs=-1, metavar="RESULT.json...", type=click.Path())
@click.option("--format", "form", type=click.Choice(["terminal", "markdown", "html"]), default="terminal",
              show_default=True, help="What to make of it.")
@click.option("-o", "--output", metavar="FILE", help="Write it there in place of standard output.")
def summary(results: tuple[str, ...], form: str, output: str | None) -> None:
    """Put benchmarks, and the conformance of the same targets, on one page.

    RESULT.json are results of fsprobe bench, and of fsprobe run to show conformance beside speed. Every number on the
    page comes from one of them.
    """
    from fsprobe.bench import document as benches
    from fsprobe.report import summary as forms
    from fsprobe.report.json_file import put, say
    from fsprobe.report.summary_data import page_of
    from fsprobe.report.terminal import print_lines
    from fsprobe.results import document

    if not results:
        raise UsageError("there is no result to summarise", command="fsprobe bench TARGET --json RESULT.json")
    conformance = [path for path in results if _schema(path) == document.SCHEMA]
    measured = [benches.load(path) for path in results if path not in conformance]
    if not measured:
        raise UsageError(f"{', '.join(conformance)}: of fsprobe run, and there is no benchmark to go with it",
                         command=f"fsprobe report {shlex.quote(conformance[0])}")  # fmt: skip
    page = page_of(measured, [document.load(path) for path in conformance])
    if form == "terminal" and output in (None, "-"):
        print_lines(forms.lines(page), sys.stdout)
        return
    if form == "terminal":
        said = "".join(f"{line.plain}\n" for line in forms.lines(page))
    else:
        said = forms.html(page) if form == "html" else forms.markdown(page)
    if output in (None, "-"):
        say(said, sys.stdout)
    else:
        put(said, str(output))


def _schema(path: str) -> object:
    """What a file says that it is; None where it does not say, which is then told by whoever loads it."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found.get("schema") if isinstance(found, dict) else None
