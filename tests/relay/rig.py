"""A pump between two socket pairs: a kernel on one end and a daemon on the other, both played by the test."""

from __future__ import annotations

import socket
from typing import Any

from fsprobe import wire
from fsprobe.relay.loop import Loop
from fsprobe.relay.pump import Pump
from fsprobe.relay.recorder import Recorder, exchange
from fsprobe.relay.rules import RuleSet
from fsprobe.relay.sockets import socket_pair
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import Opcode

FILE = wire.Attr(ino=2, mode=0o100644, nlink=1, size=10, mtime=1000, uid=5)
ENTRY = wire.EntryOut(nodeid=77, attr=FILE)


class Stop(Exception):
    """Ends `Loop.run`, which has no end of its own."""


def turn(loop: Loop, seconds: float = 0.0, rounds: int = 4) -> None:
    """Let the loop work off what is ready: `rounds` looks at its descriptors, or a time."""

    def stop() -> None:
        raise Stop

    for _ in range(1 if seconds else rounds):
        loop.later(seconds, stop)
        try:
            loop.run()
        except Stop:
            pass


def received(end: socket.socket) -> bytes | None:
    """The next message, None where there is none."""
    try:
        return end.recv(1 << 20)
    except BlockingIOError:
        return None


class Rig:
    """`ask` as the kernel, `taken` and `say` as the daemon, `heard` as the kernel again."""

    def __init__(self, *rules: str) -> None:
        self.loop, self.recorder, self.told = Loop(), Recorder(), []
        ours, self.kernel, _ = socket_pair()
        relayed, self.daemon, self.limit = socket_pair()
        self.rules = RuleSet(list(rules))
        self.told: list[dict[str, Any]] = []
        self.pump = Pump(
            self.loop, ours.detach(), relayed, self.limit, self.recorder, self.rules, self.told.append
        )
        self.unique = 0
        for end in (self.kernel, self.daemon):
            end.setblocking(False)

    def ask(self, opcode: Opcode, body: object = None, *, nodeid: int = 1) -> int:
        """Send a request; returns its unique."""
        self.unique += 2
        self.kernel.send(wire.build_request(opcode, nodeid, body, unique=self.unique))
        turn(self.loop)
        return self.unique

    def taken(self) -> bytes | None:
        """The request that the daemon finds, None where it finds none."""
        message = received(self.daemon)
        turn(self.loop)
        return message

    def say(self, message: bytes) -> None:
        """Anything that the daemon writes."""
        self.daemon.send(message)
        turn(self.loop)

    def heard(self) -> bytes | None:
        """What reaches the kernel."""
        return received(self.kernel)

    def records(self) -> list[Exchange]:
        """What has been recorded since the last call."""
        return [exchange(record) for record in self.recorder.take()]

    def through(self, opcode: Opcode, body: object, answer: object, *, nodeid: int = 1) -> bytes | None:
        """A whole exchange with a correct daemon: the reply as the kernel gets it."""
        unique = self.ask(opcode, body, nodeid=nodeid)
        if self.taken() is not None:
            self.say(wire.build_reply(unique, answer, opcode=opcode))
        return self.heard()

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of one name that the session was told."""
        return [event for event in self.told if event["event"] == name]

    def close(self) -> None:
        """Let go of every descriptor."""
        self.pump.close()
        self.kernel.close()
        self.daemon.close()
        self.loop.close()
