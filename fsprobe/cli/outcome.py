"""What becomes of a run, whatever its end: the report is printed, the results asked for are written.

Owns the order of those and the exit code; knows nothing of options. With `--json -` (or `--junit -`, …) that format
has standard output for itself and the report goes to standard error.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from fsprobe.cli.interrupt import interruptible
from fsprobe.errors import FsprobeError, TargetError, UsageError
from fsprobe.runners.events import Event
from fsprobe.runners.options import RunOptions

_ENDING = (signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130
_SUFFIX = {"junit": "xml", "markdown": "md"}


@dataclass(frozen=True, slots=True)
class Reporter:
    """Where the report and the results go. files: names of formats with the paths that were asked for."""

    files: tuple[tuple[str, str], ...]
    screen: IO[str]
    machine: IO[str]
    progress: IO[str]
    verbose: bool

    @classmethod
    def open(cls, asked: Mapping[str, str | None], out: IO[str], err: IO[str], *, verbose: bool) -> Reporter:
        """Raises UsageError where a file cannot be written: better now than after the run.

        asked: by the name of the format a path, `-` for standard output, None where it was not asked for.
        """
        files = tuple((form, path) for form, path in asked.items() if path is not None)
        for form, path in files:
            if path != "-":
                require_writable(f"--{form}", path, f"result.{_SUFFIX.get(form, form)}")
        _require_different(files)
        return cls(files, err if any(path == "-" for _, path in files) else out, out, err, verbose)

    def finish(self, document: Mapping[str, Any]) -> None:
        """Write the results, then print the report. What fails does not keep the others from theirs."""
        from fsprobe.report.terminal import print_report

        try:
            self.write(document)
        finally:
            with _reader_may_leave(self.screen):
                print_report(document, self.screen, verbose=self.verbose)
                self.screen.flush()

    def write(self, document: Mapping[str, Any]) -> None:
        """Write the results that were asked for, if any. Raises the first error once all were tried."""
        problems: list[Exception] = []
        for form, path in self.files:
            try:
                self._put(document, form, path)
            except Exception as error:  # noqa: BLE001 - raised below; a page that fails must not cost the JSON
                problems.append(error)
        if problems:
            raise problems[0]

    def _put(self, document: Mapping[str, Any], form: str, path: str) -> None:
        from fsprobe.report.formats import text
        from fsprobe.report.json_file import put, say

        said = text(document, form)
        if path != "-":
            put(said, path)
            return
        with _reader_may_leave(self.machine):
            say(said, self.machine)


def run_and_report(make: Callable[[], RunOptions], name: str, reporter: Reporter, *, quiet: bool) -> int:
    """Make the options, run, and see to the result. name: of the target, where it comes to no options.

    Returns the exit code. Raises what ended the run where the report does not tell of it already.
    """
    options: RunOptions | None = None
    try:
        with interruptible():
            _import_all()
            options = make()
            document = _run(options, reporter, quiet)
    except BaseException as error:
        if not _told_by_report(error, name, options, reporter):
            raise
        return error.exit_code if isinstance(error, FsprobeError) else INTERRUPTED
    with _undisturbed():
        reporter.finish(document)
    return int(document["summary"]["exit_code"])


def _told_by_report(error: BaseException, name: str, options: RunOptions | None, reporter: Reporter) -> bool:
    """See to the result of a run that did not come to its end; whether the report says why it did not."""
    document: dict[str, Any] | None = getattr(error, "document", None)
    with _undisturbed():
        if document is not None:
            reporter.finish(document)
            return isinstance(error, KeyboardInterrupt | TargetError) and bool(document["diagnoses"])
        if not isinstance(error, UsageError):  # a slip of the fingers made no run, so it has no result
            from fsprobe.cli.failed import failed_document

            reporter.write(failed_document(name, options, error))
    return False


def _import_all() -> None:
    """What a run needs, with signals held back until it is there.

    CPython kills itself by SIGINT at its end, whatever was made of the interrupt, where that came inside a string
    that exec ran; dataclasses are made so.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, *_ENDING))
    try:
        import fsprobe.api
        import fsprobe.report.progress  # noqa: F401
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(options: RunOptions, reporter: Reporter, quiet: bool) -> dict[str, Any]:
    from fsprobe import api
    from fsprobe.report.progress import Progress

    if quiet:
        return api.run(options, _ignore)
    stream = reporter.progress
    live = stream.isatty() and os.environ.get("TERM") != "dumb"
    progress = Progress(stream, live=live, verbose=reporter.verbose)
    try:
        return api.run(options, progress)
    finally:
        progress.close()


def _ignore(_event: Event) -> None:
    """Nobody watches."""


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not cost the report: it is written in milliseconds."""
    numbers = (signal.SIGINT, *_ENDING)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _reader_may_leave(stream: IO[str]) -> Iterator[None]:
    """`fsprobe run | head` is no error, and the exit code is the run's all the same."""
    try:
        yield
    except BrokenPipeError:
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


def require_writable(option: str, path: str, usual: str) -> None:
    target = Path(path)
    place = target.parent
    if target.is_dir():
        raise UsageError(f"{option} {path}: this is a directory", command=f"{option} {target / usual}")
    if not place.is_dir():
        raise UsageError(f"{option} {path}: there is no directory {place}", command=f"mkdir -p {place}")
    if not os.access(place, os.W_OK) and not (target.exists() and not target.is_file()):
        where = "the working directory" if str(place) == "." else place
        raise UsageError(f"{option} {path}: {where} cannot be written to", command=f"{option} /tmp/{target.name}")


def _require_different(files: Sequence[tuple[str, str]]) -> None:
    """Two results in one place would be neither."""
    taken: dict[str, str] = {}
    for form, path in files:
        place = path if path == "-" else os.path.realpath(path)
        if place in taken and (path == "-" or not os.path.exists(place) or os.path.isfile(place)):
            where = "standard output" if path == "-" else path
            raise UsageError(f"--{taken[place]} and --{form} both go to {where}", causes=("one of them needs a file",))
        taken[place] = form


