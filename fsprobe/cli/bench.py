"""`fsprobe bench`: the same work on several targets in turns, and vectors beside other stores.

Owns the options, the progress and the exit code; knows nothing of the work.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import rich_click as click

from fsprobe.errors import UsageError

REGRESSED, VECTORS = 1, "vectors"


@click.command()
@click.argument("targets", nargs=-1, metavar="TARGET... | vectors")
@click.option("--native", default="", metavar="DIR", help="The kernel's own file system to compare with; by default a "
              "fresh directory on local disk.")
@click.option("--quick", is_flag=True, help="Less work and fewer rows.")
@click.option("--only", multiple=True, type=click.Choice(["metadata", "data", "scaling"]), help="Only these rows.")
@click.option("--rounds", type=click.IntRange(min=1, max=99), metavar="N", help="Samples of a cell: 5, 3 with --quick.")
@click.option("--seed", type=int, default=42, show_default=True, metavar="N", help="Of every random choice.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True, metavar="S",
              help="Of one sample; one that takes longer is marked as hanging.")
@click.option("--json", "json_path", metavar="FILE", help="Write the result; - is standard output.")
@click.option("--against", metavar="RESULT.json", help="An earlier result: exit 1 where something has become slower.")
@click.option("--tolerance", default="25%", show_default=True, metavar="N%", help="Of --against.")
@click.option("--weaviate", metavar="URL", help="A server to measure beside the others (vectors).")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.pass_context
def bench(
    context: click.RichContext, /, targets: tuple[str, ...], json_path: str | None, against: str | None,
    tolerance: str, quiet: bool, weaviate: str | None, **given: Any,
) -> int:  # fmt: skip
    """Measure targets side by side: the same work on each, in turns, beside the kernel's own file system.

    The daemon holds its real device, nothing stands in between; before and after every figure it is made sure that the
    mount is there and takes and gives data. A target that hangs, crashes or fills up gets that word in place of a
    figure. Latencies on the wire come from a pass of their own.

    `fsprobe bench vectors`: VexFS through its mount beside ChromaDB, Qdrant and Weaviate (pip install fsprobe[bench]).

    Exit status: 0 measured, 1 slower than --against allows, 2 usage, 5 no figure at all.
    """
    from fsprobe.bench import against as earlier
    from fsprobe.bench import document
    from fsprobe.cli.interrupt import interruptible
    from fsprobe.cli.outcome import require_writable
    from fsprobe.report.summary import lines
    from fsprobe.report.summary_data import page_of
    from fsprobe.report.terminal import print_lines

    if not targets:
        raise UsageError("there is no TARGET to measure", command="fsprobe bench vexfs:raw --quick")
    if json_path not in (None, "-"):
        require_writable("--json", str(json_path), "bench.json")
    before = document.load(against) if against is not None else None
    allowed = _tolerance(tolerance)
    told = _silent if quiet else _told
    with interruptible():
        made = _vectors(given, weaviate, told) if targets == (VECTORS,) else _targets(targets, context.obj, given, told)
    if json_path == "-":
        sys.stdout.write(document.dumps(made))
    elif json_path is not None:
        Path(json_path).write_text(document.dumps(made), encoding="ascii")
    screen = sys.stderr if json_path == "-" else sys.stdout
    print_lines(lines(page_of([made], [])), screen)
    if before is not None:
        found, compared = earlier.regressions(before, made, allowed)
        for one in found:
            times = f" ({one.times:.2f} times)" if one.times is not None else ""
            print(f"slower: {one.target}: {one.row}: {one.before} → {one.now}{times}", file=screen)
        print(f"{len(found)} of {compared} cells are more than {tolerance} slower than in {against}", file=screen)
        if not compared:
            raise UsageError(f"{against} has no cell in common with this run")
        return REGRESSED if found else 0
    measured = any("median" in cell for row in made["rows"] for name, cell in row["cells"].items() if name != "native")
    return 0 if measured or any(row["status"] == "ok" for row in made["vectors"]) else 5


def _targets(targets: tuple[str, ...], behind: Any, given: dict[str, Any], told: Any) -> dict[str, Any]:
    from fsprobe.bench.turns import BenchOptions, run
    from fsprobe.config.target import resolve

    found = tuple(resolve(text, tuple(behind or ())) for text in targets)
    if given["native"] and not Path(given["native"]).is_dir():
        raise UsageError(f"--native {given['native']}: there is no such directory")
    given["rounds"] = given["rounds"] or (3 if given["quick"] else 5)
    return run(BenchOptions(targets=found, **given), told)


def _vectors(given: dict[str, Any], weaviate: str | None, told: Any) -> dict[str, Any]:
    from fsprobe.bench.vectors import run

    return run(quick=given["quick"], weaviate=weaviate or "", told=told)


def _tolerance(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)%", text.strip())
    if found is None:
        raise UsageError(f"--tolerance {text!r} is no percentage", command="--tolerance 25%")
    return float(found[1]) / 100


def _silent(what: str, done: int, total: int) -> None:
    """Nobody watches."""


_last: list[str] = []


def _told(what: str, done: int, total: int) -> None:
    """One line that is written over on a terminal; elsewhere a line for each new row."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {total} · {what[:60]}\x1b[K" + "\n" * (done == total))
        sys.stderr.flush()
        return
    row = what.partition(" · ")[0]
    if _last != [row]:
        _last[:] = [row]
        print(f"{done} of {total} · {row}", file=sys.stderr, flush=True)
