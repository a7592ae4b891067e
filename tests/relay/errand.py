"""A worker for tests of the sandbox: does one thing in it when told, and says what came of it."""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Any

from fsprobe import wire
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.relay.client import Sandbox
from fsprobe.wire import Opcode

ENTRY = "tests.relay.errand:main"


def init(_: str) -> str:
    """INIT as a kernel asks it, on the wire's end."""
    end = socket.socket(fileno=4)
    end.settimeout(5)
    end.send(wire.build_request(Opcode.INIT, 0, wire.InitIn(), unique=2))
    reply = wire.decode_reply(end.recv(4096), Opcode.INIT)
    end.detach()
    return f"{reply.body.major}.{reply.body.minor}"


def descriptors(_: str) -> list[str]:
    """What this worker holds beside its three standard descriptors."""
    links = []
    for name in sorted(os.listdir("/proc/self/fd"), key=int):
        try:
            links.append(f"{name} {os.readlink(f'/proc/self/fd/{name}').partition(':')[0]}")
        except OSError:
            continue  # the one of the listing itself
    return [link for link in links if int(link.split()[0]) > 2]


ERRANDS = {
    "list": os.listdir, "mkdir": os.mkdir, "init": init, "stat": lambda path: os.stat(path).st_mode,
    "is-mount": os.path.ismount, "pid": lambda _: os.getpid(), "descriptors": descriptors,
}  # fmt: skip


def main(channel: Channel) -> None:
    """Serve until the other end closes."""
    try:
        while True:
            message, _ = channel.receive()
            if "do" in message:
                try:
                    channel.send({"found": ERRANDS[message["do"]](message["on"])})
                except OSError as error:
                    channel.send({"found": errno.errorcode.get(error.errno or 0, str(error))})
    except ChannelClosed:
        os._exit(0)


class Place:
    """A sandbox with one start of a daemon in it."""

    def __init__(self, *levels: str) -> None:
        self.sandbox = Sandbox.open([], levels or None)
        self.mountpoint = ""

    def start(self, argv: list[str], mode: str = "mount", rules: tuple[str, ...] = ()) -> None:
        """Start a daemon; `{mnt}` in its arguments is a fresh mountpoint."""
        found = self.sandbox.call("place")
        self.mountpoint = found["mnt"]
        command = [word.replace("{mnt}", self.mountpoint) for word in argv]
        env = dict(os.environ)
        self.sandbox.call("start", argv=command, env=env, cwd="/", mode=mode, layer="mount", rules=[*rules])

    def wait_for(self, name: str, seconds: float = 5.0) -> dict[str, Any]:
        """The first event of that name; those before it are dropped. AssertionError with what the daemon said."""
        deadline = time.monotonic() + seconds
        seen = []
        while time.monotonic() < deadline:
            event = self.sandbox.next_event(max(0.0, deadline - time.monotonic()))
            if event is not None:
                if event["event"] == name:
                    return event
                seen.append(event)
        raise AssertionError(f"no {name!r}, but {seen}; it said {self.sandbox.call('status')['output']!r}")

    def said(self, seconds: float = 3.0) -> str:
        """What the daemon printed, waiting for a whole line."""
        deadline = time.monotonic() + seconds
        text = b""
        while not text.endswith(b"\n") and time.monotonic() < deadline:
            text = self.sandbox.call("status")["output"]
            time.sleep(0.01)
        return str(text.decode()).strip()

    def errand(self, what: str, on: str = "", *, layer: str = "mount", seconds: float = 5.0) -> Any:
        """What a fresh worker finds. Raises TimeoutError where it does not come back."""
        channel, _ = self.sandbox.worker(ENTRY, {"layer": layer})
        channel.send({"do": what, "on": on})
        return channel.receive(seconds)[0]["found"]

    def processes(self) -> list[int]:
        """The sandbox's processes as this one sees them, the first of them first."""
        from fsprobe.sandbox import process

        return [self.sandbox.host.pid, *process.descendants(self.sandbox.host.pid)]
