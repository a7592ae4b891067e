"""Starting the sandbox's first process: one try at one level of isolation.

Owns the process until it has said hello, and its last words where it does not; knows nothing of what it is used for.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from typing import Any

from fsprobe.posix import linux
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.relay.mounter import FusermountMounter
from fsprobe.sandbox import janitor, process
from fsprobe.sandbox.machine import powerless

HELLO_TIMEOUT = 10.0


@dataclass(slots=True)
class Opening:
    """A first process under way. It takes a tenth of a second to come up: start it, then do something else."""

    level: str
    token: str
    channel: Channel
    host: subprocess.Popen[bytes]
    errors: int
    keeper: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, level: str, avoid: list[str]) -> Opening:
        """avoid: paths that a private run directory must not hide."""
        token = uuid.uuid4().hex
        ours, theirs = Channel.pair()
        errors = os.memfd_create("fsprobe-host-errors")
        host = subprocess.Popen(
            [*process.python_command("fsprobe.relay.host"), str(theirs.fileno()), level, token, *avoid],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            start_new_session=True, env={**os.environ, process.RUN_TAG: token},
        )  # fmt: skip
        theirs.close()
        return cls(level, token, ours, host, errors)

    def hello(self) -> dict[str, Any]:
        """What it found when it came up. Raises OSError with its last words where it did not."""
        try:
            message = self.channel.receive(HELLO_TIMEOUT)[0]
            if message.get("need") == "place":
                self.channel.send({"place": self._make_place()})
                message = self.channel.receive(HELLO_TIMEOUT)[0]
        except (ChannelClosed, OSError) as error:
            message = {"failed": f"its first process did not start: {error}"}
        if "failed" in message:
            self.abandon()
            raise OSError(message["failed"] + self._last_words())
        os.close(self.errors)
        found: dict[str, Any] = message["hello"]
        return found

    def _make_place(self) -> str:
        # As mountinfo will tell it: what the janitor takes for unmounted, it removes.
        directory = os.path.join(os.path.realpath(tempfile.gettempdir()), f"fsprobe-{self.token[:12]}")
        self.keeper = janitor.launch(self.token, directory)
        os.mkdir(directory, 0o755)
        return directory

    def _last_words(self) -> str:
        last = os.pread(self.errors, 1 << 16, 0).decode("utf-8", "backslashreplace").strip().rpartition("\n")[2]
        os.close(self.errors)
        return f" ({last})" if last else ""

    def abandon(self) -> None:
        """End it."""
        self.channel.close()
        end(self.host, 2.0)
        if self.keeper is not None and self.keeper.stdin is not None:
            self.keeper.stdin.close()


def levels() -> tuple[str, ...]:
    """The levels of isolation to try for this user, the best first."""
    if linux.has_sys_admin():
        return ("namespaces", "user", "none")
    # Its mounts lie outside a user namespace, where every owner a daemon may report is mapped.
    if FusermountMounter.find() is not None and not powerless() and os.access("/dev/fuse", os.R_OK | os.W_OK):
        return ("none", "user")
    return ("user", "none")


def end(child: subprocess.Popen[bytes], wait: float) -> None:
    """Wait for a child that was told to end; kill it where it does not."""
    try:
        child.wait(wait)
    except subprocess.TimeoutExpired:
        child.kill()
        try:
            child.wait(2.0)
        except subprocess.TimeoutExpired:
            pass  # in D, and no child of ours to wait for: its namespace ends with it
