"""Finding the program of a target, and saying why it cannot be run before anyone tries.

Owns the look at one file; knows nothing of targets' arguments. It never follows a path into a mount of the
target: nothing is mounted yet.
"""

from __future__ import annotations

import difflib
import os
import shlex
import shutil
from collections.abc import Sequence

from fsprobe.config.built_in import REFERENCE
from fsprobe.errors import FsprobeError, TargetError, UsageError


def find_program(word: str, names: Sequence[str] = ()) -> str:
    """The absolute path of a program given by path, by name in this directory, or by name on PATH.

    Raises TargetError where it is not there or cannot be run, UsageError for a misspelt built-in name.
    """
    if "/" not in word and not os.path.isfile(word):
        found = shutil.which(word)
        if found is None:
            raise _no_such_name(word, names)
        return os.path.abspath(found)
    path = os.path.abspath(os.path.expanduser(word))
    if not os.path.exists(path):
        raise TargetError(f"{word} does not exist", causes=_near(path))
    if os.path.isdir(path):
        raise _directory(word)
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise TargetError(f"{word} is not executable", command=_made_runnable(word, path))
    if not _can_be_executed(path):
        raise TargetError(
            f"{word} is executable, but the kernel cannot start it",
            causes=("it is neither an ELF binary nor a script that begins with #!",),
            command=_by_interpreter(word),
        )
    return path


def _no_such_name(word: str, names: Sequence[str]) -> FsprobeError:
    """A misspelt built-in is wrong usage; any other name is a target that does not exist."""
    if os.path.isdir(word):
        return _directory(word)
    name, colon, profile = word.partition(":")
    if difflib.get_close_matches(name, (REFERENCE,), 1, 0.75):
        return UsageError(
            f"no target {word!r}",
            causes=(f"built in: {REFERENCE}, {REFERENCE}:PROFILE, {REFERENCE}:raw",),
            command=f"fsprobe run {REFERENCE}{colon}{profile}",
        )
    configured = difflib.get_close_matches(word, names, 1)
    if configured:
        return UsageError(
            f"no target {word!r}", causes=(f"configured: {', '.join(names)}",), command=f"fsprobe run {configured[0]}"
        )
    return TargetError(
        f"no target {word!r}: not built in, not on PATH, not in this directory",
        causes=("a program in another directory is given by its path",),
    )


def _directory(word: str) -> TargetError:
    return TargetError(
        f"{word} is a directory, not a program",
        causes=("TARGET is the daemon to start; a file system that is mounted already goes behind --native",),
        command=f"fsprobe run --native {shlex.quote(word)}",
    )


def _near(path: str) -> tuple[str, ...]:
    """A neighbour with nearly that name, a dangling link, or the directory that is missing."""
    parent = os.path.dirname(path)
    if os.path.islink(path):
        return (f"it is a symbolic link to {os.readlink(path)}, which is not there",)
    if not os.path.isdir(parent):
        return (f"there is no directory {parent}",)
    try:
        close = difflib.get_close_matches(os.path.basename(path), os.listdir(parent), 1)
    except OSError:
        return ()
    return (f"did you mean {os.path.join(parent, close[0])}?",) if close else ()


def _can_be_executed(path: str) -> bool:
    """Whether execve can make something of the file. One that cannot be read is left to execve."""
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except OSError:
        return True
    return head == b"\x7fELF" or head[:2] == b"#!"


def _made_runnable(word: str, path: str) -> str:
    if not _can_be_executed(path) and word.endswith(".py"):
        return _by_interpreter(word)
    return f"chmod +x {shlex.quote(word)}"


def _by_interpreter(word: str) -> str:
    interpreter = "python3" if word.endswith(".py") else "sh"
    return f'fsprobe run "{interpreter} {shlex.quote(word)} {{mountpoint}} -f"'
