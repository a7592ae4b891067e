"""`fsprobe mutate`: the toolkit's own score on a target.

Owns the options, the progress and where the score goes; knows nothing of how faults are tried.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from typing import IO, Any

import rich_click as click

from fsprobe.cli.seconds import Seconds

_EVERY = 5.0  # seconds between two lines of progress where there is no terminal


@click.command()
@click.argument("target", required=False, metavar="[TARGET] [-- ARGS...]")
@click.option("--op", "ops", multiple=True, metavar="OP", help="Only faults of this operation; again for more.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND",
              help="Only faults of this kind, as in errno, attr.size, entries=lose; a glob; again for more.")
@click.option("--layer", "layers", multiple=True, type=click.Choice(["wire", "mount"]), help="Only in this layer.")
@click.option("--select", multiple=True, metavar="GLOB", help="Ask only checks whose id matches; again for more.")
@click.option("--quick", is_flag=True, help="Ask only the most telling checks.")
@click.option("--suite", "suites", multiple=True, metavar="NAME|PATH", help="Only this suite; again for more.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Of faults that come by chance.")
@click.option("--timeout", type=Seconds(min=0, min_open=True), default=3.0, show_default=True, metavar="S",
              help="Until one request counts as hung.")
@click.option("--start-timeout", type=Seconds(min=0, min_open=True), default=10.0, metavar="S",
              show_default=True, help="Until the daemon must serve.")
@click.option("--jobs", type=click.IntRange(min=1, max=16), metavar="N",
              help="Daemons side by side; else 2, or 1 where they would share a source.")
@click.option("--json", "json_path", metavar="FILE", help="Write the score as JSON; - is standard output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("-v", "--verbose", is_flag=True, help="Every fault and the check that caught it.")
@click.pass_context
def mutate(
    context: click.RichContext, /, target: str | None, json_path: str | None, quiet: bool, verbose: bool, **given: Any
) -> int:
    """Score fsprobe itself: inject faults one by one and see which checks notice.

    First TARGET runs without a fault, so that it is known which operations it serves and which checks pass. Then every
    kind of fault (fsprobe list --rules) is injected on every operation where it can be seen, and the checks are asked
    that may notice it, until one does. A fault is caught where a check turns red, and blamed right where that check
    names the operation which has the fault.

    Exit status: 0 every fault was caught and blamed right, 1 some were not, 2 usage, 4 the target did not start.
    """
    from fsprobe.cli.interrupt import interruptible
    from fsprobe.cli.outcome import require_writable
    from fsprobe.config.built_in import REFERENCE
    from fsprobe.config.target import resolve
    from fsprobe.report.json_file import put
    from fsprobe.report.mutation import lines
    from fsprobe.results.mutation import dumps
    from fsprobe.runners.mutate import MutateOptions, jobs_for, run
    from fsprobe.runners.mutate_score import document

    if json_path not in (None, "-"):
        require_writable("--json", str(json_path), "score.json")
    found = resolve(target or REFERENCE, tuple(context.obj or ()))
    given["jobs"] = given["jobs"] or jobs_for(found)
    _check(given["ops"])
    _check_kinds(given["kinds"])
    given["ops"] = tuple(op.upper() for op in given["ops"])
    options = MutateOptions(target=found, **given)
    with interruptible():
        made = document(run(options, _silent if quiet else _Progress(sys.stderr)))
    screen = sys.stderr if json_path == "-" else sys.stdout
    if json_path == "-":
        sys.stdout.write(dumps(made))
    elif json_path is not None:
        put(dumps(made), json_path)
    for line in lines(made, verbose=verbose):
        print(line, file=screen)
    return int(made["summary"]["exit_code"])


def _check(ops: Sequence[str]) -> None:
    """Raises UsageError for an operation that there is not."""
    from fsprobe.errors import UsageError
    from fsprobe.relay.kinds import near
    from fsprobe.wire import Opcode

    known = [opcode.name for opcode in Opcode]
    for op in ops:
        if op.upper() not in known:
            hint = near(op, known)
            raise UsageError(f"--op {op!r} is no FUSE operation", causes=(hint,) if hint else ())


def _check_kinds(globs: Sequence[str]) -> None:
    """Raises UsageError for one that no kind of fault matches: better now than after the run without a fault."""
    from fsprobe.errors import UsageError
    from fsprobe.relay.kinds import KINDS, near

    known = sorted(KINDS)
    for glob in globs:
        family = re.split(r"[.=*?\[]", glob)[0]
        if not any(name.startswith(family) for name in known):
            hint = near(glob, known)
            causes = (hint,) if hint else (f"there are: {', '.join(known)}",)
            raise UsageError(f"--kind {glob!r} matches no kind of fault", causes=causes, command="fsprobe list --rules")


def _silent(what: str, done: int, total: int) -> None:
    """Nobody watches."""


class _Progress:
    """One line that is written over on a terminal; elsewhere a line now and then."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._live, self._last = stream, stream.isatty(), time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Told of every step."""
        now, last_step = time.monotonic(), done == total
        if self._live and (last_step or now - self._last > 0.1):
            self._last = now
            self._stream.write(f"\r{what}: {done} of {total}\x1b[K" + "\n" * last_step)
            self._stream.flush()
        elif not self._live and (last_step or now - self._last > _EVERY):
            self._last = now
            print(f"{what}: {done} of {total}", file=self._stream, flush=True)
