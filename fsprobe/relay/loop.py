"""A small event loop on epoll, for the one thread of the relay's host.

Owns waiting, timers and dispatch; knows nothing of what the descriptors are. asyncio would put a dozen
calls between a request and its reply; here it is one.
"""

from __future__ import annotations

import heapq
import itertools
import select
import time
from collections.abc import Callable

READ, WRITE, EDGE = select.EPOLLIN, select.EPOLLOUT, select.EPOLLET
HANG_UP = select.EPOLLHUP


class Loop:
    """Calls a function when its descriptor is ready or its time has come."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._ordinal = itertools.count()

    def watch(self, fd: int, callback: Callable[[int], None], mask: int = READ) -> None:
        """Call `callback(events)` whenever `fd` is ready."""
        self._epoll.register(fd, mask)
        self._callbacks[fd] = callback

    def change(self, fd: int, mask: int) -> None:
        """Watch for other events; 0 for none but errors."""
        self._epoll.modify(fd, mask)

    def forget(self, fd: int) -> None:
        """Stop watching; before closing the descriptor."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call once, after a time."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._ordinal), callback))

    def run(self) -> None:
        """Serve for ever; ends by an exception or the process's end."""
        poll, callbacks, timers = self._epoll.poll, self._callbacks, self._timers
        while True:
            wait = -1.0 if not timers else max(0.0, timers[0][0] - time.monotonic())
            for fd, events in poll(wait):
                callback = callbacks.get(fd)
                if callback is not None:  # an earlier callback of this round may have closed it
                    callback(events)
            while timers and timers[0][0] <= time.monotonic():
                heapq.heappop(timers)[2]()

    def close(self) -> None:
        """Close the epoll descriptor (in a forked child)."""
        self._epoll.close()
