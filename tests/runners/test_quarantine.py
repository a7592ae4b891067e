"""What is kept from the daemon after it hung: no verdict is made of fsprobe's own answers, and no check is lost."""

from __future__ import annotations

import struct

import pytest

from fsprobe.checks.check import Check, Level
from fsprobe.checks.outcome import Outcome
from fsprobe.relay.pump import WITHHELD
from fsprobe.results.records import Incident
from fsprobe.runners.quarantine import Quarantine
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import Opcode

_HEAD = struct.Struct("=IIQQIIIHH")


def check(op: str = "RENAME", *also: str, extreme: bool = False) -> Check:
    return Check("a.b.c", "mount", op, also, "It is so.", Level.MUST, "s", (), False, False, False, (), print, "f", 1,
                 extreme)  # fmt: skip


def passed(*ops: str) -> list[Exchange]:
    """Exchanges, of which those with a `!` were answered in the daemon's place."""
    found = []
    for number, op in enumerate(ops):
        opcode = int(Opcode[op.strip("!")])
        head = _HEAD.pack(40, opcode, number + 1, 1, 0, 0, 1, 0, 0)
        names = {"unique": number + 1, "opcode": opcode, "nodeid": 1, "uid": 0, "gid": 0, "pid": 1}
        spared = op.endswith("!")
        reply = None if spared else struct.pack("=IiQ", 16, 0, number + 1)
        found.append(Exchange(
            number, 1, "mount", **names, request=head, request_len=40, reply=reply, reply_len=16,
            error=None if spared else 0, sent_ns=0, replied_ns=1, note=WITHHELD if spared else "",
        ))  # fmt: skip
    return found


HANG, CRASH = Incident("hang", "SETATTR"), Incident("crash", "SETATTR")


def test_after_two_hangs_an_operation_is_not_asked_any_more() -> None:
    """Each further hang costs a timeout and a start of the daemon: a run would take the evening."""
    kept = Quarantine()
    kept.count(check("SETATTR"), HANG, "SETATTR")
    assert kept.refuses(check("SETATTR"), relayed=True) == ""
    kept.count(check("SETATTR"), HANG, "SETATTR")
    assert kept.refuses(check("SETATTR"), relayed=True) == "SETATTR hung or crashed before"
    assert kept.refuses(check("RENAME", "SETATTR"), relayed=True) == ""
    assert kept.refuses(check("RENAME", "SETATTR"), relayed=False) == "SETATTR hung or crashed before"


def test_a_crash_may_be_of_one_kind_only() -> None:
    """A daemon that dies of one odd argument would be asked nothing of that operation."""
    kept = Quarantine()
    for _ in range(5):
        kept.count(check("SETATTR"), CRASH, "SETATTR")
    assert not kept.withheld
    kept.count(check("SETATTR"), CRASH, "SETATTR")
    assert kept.withheld == {"SETATTR"}


def test_hangs_at_extremes_count_apart() -> None:
    """Two hangs at 2^63 bytes would leave touch, chmod and truncate unasked; and one more of them is enough known."""
    kept = Quarantine()
    for _ in range(2):
        kept.count(check("SETATTR", extreme=True), HANG, "SETATTR")
    assert not kept.withheld and kept.refuses(check("SETATTR"), relayed=True) == ""
    assert kept.refuses(check("SETATTR", extreme=True), relayed=True) == "SETATTR hung or crashed before"


@pytest.mark.parametrize(
    ("outcome", "asked", "also", "needs"),
    [
        (Outcome("ok"), ("MKDIR", "RENAME"), (), ""),
        (Outcome("ok"), ("MKDIR", "SETATTR!", "RENAME"), (), "SETATTR"),
        (Outcome("ok"), ("MKDIR", "RENAME", "UNLINK!", "RMDIR"), (), ""),
        (Outcome("ok"), ("GETXATTR!", "WRITE", "RENAME"), (), ""),
        (Outcome("ok"), ("GETXATTR!", "WRITE", "RENAME"), ("GETXATTR",), "GETXATTR"),
        (Outcome("unsupported", errno=5), ("SETATTR!", "RENAME"), (), "SETATTR"),
        (Outcome("finding", "0640", "0644"), ("SETATTR!", "GETATTR"), (), "SETATTR"),
        (Outcome("oserror", errno=5, call="chmod"), ("SETATTR!",), (), "SETATTR"),
        (Outcome("finding", "a", "b"), ("RENAME", "GETATTR"), (), ""),
    ],
)  # fmt: skip
def test_no_verdict_is_made_of_our_own_answer(
    outcome: Outcome, asked: tuple[str, ...], also: tuple[str, ...], needs: str
) -> None:  # fmt: skip
    """A PASS or a FAIL that fsprobe answered itself is a lie; a check that did without must not be lost for it."""
    told = Quarantine.spoilt(check("RENAME", *also), outcome, passed(*asked))
    assert told == (f"it needs {needs}, which hung before" if needs else "")
