"""The process beside pytest that holds its mounts, and frees it where one of them hangs.

Owns the mounts of one pytest process and the watch over it. It never touches a mount itself, and waits on nothing that
pytest holds: a page fault on a hung mount keeps Python's lock, so no thread of pytest's own could do this. When pytest
is gone, or is to end and cannot, everything ends here, in order.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fsprobe.errors import FsprobeError, MachineError
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.pytest_plugin.mounted import Mounted
from fsprobe.relay.client import Sandbox, SandboxLost
from fsprobe.relay.rules import parse
from fsprobe.runners.options import RunOptions

TICK = 0.1
# A signal to a thread that could take it is pending for microseconds.
_STUCK_FOR = 0.15
_ENDING = frozenset({signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGKILL})
_TELLING = _ENDING | {signal.SIGINT, signal.SIGALRM}


class Guard:
    """Answers the calls of `watch.Guarded`; see the methods named `do_…`."""

    def __init__(self, channel: Channel) -> None:
        self.channel, self.pytest = channel, os.getppid()
        self.mounts: dict[int, Mounted] = {}
        self.idle: list[Sandbox] = []
        self.hangs: list[dict[str, Any]] = []
        self.number = 0
        self.pending_since = 0.0

    def serve(self) -> None:
        """Until pytest is gone."""
        try:
            while os.getppid() == self.pytest:
                channels = [self.channel, *(mount.sandbox.channel for mount in self.mounts.values())]
                select.select(channels, [], [], TICK if self.mounts else 1.0)
                message = self.channel.take_ready()
                if message is not None:
                    self._answer(message[0])
                if not self._watch():
                    return
        except ChannelClosed:
            pass
        finally:
            self._close()

    def _answer(self, call: Mapping[str, Any]) -> None:
        answer: dict[str, Any] = {"id": call["id"]}
        try:
            answer["result"] = getattr(self, f"do_{call['call']}")(**call["args"])
        except FsprobeError as error:
            answer |= {"lines": error.lines(), "machine": isinstance(error, MachineError)}
        except OSError as error:
            answer |= {"lines": [f"the sandbox could not: {error}"], "machine": False}
        self.channel.send(answer)

    # -- watching

    def _watch(self) -> bool:
        """Look at every mount; False where pytest is to end, but waits for one of them."""
        waited = [mount for mount in list(self.mounts.values()) if self._look(mount)]
        pending = self._pending() if waited else frozenset()
        if not pending:
            self.pending_since = 0.0
            return True
        self.pending_since = self.pending_since or time.monotonic()
        if time.monotonic() - self.pending_since < _STUCK_FOR:
            return True
        if pending & _ENDING:
            return False
        names = ", ".join(sorted(signal.Signals(number).name for number in pending))
        for mount in waited:
            self._hung(mount, f"when pytest got {names}, and could not act on it")
        return True

    def _look(self, mount: Mounted) -> bool:
        """Whether anything waits for this mount; what waits too long is freed."""
        try:
            age = mount.oldest()
            if age >= mount.timeout:
                self._hung(mount, f"within {mount.timeout:g} s")
            return age > 0
        except (SandboxLost, OSError):
            return False  # its end closed: the connection is gone, and nobody waits any more

    def _hung(self, mount: Mounted, when: str) -> None:
        self.hangs += [{"mount": mount.number, **hang} for hang in mount.give_up(when, self.pytest)]

    def _pending(self) -> frozenset[int]:
        """Signals that wait for pytest's main thread, of those by which it is told to stop."""
        masks = {"SigPnd": 0, "ShdPnd": 0, "SigBlk": 0}
        try:
            with open(f"/proc/{self.pytest}/status") as status:
                for key, _, value in (line.partition(":") for line in status):
                    if key == "State" and value.split()[0] == "Z":
                        return frozenset({signal.SIGKILL})  # its main thread has ended, another one waits
                    if key in masks:
                        masks[key] = int(value, 16)
        except OSError:
            return frozenset()
        waiting = (masks["SigPnd"] | masks["ShdPnd"]) & ~masks["SigBlk"]
        return frozenset(number for number in _TELLING if waiting >> (number - 1) & 1)

    # -- calls

    def do_mount(self, options: bytes, env: dict[str, str], cwd: str) -> dict[str, Any]:
        """Start a target and mount it; its place and its process."""
        asked: RunOptions = pickle.loads(options)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        sandbox = self.idle.pop() if self.idle else Sandbox.open([], ("none",))
        if not sandbox.mounter:
            sandbox.close()
            fact = "nothing can be mounted here for a test to see"
            raise MachineError(fact, causes=tuple(sandbox.degraded), command="fsprobe doctor")
        self.number += 1
        mount = Mounted(self.number, sandbox, asked)
        try:
            mount.start()
        except BaseException:
            self._recycle(mount)
            raise
        self.mounts[self.number] = mount
        return {"number": mount.number, "path": mount.path, "source": mount.source, "pid": mount.pid}

    def do_unmount(self, number: int) -> None:
        """End a mount and its daemon, whatever state they are in."""
        mount = self.mounts.pop(number, None)
        if mount is not None:
            self._recycle(mount)

    def do_calls(self, number: int, op: str) -> list[dict[str, Any]]:
        """Every exchange of a mount so far, or those of one operation."""
        return [call for call in self.mounts[number].calls() if op in ("", call["op"])]

    def do_output(self, number: int) -> str:
        """What the daemon has printed so far."""
        return self.mounts[number].output()

    def do_rules(self, number: int, rules: list[str]) -> None:
        """The fault rules that hold from now on, beside those it was started with."""
        for rule in rules:
            parse(rule)
        self.mounts[number].inject(rules)

    def do_mark(self) -> None:
        """A test begins: what is reported of it begins here."""
        self.hangs.clear()
        for mount in self.mounts.values():
            mount.mark()

    def do_expired(self, seconds: float) -> list[dict[str, Any]]:
        """A test's time is up: what it waits for, if for a mount, freed by now."""
        for mount in self.mounts.values():
            if mount.oldest() > 0:
                self._hung(mount, f"when the test's {seconds:g} s were over")
        return list(self.hangs)

    def do_hangs(self) -> list[dict[str, Any]]:
        """What hung since the last call of this kind."""
        told, self.hangs = self.hangs, []
        return told

    def do_sections(self) -> list[list[str]]:
        """(title, text) of every mount, for the report of a test that failed."""
        return [section for mount in self.mounts.values() for section in mount.sections()]

    # -- the end

    def _recycle(self, mount: Mounted) -> None:
        """The sandbox of a mount that ended well serves the next one: that is a tenth of a second less."""
        if mount.end():
            self.idle.append(mount.sandbox)
        else:
            mount.sandbox.close()

    def _close(self) -> None:
        sandboxes: Sequence[Sandbox] = [*self.idle, *(mount.sandbox for mount in self.mounts.values())]
        for sandbox in sandboxes:
            sandbox.channel.close()  # all of them begin to end
        for sandbox in sandboxes:
            sandbox.close()


def main() -> None:
    """`python -m fsprobe.pytest_plugin.guard CHANNEL_FD`."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # pytest's end is ours
    Guard(Channel.inherited(int(sys.argv[1]))).serve()


if __name__ == "__main__":
    main()
