"""The targets that come with fsprobe: the reference file system, whole or with one defect.

Owns the names `vexfs`, `vexfs:PROFILE`, `vexfs:raw…`, `vexfs:lost-reply=OP`; knows nothing of the profiles
but their names, which `reference_fs.profiles` tells.
"""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from fsprobe.errors import UsageError

REFERENCE = "vexfs"
# Defects that only the vector interface shows. Of any other profile one operation's defect is to be seen, alone.
_ABOUT_VECTORS = ("search-relock",)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """What a built-in name comes to: options of the reference, and what its process needs to import it.

    suites: what is checked beside the usual: the vector interface.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    profile: str | None
    suites: tuple[str, ...] = ()


def is_built_in(text: str) -> bool:
    """Whether the words can only mean the reference."""
    return text == REFERENCE or text.startswith(REFERENCE + ":")


def parse_built_in(text: str) -> BuiltIn:
    """The reference that a built-in name asks for.

    Raises UsageError for an unknown profile, with the nearest one.
    """
    front, profile = _parse(text)
    argv = [sys.executable, "-m", "reference_fs", "{mountpoint}", "-f"]
    if front:
        argv += ["--front", front]
    if profile:
        argv += ["--profile", profile]
    vectors = profile is None or profile in _ABOUT_VECTORS
    return BuiltIn(tuple(argv), _environment(), profile, (REFERENCE,) if vectors else ())


def _parse(text: str) -> tuple[str | None, str | None]:
    """The front, None where the reference may choose, and the profile, None for the sound file system."""
    from reference_fs.profiles import choose_front, find_profile

    _, *rest = text.split(":")
    front: str | None = None
    if rest and rest[0] == "raw":
        front, rest = "raw", rest[1:]
    if not rest:
        return front, None
    profile = ":".join(rest)
    name, equals, op = profile.partition("=")
    known = profile_names()
    if name not in known:
        raise _unknown_profile(text, profile, known)
    if equals:
        _require_operation(text, name, op)
    profile = f"{name}{equals}{op.upper()}"
    try:
        choose_front(find_profile(profile), front)
    except ValueError as error:
        raise UsageError(f"no target {text!r}: {error}", command=f"fsprobe run {REFERENCE}:{name}") from error
    return front, profile


def profile_names() -> tuple[str, ...]:
    """Every defect profile of the reference, in the order of its table."""
    from reference_fs.profiles import PROFILES

    return tuple(profile.name for profile in PROFILES)


def _require_operation(text: str, profile: str, op: str) -> None:
    """A profile of an operation that there is not would be the sound file system. Raises UsageError."""
    from fsprobe.wire import Opcode

    if op.upper() in Opcode.__members__:
        return
    near = difflib.get_close_matches(op.upper(), Opcode.__members__, 1)
    raise UsageError(
        f"no target {text!r}: {op!r} is no FUSE operation",
        causes=(f"did you mean {near[0]}?",) if near else ("operations are written as in SETATTR",),
        command=f"fsprobe run {REFERENCE}:{profile}={near[0] if near else 'SETATTR'}",
    )


def _unknown_profile(text: str, profile: str, known: tuple[str, ...]) -> UsageError:
    close = difflib.get_close_matches(profile, known, 1)
    prefix = text[: len(text) - len(profile)]
    return UsageError(
        f"no target {text!r}: the reference has no profile {profile!r}",
        causes=("the profiles are: " + ", ".join(known),),
        command=f"fsprobe run {prefix}{close[0]}" if close else None,
    )


def _environment() -> dict[str, str]:
    """What lets the child import the reference from any directory, when fsprobe runs from a clone."""
    parent = Path(__file__).resolve().parents[2]
    if not (parent / "pyproject.toml").is_file():
        return {}
    inherited = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{parent}{os.pathsep}{inherited}" if inherited else str(parent)}
