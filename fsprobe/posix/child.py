"""Running a function in a child process and having its result, within a deadline.

Owns the fork, the pipe, the change of user and the killing; knows nothing of what the function does. The
parent never waits without a bound: a child that is stuck in the kernel is killed, given up and reported.
"""

from __future__ import annotations

import ctypes
import faulthandler
import marshal
import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ChildTimeout(Exception):
    """The child did not finish in time; it was killed."""


class ChildDied(Exception):
    """The child ended by a signal, or without a result."""

    def __init__(self, status: int) -> None:
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        how = f"was killed by {signal.Signals(self.signal).name}" if self.signal else "ended without a result"
        super().__init__(f"the process {how}")


class ChildError(Exception):
    """The function raised something other than OSError; holds its traceback as text."""


class Child:
    """One running function. Its result has to be what marshal can carry."""

    def __init__(self, function: Callable[[], Any], *, uid: int | None = None, gid: int | None = None) -> None:
        self._read, write = os.pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            _serve(function, write, parent, uid, gid)
        os.close(write)
        self._pidfd = os.pidfd_open(self.pid)
        self._done = False

    def result(self, timeout: float) -> Any:
        """What the function returned. Raises its OSError, ChildError, ChildDied or ChildTimeout."""
        deadline = time.monotonic() + timeout
        data = bytearray()
        while True:
            if not select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self.kill()
                raise ChildTimeout(f"the process did not finish within {timeout:g} s")
            part = os.read(self._read, 1 << 16)
            if not part:
                break
            data += part
        status = self._reap(max(1.0, deadline - time.monotonic()))
        if not data:
            raise ChildDied(status)
        kind, value = marshal.loads(bytes(data))  # from our own child
        if kind == "oserror":
            raise OSError(*value)
        if kind == "error":
            raise ChildError(value)
        return value

    def ended_within(self, seconds: float) -> bool:
        """Whether it has ended, or does so within that time."""
        return self._done or bool(select.select([self._pidfd], [], [], seconds)[0])

    def waits(self, seconds: float = 0.5) -> bool:
        """True once the child sleeps in the kernel; False if it does not within `seconds`. For set-up only."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with open(f"/proc/{self.pid}/stat", "rb") as file:
                    state = file.read().rsplit(b") ", 1)[1][:1]
            except OSError:
                return False
            if state in b"SD":
                return True
            time.sleep(0.001)
        return False

    def kill(self) -> None:
        """End the child if it still runs, and forget it; waits a second at most."""
        if not self._done:
            try:
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._reap(1.0)

    def _reap(self, seconds: float) -> int:
        if self._done:
            return 0
        self._done = True
        status = 0
        if select.select([self._pidfd], [], [], seconds)[0]:
            status = os.waitpid(self.pid, 0)[1]
        os.close(self._pidfd)
        os.close(self._read)
        return status


def _serve(function: Callable[[], Any], write: int, parent: int, uid: int | None, gid: int | None) -> None:
    try:
        try:
            if uid is not None:
                os.setgroups([])
                os.setgid(uid if gid is None else gid)
                os.setuid(uid)
            # After the change of user, which clears it.
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)
            faulthandler.disable()  # pytest's: a child that dies of a signal on purpose has nothing to tell
            answer: tuple[str, Any] = ("ok", function())
        except OSError as error:
            answer = ("oserror", (error.errno or 0, error.strerror or str(error)))
        except BaseException:  # noqa: BLE001 - it is carried to the parent as text
            answer = ("error", traceback.format_exc())
        data = marshal.dumps(answer)
        while data:
            data = data[os.write(write, data) :]
    finally:
        os._exit(0)
