"""`fsprobe baseline`: write or update the file of known failures.

Owns the options and what is told of the update; the update itself is `results.baseline_file`'s.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import rich_click as click

from fsprobe.errors import UsageError

DEFAULT = "fsprobe-baseline.toml"


@click.command()
@click.argument("result", metavar="RESULT.json")
@click.option("-o", "--output", metavar="FILE", default=DEFAULT, show_default=True,
              help="The file to write or update; - prints it.")
@click.option("--reason", metavar="TEXT", help="Of every new entry; else the diagnosis that explains it.")
@click.option("--expires", metavar="DATE", help="The last day on which new entries hold, as 2030-12-31.")
@click.option("--strict", is_flag=True, help="Take in WARN and UNSUPPORTED too.")
def baseline(result: str, output: str, reason: str | None, expires: str | None, strict: bool) -> int:
    """Write down the failures of a result as known ones, for fsprobe run --baseline FILE.

    What an existing file says is kept, with its comments and reasons: new failures are added, entries of checks that
    pass now or are gone are removed. Look at what it added before you commit it: a known failure is one that you
    accept.
    """
    from fsprobe.results.baseline_file import update, write
    from fsprobe.results.document import load

    until = _date(expires)
    if reason is not None and not reason.strip():
        raise UsageError("--reason is empty", causes=("every known failure says why it is accepted",))
    document = load("/dev/stdin" if result == "-" else result)
    made = update(document, _existing(output), name=output, strict=strict, reason=reason, expires=until)
    if output == "-":
        click.echo(made.text, nl=False)
        return 0
    write(output, made.text)
    for sign, ids in (("+", made.added), ("~", made.changed), ("-", made.removed)):
        for id in ids:
            click.echo(f"{sign} {id}")
    click.echo(f"{output}: {len(made.added)} added, {len(made.changed)} changed, {len(made.removed)} removed, "
               f"{len(made.kept)} kept")  # fmt: skip
    return 0


def _date(text: str | None) -> datetime.date | None:
    try:
        return None if text is None else datetime.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--expires {text!r} is no date", causes=("it is written as 2030-12-31",)) from None


def _existing(path: str) -> str:
    if path == "-":
        return ""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except IsADirectoryError as error:
        command = f"fsprobe baseline RESULT.json -o {Path(path) / DEFAULT}"
        raise UsageError(f"-o {path}: this is a directory", command=command) from error
    except OSError as error:
        raise UsageError(f"the baseline {path} cannot be read: {error.strerror}", command=f"ls -l {path}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the baseline {path} cannot be read: it is not text", causes=("another file was meant",),
                         command=f"fsprobe baseline RESULT.json -o {DEFAULT}") from error  # fmt: skip
