"""What is tested, and the command that starts it.

Owns reading TARGET and ARGS of the command line; knows nothing of starting processes, and asks the file system
only whether a program is there and can be run.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fsprobe.errors import TargetError, UsageError

MOUNTPOINT, SOURCE = "{mountpoint}", "{source}"
DEFAULT = "vexfs"
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")


@dataclass(frozen=True, slots=True)
class Target:
    """One daemon and how to start it.

    argv: the command with `{mountpoint}` and maybe `{source}` still in it. env: variables added to the daemon's
    environment. suites: suites that are run for it beside the usual ones. profile: the defect that the built-in
    reference was told to show, None otherwise.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    suites: tuple[str, ...] = ()
    profile: str | None = None

    @property
    def wants_source(self) -> bool:
        """Whether each start needs a fresh empty `{source}` directory."""
        return any(SOURCE in word for word in self.argv)

    def command(self, mountpoint: str, source: str) -> list[str]:
        """The argv of one start, with the places filled in."""
        return [word.replace(MOUNTPOINT, mountpoint).replace(SOURCE, source) for word in self.argv]


def resolve(text: str | None, args: Sequence[str] = ()) -> Target:
    """The target that the words of a command line mean.

    Raises UsageError where the words make no sense, TargetError where there is no such program or it cannot be run.
    """
    if text is None:
        text = DEFAULT
    if not text.strip():
        raise UsageError("TARGET is empty", command="fsprobe run /path/to/fuse_binary")
    if text == DEFAULT or text.startswith(DEFAULT + ":"):
        from fsprobe.config.built_in import resolve_built_in

        return resolve_built_in(text, tuple(args))
    if not _is_template(text):
        return Target(text, (_program(text), MOUNTPOINT, "-f", *args))
    words = _split(text)
    return Target(text, (_program(words[0]), *words[1:], *args))


def _is_template(text: str) -> bool:
    """Whether it is a command and not one program. A path with a space in it is a program if it exists."""
    return (" " in text.strip() or "{" in text) and not os.path.lexists(text)


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(
            f"TARGET cannot be split into words: {text}",
            causes=(f"{str(error).lower()}: quotes must come in pairs, as in a shell",),
        ) from error
    for place in _PLACEHOLDER.findall(text):
        if place not in (MOUNTPOINT, SOURCE):
            raise UsageError(
                f"TARGET holds an unknown place {place}",
                causes=(f"only {MOUNTPOINT} and {SOURCE} (a fresh empty directory) are filled in",),
                command=_did_you_mean(place, (MOUNTPOINT, SOURCE), text),
            )
    if not any(MOUNTPOINT in word for word in words):
        raise UsageError(
            f"TARGET is a command, but does not say where its mount point goes: {text}",
            causes=(
                f"a command needs {MOUNTPOINT}, and {SOURCE} where it wants a directory to show",
                "options of a single program go behind --",
            ),
            command=_suggest(words, text),
        )
    return words


def _suggest(words: Sequence[str], text: str) -> str:
    """The command that was most likely meant by a command without a mount point."""
    if len(words) > 1 and (words[1].startswith("-") and not _is_interpreter(words[0])):
        return f"fsprobe run {shlex.quote(words[0])} -- {shlex.join(words[1:])}"
    return f'fsprobe run "{text} {MOUNTPOINT} -f"'


def _is_interpreter(word: str) -> bool:
    return bool(re.match(r"(python|node|perl|ruby|java|bash|sh)[\d.]*$", os.path.basename(word)))


def _did_you_mean(word: str, known: Sequence[str], text: str) -> str | None:
    close = difflib.get_close_matches(word, known, 1, 0.5)
    return f'fsprobe run "{text.replace(word, close[0])}"' if close else None


def _program(word: str) -> str:
    """The absolute path of a program, given by path, by name on PATH, or by name in this directory."""
    if "/" in word or os.path.isfile(word):
        path = os.path.abspath(os.path.expanduser(word))
    else:
        found = shutil.which(word)
        if found is None:
            raise _unknown(word)
        return os.path.abspath(found)
    if not os.path.exists(path):
        raise TargetError(f"{word} does not exist", causes=_near(path), command=None)
    if os.path.isdir(path):
        raise TargetError(
            f"{word} is a directory, not a program",
            causes=("TARGET is the daemon to start; a directory that is mounted already goes behind --native",),
            command=f"fsprobe run --native {shlex.quote(word)}",
        )
    if not os.access(path, os.X_OK) or not os.path.isfile(path):
        raise TargetError(f"{word} is not executable", command=_make_runnable(word))
    if not _has_loader(path):
        raise TargetError(
            f"{word} is executable, but the kernel cannot start it",
            causes=("it is neither an ELF binary nor a script that begins with #!",),
            command=_through_interpreter(word),
        )
    return path


def _unknown(word: str) -> UsageError | TargetError:
    """There is no program of that name: a misspelt built-in is wrong usage, anything else a missing target."""
    if os.path.isdir(word):
        return TargetError(f"{word} is a directory, not a program", command=f"fsprobe run --native {shlex.quote(word)}")
    if difflib.get_close_matches(word.partition(":")[0], (DEFAULT,), 1, 0.75):
        return UsageError(f"no target {word!r}", causes=(f"built in: {DEFAULT}, {DEFAULT}:PROFILE",),
                          command=f"fsprobe run {DEFAULT + word[len(word.partition(':')[0]):]}")
    return TargetError(
        f"{word!r} is no target: not built in, not on PATH, not in this directory",
        causes=("a program in another directory is given by its path",),
        command=f"fsprobe run ./{word}" if os.path.lexists(word) else None,
    )


def _near(path: str) -> tuple[str, ...]:
    """A neighbour with nearly that name, or the first directory that is missing."""
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


def _has_loader(path: str) -> bool:
    """Whether execve can make something of the file. One that cannot be read is left to execve."""
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except OSError:
        return True
    return head == b"\x7fELF" or head[:2] == b"#!"


def _make_runnable(word: str) -> str:
    path = os.path.abspath(os.path.expanduser(word))
    if not _has_loader(path) and word.endswith(".py"):
        return _through_interpreter(word)
    return f"chmod +x {shlex.quote(word)}"


def _through_interpreter(word: str) -> str:
    interpreter = "python3" if word.endswith(".py") else "sh"
    return f'fsprobe run "{interpreter} {shlex.quote(word)} {MOUNTPOINT} -f"'
