"""Signals that end a command as Ctrl-C does: in order, once.

Owns the handlers, and that a signal in the first moments waits for them; knows nothing of what is ended.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_held: set[int] = set()


def hold() -> None:
    """Keep signals that end a command waiting until `release`: before there are handlers they would end it as Python
    pleases, with a traceback from some import and without the result that was asked for.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    _held.update(number for number in _ENDING if number not in before)


def release() -> None:
    """Let those come that were held, and what comes from now on."""
    numbers = set(_held)
    _held.clear()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt, the first of them only: ending is bounded in time, and a
    second one in the middle of it would leave something behind. One that is ignored stays so, as nohup wants it.
    """
    numbers = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        release()
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
