"""What is told where nobody sees the requests: a guess that is called proven sends an author to the wrong handler."""

from __future__ import annotations

import errno
import struct
from typing import Any

import pytest

from fsprobe.checks.outcome import Outcome
from fsprobe.results.records import Incident
from fsprobe.runners import stuck, unrelayed
from fsprobe.wire import Opcode

OURS, DAEMON = 40, 7


def waits(pid: int, op: str, connection: int, *, sure: bool = True) -> dict[str, Any]:
    return {"pid": pid, "tid": pid, "name": "x", "state": "S", "wchan": "request_wait_answer", "op": op, "sure": sure,
            "call": "", "connection": connection, "path": "", "seconds": 1.0, "switches": 3}  # fmt: skip


def told(*callers: dict[str, Any], owed: int | None = None) -> dict[str, Any]:
    return {"callers": list(callers), "connection": OURS, "waiting": owed}


@pytest.mark.parametrize(
    ("seen", "own"),
    [
        (told(waits(99, "READ", OURS), waits(DAEMON, "LOOKUP", OURS)), True),
        (told(waits(99, "READ", OURS), waits(DAEMON, "LOOKUP", 41)), False),
        (told(waits(99, "READ", OURS), waits(DAEMON, "LOOKUP", -1)), False),
        (told(waits(99, "READ", OURS), waits(DAEMON, "LOOKUP", -1), owed=1), False),
        (told(waits(99, "READ", OURS), waits(DAEMON, "LOOKUP", -1), owed=2), True),
    ],
    ids=["its own", "another mount", "not known", "another's, as fusectl counts", "its own, as fusectl counts"],
)  # fmt: skip
def test_a_daemon_that_waits_at_its_own_mount(seen: dict[str, Any], own: bool) -> None:
    """One that waits for a second FUSE mount is slow, and not to be rewritten."""
    looked = unrelayed.look(seen, [DAEMON], 0.2)
    assert looked is not None and looked.op == "READ" and looked.may_be_lost
    thread = {"tid": DAEMON, "name": "d", "state": "S", "wchan": "request_wait_answer", "syscall": "", "stack": ""}
    found = stuck.why([{"pid": DAEMON, "threads": [thread]}], looked.opened)
    assert found is not None and found.proven == own and ("its own LOOKUP" in found.sentence) == own


def test_a_wait_for_a_lock_is_not_the_one_to_look_at() -> None:
    """A sound daemon answers that late; what is asked beside it is what hangs."""
    looked = unrelayed.look(told(waits(98, "SETLKW", OURS), waits(99, "GETATTR", OURS)), [DAEMON], 0.2)
    assert looked is not None and looked.op == "GETATTR" and len(looked.opened) == 2
    assert looked.opened[0]["opcode"] == Opcode.GETATTR
    assert struct.unpack_from("=32xI", looked.opened[0]["head"])[0] == 99
    alone = unrelayed.look(told(waits(98, "SETLKW", OURS)), [DAEMON], 0.2)
    assert alone is not None and not alone.may_be_lost


def test_nobody_waits() -> None:
    """A check that computes is at no fault of the daemon's."""
    assert unrelayed.look(told(), [DAEMON], 0.2) is None
    assert unrelayed.look(told(waits(99, "READ", 41)), [DAEMON], 0.2) is None


CRASH = Incident("crash", detail="the daemon was killed by SIGABRT", proven=True)


@pytest.mark.parametrize(
    ("outcome", "op"),
    [
        (Outcome("blocked", errno=errno.ECONNABORTED, call="mkdir"), "MKDIR"),
        (Outcome("oserror", errno=errno.ENOTCONN, call="mkdir"), ""),
        (Outcome("oserror", errno=errno.ECONNABORTED, call="frobnicate"), ""),
        (None, ""),
    ],
)
def test_what_a_daemon_died_in(outcome: Outcome | None, op: str) -> None:
    """Blaming what the check is about would tell eight crashes of one; what is not known is said not to be."""
    named = unrelayed.named(CRASH, outcome, "CREATE", seen=False)
    assert (named.opcode, named.proven) == (op, False) and "requests are not seen" in named.evidence[-1]
    assert unrelayed.named(CRASH, outcome, "CREATE", seen=True).opcode == "CREATE"
    assert unrelayed.named(Incident("hang"), outcome, "CREATE", seen=False).opcode == "CREATE"
