"""The exchanges of a run: counted once, and described with the names of their time."""

from __future__ import annotations

import errno

from fsprobe import wire
from fsprobe.runners.traffic import Traffic
from fsprobe.wire import Opcode
from tests.relay.rig import ENTRY
from tests.trace.recording import Recording


def test_a_line_shows_the_name_as_it_was_then() -> None:
    """A trace in which a file has its later name sends the reader astray."""
    made, traffic = Recording(), Traffic()
    first = [
        made.exchange(Opcode.LOOKUP, 1, wire.Lookup(name=b"old"), ENTRY),
        made.exchange(Opcode.GETATTR, 77, wire.GetattrIn(), wire.AttrOut(attr=ENTRY.attr)),
        made.exchange(Opcode.RENAME, 1, wire.Rename(newdir=1, oldname=b"old", newname=b"new")),
        made.exchange(Opcode.GETATTR, 77, wire.GetattrIn(), wire.AttrOut(attr=ENTRY.attr)),
    ]
    traffic.feed(first)
    lines = [traffic.describe(exchange) for exchange in first]
    assert "/old" in lines[1] and "/new" in lines[3] and "/old" not in lines[3]
    later = made.exchange(Opcode.UNLINK, 1, wire.Unlink(name=b"new"))
    traffic.feed([later])
    assert "new" in traffic.describe(later)


def test_what_was_never_described_is_learnt_all_the_same() -> None:
    """Checks that pass are not described, and what they saw names the files of those that fail."""
    made, traffic = Recording(), Traffic()
    traffic.feed([made.exchange(Opcode.LOOKUP, 1, wire.Lookup(name=b"file"), ENTRY)])
    then = made.exchange(Opcode.GETATTR, 77, wire.GetattrIn(), wire.AttrOut(attr=ENTRY.attr))
    traffic.feed([then])
    assert "/file" in traffic.describe(then)


def test_counts_and_latencies_over_all_feeds() -> None:
    """The operations' table of the report."""
    made, traffic = Recording(), Traffic()
    for microseconds in (10, 30):
        traffic.feed([made.exchange(Opcode.MKDIR, 1, wire.Mkdir(name=b"d"), ENTRY, microseconds=microseconds)])
    traffic.feed([made.exchange(Opcode.MKDIR, 1, wire.Mkdir(name=b"d"), None, errno.ENOSYS)])
    found = traffic.summary()["MKDIR"]
    assert found["requests"] == 3 and found["replies"] == {"ok": 2, "ENOSYS": 1}
    assert found["max_us"] >= 30


def test_the_operation_that_was_open_is_the_one_to_blame() -> None:
    """A crash is charged to what the daemon was doing, and not to what came after."""
    made = Recording()
    done = made.exchange(Opcode.LOOKUP, 1, wire.Lookup(name=b"f"), ENTRY)
    died = made.exchange(Opcode.MKDIR, 1, wire.Mkdir(name=b"d"), None, None, note="the daemon's end closed")
    assert Traffic.unanswered([done, died]) == "MKDIR"
    assert Traffic.unanswered([died, done]) == "MKDIR"
    assert Traffic.unanswered([]) == ""


def test_what_a_caller_goes_round_in_is_the_one_to_blame() -> None:
    """A daemon that takes one byte a WRITE makes a check of locks endless, and locks have nothing to do with it."""
    made = Recording()
    look = made.exchange(Opcode.LOOKUP, 1, wire.Lookup(name=b"f"), ENTRY)
    written = made.exchange(Opcode.WRITE, 5, wire.WriteIn(), wire.WriteOut(size=1))
    assert Traffic.concerned([look, *[written] * 2000, look], "stuck") == "WRITE"
    assert Traffic.concerned([look, written, written], "stuck") == ""
    assert Traffic.concerned([*[look] * 1500, *[written] * 1500], "stuck") == ""
    assert Traffic.concerned([look, *[written] * 2000, look], "crash") == "LOOKUP"
