"""`fsprobe bench`: the same work on several targets in turns, and vectors beside other stores.

Owns the options, the result and the exit code; knows nothing of the work.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import IO, Any

import rich_click as click

from fsprobe.cli import completion
from fsprobe.cli.seconds import Seconds
from fsprobe.errors import UsageError

REGRESSED, NOT_STARTED, NOTHING, INTERRUPTED = 1, 4, 5, 130
VECTORS = "vectors"
AGAIN = 2
"""How often what seems slower is measured again: a burst of other load seldom comes three times to the same row."""


@click.command()
@click.argument("targets", nargs=-1, metavar="TARGET... | vectors [SYSTEM...]", shell_complete=completion.targets)
@click.option("--native", default="", metavar="DIR", help="The kernel's own file system to compare with, where each "
              "{source} lies too; by default a fresh directory in memory.")
@click.option("--quick", is_flag=True, help="Less work and fewer rows; data by fsprobe's own loops.")
@click.option("--only", multiple=True, type=click.Choice(["metadata", "data", "files", "scaling"]),
              help="Only these rows; again for more.")
@click.option("--rounds", type=click.IntRange(min=1, max=99), metavar="N", help="Samples of each cell; by default as "
              "many as it takes, 7 to 25, or 3 to 7 with --quick.")
@click.option("--seed", type=click.IntRange(min=0), default=42, show_default=True, metavar="N",
              help="Of every random choice.")
@click.option("--timeout", type=Seconds(min=0, min_open=True), default=30.0, show_default=True, metavar="S",
              help="Without a sign of life, after which a target counts as hung.")
@click.option("--inject", multiple=True, metavar="RULE", help="Alter the traffic of every target, as in "
              "RENAME:delay=0.01; all then goes through the relay.")
@click.option("--config", metavar="FILE", help="In place of the nearest fsprobe.toml or pyproject.toml.")
@click.option("--json", "json_path", metavar="FILE", help="Write the result; - is standard output.")
@click.option("--against", metavar="RESULT.json", help="An earlier result: exit 1 where something has become slower.")
@click.option("--tolerance", default="25%", show_default=True, metavar="N%", help="Of --against.")
@click.option("--weaviate", metavar="URL", help="Of a server to measure; embedded: one that its package fetches and "
              "starts (vectors).")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.pass_context
def bench(
    context: click.RichContext, /, targets: tuple[str, ...], json_path: str | None, against: str | None,
    tolerance: str, quiet: bool, weaviate: str | None, config: str | None, **given: Any,
) -> int:  # fmt: skip
    """Measure targets side by side: the same work on each, in turns, beside the kernel's own file system.

    The daemon holds its real device, nothing stands in between; before and after every figure it is made sure that the
    mount is there and takes and gives data. A target that hangs, crashes or fills up gets that word in place of a
    figure. Latencies on the wire come from a pass of their own.

    `fsprobe bench vectors [SYSTEM...]`: VexFS through its mount beside chromadb, qdrant and weaviate (pip install
    fsprobe[bench]); SYSTEM is one of these, or a target with VexFS's vector interface.

    What --against finds slower is measured again, twice, and counts where it is slower each time.

    Exit status: 0 measured, 1 slower than --against allows, 2 usage, 4 a target did not start, 5 no figure at all, 130
    interrupted (what was measured is still written).
    """
    from fsprobe.bench import document
    from fsprobe.cli.bench_progress import Progress
    from fsprobe.cli.interrupt import interruptible
    from fsprobe.cli.outcome import require_writable

    if not targets:
        raise UsageError("there is no TARGET to measure", command="fsprobe bench vexfs:raw --quick")
    if json_path not in (None, "-"):
        require_writable("--json", str(json_path), "bench.json")
    before = document.load(against) if against is not None else None
    allowed = _tolerance(tolerance)
    screen = sys.stderr if json_path == "-" else sys.stdout
    progress = Progress(None if quiet else sys.stderr)
    with interruptible():
        if targets[0] == VECTORS:
            made = _vectors(targets[1:], context.obj, config, given, before is not None, weaviate, progress)
        else:
            made = _targets(targets, context.obj, config, given, before, allowed, tolerance, progress)
    _put(made, json_path)
    _print(made, screen)
    return _exit_code(made)


def _targets(
    targets: tuple[str, ...], behind: Any, config: str | None, given: dict[str, Any], before: Any, allowed: float,
    tolerance: str, progress: Any,
) -> dict[str, Any]:  # fmt: skip
    """Measure; what is slower than before is measured again. What an interrupt left is a result too."""
    from dataclasses import replace

    from fsprobe.bench.against import compare
    from fsprobe.bench.options import BenchOptions, expected
    from fsprobe.bench.turns import Interrupted, run
    from fsprobe.relay import rules

    for rule in given["inject"]:
        rules.parse(rule)
    options = BenchOptions(targets=_resolved(targets, tuple(behind or ()), config), **given)
    progress.begin(len(options.targets), expected(options))
    try:
        made = run(options, progress)
        if before is None:
            return made
        found = compare(before, made, allowed)
        if not found.compared:
            names = [", ".join(target["name"] for target in one["targets"][:-1]) for one in (before, made)]
            raise UsageError("the earlier result has no cell in common with this run",
                             causes=(f"there: {names[0]}", f"here: {names[1]}"))  # fmt: skip
        known = {row["id"] for row in made["rows"]}
        sure = list(found.slower)
        for number in range(AGAIN):
            doubted = frozenset(one.row for one in sure if one.row in known)
            if not doubted:
                break
            progress(f"what seems slower, measured again · {number + 1}", number, AGAIN)
            again = compare(before, run(replace(options, rows=doubted, rounds=options.rounds or 9), progress), allowed)
            still = {(one.row, one.target) for one in again.slower}
            sure = [one for one in sure if (one.row, one.target) in still or one.row not in known]
    except Interrupted as interrupted:
        return interrupted.document
    finally:
        progress.end()
    made["against"] = {
        "tolerance": tolerance, "compared": found.compared, "notes": list(found.notes),
        "slower": [one.told() for one in sure], "not_again": [one.told() for one in found.slower if one not in sure],
    }  # fmt: skip
    return made


def _resolved(targets: tuple[str, ...], behind: tuple[str, ...], config: str | None) -> tuple[Any, ...]:
    """The targets, those of the configuration among them."""
    from fsprobe.config import project as projects
    from fsprobe.config.target import resolve

    project = projects.find() if config is None else projects.load(config)
    found = []
    for text in targets:
        if project.native_of(text) is not None:
            raise UsageError(f"{text!r} is a mounted directory, which no daemon is started for",
                             command=f"fsprobe bench TARGET --native {project.native_of(text)}")  # fmt: skip
        known = text in project.targets
        found.append(project.target(text, behind) if known else resolve(text, behind, tuple(project.targets)))
    return tuple(found)


def _vectors(
    systems: tuple[str, ...], behind: Any, config: str | None, given: dict[str, Any], against: bool,
    weaviate: str | None, progress: Any,
) -> dict[str, Any]:  # fmt: skip
    """Vectors in the databases and targets that are named, or in all that there are."""
    from fsprobe.cli.bench_vectors import run

    def resolved(words: tuple[str, ...]) -> tuple[Any, ...]:
        return _resolved(words, tuple(behind or ()), config)

    try:
        return run(systems, resolved, given, weaviate, against, progress)
    finally:
        progress.end()


def _tolerance(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text.strip())
    if found is None:
        raise UsageError(f"--tolerance {text!r} is no percentage", command="--tolerance 25%")
    return float(found[1]) / 100


def _put(made: Mapping[str, Any], path: str | None) -> None:
    """The result first: whatever becomes of the screen, it is there."""
    from fsprobe.bench import document
    from fsprobe.report.json_file import put, say

    if path == "-":
        say(document.dumps(made), sys.stdout)
    elif path is not None:
        put(document.dumps(made), path)


def _print(made: Mapping[str, Any], screen: IO[str]) -> None:
    from fsprobe.report.summary import lines
    from fsprobe.report.summary_data import page_of
    from fsprobe.report.terminal import print_lines

    print_lines(lines(page_of([made], [])), screen)


def _exit_code(made: Mapping[str, Any]) -> int:
    if made.get("interrupted"):
        return INTERRUPTED
    if (made.get("against") or {}).get("slower"):
        return REGRESSED
    if made["vectors"]:
        return 0 if any(row["status"] == "ok" for row in made["vectors"]) else NOTHING
    names = [target["name"] for target in made["targets"] if target["name"] != "native"]
    measured = {name for row in made["rows"] for name in names if "median" in row["cells"][name]}
    marks = {row["cells"][name].get("mark") for row in made["rows"] for name in names if name not in measured}
    if marks & {"did not start", "cannot mount"}:
        return NOT_STARTED
    return 0 if measured else NOTHING
