"""The errors a person at the terminal can meet: each carries help and the exit code of the command.

Owns the classes and how one reads; knows nothing of what raises them.
"""

from __future__ import annotations

import re
from typing import Any


class FsprobeError(Exception):
    """Base of every expected failure: the fact, the likely causes and the command to try.

    `exit_code` is the command's exit status (design of the command line: 2 usage, 3 own error,
    4 target did not start, 5 nothing checked, 6 this machine cannot).
    """

    exit_code = 3
    document: dict[str, Any] | None = None
    """The result as far as the run came, where there was one."""

    def __init__(self, fact: str, *, causes: tuple[str, ...] = (), command: str | None = None) -> None:
        super().__init__(_bytes_told(fact))
        self.fact = _bytes_told(fact)
        self.causes = tuple(_bytes_told(cause) for cause in causes)
        self.command = command

    def lines(self) -> list[str]:
        """The message as it is printed: the fact first, then causes, then what to try."""
        text = [self.fact]
        text += [f"  likely: {cause}" for cause in self.causes]
        if self.command:
            text.append(f"  try:    {self.command}")
        return text


class UsageError(FsprobeError):
    """The command line, a suite or a configuration file is wrong."""

    exit_code = 2


class TargetError(FsprobeError):
    """The target did not start, mount or answer INIT."""

    exit_code = 4


class NothingChecked(FsprobeError):
    """No check ran, so nothing can be said."""

    exit_code = 5


class MachineError(FsprobeError):
    """This machine cannot do what was asked (no namespaces, no seccomp notification, …)."""

    exit_code = 6


def _bytes_told(text: str) -> str:
    """Python spells a byte of a name that is no UTF-8 as half of a character, `'b\\udcffd'`: it was `\\xff`."""
    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", text)
