"""A job in a process of its own: its start, its answer within a time limit, and its end whatever became of it.

Owns the process from the session's side; knows nothing of what is done in it. Where the session is killed, the kernel
ends the process, and a janitor what that has started.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from fsprobe.bench.ground import Ground
from fsprobe.bench.place import Marked
from fsprobe.bench.priority import raise_groups
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.relay.opening import end
from fsprobe.sandbox import janitor, process

_WORDS = 2000  # bytes of last words that are kept
_ENDS = 2.0


@dataclass(slots=True)
class Jobs:
    """Where jobs are done, one at a time. silence: seconds without a sign of life after which one counts as hung."""

    ground: Ground
    silence: float
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    _janitor: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Start who ends the jobs where this process cannot."""
        self.ground.tell(f"token {self.token}")
        self._janitor = janitor.launch(self.token, f"{self.ground.path}/nothing")

    def done(self, job: dict[str, Any], silence: float = 0.0) -> dict[str, Any]:
        """Do a job, and return what was found. silence: where it may be longer than usual. Raises Marked."""
        ours, theirs = Channel.pair()
        command = process.python_command("fsprobe.bench.vector_worker")
        child = subprocess.Popen(
            [*command, str(theirs.fileno()), str(os.getpid())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, cwd=self.ground.path,
            env={**os.environ, process.RUN_TAG: self.token},
        )  # fmt: skip
        theirs.close()
        raise_groups([child.pid])
        try:
            return self._answered(ours, child, job, max(silence, self.silence))
        finally:
            ours.close()
            self._end(child)

    def _answered(
        self, channel: Channel, child: subprocess.Popen[bytes], job: dict[str, Any], silence: float
    ) -> dict[str, Any]:  # fmt: skip
        words, phase = _Words(child), "starting"
        deadline = time.monotonic() + silence
        try:
            channel.send(job)
            while True:
                select.select([channel.fileno(), *words.source], [], [], max(0.0, deadline - time.monotonic()))
                words.hear()
                taken = channel.take_ready()
                if taken is None and time.monotonic() >= deadline:
                    raise Marked("hang", f"no sign of life for {silence:g} s in {phase}", phase)
                if taken is None:
                    continue
                answer: dict[str, Any] = taken[0]
                if "phase" not in answer:
                    break
                phase, deadline = answer["phase"], time.monotonic() + silence
        except (ChannelClosed, TimeoutError):
            raise _lost(child, phase, words) from None
        if "mark" in answer:
            raise Marked(answer["mark"], answer["detail"], phase)
        found: dict[str, Any] = answer["found"]
        return found

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        """The process and all that it started, at once: what they hold is thrown away."""
        if child.poll() is None:
            child.kill()
        end(child, _ENDS)
        if child.stderr is not None:
            child.stderr.close()
        for pid in process.tagged(self.token):
            process.kill(pid)

    def close(self) -> None:
        """End the janitor, which looks once more."""
        if self._janitor is not None and self._janitor.stdin is not None:
            self._janitor.stdin.close()
            end(self._janitor, 10.0)


class _Words:
    """What a process says on standard error, of which the end is kept: a full pipe would stop who writes to it.

    source: what to wait for; empty once there is nothing more to come.
    """

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stderr is not None
        self.source = [child.stderr.fileno()]
        self.kept = bytearray()
        os.set_blocking(self.source[0], False)

    def hear(self) -> None:
        """Without waiting."""
        for fd in self.source:
            try:
                said = os.read(fd, 1 << 16)
            except BlockingIOError:
                return
            if not said:
                self.source = []
            self.kept += said
            del self.kept[:-_WORDS]

    def last(self) -> str:
        """The last line."""
        self.hear()
        return self.kept.decode("utf-8", "backslashreplace").strip().rpartition("\n")[2][:300]


def _lost(child: subprocess.Popen[bytes], phase: str, words: _Words) -> Marked:
    """It ended without an answer."""
    try:
        status = child.wait(_ENDS)
    except subprocess.TimeoutExpired:
        return Marked("crash", f"its process closed its channel in {phase}", phase)
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    last = words.last()
    return Marked("crash", f"its process {how} in {phase}{f': {last}' if last else ''}", phase)
