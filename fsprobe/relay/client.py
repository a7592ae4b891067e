"""The session's side of the sandbox: opening it, calling its first process, hearing its events, ending it.

Owns the channel to `relay.host` and the janitor; knows nothing of checks. No call waits longer than told.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from fsprobe.errors import FsprobeError, MachineError
from fsprobe.posix import linux
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.relay.mounter import FusermountMounter
from fsprobe.relay.recorder import exchange
from fsprobe.sandbox import fusectl, janitor, process
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
    def open(cls, avoid: list[str], levels: tuple[str, ...] | None = None) -> Sandbox:
        """The best isolation this machine and user have. Raises MachineError where there is none at all."""
        reasons: list[str] = []
        for level in levels or _levels():
            try:
                return _open(cls, level, avoid, reasons)
            except OSError as error:
                reasons.append(f"{level}: {error}")
        raise MachineError("no sandbox can be made here", causes=tuple(reasons), command="fsprobe doctor")

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
            _end(self.host, 2.0)
        if self.keeper is not None:
            if self.keeper.stdin is not None:
                self.keeper.stdin.close()
            _end(self.keeper, 8.0)


def _levels() -> tuple[str, ...]:
    if linux.has_sys_admin():
        return ("namespaces", "user", "none")
    # Its mounts lie outside a user namespace, where every owner a daemon may report is mapped.
    if FusermountMounter.find() is not None and os.access("/dev/fuse", os.R_OK | os.W_OK):
        return ("none", "user")
    return ("user", "none")


def _open(cls: type[Sandbox], level: str, avoid: list[str], reasons: list[str]) -> Sandbox:
    token = uuid.uuid4().hex
    ours, theirs = Channel.pair()
    os.set_inheritable(theirs.fileno(), True)
    errors = os.memfd_create("fsprobe-host-errors")
    host = subprocess.Popen(
        [*process.python_command("fsprobe.relay.host"), str(theirs.fileno()), level, token, *avoid],
        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=True, env={**os.environ, process.RUN_TAG: token},
    )  # fmt: skip
    theirs.close()
    keeper = None
    try:
        message, _ = ours.receive(10.0)
        if message.get("need") == "place":
            directory = os.path.join(tempfile.gettempdir(), f"fsprobe-{token[:12]}")
            keeper = janitor.launch(token, directory)
            os.mkdir(directory, 0o755)
            ours.send({"place": directory})
            message, _ = ours.receive(10.0)
    except (ChannelClosed, TimeoutError) as error:
        message = {"failed": f"its first process did not start: {error}"}
    if "failed" in message:
        ours.close()
        _end(host, 2.0)
        last = os.pread(errors, 1 << 16, 0).decode("utf-8", "backslashreplace").strip().rpartition("\n")[2]
        message["failed"] += f" ({last})" if last else ""
        if keeper is not None and keeper.stdin is not None:
            keeper.stdin.close()
        os.close(errors)
        raise OSError(message["failed"])
    os.close(errors)
    hello = message["hello"]
    return cls(
        ours, host, keeper, level, hello["path"], hello["private"], hello["device"], hello["mounter"], token,
        [*reasons, *_degraded(level, hello)],
    )  # fmt: skip


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


def _end(process_: subprocess.Popen[bytes], wait: float) -> None:
    try:
        process_.wait(wait)
    except subprocess.TimeoutExpired:
        process_.kill()
        try:
            process_.wait(2.0)
        except subprocess.TimeoutExpired:
            pass  # in D, and no child of ours to wait for: its namespace ends with it


