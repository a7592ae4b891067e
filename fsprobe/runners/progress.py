"""Whether a check still gets on, though it takes long: a slow target is not a hanging one.

Owns the two signs of progress, requests that are answered and system calls that change; knows nothing of what
follows from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# A process that computes is getting on, whatever its last system call was.
_RUNNING = "R"


@dataclass(slots=True)
class Progress:
    """`quiet` seconds have passed since the sign last changed."""

    sign: Callable[[], object]
    last: object = None
    since: float = field(default_factory=time.monotonic)

    def quiet(self) -> float:
        """Look once more. Seconds since the last change that was seen."""
        now = self.sign()
        if now != self.last or now is None:
            self.last, self.since = now, time.monotonic()
        return time.monotonic() - self.since


def callers_sign(caller: dict[str, Any]) -> object:
    """What the threads of a worker and of all that it started are at; None while one of them is running."""
    threads = caller["threads"]
    if any(thread["state"] == _RUNNING for thread in threads):
        return None
    return tuple((thread["tid"], thread["syscall"]) for thread in threads)
