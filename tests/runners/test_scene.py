"""What is told of a hang: the line in the author's own code, not one of the C library's."""

from __future__ import annotations

import pytest

from fsprobe.results.verdicts import Cause
from fsprobe.runners import scene
from fsprobe.runners.stuck import Stuck

LIBRARY = "/usr/lib/python3.11/threading.py"


@pytest.mark.parametrize(
    ("frames", "own"),
    [
        ([f"Lock.acquire ({LIBRARY}:9)", "VexFS.search (/src/fs/vectors.py:12)"], "VexFS.search (fs/vectors.py:12)"),
        (["read (/x/site-packages/mine/a.py:3)", "f (/b.py:1)"], "f (/b.py:1)"),
        (["FUSE._wrapper (/x/site-packages/fuse.py:9)", "f (/b.py:1)"], "f (/b.py:1)"),
        (["__GI___lll_lock_wait", "pthread_mutex_lock", "do_read (/src/a.c:4)", "fuse_fs_read"], "do_read (src/a.c:4)"),
        (["futex_wait", "fuse_session_loop", "fuse_main_real"], ""),
        ([], ""),
    ],
)
def test_the_authors_own_frame(frames: list[str], own: str) -> None:
    """`pthread_mutex_lock` stands in every such stack and says nothing."""
    assert scene.own_frame(frames) == own


def stacks(*threads: tuple[int, str]) -> dict[str, list[dict[str, object]]]:
    told = [{"tid": tid, "name": "", "frames": [frame]} for tid, frame in threads]
    return {"stacks": [{"pid": 1, "note": "", "threads": told}]}


def test_the_place_stands_in_the_cause() -> None:
    """An author reads the first line only."""
    lock = Stuck(Cause.DEADLOCK_LOCK, True, "thread 5 of the daemon waits for a lock, and no thread is left", (5,))
    assert scene.at(lock, stacks((5, "find (/a.py:3)"))) == (
        "thread 5 of the daemon waits for a lock in find (/a.py:3), and no thread is left"
    )
    ring = Stuck(Cause.DEADLOCK_LOCK, True, "threads 5, 6 of the daemon wait in a ring", (5, 6))
    assert scene.at(ring, stacks((5, "a (/a.c:3)"), (6, "b (/a.c:9)"))).endswith(": 5 in a (/a.c:3); 6 in b (/a.c:9)")
    sleeps = Stuck(Cause.BLOCKED_IO, False, "thread 5 of the daemon sleeps", (5,))
    assert scene.at(sleeps, stacks((5, "f (/a.c:3)"))) == "thread 5 of the daemon sleeps, in f (/a.c:3)"
    assert scene.at(sleeps, stacks()) == sleeps.sentence
