"""What a suite's author writes a check with: the decorators, the levels, and the findings it raises.

Owns the definition of a check; knows nothing of how it is run, timed or judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fsprobe.checks.sources import public
from fsprobe.errors import UsageError

LAYERS = ("wire", "mount", "shell")


class Level(StrEnum):
    """How binding the sentence is: MUST fails, SHOULD warns, INFO only tells, OPTIONAL may be declined."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    INFO = "INFO"
    OPTIONAL = "OPTIONAL"


MUST, SHOULD, INFO, OPTIONAL = Level.MUST, Level.SHOULD, Level.INFO, Level.OPTIONAL


@dataclass(frozen=True, slots=True)
class Check:
    """One question to a file system, with a stable dotted id.

    op: the FUSE operation blamed by default. also: operations it exercises besides. title: the sentence
    that is checked (the docstring). source: catalogue number, man page or kernel file. needs: features
    without which it cannot be asked ("write", "root", "program:setfattr", …). quick: part of `--quick`.
    parallel: it is about concurrency, so it gets every processor. killers: rules or profiles, each of which alone
    must turn it red. main: it asks whether the operation works at all, so that its failure makes the operation
    `wrong` and not `partial`. extreme: it asks for what a daemon may choke on though all else works (a file of 2^63
    bytes), so it comes last in its layer, and a hang there keeps no other check from being asked.
    """

    id: str
    layer: str
    op: str
    also: tuple[str, ...]
    title: str
    level: Level
    source: str
    needs: tuple[str, ...]
    quick: bool
    main: bool
    parallel: bool
    killers: tuple[str, ...]
    function: Callable[[Any], None]
    path: str
    line: int
    extreme: bool = False

    @property
    def reference(self) -> str:
        """The source as somebody can look it up who has no catalogue."""
        return public(self.source)


class Finding(Exception):
    """The file system did not do what the sentence says: expected beside observed."""

    def __init__(self, expected: str, observed: str, *, warn: bool = False) -> None:
        super().__init__(f"expected {expected}, observed {observed}")
        self.expected = expected
        self.observed = observed
        self.warn = warn


class Unsupported(Exception):
    """The file system declined an optional feature in a way that the kernel allows."""

    def __init__(self, observed: str, errno: int = 0) -> None:
        super().__init__(observed)
        self.observed = observed
        self.errno = errno


class Skip(Exception):
    """This environment cannot ask the question; the reason says why."""


class Blocked(Exception):
    """A step that only prepares the question failed: the question itself was not asked."""

    def __init__(self, call: str, error: OSError) -> None:
        super().__init__(f"{call}: {error.strerror}")
        self.call = call
        self.errno = error.errno or 0


class Lost(Exception):
    """No reply will come to this check any more: the daemon's end closed, or the time was up."""


def _decorator(layer: str) -> Callable[..., Callable[[Callable[[Any], None]], Callable[[Any], None]]]:
    def declare(
        id: str,
        *,
        op: str,
        source: str,
        also: tuple[str, ...] = (),
        level: Level = Level.MUST,
        needs: tuple[str, ...] = (),
        quick: bool = False,
        main: bool = False,
        parallel: bool = False,
        killers: tuple[str, ...] = (),
        extreme: bool = False,
    ) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
        def attach(function: Callable[[Any], None]) -> Callable[[Any], None]:
            title = " ".join((function.__doc__ or "").split())
            code = function.__code__
            if not title:
                raise UsageError(f"{code.co_filename}:{code.co_firstlineno}: check {id!r} has no docstring")
            check = Check(
                id=id, layer=layer, op=op, also=tuple(also), title=title, level=level, source=source,
                needs=tuple(needs), quick=quick, main=main, parallel=parallel, killers=tuple(killers),
                function=function, path=code.co_filename, line=code.co_firstlineno, extreme=extreme,
            )  # fmt: skip
            function.__fsprobe_check__ = check  # type: ignore[attr-defined]
            return function

        return attach

    return declare


wire_check = _decorator("wire")
"""A check that speaks the FUSE protocol itself; its function gets a `Kernel`."""
mount_check = _decorator("mount")
"""A check of system calls on the mounted file system; its function gets a `Mount`."""
shell_check = _decorator("shell")
"""A check of a program on a terminal; its function gets a `Shell`."""
