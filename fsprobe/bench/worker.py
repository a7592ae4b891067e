"""The expendable process that does the timed work on a mount.

Owns the loop of one worker: the mount check, making ready, one slice, tidying up; knows nothing of turns. It may be
lost at any system call; it says what it is at, so that whoever waits knows where.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from typing import Any

from fsprobe.bench import work
from fsprobe.bench.calls import Clock, TooSlow
from fsprobe.bench.sweep import sweep
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.sandbox import mounts

_EVERY = 0.25  # seconds between two signs of life
_LAST = 2.0  # seconds for tidying up when the session is gone
READY, TIDY = "making ready", "tidying up"


class NotThere(Exception):
    """The mount check failed."""


class Told(Clock):
    """The session is told how it goes. limit: seconds, from `begin` on."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self.channel, self.name, self.said, self.ends = channel, "", 0.0, 0.0

    def begin(self, name: str, limit: float) -> None:
        """Something that may take so long at most."""
        self.ends = time.monotonic() + limit
        self.phase(name)

    def tick(self) -> None:
        """At most four signs of life a second."""
        now = time.monotonic()
        if now - self.said > _EVERY:
            self.said = now
            self.channel.send({"phase": self.name})
            if now > self.ends:
                raise TooSlow

    def phase(self, name: str) -> None:
        """Once for each."""
        if name != self.name:
            self.name, self.said = name, time.monotonic()
            self.channel.send({"phase": name})


class Check:
    """The mount is there, it is the one that was made, and what is written to it reads back.

    expected: {"fs_type", "minor"} of a FUSE mount; empty for a directory of the kernel's own file systems. The file is
    made once and stays: a target without UNLINK is measured all the same.
    """

    def __init__(self, root: str, work: str, expected: dict[str, Any]) -> None:
        self.root, self.path, self.expected = root, f"{work}/check", expected
        os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))

    def there(self) -> None:
        """The first half. Raises NotThere."""
        if self.expected:
            mount = mounts.find(self.root)
            if mount is None:
                raise NotThere("nothing is mounted there any more")
            if mount.minor != self.expected["minor"] or not mount.fs_type.startswith("fuse"):
                raise NotThere(f"what is mounted there is {mount.fs_type}, and not the daemon's mount")

    def __call__(self) -> None:
        """Raises NotThere, or OSError as the file system answers."""
        self.there()
        content = os.urandom(64)
        fd = os.open(self.path, os.O_WRONLY)
        try:
            os.pwrite(fd, content, 0)
        finally:
            os.close(fd)
        fd = os.open(self.path, os.O_RDONLY)
        try:
            found = os.pread(fd, 100, 0)
        finally:
            os.close(fd)
        if found != content:
            raise NotThere("a file that is written to does not read back")


class Worker:
    """What was begun, and the work at hand."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.clock = Told(channel)
        self.root = ""
        self.check: Check | None = None
        self.shared = work.Shared("", self.clock)
        self.works: dict[int, work.Work] = {}

    def begin(self, told: dict[str, Any]) -> dict[str, Any]:
        """The first answer of the mount, and a directory of our own there."""
        root = told["begin"]
        self.clock.begin("its first answer", 1e9)
        os.stat(root)
        answered = time.monotonic()
        self.root = f"{root}/{told['work']}"
        self.clock.lasts = told.get("lasts", 0.0)
        os.mkdir(self.root, 0o755)
        self.shared = work.Shared(self.root, self.clock)
        self.check = Check(root, self.root, told["mount"])
        self.check()
        return {"answered": answered}

    def prepare(self, told: dict[str, Any]) -> dict[str, Any]:
        """Make ready for a step. {"prepare": number, "step": …, "limit": seconds}"""
        self.clock.begin(READY, told["limit"])
        step = told["step"]
        made = work.make(step["kind"], step["args"], step["measured"], self.shared)
        made.prepare()
        self.works[told["prepare"]] = made
        return {"prepared": True}

    def slice(self, told: dict[str, Any]) -> dict[str, Any]:
        """One slice, the mount checked before and after: one that went away under the work gave figures of what is
        below it. {"slice": number, "seed": …, "checked": bool}
        """
        assert self.check is not None
        self.clock.begin("the mount check", 1e9)
        if told["checked"]:
            self.check()
        found = self.works[told["slice"]].slice(told["seed"])
        self.clock.phase("the mount check")
        if told["checked"]:
            self.check()
        return {"found": found}

    def vectors(self, told: dict[str, Any]) -> dict[str, Any]:
        """All of the work on vectors, the mount checked before and after. {"vectors": arguments of `through_mount`}"""
        from fsprobe.bench.vector_work import through_mount

        assert self.check is not None
        self.check()
        found = through_mount(f"{self.root}/vectors", self.clock, **told["vectors"])
        self.check()
        return {"found": found}

    def close(self, told: dict[str, Any]) -> dict[str, Any]:
        """Remove all of it. {"close": seconds}; answers what stayed."""
        self.clock.begin(TIDY, 1e9)
        return {"closed": sweep(self.root, told["close"], self.clock) if self.root else []}

    def answer(self, told: dict[str, Any]) -> dict[str, Any]:
        """To any message; what went wrong is an answer too."""
        try:
            name = next(name for name in ("begin", "prepare", "slice", "vectors", "close", "setup") if name in told)
            found: dict[str, Any] = getattr(self, name)(told) if name != "setup" else {}
            return found
        except NotThere as error:
            return {"mark": "mount check", "detail": str(error), "phase_of_mark": self.clock.name}
        except TooSlow as error:
            return {"mark": "too slow", "detail": str(error) or f"{self.clock.name} took longer than it may"}
        except OSError as error:
            mark, said = errno.errorcode.get(error.errno or 0, "error"), str(error.strerror or error)
            detail = f"{self.clock.name}: {said}"
            try:
                if self.check is not None:
                    self.check.there()
            except NotThere as gone:
                mark, detail = "mount check", f"{gone} ({detail})"
            return {"mark": mark, "detail": detail, "phase_of_mark": self.clock.name}


def main(channel: Channel) -> None:
    """Messages in: {"setup"}, which has no answer, then those of `Worker`. It ends after "close" or with it."""
    worker = Worker(channel)
    try:
        while True:
            told, _ = channel.receive()
            answer = worker.answer(told)
            if "setup" not in told:
                channel.send({**answer, "number": told.get("number")})
            if "close" in told:
                os._exit(0)
    except (ChannelClosed, TimeoutError):
        if worker.root:
            with suppress(OSError):
                sweep(worker.root, _LAST, Clock())
        os._exit(0)
