"""`fsprobe report`: a result file in another format.

Owns the choice of the format; knows nothing of any.
"""

from __future__ import annotations

import sys

import rich_click as click


@click.command()
@click.argument("result", metavar="RESULT.json")
@click.option("--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True,
              help="What to make of it.")
@click.option("-v", "--verbose", is_flag=True, help="Every check.")
def report(result: str, form: str, verbose: bool) -> None:
    """Show the result of an earlier run, written with --json."""
    from fsprobe.results.document import dumps, load

    document = load("/dev/stdin" if result == "-" else result)
    if form == "json":
        print(dumps(document), end="")
        return
    from fsprobe.report.terminal import print_report

    print_report(document, sys.stdout, verbose=verbose)
