"""What is seen while a run goes on, on standard error.

Owns turning events into lines; knows nothing of running. On a terminal one line is rewritten; elsewhere each layer
gets one line when it is over. Nothing here starts a thread: the line moves when an event comes.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from typing import IO

from fsprobe.report.text import WIDTH, count, cut, pad, safe
from fsprobe.report.words import VERDICT_STYLE
from fsprobe.runners.events import (
    CheckFinished,
    CheckStarted,
    Event,
    LayerStarted,
    Notice,
    RunFinished,
    RunStarted,
    TargetDied,
    TargetStarted,
)

_TO_END = "\x1b[K"
_CLEAR = "\r" + _TO_END
_UNREMARKABLE = ("PASS", "INFO", "SKIP", "UNSUPPORTED")
_REDRAW = 0.05  # seconds: a terminal over a slow line must not hold up checks of 50 µs


class Progress:
    """A listener for one run."""

    def __init__(
        self, stream: IO[str], *, live: bool, verbose: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._live, self._verbose, self._clock = stream, live, verbose, clock
        self._began = self._layer_began = clock()
        self._drawn = -1.0
        self._layer = ""
        self._counts: Counter[str] = Counter()
        self._line_shown = False
        self._broken = False

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case RunStarted():
                self._began = self._clock()
                self._say(f"fsprobe: {event.target_name}")
            case LayerStarted():
                self._end_layer()
                self._layer, self._layer_began, self._counts = event.layer, self._clock(), Counter()
            case TargetStarted():
                if self._verbose:
                    guess = f", {event.library}" if event.library else ""
                    self._say(f"{event.layer}: daemon started ({event.start}), pid {event.pid}{guess}")
            case CheckStarted():
                self._draw(event)
            case CheckFinished():
                self._counts[str(event.result.verdict)] += 1
                if self._verbose:
                    self._say(f"{pad(str(event.result.verdict), 12)}{event.result.id}")
            case TargetDied() | Notice():
                self._say(event.text)
            case RunFinished():
                self._end_layer()

    def close(self) -> None:
        """Leave nothing half-drawn, however the run ended."""
        self._erase()

    def _end_layer(self) -> None:
        self._erase()
        if self._layer and self._counts:
            seconds = self._clock() - self._layer_began
            total = sum(self._counts.values())
            self._say(f"{pad(self._layer, 6)}{count(total, 'check')} in {seconds:.1f} s: {self._tally()}")
        self._layer = ""

    def _tally(self) -> str:
        order = [name for name in VERDICT_STYLE if self._counts[name]]
        return " · ".join(f"{name} {self._counts[name]}" for name in order)

    def _draw(self, event: CheckStarted) -> None:
        now = self._clock()
        if not self._live or now - self._drawn < _REDRAW:
            return
        self._drawn = now
        head = f"{event.number}/{event.total} {now - self._began:.0f} s {event.layer} "
        bad = {name: n for name, n in self._counts.items() if name not in _UNREMARKABLE}
        tail = "".join(f" · {name} {n}" for name, n in bad.items())
        width = min(WIDTH, self._columns() or WIDTH)
        line = cut(head + cut(safe(event.id), max(width - len(head) - len(tail) - 1, 1)) + tail, width - 1)
        self._write(f"\r{line}{_TO_END}")  # over the old line, then what is left of it: never an empty one between
        self._line_shown = True

    def _columns(self) -> int:
        """Of the terminal now, 0 where it does not say: a line that wraps cannot be taken back."""
        try:
            return os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError, AttributeError):
            return 0

    def _say(self, text: str) -> None:
        self._erase()
        self._write(safe(text) + "\n")

    def _erase(self) -> None:
        if self._line_shown:
            self._write(_CLEAR)
            self._line_shown = False

    def _write(self, text: str) -> None:
        if self._broken:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except UnicodeEncodeError:
            self._stream.write(text.encode("ascii", "replace").decode())
        except OSError:  # whoever read the progress is gone: the run and its result are worth more
            self._broken = True
