"""`fsprobe trace`: the traffic of a file system, live and decoded.

Owns the options, the files that are written and the words around the lines; knows nothing of how traffic is seen.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import rich_click as click

from fsprobe.cli.seconds import Seconds

if TYPE_CHECKING:
    from fsprobe.runners.target_run import TargetRun
    from fsprobe.runners.tracing import Sink
    from fsprobe.runners.tracing_target import TargetTrace


@click.command()
@click.argument("target", required=False, metavar="[TARGET] [-- ARGS...]")
@click.option("--mount", "mounted", metavar="DIR", help="A FUSE mount that is there already, in place of TARGET; root.")
@click.option("--at", metavar="DIR", help="Mount the target on this empty directory.")
@click.option("--do", "command", metavar="CMD", help="Run this shell command in the mount, and end with it.")
@click.option("--op", "ops", multiple=True, metavar="OP,...", help="Only these operations.")
@click.option("--path", "paths", multiple=True, metavar="GLOB", help="Only these paths, from the mount's root.")
@click.option("--errno", "errnos", multiple=True, metavar="NAME,...", help="Only these errors; any for every error.")
@click.option("--slower-than", type=Seconds(min=0), default=0.0, metavar="MS", help="Only what took longer.")
@click.option("-c", "--summary-only", is_flag=True, help="No lines, only the table at the end.")
@click.option("-o", "--output", metavar="FILE", help="Write the lines to this file.")
@click.option("--json", "json_path", metavar="FILE", help="Write JSON lines (trace.schema.json, fsprobe.trace/1).")
@click.option("--chrome", "chrome_path", metavar="FILE", help="Write Chrome trace events: open it in ui.perfetto.dev.")
@click.option("--start-timeout", type=Seconds(min=0, min_open=True), default=10.0, metavar="S",
              show_default=True, help="Until the daemon must serve.")
@click.pass_context
def trace(context: click.RichContext, /, target: str | None, mounted: str | None, **given: Any) -> int:
    """Show the requests of a file system live and decoded: time, caller, operation, path, arguments, result, latency.

    fsprobe trace TARGET mounts the target (as fsprobe run starts it) on a fresh directory and names it: work there from
    another terminal; Ctrl-C ends the trace and takes the mount away. --at DIR mounts on DIR instead. --do CMD runs one
    shell command in the mount, out of everybody's sight, and ends with it. Lines go to standard output, or to standard
    error with --do, whose command has the other; the table of counts and latencies follows at the end.

    fsprobe trace --mount DIR watches a FUSE mount that somebody else started, by the kernel's tracepoints: as root, on
    Linux 6.12 or newer, without paths and arguments. The mount is not touched.

    Exit status: 0, or 1 where the command of --do failed, 2 usage, 4 the target did not start, 6 this machine or user
    cannot, 130 interrupted while starting.
    """
    behind = tuple(context.obj or ())
    _check(target, mounted, behind, given)
    with _opened(given, sys.stderr if given["command"] else sys.stdout) as files:
        if mounted is not None:
            return _trace_mount(mounted, given, files)
        return _trace_target(target, behind, given, files)


def _check(target: str | None, mounted: str | None, behind: Sequence[str], given: dict[str, Any]) -> None:
    from fsprobe.errors import UsageError

    if mounted is None:
        return
    if target is not None or behind:
        raise UsageError("--mount DIR stands in place of TARGET", command=f"fsprobe trace --mount {mounted}")
    for name in ("at", "command"):
        if given[name] is not None:
            raise UsageError(f"--mount and --{'do' if name == 'command' else name} exclude each other",
                             causes=("the mount is there already, and anybody can use it",))  # fmt: skip
    if given["paths"]:
        fact = "--path needs a TARGET: the kernel's tracepoints tell no paths"
        raise UsageError(fact, command="fsprobe trace TARGET --path GLOB")


class _Files:
    """Where the lines, the words around them, and the exports go."""

    def __init__(self, screen: IO[str], lines: IO[str] | None, json: IO[str] | None, chrome: IO[str] | None) -> None:
        self.screen, self.lines, self.json, self.chrome = screen, lines, json, chrome

    def say(self, line: str) -> None:
        if self.lines is not None:
            self.lines.write(line + "\n")
            self.lines.flush()

    @staticmethod
    def tell(text: str) -> None:
        from fsprobe.report.text import safe

        print(f"fsprobe: {safe(text)}", file=sys.stderr, flush=True)


@contextmanager
def _opened(given: dict[str, Any], screen: IO[str]) -> Iterator[_Files]:
    files = {name: _open(given[name]) for name in ("output", "json_path", "chrome_path")}
    lines = None if given["summary_only"] else files["output"] or screen
    try:
        yield _Files(screen, lines, files["json_path"], files["chrome_path"])
    finally:
        for file in files.values():
            if file is not None:
                file.close()


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for the reader of a named pipe; what is written later may wait for it."""
    fd = os.open(path, flags | os.O_NONBLOCK, 0o666)
    os.set_blocking(fd, True)
    return fd


def _open(path: str | None) -> IO[str] | None:
    from fsprobe.errors import UsageError

    if path is None:
        return None
    try:
        return open(path, "w", encoding="utf-8", opener=_at_once)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise UsageError(f"{path} cannot be written: nobody reads from this pipe") from error
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _sink(files: _Files, given: dict[str, Any], about: dict[str, Any]) -> Sink:
    from fsprobe.runners.tracing import Export, Sink
    from fsprobe.trace.export import ChromeTrace, JsonLines
    from fsprobe.trace.filters import parse
    from fsprobe.trace.lines import Lines

    filters = parse(given["ops"], given["paths"], given["errnos"], given["slower_than"])
    offset = time.time_ns() - time.monotonic_ns()
    exports: list[Export] = [
        *([JsonLines(files.json, offset, about)] if files.json else []),
        *([ChromeTrace(files.chrome)] if files.chrome else []),
    ]
    return Sink(filters, Lines(offset), files.say, files.tell, exports)


def _finish(files: _Files, summary: dict[str, Any], reason: str) -> None:
    from fsprobe.report.trace_table import table

    for line in table(summary, reason):
        print(line, file=files.screen)
    files.screen.flush()


def _trace_target(target: str | None, behind: tuple[str, ...], given: dict[str, Any], files: _Files) -> int:
    from fsprobe.cli.interrupt import interruptible
    from fsprobe.config import project as projects
    from fsprobe.config.target import resolve
    from fsprobe.runners.tracing_target import TargetTrace, TraceOptions

    with interruptible():
        project = projects.find()
        name = target or project.default
        known = name is not None and name in project.targets
        resolved = project.target(name or "", behind) if known else resolve(name, behind, tuple(project.targets))
        options = TraceOptions(resolved, given["at"] or "", given["command"] or "", given["start_timeout"])
        sink = _sink(files, given, {"source": "relay", "target": resolved.name})
        run = TargetTrace(options, sink, lambda life: _mounted(files, life, given["command"]))
        summary = run.run()
    _finish(files, summary, run.reason)
    return _status(run)


def _status(run: TargetTrace) -> int:
    if run.life_began:
        return 1 if run.status else 0
    return 130


def _mounted(files: _Files, life: TargetRun, command: str | None) -> None:
    if command is None:
        files.tell(f"mounted on {life.mountpoint} (pid {life.pid}); work there from another terminal, Ctrl-C ends it")


def _trace_mount(mounted: str, given: dict[str, Any], files: _Files) -> int:
    from fsprobe.cli.interrupt import interruptible
    from fsprobe.runners.tracing_mount import MountTrace, require_fuse

    with interruptible():
        mount = require_fuse(mounted, "--mount")
        about = {"source": "tracepoints", "target": mount.source, "mountpoint": mount.mountpoint,
                 "connection": mount.minor}  # fmt: skip
        sink = _sink(files, given, about)
        told = f"connection {mount.minor}, {mount.fs_type} on {mount.mountpoint}; Ctrl-C ends the trace"
        run = MountTrace(mount, sink, lambda: files.tell(told))
        summary = run.run()
    _finish(files, summary, run.reason)
    return 0
