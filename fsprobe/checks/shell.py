"""What a check of the shell layer is given, as an author sees it: `def check(sh: Shell) -> None`.

Owns the shape of that context for reading and for type checkers; knows nothing of how it is done
(`fsprobe.runners.shell` does it).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from fsprobe.checks.check import Finding


class Command(Protocol):
    """One command line that ended."""

    @property
    def text(self) -> str:
        """The command line."""

    @property
    def status(self) -> int:
        """Its exit status."""

    @property
    def data(self) -> bytes:
        """stdout and stderr as they came, mixed as on a terminal."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def output(self) -> str:
        """The same as text without its last newline; other control characters are written as escapes."""

    @property
    def errno(self) -> int:
        """The error number that the program's last message names; 0 where none does."""

    def told(self) -> str:
        """How it ended, for a finding: `exit 1: touch: setting times of 'f': Function not implemented`."""


class Shell(Protocol):
    """The context of one check: a bash at a terminal, in a directory of the check's own."""

    root: str
    """The mounted directory. Nothing may be changed there but under `name`."""
    is_root: bool
    """Whether commands may name any user."""
    writable: bool
    """Whether something can be made here. Where not, only what was there before can be looked at."""

    # Names, each quoted for the shell

    def name(self, base: str) -> str:
        """The name to use for a file of this check; nothing is made of it yet."""

    @property
    def dir(self) -> str:
        """The directory that commands run in, not quoted. Raises Blocked where none can be made."""

    def sample(self) -> str:
        """A file to read: the numbers 1 to 2000 on a line each, or one of the target's own where nothing can be
        written. Raises Skip where there is none, Blocked where it cannot be made."""

    def private(self) -> str:
        """A directory outside the mount; removed after the check."""

    def mount_line(self) -> str:
        """The mount point's line of /proc/self/mountinfo, "" where the root is not one."""

    # Preparing: what fails here makes the check Blocked, never failed.

    def setup(self) -> AbstractContextManager[None]:
        """`with sh.setup(): …` was only preparing the question."""

    def must(self, command: str) -> Command:
        """Run a command that only prepares the question."""

    # Running

    def run(self, command: str, timeout: float | None = None, *, anywhere: bool = False) -> Command:
        """Run a command line and say how it ended, whatever its status.

        anywhere: the working directory does not matter. Raises Lost where it does not end within `timeout`
        seconds (the run's own limit where None), Finding where it waits for an answer at the terminal.
        """

    def ok(self, command: str, *, optional: bool | None = None, timeout: float | None = None) -> Command:
        """Run a command that has to exit with 0.

        optional: whether a refusal that the kernel allows means Unsupported; None takes it from the check's
        level. Raises Finding, Unsupported, or Skip where the program is missing or is another one.
        """

    def fails(self, command: str, *, matching: str = "", allowed: tuple[str, ...] = ()) -> Command:
        """Run a command that has to fail with `matching` in its output; `allowed` words are legal but surprising."""

    # Expecting: each raises Finding

    def expect_equal(self, what: str, observed: object, expected: object) -> None:
        """Both have to be equal; `what` names the thing."""

    def expect_output(self, command: str, expected: str) -> Command:
        """Run a command that has to exit with 0 and print exactly this, the last newline aside."""

    def expect_gone(self, name: str) -> None:
        """The name no longer exists."""

    def warn(self, expected: str, observed: str) -> Finding:
        """A finding that is legal but surprising, to be raised."""

    def info(self, text: str) -> None:
        """An observation for the report; it never gates."""
