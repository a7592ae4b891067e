"""The picture of all traffic, kept small."""

from __future__ import annotations

from dataclasses import replace

from fsprobe import wire
from fsprobe.trace.timeline import OTHERS, SLOWEST, TELLING, Timeline
from fsprobe.wire import Opcode
from tests.trace.recording import Recording


def _rows(timeline: Timeline) -> list[dict[str, object]]:
    made = timeline.document()
    return [dict(zip(made["columns"], row, strict=True)) for row in made["exchanges"]]


def test_row_says_when_what_and_for_which_check() -> None:
    """A bar that belongs to no check cannot be followed up."""
    tape, timeline = Recording(), Timeline()
    timeline.add(tape.exchange(Opcode.GETATTR, 1, wire.GetattrIn(), error=2, microseconds=40))
    timeline.add(tape.exchange(Opcode.SETATTR, 1, wire.SetattrIn(), error=None), "posix.chmod")
    timeline.add(tape.exchange(Opcode.FORGET, 1, wire.ForgetIn(1), error=None), "posix.chmod")
    first, lost, forgotten = _rows(timeline)
    assert list(first.values()) == [0, first["layer"], "GETATTR", "ENOENT", 40, None]
    assert (lost["op"], lost["reply"], lost["check"]) == ("SETATTR", None, 0)
    assert forgotten["check"] == 0 and timeline.document()["checks"] == ["posix.chmod"]


def test_a_long_run_stays_small_and_loses_neither_hangs_nor_the_slowest() -> None:
    """A million requests would make a result that no browser opens; the one that hung must be in it."""
    tape, timeline = Recording(), Timeline()
    quick = tape.exchange(Opcode.UNLINK, 1, wire.Unlink(name=b"f"), microseconds=10)
    slow = tape.exchange(Opcode.FSYNC, 1, wire.FsyncIn(), microseconds=9000)
    lost = tape.exchange(Opcode.SETATTR, 1, wire.SetattrIn(), error=None)
    for seq in range(20_000):
        kind = lost if seq % 4999 == 77 else slow if seq % 997 == 5 else quick
        timeline.add(replace(kind, seq=seq))
    made = timeline.document()
    ops = [row[2] for row in made["exchanges"]]
    assert made["seen"] == 20_000 and made["kept"] == len(ops) <= TELLING + SLOWEST + OTHERS
    assert ops.count("SETATTR") == 4 and ops.count("FSYNC") == 21
    assert made["every"] == 8 and ops.count("UNLINK") > OTHERS / 2


def test_thousands_of_lost_replies_are_bounded_too() -> None:
    """A daemon that answers nothing must not fill the disk."""
    tape, timeline = Recording(), Timeline()
    lost = tape.exchange(Opcode.SETATTR, 1, wire.SetattrIn(), error=None)
    for _ in range(12_000):
        timeline.add(lost)
    assert timeline.document()["kept"] <= TELLING + SLOWEST + OTHERS
