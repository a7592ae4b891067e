"""pytest's side of the guard: the calls to it, and what a test holds of a mount.

Owns starting and ending that process and the objects that fixtures give; touches no mount.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from fsprobe.errors import FsprobeError, MachineError, TargetError
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.relay.opening import end
from fsprobe.runners.options import RunOptions
from fsprobe.sandbox import process

if TYPE_CHECKING:
    import psutil

_PATIENCE = 60.0  # beside what a call is told to wait for
_END = 15.0


class GuardLost(FsprobeError):
    """The process that holds the mounts is gone: somebody killed it."""


class Guarded:
    """The guard of this pytest process. `call` is for one thread at a time; others wait."""

    def __init__(self) -> None:
        self._channel, theirs = Channel.pair()
        self._process = subprocess.Popen(
            [*process.python_command("fsprobe.pytest_plugin.guard"), str(theirs.fileno())],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        theirs.close()
        self._number = 0
        self._lock = threading.RLock()
        self.mounts = 0
        self.lost = False
        self.busy = 0
        """The thread that a call is made in."""
        self.postponed: Callable[[], None] | None = None
        """What a signal's handler found to do in the middle of a call; done at its end, unless `hold` says not yet."""
        self.hold = False

    def call(self, name: str, timeout: float = 0.0, **args: Any) -> Any:
        """The result. Raises MachineError or TargetError as the guard met them, GuardLost where it is gone."""
        with self._lock:
            self._number += 1
            self.busy = threading.get_ident()
            try:
                self._channel.send({"id": self._number, "call": name, "args": args})
                answer = self._answer(self._number, time.monotonic() + timeout + _PATIENCE)
            except (ChannelClosed, TimeoutError) as error:
                self.lost, self.mounts = True, 0
                raise GuardLost(f"the process that holds the mounts did not answer {name!r}: {error}") from error
            finally:
                self.busy = 0
        if self.postponed is not None and not self.hold:
            todo, self.postponed = self.postponed, None
            todo()
        if "lines" in answer:
            kind = MachineError if answer["machine"] else TargetError
            fact, *more = answer["lines"]
            raise kind(fact, causes=tuple(line.strip().removeprefix("likely: ") for line in more))
        return answer["result"]

    def _answer(self, number: int, deadline: float) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = self._channel.receive(max(0.0, deadline - time.monotonic()))[0]
            if message["id"] == number:
                return message

    def close(self) -> None:
        """End every mount, and wait (bounded) until that is so."""
        self._channel.close()
        end(self._process, _END)


@dataclass(frozen=True, slots=True)
class Call:
    """One request and its reply.

    op: the operation. line: both in words, as fsprobe's trace shows them. error: the error's name, "" for a success,
    None where no reply came. nodeid, pid: the node it was about, and the thread that asked. seconds: until the reply,
    None where there was none. note: what fsprobe has to add.
    """

    op: str
    line: str
    error: str | None
    nodeid: int
    pid: int
    seconds: float | None
    note: str

    def __str__(self) -> str:
        return self.line


class Injection:
    """Faults that hold until `remove`, or the end of the `with`."""

    def __init__(self, mount: FuseMount, rules: tuple[str, ...]) -> None:
        self._mount, self.rules = mount, rules

    def remove(self) -> None:
        """The traffic is as it was."""
        self._mount._remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


class FuseMount:
    """A mounted target. path: where. source: what stood for `{source}` in its command. pid: of its daemon."""

    def __init__(self, guard: Guarded, told: dict[str, Any], target: str) -> None:
        self._guard, self._number, self.target = guard, told["number"], target
        self.path, self.source, self.pid = Path(told["path"]), Path(told["source"]), int(told["pid"])
        self._injections: list[Injection] = []
        self._closed = False

    @property
    def daemon(self) -> psutil.Process:
        """The daemon's process."""
        import psutil

        return psutil.Process(self.pid)

    @property
    def trace(self) -> list[Call]:
        """Every request so far with its reply, in the order in which they came."""
        return self._calls("")

    def calls(self, op: str) -> list[Call]:
        """Those of one operation: `calls("SETATTR")`. What the kernel sends on its own time may come later."""
        return self._calls(op.upper())

    def _calls(self, op: str) -> list[Call]:
        told = self._guard.call("calls", number=self._number, op=op)
        return [Call(**{key: value for key, value in one.items() if key != "head"}) for one in told]

    @property
    def output(self) -> str:
        """What the daemon has printed so far."""
        return str(self._guard.call("output", number=self._number))

    def inject(self, *rules: str) -> Injection:
        """Alter the traffic from now on: `inject("WRITE:errno=ENOSPC,nth=3")`. Raises TargetError for a wrong rule."""
        made = Injection(self, rules)
        self._rules([*self._injections, made])
        return made

    def _remove(self, injection: Injection) -> None:
        if injection in self._injections and not self._closed:
            self._rules([one for one in self._injections if one is not injection])

    def _rules(self, injections: list[Injection]) -> None:
        self._guard.call("rules", number=self._number, rules=[rule for one in injections for rule in one.rules])
        self._injections = injections

    def close(self) -> None:
        """Unmount and end the daemon, whatever state they are in."""
        if not self._closed and not self._guard.lost:  # with the guard, all that it held is gone
            self._closed = True
            self._guard.mounts -= 1
            self._guard.call("unmount", number=self._number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def mount(guard: Guarded, options: RunOptions) -> FuseMount:
    """Start a target and mount it. Raises TargetError where it does not serve, MachineError where nothing can mount."""
    guard.hold = True  # what was mounted must not be lost
    try:
        told = guard.call(
            "mount", options.start_timeout, options=pickle.dumps(options), env=dict(os.environ), cwd=_cwd()
        )
    finally:
        guard.hold = False
    guard.mounts += 1
    made = FuseMount(guard, told, options.target_name)
    if guard.postponed is not None:
        made.close()
    return made


def _cwd() -> str:
    """The working directory; a test may have left pytest in one that is gone with its mount."""
    try:
        return os.getcwd()
    except OSError:
        return "/"
