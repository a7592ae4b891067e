"""Passing a daemon's notifications on to the kernel, which may block for as long as an operation lasts.

Owns one thread and its queue; knows nothing of requests. FUSE_NOTIFY_INVAL_ENTRY takes the directory's lock
(fs/fuse/dir.c fuse_reverse_inval_entry): written from the relay's own thread while a mkdir in that directory
waits for its reply, it would stop the relay that carries this reply.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable

# Long enough for a notification that does not block, so that its order with the next reply is kept.
USUAL_WAIT = 0.002


class Notifier:
    """Writes notifications in order. `refused(message, errno)` is called in its thread."""

    def __init__(self, kernel_fd: int, refused: Callable[[bytes, int], None]) -> None:
        self._kernel_fd, self._refused = kernel_fd, refused
        self._messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._closed = False

    def write(self, message: bytes) -> None:
        """Pass one on; comes back at once where the kernel makes it wait."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
            self._thread.start()
        self._idle.clear()
        self._messages.put(message)
        self._idle.wait(USUAL_WAIT)

    def _run(self) -> None:
        while (message := self._messages.get()) is not None:
            if self._closed:  # by now the descriptor's number may be another file's
                return
            try:
                os.write(self._kernel_fd, message)
            except OSError as error:
                self._refused(message, error.errno or 0)
            self._idle.set()

    def close(self, wait: float = 0.05) -> None:
        """End the thread; one that is still blocked goes when the operation that blocks it has its answer."""
        self._closed = True
        if self._thread is not None:
            self._messages.put(None)
            self._thread.join(wait)
