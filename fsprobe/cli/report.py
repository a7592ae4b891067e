"""`fsprobe report`: a result file in another format.

Owns the choice of the format; knows nothing of any.
"""

from __future__ import annotations

import sys

import rich_click as click

from fsprobe.report.formats import FORMATS, NAMES

_NAMED = "; ".join(f"{form.name}: {form.what}" for form in FORMATS).replace("`", "")


@click.command()
@click.argument("result", metavar="RESULT.json")
@click.option("--format", "form", type=click.Choice(NAMES), default="terminal", show_default=True,
              help=f"What to make of it. {_NAMED}.")
@click.option("-o", "--output", metavar="FILE", help="Write it there in place of standard output.")
@click.option("-v", "--verbose", is_flag=True, help="Every check (terminal).")
@click.option("--script", metavar="CHECK", help="The program that shows the failure of this check without fsprobe: "
              "run it with a mount of the file system as its argument.")
def report(result: str, form: str, output: str | None, verbose: bool, script: str | None) -> None:
    """Show the result of an earlier run, written with --json, in any format.

    RESULT.json may be - for standard input.
    """
    from fsprobe.report.formats import text
    from fsprobe.report.json_file import put, say
    from fsprobe.report.scripts import script_of
    from fsprobe.report.terminal import print_report
    from fsprobe.results.document import load

    document = load("/dev/stdin" if result == "-" else result)
    if script is not None:
        said = script_of(document, script)
        if output in (None, "-"):
            say(said, sys.stdout)
        else:
            put(said, str(output))
        return
    if output not in (None, "-"):
        put(text(document, form), str(output))
    elif form == "terminal":
        print_report(document, sys.stdout, verbose=verbose)
    else:
        say(text(document, form), sys.stdout)
