"""Counts per operation: the first thing a user reads of a run."""

from __future__ import annotations

from fsprobe import wire
from fsprobe.trace.stats import histogram, percentile, stats
from fsprobe.wire import Opcode
from tests.trace.recording import Recording


def test_replies_are_counted_by_errno_name() -> None:
    tape = Recording()
    found = stats(
        [
            tape.exchange(Opcode.SETATTR, 1, wire.SetattrIn(), error=38, microseconds=10),
            tape.exchange(Opcode.SETATTR, 1, wire.SetattrIn(), error=38, microseconds=20),
            tape.exchange(Opcode.SETATTR, 1, wire.SetattrIn(), error=95, microseconds=90),
            tape.exchange(Opcode.SETATTR, 1, wire.SetattrIn(), error=11, microseconds=40),
            tape.exchange(Opcode.SETATTR, 1, wire.SetattrIn(), error=None),
            tape.exchange(Opcode.FLUSH, 1, wire.FlushIn(), microseconds=5),
            tape.exchange(Opcode.FORGET, 1, wire.ForgetIn(1), error=None),
            tape.raw(99, 1, wire.build_request(99, 1, b"", unique=1), wire.raw_reply(1, -38), 38),
        ]
    )
    assert list(found) == ["FORGET", "SETATTR", "FLUSH", "OPCODE_99"]
    setattr_ = found["SETATTR"]
    assert setattr_.requests == 5
    assert setattr_.replies == {"ENOSYS": 2, "EAGAIN": 1, "EOPNOTSUPP": 1}
    assert (setattr_.p50_us, setattr_.p99_us, setattr_.max_us) == (20, 90, 90)
    assert found["FLUSH"].replies == {"ok": 1}
    assert found["FORGET"].max_us is None


def test_percentiles_are_times_that_were_measured() -> None:
    times = [float(n) for n in range(1, 201)]
    assert (percentile(times, 50), percentile(times, 99), percentile(times, 100)) == (100, 198, 200)
    assert percentile([7.0], 99) == 7


def test_histogram_has_round_bounds_and_loses_nothing() -> None:
    """A distribution whose bars do not add up to the requests is no distribution."""
    times = [0.2, 1.0, 1.01, 7.0, 7.01, 10.0, 69.0, 101.0, 2_000_001.0]
    found = histogram(times)
    assert found == {"1": 2, "1.5": 1, "7": 1, "10": 2, "70": 1, "150": 1, "3000000": 1}
    assert sum(found.values()) == len(times) and [float(bound) for bound in found] == sorted(map(float, found))
