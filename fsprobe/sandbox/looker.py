"""A look that may be lost: in a child of our own, told piece by piece, ended when its time is up.

Owns the child and its end; knows nothing of what is looked at. Reading /proc of a process that is stuck may wait for
its memory lock: whoever must not wait has it read by a child, and uses what came until then.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fsprobe.posix.channel import Channel, ChannelClosed

Pieces = Callable[[], Iterator[Any]]


@dataclass(slots=True)
class Looker:
    """A child that sends what a generator yields. `pieces` is what came so far, `complete` whether that is all."""

    pid: int
    channel: Channel
    pieces: list[Any] = field(default_factory=list)
    complete: bool = False
    _closed: bool = False

    @classmethod
    def start(cls, gather: Pieces) -> Looker:
        """Pieces have to be what marshal knows. Never call it in a process with threads."""
        ours, theirs = Channel.pair()
        pid = os.fork()
        if pid == 0:
            _look(gather, ours, theirs)
        theirs.close()
        return cls(pid, ours)

    def wait(self, deadline: float, until: Callable[[Any], bool] | None = None) -> None:
        """Take in pieces until the last, one that `until` holds for, or the deadline (time.monotonic)."""
        while not self._closed:
            try:
                piece, _ = self.channel.receive(max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                return
            except ChannelClosed:
                self._closed = True
                return
            if piece is None:
                self.complete = self._closed = True
                return
            self.pieces.append(piece)
            if until is not None and until(piece):
                return

    def end(self) -> None:
        """Kill it where it still looks. One that cannot be killed at once is not waited for."""
        self.channel.close()
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        deadline = time.monotonic() + 0.2
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0 and time.monotonic() < deadline:
            time.sleep(0.002)


def _look(gather: Pieces, ours: Channel, theirs: Channel) -> None:
    try:
        ours.close()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        for piece in gather():
            theirs.send(piece)
        theirs.send(None)
    except (ChannelClosed, TimeoutError):
        pass  # nobody wants to know any more
    finally:
        os._exit(0)
