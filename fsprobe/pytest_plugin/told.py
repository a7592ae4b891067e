"""A failure as pytest shows it, where it is no exception of Python.

Owns the two lengths of it; knows nothing of what is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Crash:
    """As much of an exception's summary as pytest's one-line summary, and JUnit's `message`, read."""

    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Told:
    """The whole text, and the one line where there is room for no more."""

    text: str
    reprcrash: Crash

    def __str__(self) -> str:
        return self.text

    def toterminal(self, writer: Any) -> None:
        """Print it."""
        for line in self.text.splitlines():
            writer.line(line)
