"""What passed through the relay is kept, within bounds."""

from __future__ import annotations

import pytest

from fsprobe import wire
from fsprobe.relay import recorder as module
from fsprobe.relay.recorder import Record, Recorder, exchange
from fsprobe.wire import Opcode

REQUEST = wire.build_request(Opcode.GETATTR, 9, wire.GetattrIn(), unique=4, uid=1, gid=2, pid=3)


def record(seq: int) -> Record:
    return (seq, 1, "mount", REQUEST, len(REQUEST), None, 0, None, 10, None, "")


def test_a_record_becomes_an_exchange() -> None:
    """A nodeid read from the wrong place blames the wrong file."""
    found = exchange(record(7))
    assert (found.seq, found.start, found.layer, found.opcode) == (7, 1, "mount", Opcode.GETATTR)
    assert (found.unique, found.nodeid, found.uid, found.gid, found.pid) == (4, 9, 1, 2, 3)
    assert found.latency_us is None


def test_each_record_is_taken_once() -> None:
    """Traffic of one check would be shown with the next."""
    kept = Recorder()
    kept.keep(record(kept.number()))
    assert [r[0] for r in kept.take()] == [1] and kept.take() == []
    assert kept.number() == 2, "numbers go on over the whole run"


def test_the_oldest_go_when_it_is_full_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that never stops talking would take all memory of the machine."""
    monkeypatch.setattr(module, "CAPACITY", 3)
    kept = Recorder()
    for seq in range(5):
        kept.keep(record(seq))
    assert [r[0] for r in kept.take()] == [2, 3, 4] and kept.dropped == 2


def test_large_records_are_bounded_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies of READDIRPLUS are kept whole: a listing without end would take gigabytes."""
    monkeypatch.setattr(module, "CAPACITY_BYTES", 1000)
    kept = Recorder()
    for _ in range(2):  # counted anew after each fetch
        for seq in range(5):
            kept.keep((*record(seq)[:5], bytes(400), 400, 0, 10, 20, ""))
        assert [r[0] for r in kept.take()] == [3, 4]
    assert kept.dropped == 6
