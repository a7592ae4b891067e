"""The pump as a script: messages in, messages out, with nothing mounted."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator

import pytest

from fsprobe import wire
from fsprobe.posix.child import Child
from fsprobe.relay import pump as pump_module
from fsprobe.wire import Opcode
from tests.relay.rig import FILE, Rig, received, turn

GOOD = wire.AttrOut(attr=FILE)


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


def ask_stat(rig: Rig) -> int:
    return rig.ask(Opcode.GETATTR, wire.GetattrIn())


def good_reply(unique: int) -> bytes:
    return wire.build_reply(unique, GOOD, opcode=Opcode.GETATTR)


def test_an_exchange_passes_unchanged_and_is_recorded(rig: Rig) -> None:
    """Without it a target behaves otherwise under fsprobe than alone."""
    unique = ask_stat(rig)
    assert rig.taken() == wire.build_request(Opcode.GETATTR, 1, wire.GetattrIn(), unique=unique)
    rig.say(good_reply(unique))
    assert rig.heard() == good_reply(unique)
    (record,) = rig.records()
    assert (record.opcode, record.unique, record.nodeid, record.error) == (Opcode.GETATTR, unique, 1, 0)
    assert record.reply == good_reply(unique) and (record.latency_us or 0) > 0
    assert rig.told == [] and rig.pump.open_requests() == []


def test_a_large_message_passes_whole_and_only_its_head_is_kept(rig: Rig) -> None:
    """A WRITE of a megabyte that is cut on its way is a false alarm; kept whole, it fills the memory."""
    data = os.urandom(1 << 20)
    unique = rig.ask(Opcode.WRITE, wire.WriteIn(fh=1, data=data))
    found = rig.daemon.recv(2 << 20)
    assert found.endswith(data) and len(found) == 80 + len(data)
    turn(rig.loop)
    rig.say(wire.build_reply(unique, wire.WriteOut(size=len(data)), opcode=Opcode.WRITE))
    (record,) = rig.records()
    assert record.request_len == len(found) and len(record.request) < 1000


def test_an_error_is_recorded_as_a_positive_errno(rig: Rig) -> None:
    """A report that says errno -38 says nothing."""
    unique = ask_stat(rig)
    rig.taken()
    rig.say(wire.build_reply(unique, error=errno.ENOSYS, opcode=Opcode.GETATTR))
    assert [record.error for record in rig.records()] == [errno.ENOSYS]


@pytest.mark.parametrize("opcode", [Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.INTERRUPT])
def test_what_has_no_answer_is_not_waited_for(rig: Rig, opcode: Opcode) -> None:
    """Every FORGET would count as a hang."""
    bodies = {Opcode.FORGET: wire.ForgetIn(nlookup=1), Opcode.INTERRUPT: wire.InterruptIn(unique=2)}
    rig.ask(opcode, bodies.get(opcode, wire.BatchForgetIn()))
    assert rig.taken() is not None
    assert rig.pump.open_requests() == []
    assert [record.reply for record in rig.records()] == [None]


def test_an_interrupt_may_be_answered(rig: Rig) -> None:
    """libfuse answers EAGAIN; taken for a stray reply it would be a finding against a sound daemon."""
    unique = rig.ask(Opcode.INTERRUPT, wire.InterruptIn(unique=2))
    rig.taken()
    rig.say(wire.raw_reply(unique, -errno.EAGAIN))
    assert rig.heard() is not None and rig.told == []


# -- judging


@pytest.mark.parametrize(
    ("spoil", "word", "stays_open"),
    [
        (lambda u: wire.raw_reply(u, errno.EIO), "positive", True),
        (lambda u: wire.raw_reply(u, -600), "", True),
        (lambda u: wire.raw_reply(u, 0, bytes(104), length=999), "999", True),
        (lambda u: wire.raw_reply(u, 0, bytes(8)), "", False),
    ],
    ids=["positive errno", "errno too large", "wrong length", "short body"],
)
def test_a_reply_that_the_kernel_refuses_is_told(rig: Rig, spoil, word, stays_open) -> None:  # type: ignore[no-untyped-def]
    """The application hangs for ever and nobody says which reply did it."""
    unique = ask_stat(rig)
    rig.taken()
    rig.say(spoil(unique))
    (event,) = rig.events("malformed")
    assert event["unique"] == unique and event["open"] is stays_open and word in event["reason"]
    assert event["head"] == spoil(unique)[:64]
    assert [o["unique"] for o in rig.pump.open_requests()] == ([unique] if stays_open else [])
    if not stays_open:
        assert rig.records()[0].note


def test_a_message_shorter_than_a_header_is_told(rig: Rig) -> None:
    """A daemon that writes rubbish would just hang."""
    ask_stat(rig)
    rig.taken()
    rig.say(b"hello")
    assert "5 bytes" in rig.events("malformed")[0]["reason"]


def test_an_empty_message_is_not_the_daemons_end(rig: Rig) -> None:
    """A daemon that writes nothing at all is told to be wrong, and not to have died."""
    rig.say(b"")
    assert "0 bytes" in rig.events("malformed")[0]["reason"]
    assert not rig.events("daemon-gone") and not rig.pump.closed


@pytest.mark.parametrize("waits", [True, False])
def test_a_reply_to_nobody(rig: Rig, monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    """A reply with a wrong unique leaves its caller hanging; a second reply harms nobody."""
    monkeypatch.setattr(rig.pump, "_write_kernel", lambda message: errno.ENOENT)  # as the device says
    if waits:
        ask_stat(rig)
        rig.taken()
    rig.say(good_reply(4711))
    (event,) = rig.events("malformed")
    assert event["unique"] == 4711 and event["open"] is waits


# -- requests that are never answered


def test_a_hung_request_is_answered_once_and_its_late_reply_swallowed(rig: Rig) -> None:
    """The caller stays in D for ever, or hears a reply that belongs to nobody."""
    unique = ask_stat(rig)
    rig.taken()
    assert rig.pump.answer(unique, errno.EIO)
    assert rig.heard() == wire.build_reply(unique, error=errno.EIO, opcode=Opcode.GETATTR)
    assert not rig.pump.answer(unique, errno.EIO)
    (record,) = rig.records()
    assert record.reply is None and record.error is None and "answered by fsprobe" in record.note
    rig.say(good_reply(unique))
    assert rig.heard() is None and rig.told == [] and rig.records() == []
    assert rig.through(Opcode.GETATTR, wire.GetattrIn(), GOOD) == good_reply(unique + 2)


def test_open_requests_tell_what_is_taken(rig: Rig) -> None:
    """`read but not answered` and `not read at all` are different faults."""
    unique = ask_stat(rig)
    (request,) = rig.pump.open_requests()
    assert (request["unique"], request["opcode"], request["taken"]) == (unique, Opcode.GETATTR, False)
    rig.taken()
    assert rig.pump.open_requests()[0]["taken"] is True


def test_the_next_request_waits_in_the_kernel_until_the_last_is_taken(rig: Rig) -> None:
    """A request that was read for a daemon that does not read puts its caller in D, where no signal ends it."""
    first = ask_stat(rig)
    second = ask_stat(rig)
    assert [o["unique"] for o in rig.pump.open_requests()] == [first]
    rig.taken()
    assert [o["unique"] for o in rig.pump.open_requests()] == [first, second]
    assert rig.taken() is not None


@pytest.mark.parametrize(("queued", "waits"), [(0, False), (1, False), (704, True)])
def test_a_single_byte_is_no_message(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, queued: int, waits: bool
) -> None:
    """The kernel wakes the relay while it still counts 1: taken for a message, no second wake-up ever comes."""
    monkeypatch.setattr(pump_module.fcntl, "ioctl", lambda *_: queued.to_bytes(4, "little"))
    assert rig.pump.unread() is waits


def test_no_wake_up_is_lost_under_load() -> None:
    """Once in some thousand requests the relay would stop for good: a hang that is fsprobe's own."""
    rig = Rig()
    count = 6_000
    requests = [wire.build_request(Opcode.GETATTR, 1, wire.GetattrIn(), unique=2 * n + 2) for n in range(count)]

    def serve() -> None:
        rig.daemon.setblocking(True)
        for _ in range(count):
            unique = int.from_bytes(rig.daemon.recv(4096)[8:16], "little")
            rig.daemon.send(good_reply(unique))

    def drive() -> None:  # several wait at a time, so that it is the daemon's reading that wakes the relay
        rig.kernel.setblocking(True)
        for at in range(0, count, 8):
            for request in requests[at : at + 8]:
                rig.kernel.send(request)
            for _ in range(8):
                rig.kernel.recv(4096)

    daemon, kernel = Child(serve), Child(drive)
    deadline = time.monotonic() + 20
    while not kernel.ended_within(0) and time.monotonic() < deadline:
        turn(rig.loop, 0.05)
    done = rig.recorder.next_seq
    for child in (daemon, kernel):
        child.kill()
    rig.close()
    assert done == count, f"stopped after {done} of {count} requests"


# -- INIT


def init_request(flags: int, flags2: int) -> wire.InitIn:
    return wire.InitIn(minor=45, flags=flags, flags2=flags2)


def test_init_loses_what_needs_the_real_device(rig: Rig) -> None:
    """A daemon that turns passthrough on would be left without its file descriptors."""
    kept = wire.InitFlag.HAS_INODE_DAX.value >> 32
    offered = kept | 1 << 5 | 1 << 9
    rig.ask(Opcode.INIT, init_request(wire.InitFlag.INIT_EXT.value, offered))
    request = wire.decode_request(rig.taken() or b"")
    assert request.body.flags2 == kept
    assert rig.pump.masked == ["PASSTHROUGH", "OVER_IO_URING"]


def test_sizes_that_do_not_fit_a_message_are_lowered(rig: Rig) -> None:
    """A write larger than a message is lost, and with it its caller."""
    rig.pump.limit = 300_000
    pages = wire.InitFlag.MAX_PAGES
    unique = rig.ask(Opcode.INIT, init_request(pages.value, 0))
    rig.taken()
    answer = wire.InitOut(minor=31, flags=pages.value, max_write=1 << 20, max_pages=256)
    rig.say(wire.build_reply(unique, answer, opcode=Opcode.INIT))
    heard = wire.decode_reply(rig.heard() or b"", Opcode.INIT).body
    assert heard.max_write == heard.max_pages * 4096 == 294_912 <= 300_000 - 4096
    assert "1048576" in rig.pump.clamped
    assert rig.events("ready") and rig.pump.minor == 31


def test_no_announced_size_is_larger_than_the_buffer(rig: Rig) -> None:
    """Reading the device with less than max_write fails, which looks like the end of the mount."""
    unique = rig.ask(Opcode.INIT, init_request(0, 0))
    rig.taken()
    rig.say(wire.build_reply(unique, wire.InitOut(minor=31, max_write=1 << 30), opcode=Opcode.INIT))
    heard = wire.decode_reply(rig.heard() or b"", Opcode.INIT).body
    assert heard.max_write + 4096 <= pump_module.BUFFER_SIZE


def test_a_refused_init_is_told(rig: Rig) -> None:
    """A target that refuses INIT would be waited for until the timeout."""
    unique = rig.ask(Opcode.INIT, init_request(0, 0))
    rig.taken()
    rig.say(wire.build_reply(unique, error=errno.EPROTO, opcode=Opcode.INIT))
    assert rig.events("init-failed") == [{"event": "init-failed", "errno": errno.EPROTO}]
    assert not rig.events("ready")


def test_notifications_pass(rig: Rig) -> None:
    """A daemon that tells the kernel of changes would be served from a stale cache."""
    notice = wire.build_notification(wire.Notification.INVAL_INODE, wire.NotifyInvalInodeOut(ino=7))
    rig.say(notice)
    assert rig.heard() == notice
    assert rig.told == [] and sum(rig.pump.notifications.values()) == 1


# -- the end


def test_the_daemons_end(rig: Rig) -> None:
    """A crash with a request open: its caller is freed, and the request is named."""
    unique = ask_stat(rig)
    rig.taken()
    rig.daemon.close()
    turn(rig.loop)
    assert rig.events("daemon-gone") and rig.pump.closed
    assert rig.heard() == wire.build_reply(unique, error=errno.ECONNABORTED, opcode=Opcode.GETATTR)
    (record,) = rig.records()
    assert record.unique == unique and "before it answered" in record.note
    assert received(rig.kernel) == b"", "the device is closed"


def test_what_a_daemon_said_before_its_end_still_counts(rig: Rig) -> None:
    """The request before the fatal one would be blamed for the crash."""
    first = ask_stat(rig)
    rig.taken()
    second = ask_stat(rig)  # lies unread in its socket when it ends
    rig.daemon.send(good_reply(first))
    rig.daemon.close()
    turn(rig.loop, rounds=8)
    assert rig.heard() == good_reply(first)
    assert {record.unique: record.error for record in rig.records()} == {first: 0, second: None}


def test_the_mounts_end_leaves_the_daemon_its_socket(rig: Rig) -> None:
    """libfuse prints an error and exits 1 at end-of-file: a sound daemon would be told to end badly."""
    rig.kernel.close()
    turn(rig.loop)
    assert rig.events("unmounted") and not rig.pump.closed
    assert rig.taken() is None, "no end-of-file"


def test_the_mounts_end_is_noticed_while_the_daemon_does_not_read(rig: Rig) -> None:
    """The relay would wait for the daemon and burn a processor meanwhile."""
    ask_stat(rig)
    ask_stat(rig)
    rig.kernel.close()
    turn(rig.loop)
    assert rig.events("unmounted")


def test_no_descriptor_is_left_open() -> None:
    """A run restarts its target dozens of times."""
    Rig().close()
    before = len(os.listdir("/proc/self/fd"))
    rig = Rig()
    ask_stat(rig)
    ask_stat(rig)
    rig.close()
    assert len(os.listdir("/proc/self/fd")) == before
