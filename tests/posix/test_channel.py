"""The pipe between fsprobe's processes: whole messages, descriptors beside them, and no wait without a bound."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from fsprobe.posix.channel import Channel, ChannelClosed


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    left, right = Channel.pair()
    yield left, right
    left.close()
    right.close()


@pytest.mark.parametrize("message", [None, 0, "text", b"\0\xff" * 9, {"id": 1, "args": [1.5, (2, None)]}, []])
def test_any_plain_value_comes_as_it_went(ends: tuple[Channel, Channel], message: object) -> None:
    """Requests hold any bytes, and an empty message is one."""
    ends[0].send(message)
    assert ends[1].receive(1) == (message, [])


def test_many_messages_keep_their_bounds(ends: tuple[Channel, Channel]) -> None:
    """An event glued to an answer would be lost."""
    for number in range(100):
        ends[0].send({"number": number})
    assert [ends[1].receive(1)[0]["number"] for _ in range(100)] == list(range(100))


def test_a_large_message_passes_while_it_is_read(ends: tuple[Channel, Channel]) -> None:
    """The exchanges of a check are many megabytes."""
    data = os.urandom(5 << 20)
    sender = threading.Thread(target=ends[0].send, args=(data,))
    sender.start()
    assert ends[1].receive(5)[0] == data
    sender.join(5)


def test_a_message_that_comes_in_pieces(ends: tuple[Channel, Channel]) -> None:
    """`take_ready` is asked again and again while the rest is on its way."""
    whole, _ = Channel.pair()
    ends[0].send("hello")
    data = ends[1].sock.recv(1000)
    for byte in data[:-1]:
        ends[0].sock.send(bytes([byte]))
        assert ends[1].take_ready() is None
    ends[0].sock.send(data[-1:])
    assert ends[1].take_ready() == ("hello", [])
    whole.close()


def test_descriptors_stay_with_their_message(ends: tuple[Channel, Channel]) -> None:
    """A worker given the wrong descriptor would speak to somebody else."""
    pipes = [os.pipe() for _ in range(3)]
    ends[0].send("none")
    ends[0].send("two", (pipes[0][0], pipes[1][0]))
    ends[0].send("one", (pipes[2][0],))
    for number, (_, write) in enumerate(pipes):
        os.write(write, b"%d" % number)
    found = [ends[1].receive(1) for _ in range(3)]
    assert [len(fds) for _, fds in found] == [0, 2, 1]
    assert [os.read(fd, 9) for _, fds in found for fd in fds] == [b"0", b"1", b"2"]
    assert not any(os.get_inheritable(fd) for _, fds in found for fd in fds)
    for fd in [fd for pair in pipes for fd in pair] + [fd for _, fds in found for fd in fds]:
        os.close(fd)


def test_descriptors_that_nobody_took_are_closed() -> None:
    """A run makes hundreds of channels."""
    left, right = Channel.pair()
    read, write = os.pipe()
    left.send("x", (read,))
    os.close(read)
    right._fill()
    right.close()
    with pytest.raises(BrokenPipeError):
        os.write(write, b"x")
    os.close(write)
    left.close()


def test_waiting_ends_at_the_deadline(ends: tuple[Channel, Channel]) -> None:
    """A worker that is lost must not take the session with it."""
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        ends[0].receive(0.05)
    assert 0.04 < time.monotonic() - began < 1
    with pytest.raises(TimeoutError):
        ends[0].receive(0)


def test_half_a_message_does_not_hold_the_deadline(ends: tuple[Channel, Channel]) -> None:
    """A peer that dies while it writes."""
    ends[0].sock.send(struct.pack("=II", 1000, 0) + b"x")
    with pytest.raises(TimeoutError):
        ends[1].receive(0.05)
    ends[0].close()
    with pytest.raises(ChannelClosed):
        ends[1].receive(0.05)


def test_writing_ends_at_the_deadline(ends: tuple[Channel, Channel]) -> None:
    """A session that is stopped in a debugger must not stop the relay for ever."""
    with pytest.raises(TimeoutError):
        ends[0].send(bytes(64 << 20), timeout=0.05)


def test_what_was_said_before_the_end_is_heard(ends: tuple[Channel, Channel]) -> None:
    """The last outcome of a worker that was killed at once afterwards."""
    ends[0].send("last")
    ends[0].close()
    assert ends[1].receive(1) == ("last", [])
    with pytest.raises(ChannelClosed):
        ends[1].receive(1)
    with pytest.raises(ChannelClosed):
        ends[1].take_ready()


def test_writing_to_nobody(ends: tuple[Channel, Channel]) -> None:
    """It is an end like any other, and no signal."""
    ends[1].close()
    with pytest.raises(ChannelClosed):
        ends[0].send("x")


def test_descriptors_do_not_leak_into_programs() -> None:
    """The target would hold an end, and its death would go unnoticed."""
    for end in Channel.pair():
        assert not os.get_inheritable(end.fileno())
        assert end.sock.family == socket.AF_UNIX
        end.close()
