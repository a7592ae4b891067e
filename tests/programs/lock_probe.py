#!/usr/bin/env python3
"""Locks as programs use them: `lock_probe.py DIRECTORY`. Prints one line for each thing that is as it should be, so
that a file system can be compared with another.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Callable

FLOCK = "hhqqi4x"  # struct flock of 64 bits


def lock(kind: int, start: int = 0, length: int = 0, pid: int = 0) -> bytes:
    return struct.pack(FLOCK, kind, os.SEEK_SET, start, length, pid)


def child(work: Callable[[], str]) -> tuple[int, int]:
    """A process, and a pipe that what `work` returns comes by."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(ours)
        try:
            os.write(theirs, work().encode())
        finally:
            os._exit(0)
    os.close(theirs)
    return pid, ours


def told(pid: int, pipe: int, seconds: float = 10) -> str:
    ready, _, _ = select.select([pipe], [], [], seconds)
    text = os.read(pipe, 1000).decode() if ready else "nothing"
    if not ready:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(pipe)
    return text


def attempt(path: str, command: int, kind: int, start: int = 0, length: int = 0) -> str:
    fd = os.open(path, os.O_RDWR)
    try:
        fcntl.fcntl(fd, command, lock(kind, start, length))
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "granted"


def blocked(pid: int) -> None:
    """Wait until the process waits for an answer."""
    for _ in range(1000):
        with open(f"/proc/{pid}/wchan") as wchan, open(f"/proc/{pid}/stat") as stat:
            if wchan.read() not in ("", "0") and stat.read().rsplit(")", 1)[1].split()[0] in "SD":
                return
        time.sleep(0.01)


def main() -> None:
    os.mkdir(os.path.join(sys.argv[1], "locks"))
    os.chdir(os.path.join(sys.argv[1], "locks"))
    fd = os.open("f", os.O_CREAT | os.O_RDWR)
    fcntl.fcntl(fd, fcntl.F_SETLK, lock(fcntl.F_WRLCK, 10, 10))
    print("in the way:", told(*child(lambda: attempt("f", fcntl.F_SETLK, fcntl.F_RDLCK, 19, 5))))
    print("beside:", told(*child(lambda: attempt("f", fcntl.F_SETLK, fcntl.F_WRLCK, 20, 5))))

    def asked() -> str:
        kind, _, start, length, pid = struct.unpack(FLOCK, fcntl.fcntl(os.open("f", os.O_RDWR), fcntl.F_GETLK,
                                                                       lock(fcntl.F_RDLCK)))  # fmt: skip
        return f"{kind == fcntl.F_WRLCK} {start} {length} {pid == os.getppid()}"

    print("who:", told(*child(asked)))
    waiter = child(lambda: attempt("f", fcntl.F_SETLKW, fcntl.F_WRLCK))
    blocked(waiter[0])
    print("others meanwhile:", os.listdir("."), os.path.getsize("f"))
    os.close(os.dup(fd))  # any close drops all of the process's locks
    print("after a close:", told(*waiter))

    fcntl.fcntl(fd, fcntl.F_SETLK, lock(fcntl.F_WRLCK))

    def interrupted() -> str:
        def stop(number: int, frame: object) -> None:
            raise InterruptedError(errno.EINTR, "")

        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        return attempt("f", fcntl.F_SETLKW, fcntl.F_WRLCK)

    print("interrupted:", told(*child(interrupted)))
    killed = child(lambda: attempt("f", fcntl.F_SETLKW, fcntl.F_WRLCK))
    blocked(killed[0])
    os.kill(killed[0], signal.SIGKILL)
    print("killed:", repr(told(*killed)))
    fcntl.fcntl(fd, fcntl.F_SETLK, lock(fcntl.F_UNLCK))
    print("free again:", told(*child(lambda: attempt("f", fcntl.F_SETLK, fcntl.F_WRLCK))))

    holder = os.open("f", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)

    def flocked(how: int) -> str:
        try:
            fcntl.flock(os.open("f", os.O_RDWR), how)
        except OSError as error:
            return errno.errorcode[error.errno or 0]
        return "granted"

    print("flock:", told(*child(lambda: flocked(fcntl.LOCK_SH | fcntl.LOCK_NB))))
    print("flock and fcntl:", told(*child(lambda: attempt("f", fcntl.F_SETLK, fcntl.F_WRLCK))))
    waiter = child(lambda: flocked(fcntl.LOCK_EX) if os.close(holder) is None else "")
    blocked(waiter[0])
    inherited = child(lambda: "gone" if os.close(holder) is None else "")
    print("a copy closed:", told(*inherited), told(*child(lambda: flocked(fcntl.LOCK_EX | fcntl.LOCK_NB))))
    os.close(holder)
    print("the last closed:", told(*waiter))

    holder = os.open("f", os.O_RDWR)
    fcntl.fcntl(holder, fcntl.F_OFD_SETLK, lock(fcntl.F_WRLCK))
    os.close(os.open("f", os.O_RDWR))  # drops the process's locks, not the open file's
    print("open file's:", attempt("f", fcntl.F_OFD_SETLK, fcntl.F_WRLCK))
    os.close(holder)
    time.sleep(0.1)  # the kernel does not wait for RELEASE
    print("open file closed:", attempt("f", fcntl.F_OFD_SETLK, fcntl.F_WRLCK))


main()
