"""How a process ended, in words.

Owns the words; knows nothing of which process it was.
"""

from __future__ import annotations

import signal


def describe_exit(status: int | None) -> str:
    """How a process ended, for the person at the terminal."""
    if status is None:
        return "closed its end of the connection"
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        return f"was killed by {name}"
    return f"exited with status {status}"
