"""The command `fsprobe`: its verbs, and how every error ends.

Owns the entry point and exit codes; knows nothing of what the verbs do. Whatever is slow to import is imported by
the verb that needs it: `fsprobe --help` is often the first thing anyone types.
"""

from __future__ import annotations

import difflib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence

import rich_click as click
from click.exceptions import NoArgsIsHelpError

from fsprobe import __version__
from fsprobe.cli.baseline import baseline
from fsprobe.cli.bench import bench
from fsprobe.cli.compare import compare
from fsprobe.cli.completion import completion
from fsprobe.cli.diagnose import diagnose
from fsprobe.cli.doctor import doctor
from fsprobe.cli.explain import explain
from fsprobe.cli.interrupt import release
from fsprobe.cli.list import list_checks
from fsprobe.cli.mutate import mutate
from fsprobe.cli.report import report
from fsprobe.cli.run import run
from fsprobe.cli.summary import summary
from fsprobe.cli.trace import trace
from fsprobe.errors import FsprobeError, UsageError

_VERBS = (
    run, trace, diagnose, list_checks, explain, report, compare, baseline, mutate, bench, summary, doctor, completion,
)  # fmt: skip
INTERRUPTED = 130
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Verbs that let held signals come by themselves: once their handlers, and the files asked for, are known.
_OF_THEIR_OWN = ("run", "trace", "mutate")


class _InOrder(click.RichGroup):
    """Verbs in the order of their table: the main job first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fsprobe", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.RichContext, /) -> None:
    """Test any FUSE file system, without changing it: which operations work, which are not implemented, hang,
    crash or lie; why; and what to write.

    First: fsprobe run /path/to/fuse_binary
    """
    if context.invoked_subcommand not in _OF_THEIR_OWN:
        release()


for _verb in _VERBS:
    cli.add_command(_verb)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. No expected error shows a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except FsprobeError as error:
        _tell(error)
        return error.exit_code
    except BrokenPipeError:
        _drop_output()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno == errno.ENOENT and not _stands_somewhere():
            _tell(UsageError("the directory in which this was started is gone", command="cd /tmp"))
            return UsageError.exit_code
        return _full(error) if error.errno in _FULL else _own_fault(error, words)
    except Exception as error:  # noqa: BLE001 - the last stop: fsprobe's own fault, told without a traceback
        return _own_fault(error, words)


def entry() -> None:
    """The command itself: its exit status is the run's, whatever signals come while the interpreter ends."""
    try:
        status = main()
    except KeyboardInterrupt:  # a second one, while the first was being seen to
        status = INTERRUPTED
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(status)


def _dispatch(words: list[str]) -> int:
    """Hand the words to click; those behind `--` are the daemon's and are not for it to read."""
    mine, behind = words, None
    if "--" in words:
        cut = words.index("--")
        mine, behind = words[:cut], words[cut + 1 :]
    _refuse_empty(mine)
    try:
        result = cli.main(args=mine, prog_name="fsprobe", standalone_mode=False, obj=behind)
        sys.stdout.flush()
    except NoArgsIsHelpError as error:
        print(error.format_message())
        return UsageError.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except SystemExit:  # click's own end for a reader that left: `fsprobe list | head`
        return 0
    except click.ClickException as error:
        raise _usage(error, mine) from error
    return result if isinstance(result, int) else 0


def _refuse_empty(words: Sequence[str]) -> None:
    """Nothing here can be named by an empty word, and `--json "$OUT"` would write, or check, something else."""
    for before, word in zip(("fsprobe", *words), words, strict=False):
        option, equals, value = word.partition("=")
        if not word.strip() or (word.startswith("--") and equals and not value.strip()):
            verb = cli.commands.get(words[0])
            options = verb.params if verb else ()
            flags = {name for one in options if getattr(one, "is_flag", False) for name in one.opts}
            named = option if equals else before if before[0] == "-" and before not in flags else ""
            raise UsageError(
                f"{named} is empty" if named else f"an empty word stands behind {before}",
                causes=('a variable of the shell that is not set, as in "$FILE"',),
                command=f"fsprobe {words[0]} --help" if verb else "fsprobe --help",
            )


def _usage(error: click.ClickException, words: Sequence[str]) -> UsageError:
    """A click error in fsprobe's own manner: the fact, the likely cause, the command to try."""
    context = getattr(error, "ctx", None)
    verb = f"fsprobe {words[0]}" if words and words[0] in cli.commands else "fsprobe"
    command = context.command_path if context else verb
    fact = error.format_message()
    if words and context and context.command is cli and words[0] not in cli.commands:
        return _unknown_verb(words[0])
    foreign = fact.startswith(("No such option", "Got unexpected extra"))
    causes: tuple[str, ...] = ("arguments of the daemon go behind --, as in: fsprobe run TARGET -- -o ro",)
    takes = command.endswith((" run", " trace"))
    if takes and fact.startswith("Got unexpected extra") and not any(word.startswith("-") for word in words):
        whole = f'{command} "{" ".join(words[1:])} {{mountpoint}}"'
        causes = (f"a command of several words is one TARGET, in quotes: {whole}", *causes)
    return UsageError(fact, causes=causes if foreign and takes else (), command=f"{command} --help")


def _unknown_verb(word: str) -> UsageError:
    if os.path.exists(word) or "/" in word or word.startswith("vexfs"):
        return UsageError(f"no verb {word!r}", command=f"fsprobe run {word}")
    close = difflib.get_close_matches(word, cli.commands, 1)
    known = ", ".join(cli.commands)
    command = f"fsprobe {close[0]}" if close else "fsprobe --help"
    return UsageError(f"no verb {word!r}", causes=(f"there are: {known}",), command=command)


def _tell(error: FsprobeError) -> None:
    from fsprobe.report.text import safe

    for index, line in enumerate(error.lines()):
        text = safe(line, lines=True)
        print(f"fsprobe: {text}" if index == 0 else text, file=sys.stderr)


def _own_fault(error: Exception, words: Sequence[str]) -> int:
    name = f"{type(error).__name__}: {error}"
    print(f"fsprobe: this is a fault of fsprobe itself, not of the target: {name}", file=sys.stderr)
    if "-v" in words or "--verbose" in words or os.environ.get("FSPROBE_DEBUG"):
        traceback.print_exception(error)
    else:
        print("  try:    the same with FSPROBE_DEBUG=1, and report the traceback with the output of fsprobe doctor",
              file=sys.stderr)
    return FsprobeError.exit_code


def _stands_somewhere() -> bool:
    try:
        return bool(os.getcwd())
    except FileNotFoundError:
        return False


def _full(error: OSError) -> int:
    """There is no room: for standard output, where no file is named."""
    where = error.filename or "the output"
    cause = "the disk, the quota or the limit of what it goes to is full; a run also needs room in TMPDIR"
    _tell(UsageError(f"{where} cannot be written: {error.strerror}", causes=(cause,), command="df -h"))
    _drop_output()
    return UsageError.exit_code


def _drop_output() -> None:
    """Whoever read standard output is gone: keep the interpreter from complaining about it at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


if __name__ == "__main__":
    entry()
