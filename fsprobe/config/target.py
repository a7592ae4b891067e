"""What is tested, and the command that starts it.

Owns reading TARGET and ARGS of the command line; knows nothing of starting processes.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fsprobe.config.built_in import REFERENCE, is_built_in, parse_built_in
from fsprobe.config.program import find_program
from fsprobe.errors import UsageError

MOUNTPOINT, SOURCE = "{mountpoint}", "{source}"
_PLACE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
_INTERPRETER = re.compile(r"(python|node|perl|ruby|java|bash|sh)[\d.]*$")


@dataclass(frozen=True, slots=True)
class Target:
    """One daemon and how to start it.

    argv: the command with `{mountpoint}` and maybe `{source}` still in it. env: variables added to the
    daemon's environment. suites: suites that are run for it beside the usual ones. profile: the defect that
    the built-in reference was told to show, None otherwise. args: what was typed behind `--`; in argv already.
    cwd: the directory it is started in, "" for that of fsprobe.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    suites: tuple[str, ...] = ()
    profile: str | None = None
    args: tuple[str, ...] = ()
    cwd: str = ""

    @property
    def wants_source(self) -> bool:
        """Whether each start needs a fresh empty `{source}` directory."""
        return any(SOURCE in word for word in self.argv)

    def command(self, mountpoint: str, source: str) -> list[str]:
        """The argv of one start, with the places filled in."""
        return [word.replace(MOUNTPOINT, mountpoint).replace(SOURCE, source) for word in self.argv]


def resolve(text: str | None, args: Sequence[str] = (), names: Sequence[str] = ()) -> Target:
    """The target that the words of a command line mean; None is the reference.

    names: of the targets that are configured, which a misspelt one may have meant. Raises UsageError where the words
    make no sense, TargetError where there is no such program or it cannot be run.
    """
    text = REFERENCE if text is None else text
    if not text.strip():
        raise UsageError("TARGET is empty", command="fsprobe run /path/to/fuse_binary")
    if is_built_in(text):
        built_in = parse_built_in(text)
        return Target(
            text, (*built_in.argv, *args), env=built_in.env, suites=built_in.suites, profile=built_in.profile,
            args=tuple(args),
        )  # fmt: skip
    if _is_command(text):
        words = _split(text)
        return Target(text, (find_program(words[0], names), *words[1:], *args), args=tuple(args))
    return Target(text, (find_program(text, names), MOUNTPOINT, "-f", *args), args=tuple(args))


def _is_command(text: str) -> bool:
    """Whether it is a command and not one program. A path with a space in it is a program if it is there."""
    return (len(text.split()) > 1 or "{" in text or text[0] in "'\"") and not os.path.lexists(text)


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(
            f"TARGET cannot be split into words: {text}",
            causes=(f"{str(error).lower()}: quotes come in pairs, as in a shell",),
        ) from error
    check_places(text)
    if not any(MOUNTPOINT in word for word in words):
        raise UsageError(
            f"TARGET is a command, but does not say where its mount point goes: {text}",
            causes=(
                f"a command needs {MOUNTPOINT}, and {SOURCE} where it wants a directory to show",
                "options of a single program go behind --",
            ),
            command=_suggestion(words, text),
        )
    return words


def check_places(text: str) -> None:
    """Raises UsageError where a command holds a place other than `{mountpoint}` and `{source}`."""
    for place in _PLACE.findall(text):
        if place not in (MOUNTPOINT, SOURCE):
            raise _unknown_place(place, text)


def _unknown_place(place: str, text: str) -> UsageError:
    close = difflib.get_close_matches(place, (MOUNTPOINT, SOURCE), 1, 0.5)
    return UsageError(
        f"TARGET holds an unknown place {place}",
        causes=(f"only {MOUNTPOINT} and {SOURCE} (a fresh empty directory) are filled in",),
        command=f'fsprobe run "{text.replace(place, close[0])}"' if close else None,
    )


def _suggestion(words: Sequence[str], text: str) -> str:
    """What was most likely meant by a command without a mount point."""
    options_only = all(word.startswith("-") for word in words[1:2])
    if len(words) > 1 and options_only and not _INTERPRETER.match(os.path.basename(words[0])):
        return f"fsprobe run {shlex.quote(words[0])} -- {shlex.join(words[1:])}"
    return f'fsprobe run "{text} {MOUNTPOINT} -f"'
