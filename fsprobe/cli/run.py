"""`fsprobe run`: the main job.

Owns the options and what is done with the result; knows nothing of how a run works. The options here are exactly
those that work.
"""

from __future__ import annotations

import sys
from typing import Any

import rich_click as click
from click.core import ParameterSource

from fsprobe.cli import completion
from fsprobe.cli.seconds import Seconds

_WRITTEN = ("json", "junit", "markdown", "html")
"""Formats that a run writes, in this order: the one from which all others can be made is first."""


@click.command()
@click.argument("target", required=False, metavar="[TARGET] [-- ARGS...]", shell_complete=completion.targets)
@click.option("--suite", "suites", multiple=True, metavar="NAME|PATH", shell_complete=completion.suites,
              help="Only this suite; again for more.")
@click.option("--select", multiple=True, metavar="GLOB,...", shell_complete=completion.checks,
              help="Only checks whose id matches; again for more.")
@click.option("--op", "ops", multiple=True, metavar="OP,...", shell_complete=completion.operations,
              help="Only checks of this operation; again for more.")
@click.option("--quick", is_flag=True, help="Only the most telling checks.")
@click.option("--no-mount", is_flag=True, help="The wire layer only: fsprobe plays the kernel.")
@click.option("--no-relay", is_flag=True, help="Let the daemon hold /dev/fuse itself; no traffic is seen.")
@click.option("--native", metavar="DIR", help="Check this directory in place of a TARGET.")
@click.option("--expect", type=click.Choice(["full", "read-only", "object-store"]),
              help="What the target is meant to be; what such a one may decline is no failure.")
@click.option("--strict", is_flag=True, help="WARN and UNSUPPORTED are unexpected too.")
@click.option("--start-timeout", type=Seconds(min=0, min_open=True), default=10.0, metavar="S",
              show_default=True, help="Until the daemon must serve.")
@click.option("--timeout", type=Seconds(min=0, min_open=True), default=10.0, metavar="S",
              show_default=True, help="Until one command or request counts as hung.")
@click.option("--inject", multiple=True, metavar="RULE",
              help="Alter the traffic, as in SETATTR:errno=ENOSYS; fsprobe list --rules has the language.")
@click.option("--baseline", metavar="FILE", help="Known failures, written by fsprobe baseline.")
@click.option("--config", metavar="FILE", help="In place of the nearest fsprobe.toml or pyproject.toml.")
@click.option("--json", metavar="FILE", help="Write the result as JSON; - is standard output.")
@click.option("--junit", metavar="FILE", help="Write it as JUnit XML.")
@click.option("--markdown", metavar="FILE", help="Write it as Markdown, for an issue or a CI summary.")
@click.option("--html", metavar="FILE", help="Write it as one HTML page.")
@click.option("--seed", type=int, metavar="N", help="Of every random choice.")
@click.option("--keep", is_flag=True, help="Keep the run directory and name it.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("-v", "--verbose", is_flag=True, help="Every check, and the daemon's starts.")
@click.pass_context
def run(context: click.RichContext, /, target: str | None, **given: Any) -> int:
    """Probe a file system, say what is wrong and why.

    TARGET is a binary (started as TARGET MOUNTPOINT -f ARGS), a command in quotes with {mountpoint} and maybe
    {source}, a name from fsprobe.toml, or vexfs, vexfs:PROFILE: the built-in reference, also where no TARGET is
    given and the configuration has no default.

    Exit status: 0 as expected, 1 unexpected verdicts, 2 usage, 3 fsprobe's own error, 4 the target did not start,
    5 nothing was checked, 6 this machine cannot, 130 interrupted.
    """
    from fsprobe.cli.options import options_of
    from fsprobe.cli.outcome import Reporter, run_and_report
    from fsprobe.config.built_in import REFERENCE

    typed = {name for name in given if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    quiet, verbose = given.pop("quiet"), given.pop("verbose")
    behind = tuple(context.obj or ())
    asked = {form: given.pop(form) for form in _WRITTEN}
    reporter = Reporter.open(asked, sys.stdout, sys.stderr, verbose=verbose)
    name = given["native"] or target or REFERENCE
    return run_and_report(lambda: options_of(target, behind, typed, **given), name, reporter, quiet=quiet)
