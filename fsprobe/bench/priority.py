"""Going before the machine's other load, where that is allowed: what is measured is then what is done.

Owns the priority of this process and of those it starts, and of the groups that the kernel makes of sessions
(sched(7), "The autogroup feature"); knows nothing of what they do. One processor for
what one process does: the request goes from worker to daemon and back, and on two processors most of its time would be
that of waking them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

NICE = -19


_NAME = "\0the-one-processor-of-fsprobe-bench-{}"
_taken: list[tuple[int, socket.socket]] = []


def processors(*, one: bool) -> list[int]:
    """Those to work on: one that no other benchmark has taken, the last where there is a choice; or all of them."""
    allowed = sorted(os.sched_getaffinity(0))
    return [_own(allowed)] if one else allowed


def _own(allowed: list[int]) -> int:
    """The same for all of this process. It is taken by a name of the kernel's, which goes with the process."""
    for number in () if _taken else reversed(allowed):
        taken = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            taken.bind(_NAME.format(number))
        except OSError:
            taken.close()
            continue
        _taken.append((number, taken))
        break
    return _taken[0][0] if _taken and _taken[0][0] in allowed else allowed[-1]


@contextmanager
def raised() -> Iterator[int]:
    """This process and what it starts, until the end; yields the nice value that came of it."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, min(NICE, before))
    try:
        yield os.getpriority(os.PRIO_PROCESS, 0)
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


def raise_groups(pids: Iterable[int]) -> None:
    """The groups of those processes too, as far as this process has gone: each session is weighed as one."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    if nice >= 0:
        return
    for pid in pids:
        with suppress(OSError), open(f"/proc/{pid}/autogroup", "w") as group:
            group.write(str(nice))
