"""What every test may ask for: the command, real daemons, an ordinary user, and a look at what was left.

Owns the fixtures; what they are made of stands in `targets`, `command` and `leaks`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command import Command, User, nobody
from tests.leaks import TAG, Everywhere, LeakWatch
from tests.targets import Missing, command_of, share_programs

SHARED = "FSPROBE_TESTS_SHARED"
_everywhere = pytest.StashKey[Everywhere]()


def pytest_configure(config: pytest.Config) -> None:
    """One world-readable folder for the whole session; the parallel workers inherit its name."""
    if hasattr(config, "workerinput"):
        return
    config.stash[_everywhere] = Everywhere()
    shared = Path(tempfile.mkdtemp(prefix="test-fsprobe-"))
    share_programs(shared)
    os.environ[SHARED] = str(shared)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the session that left something behind: no single test may have noticed."""
    watch = session.config.stash.get(_everywhere, None)
    if watch is None:
        return
    left = watch.new()
    if left and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    for item in left:
        print(f"\nleft behind after the tests: {item}")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and SHARED in os.environ:
        shutil.rmtree(os.environ.pop(SHARED), ignore_errors=True)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The session's own folder, readable by every user; built programs lie there."""
    return Path(os.environ[SHARED])


@pytest.fixture
def scratch(shared: Path) -> Iterator[Path]:
    """A fresh folder that any user can write: TMPDIR of what the test runs. Short, for sockets."""
    place = Path(tempfile.mkdtemp(prefix="s-", dir=shared))
    place.chmod(0o1777)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def leaks(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LeakWatch]:
    """`leaks()` lists what this test's runs left so far; anything left at the end of the test fails it.

    Programs started by the test inherit the tag and TMPDIR that this looks for.
    """
    token = uuid.uuid4().hex
    monkeypatch.setenv(TAG, token)
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)
    watch = LeakWatch(scratch, token)
    yield watch
    left = watch()
    assert not left, "left behind: " + "; ".join(left)


@pytest.fixture
def fsprobe(scratch: Path, leaks: LeakWatch) -> Command:
    """The fsprobe command, run from the clone: `fsprobe("run", target, …)` gives a Result."""
    return Command(scratch, leaks.token)


@pytest.fixture(scope="session")
def _nobody(shared: Path) -> User | str:
    place = Path(tempfile.mkdtemp(prefix="user-", dir=shared))
    place.chmod(0o755)
    try:
        return nobody(place)
    except OSError as error:
        return str(error)


@pytest.fixture
def unprivileged(_nobody: User | str) -> User:
    """An ordinary user to run fsprobe as, `fsprobe(…, user=unprivileged)`; SKIP where there is none."""
    if isinstance(_nobody, str):
        pytest.skip(_nobody)
    return _nobody


@pytest.fixture(scope="session")
def target_command(shared: Path) -> Callable[..., str]:
    """`target_command(NAME, background=…, python=…)`: a template of tests/targets.py, or SKIP."""

    def command(name: str, **options: object) -> str:
        try:
            return command_of(name, shared, **options)  # type: ignore[arg-type]
        except Missing as missing:
            pytest.skip(str(missing))

    return command


@pytest.fixture(scope="session")
def real_target(request: pytest.FixtureRequest, target_command: Callable[..., str]) -> str:
    """One real daemon's template: `@pytest.mark.parametrize("real_target", TARGETS, indirect=True)`."""
    return target_command(request.param)


@pytest.fixture(scope="session")
def bindfs(target_command: Callable[..., str]) -> str:
    """The command template of bindfs: a sound passthrough file system of libfuse 3."""
    return target_command("bindfs")
