"""Freeing callers that the daemon leaves waiting, and doing them the least harm."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

import pytest

from fsprobe import wire
from fsprobe.relay import way_out as module
from fsprobe.relay.way_out import in_page_fault, way_out
from fsprobe.wire import Opcode
from tests.relay.rig import Rig, turn


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


def error_of(reply: bytes | None) -> tuple[int, int]:
    """(unique, errno) of a reply that is only an error."""
    assert reply is not None and len(reply) == 16
    return int.from_bytes(reply[8:16], "little"), -int.from_bytes(reply[4:8], "little", signed=True)


def test_a_condemned_daemon_hears_nothing_and_no_caller_waits(rig: Rig) -> None:
    """After a hang the next call of the same test, and its tidying up, would hang too."""
    hung = rig.ask(Opcode.GETATTR, wire.GetattrIn())  # not taken: the pump reads no further from the kernel
    waiting = rig.ask(Opcode.STATFS)
    rig.pump.condemn(errno.ETIMEDOUT)
    turn(rig.loop)
    later = rig.ask(Opcode.GETATTR, wire.GetattrIn())
    answers = [error_of(rig.heard()) for _ in range(3)]
    assert answers == [(unique, errno.ETIMEDOUT) for unique in (hung, waiting, later)]
    assert rig.taken() is not None and rig.taken() is None, "only the first one had been sent"


def test_a_page_fault_gets_a_page_and_not_the_signal_that_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGBUS would end pytest itself, with all reports."""
    request = wire.build_request(Opcode.READ, 2, wire.ReadIn(fh=1, offset=0, size=8192), unique=6)
    monkeypatch.setattr(module, "in_page_fault", lambda tid: True)
    reply = way_out(Opcode.READ, request, errno.EIO)
    assert int.from_bytes(reply[:4], "little") == len(reply) == 16 + 8192
    assert reply[4:16] == bytes(4) + (6).to_bytes(8, "little") and not any(reply[16:])
    monkeypatch.setattr(module, "in_page_fault", lambda tid: False)
    assert error_of(way_out(Opcode.READ, request, errno.EIO)) == (6, errno.EIO)


def test_a_system_call_is_no_page_fault() -> None:
    """read(2) has to be told the error."""
    assert not in_page_fault(os.getpid()) and not in_page_fault(0)
