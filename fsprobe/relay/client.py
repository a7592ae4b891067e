"""The session's side of the sandbox: opening it, calling its first process, hearing its events, ending it.

Owns the channel to `relay.host` and the janitor; knows nothing of checks. No call waits longer than told.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from fsprobe.errors import FsprobeError, MachineError
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.relay import opening
from fsprobe.relay.opening import Opening, end
from fsprobe.relay.recorder import exchange
from fsprobe.sandbox import fusectl
from fsprobe.trace.exchange import Exchange

CALL_TIMEOUT = 15.0


class SandboxLost(FsprobeError):
    """The sandbox's first process ended though nobody asked it to."""


@dataclass(slots=True)
class Sandbox:
    """An open sandbox. `path` is its run directory as its own processes see it."""

    channel: Channel
    host: subprocess.Popen[bytes]
    keeper: subprocess.Popen[bytes] | None
    level: str
    path: str
    private: bool
    device: bool
    mounter: str
    token: str
    degraded: list[str]
    minor: int = -1
    events: deque[dict[str, Any]] = field(default_factory=deque)
    _results: dict[int, tuple[dict[str, Any], list[int]]] = field(default_factory=dict)
    _number: int = 0

    @classmethod
    def open(cls, avoid: list[str], levels: tuple[str, ...] | None = None, begun: Opening | None = None) -> Sandbox:
        """The best isolation this machine and user have. Raises MachineError where there is none at all.

        begun: the try at the first level, where it was started before.
        """
        reasons: list[str] = []
        for level in levels or opening.levels():
            try:
                attempt, begun = begun or Opening.start(level, avoid), None
                return cls._opened(attempt, attempt.hello(), reasons)
            except OSError as error:
                reasons.append(f"{level}: {error}")
        raise MachineError("no sandbox can be made here", causes=tuple(reasons), command="fsprobe doctor")

    @classmethod
    def _opened(cls, attempt: Opening, hello: dict[str, Any], reasons: list[str]) -> Sandbox:
        return cls(
            attempt.channel, attempt.host, attempt.keeper, attempt.level, hello["path"], hello["private"],
            hello["device"], hello["mounter"], attempt.token, [*reasons, *_degraded(attempt.level, hello)],
        )  # fmt: skip

    def call(self, name: str, timeout: float = CALL_TIMEOUT, **args: Any) -> Any:
        """Make a call and wait for its result. Raises OSError as the host met it, or SandboxLost."""
        return self.call_fds(name, timeout, **args)[0]

    def call_fds(self, name: str, timeout: float = CALL_TIMEOUT, **args: Any) -> tuple[Any, list[int]]:
        """The same, with the descriptors that came along."""
        self._number += 1
        number = self._number
        try:
            self.channel.send({"id": number, "call": name, "args": args})
            deadline = time.monotonic() + timeout
            while number not in self._results:
                self._receive(max(0.0, deadline - time.monotonic()))
        except (ChannelClosed, TimeoutError) as error:
            raise SandboxLost(f"the sandbox did not answer {name!r}: {error or 'it is gone'}") from error
        answer, fds = self._results.pop(number)
        if "error" in answer:
            raise OSError(answer["errno"], answer["error"])
        return answer["result"], fds

    def _receive(self, timeout: float) -> None:
        message, fds = self.channel.receive(timeout)
        if "event" in message:
            if message["event"] == "mounted":
                self.minor = message["minor"]
            self.events.append(message)
        else:
            self._results[message["id"]] = (message, fds)

    def next_event(self, timeout: float) -> dict[str, Any] | None:
        """The next event, None where none came in time. Raises SandboxLost."""
        deadline = time.monotonic() + timeout
        while not self.events:
            try:
                self._receive(max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                return None
            except ChannelClosed as error:
                raise SandboxLost("the sandbox ended") from error
        return self.events.popleft()

    def exchanges(self) -> list[Exchange]:
        """Every exchange recorded since the last call, in the order in which the requests were read."""
        records = self.call("exchanges")["records"]
        return sorted((exchange(record) for record in records), key=lambda e: e.seq)

    def worker(self, entry: str, setup: dict[str, Any]) -> tuple[Channel, int]:
        """Start a worker with its setup; returns the channel to it and its pid in the sandbox."""
        answer, fds = self.call_fds("worker", entry=entry, setup=setup)
        channel = Channel(socket.socket(fileno=fds[0]))
        channel.send({"setup": {**setup, "socket_fd": answer["socket"]}})
        return channel, answer["pid"]

    def close(self) -> None:
        """End everything in it, and wait (bounded) until that is so."""
        self.channel.close()
        try:
            self.host.wait(5.0)
        except subprocess.TimeoutExpired:
            fusectl.abort(self.minor)  # something holds the device open after all
            end(self.host, 2.0)
        if self.keeper is not None:
            if self.keeper.stdin is not None:
                self.keeper.stdin.close()
            end(self.keeper, 8.0)


def _degraded(level: str, hello: dict[str, Any]) -> list[str]:
    notes = []
    if not hello["device"]:
        notes.append("/dev/fuse cannot be opened: the wire layer only, nothing is mounted")
    elif not hello["mounter"]:
        notes.append("no way to mount here: the wire layer only")
    if level == "user" and hello["mounter"]:
        notes.append("mounted inside a user namespace: files of an unmapped owner cannot be written there")
    if level == "none":
        notes.append("no namespaces: a janitor process cleans up")
    return notes
