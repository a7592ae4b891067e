"""`fsprobe compare`: two results, or many side by side.

Owns the choice of the format and the exit code; what is worse is `results.compare`'s.
"""

from __future__ import annotations

import sys
from typing import Any

import rich_click as click

from fsprobe.cli.seconds import Seconds
from fsprobe.errors import UsageError
from fsprobe.results.compare import SLOWER

FORMATS = ("terminal", "markdown", "html")
REGRESSIONS = 1


@click.command()
@click.argument("results", nargs=-1, metavar="A.json B.json...", type=click.Path())
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", show_default=True,
              help="What to make of it.")
@click.option("-o", "--output", metavar="FILE", help="Write it there in place of standard output.")
@click.option("--slower", type=Seconds(min=1, min_open=True), default=SLOWER, metavar="RATIO",
              show_default=True, help="Of medians, from which an operation counts as slower.")
@click.option("-v", "--verbose", is_flag=True, help="Every check (terminal).")
def compare(results: tuple[str, ...], form: str, output: str | None, slower: float, verbose: bool) -> int:
    """Compare two results, or put several targets side by side.

    Of two, A is before and B after: what is worse (PASS, WARN, UNSUPPORTED, FAIL, NOTRUN, HANG, CRASH, in this order),
    fixed, new, gone, and slower. Operations that are slower do not change the exit status: it depends on the machine.

    Exit status: 0 no regression (or more than two results), 1 regressions, 2 usage.
    """
    from fsprobe.results.compare import names
    from fsprobe.results.document import load

    if len(results) < 2:
        raise UsageError(
            "a comparison needs two results or more",
            causes=("fsprobe run TARGET --json FILE writes one",),
            command="fsprobe compare BEFORE.json AFTER.json",
        )
    documents: list[dict[str, Any]] = [load(path) for path in results]
    from fsprobe.report.comparison import view

    seen = view(documents, names(documents, results), slower=slower)
    _show(seen, form, output, verbose)
    return 0 if seen.good else REGRESSIONS


def _show(seen: Any, form: str, output: str | None, verbose: bool) -> None:
    from fsprobe.report import comparison_html, comparison_markdown, comparison_text
    from fsprobe.report.json_file import put, say
    from fsprobe.report.terminal import print_lines
    from fsprobe.report.text import wide_as

    if form == "terminal":
        if output in (None, "-"):
            with wide_as(sys.stdout):
                print_lines(comparison_text.lines(seen, verbose=verbose), sys.stdout)
            return
        said = "".join(f"{line.plain}\n" for line in comparison_text.lines(seen, verbose=verbose))
    else:
        said = (comparison_html if form == "html" else comparison_markdown).text(seen)
    if output in (None, "-"):
        say(said, sys.stdout)
    else:
        put(said, str(output))
