"""The progress of a benchmark on standard error.

Owns what is told of how often; knows nothing of the work. On a terminal one line that is written over, elsewhere a line
for each turn.
"""

from __future__ import annotations

import time
from typing import IO

_WIDE = 68


class Progress:
    """Called with what is done, and how many turns of how many at most are over. stream: None where nobody watches."""

    def __init__(self, stream: IO[str] | None) -> None:
        self.stream = stream
        self.live = stream is not None and stream.isatty()
        self.began = time.monotonic()
        self.last = ""

    def begin(self, targets: int, seconds: float) -> None:
        """How much it is."""
        if self.stream is not None:
            many = "1 target" if targets == 1 else f"{targets} targets"
            about = f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{round(seconds / 5) * 5 or 5:.0f} seconds"
            print(f"{many} and native in turns, about {about} at most on an idle machine", file=self.stream, flush=True)

    def __call__(self, what: str, done: int, total: int) -> None:
        """It goes on."""
        if self.stream is None:
            return
        spent = int(time.monotonic() - self.began)
        clock = f"{spent // 60}:{spent % 60:02}"
        if self.live:
            self.stream.write(f"\r{clock}  {done} of {total}  {what[:_WIDE]}\x1b[K")
            self.stream.flush()
            return
        turns = what.partition(": ")[1]
        line = f"{what.partition(': ')[0]}, turn {done} of {total} at most" if turns else what
        if line != self.last:
            self.last = line
            print(f"{clock}  {line}", file=self.stream, flush=True)

    def end(self) -> None:
        """The line is done with."""
        if self.live and self.stream is not None:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
