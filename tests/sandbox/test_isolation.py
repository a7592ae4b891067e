"""The sandbox of each level: it opens, it holds, and nothing of it is left however it ends."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fsprobe.sandbox import isolation
from tests.command import User, me
from tests.leaks import LeakWatch, fuse_mounts

root = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


class Session:
    """A small session in a process of its own, with a daemon mounted and a worker hung where there can be."""

    def __init__(self, user: User, shared: Path, scratch: Path, level: str, env: dict[str, str]) -> None:
        mode = "mount" if user.device else "wire-early"
        daemon = [user.python, str(shared / "programs" / "empty_directory.py"), "{mnt}"]
        script = str(shared / "programs" / "opens_a_sandbox.py")
        clone = str(Path(__file__).parent.parent.parent)
        env = {**os.environ, "HOME": str(scratch), **env}
        if user.python == sys.executable:
            env["PYTHONPATH"] = clone
        self.mode = mode
        self.process = subprocess.Popen(
            user.wrap([user.python, script, level, mode, *daemon]), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=env, cwd="/", start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        ready = select.select([self.process.stdout], [], [], 20)[0]
        line = self.process.stdout.readline() if ready else b""
        assert line, f"it did not open: {self.errors()}"
        self.found: dict[str, Any] = json.loads(line)

    def errors(self) -> str:
        self.process.kill()
        return self.process.communicate(timeout=5)[1].decode(errors="replace")[-2000:]

    def close(self, seconds: float = 12.0) -> None:
        """End in order; AssertionError where that takes too long."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end: {self.errors()}") from None
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def kill_session(session: Session) -> None:
    session.process.kill()


def kill_host(session: Session) -> None:
    os.kill(session.found["host"], signal.SIGKILL)


def in_order(session: Session) -> None:
    """Nothing but the end of its input."""


ENDS = [in_order, kill_session, kill_host]
ROOT_LEVELS = ["namespaces", "user", "none"]


@pytest.fixture
def opened(shared: Path, scratch: Path, leaks: LeakWatch) -> Iterator[Callable[..., Session]]:
    made: list[Session] = []

    def open_one(user: User, level: str, **env: str) -> Session:
        made.append(Session(user, shared, scratch, level, env))
        return made[-1]

    yield open_one
    for session in made:
        session.close()


def check(session: Session, level: str, end: Callable[[Session], None], leaks: LeakWatch) -> None:
    found = session.found
    assert found["level"] == level and found["daemons"] == 1
    assert found["private"] is (level != "none")
    if session.mode == "mount":
        assert found["open"] >= 1, "a worker hangs in the mount"
    if level != "none":
        assert not fuse_mounts(found["place"]), "the mount is its own namespace's"
    end(session)
    session.close()
    assert leaks(6.0) == []
    assert not os.path.exists(found["mnt"])


@root
@pytest.mark.mount
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("level", ROOT_LEVELS)
def test_nothing_is_left(
    opened: Callable[..., Session], leaks: LeakWatch, level: str, end: Callable[[Session], None]
) -> None:
    """A mount that hangs `df`, processes that nobody can kill, files in /tmp: of a run that was killed."""
    check(opened(me(), level), level, end, leaks)


@pytest.mark.unprivileged
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("level", ["user", "none"])
def test_nothing_is_left_of_a_users_run(
    unprivileged: User, opened: Callable[..., Session], leaks: LeakWatch, level: str, end: Callable[[Session], None]
) -> None:
    """The same without root, where a mount is in a user namespace or made by the setuid helper."""
    session = opened(unprivileged, level)
    if session.mode == "mount":
        assert session.found["mounter"] == ("DirectMounter" if level == "user" else "FusermountMounter")
    check(session, level, end, leaks)


@root
@pytest.mark.mount
def test_a_temporary_directory_behind_a_link(
    opened: Callable[..., Session], leaks: LeakWatch, scratch: Path
) -> None:
    """The janitor would not find the mount by that path, and remove what it shows: the user's own files."""
    (scratch / "real").mkdir()
    (scratch / "link").symlink_to("real")
    session = opened(me(), "none", TMPDIR=str(scratch / "link"))
    assert Path(session.found["mnt"]).is_relative_to(scratch / "real")
    check(session, "none", kill_session, leaks)


def test_a_directory_that_the_target_names_is_not_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The target would be given our own working place in place of what it serves."""
    tried: list[bytes] = []
    monkeypatch.setattr(isolation.linux, "mount", lambda source, target, *_: tried.append(target))
    monkeypatch.setattr(isolation.os.path, "isdir", lambda path: path in ("/mnt", "/media", "/srv"))
    monkeypatch.setattr(isolation.os.path, "islink", lambda path: path == "/media")
    monkeypatch.setattr(isolation.os, "listdir", lambda path: [])
    assert isolation.private_place(["--from=/mnt", "/home/user"]) == isolation.Place("/srv", private=True)
    assert tried == [b"/srv"]


def test_there_may_be_no_private_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory with something in it is never covered."""
    monkeypatch.setattr(isolation.os.path, "isdir", lambda path: True)
    monkeypatch.setattr(isolation.os, "listdir", lambda path: ["something"])
    assert isolation.private_place([]) is None
