"""The main job on daemons that nobody here wrote: it ends, it is fair to them, and it says the same however asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Command, Result, User
from tests.devices import able, unable
from tests.leaks import LeakWatch
from tests.reading import asked, document_of, leaked, operations, verdicts, with_verdict
from tests.targets import TARGETS

pytestmark = pytest.mark.mount

HAND_OVER = Path(__file__).parent / "programs" / "hand_over.py"
MOUNTED = ("--select", "posix.*", "--select", "shell.*")
# What a correct passthrough to a directory of this machine can do; hello and squashfuse cannot.
WRITING = ("SETATTR", "MKDIR", "UNLINK", "RMDIR", "CREATE", "WRITE")
# Daemons that nothing else may fail on: the checks that they do fail, each with what is wrong with the daemon.
NO_CREATE_FLAGS = "with writeback lo_open changes O_APPEND and O_WRONLY as it has to, and lo_create does not"
ALMOST_SOUND: dict[str, dict[str, str]] = {
    "passthrough": {}, "passthrough_fh": {}, "passthrough_ll": {}, "pyfuse3": {},
    "passthrough_ll-writeback": {
        "posix.create.appending": NO_CREATE_FLAGS, "posix.setattr.truncate-appender": NO_CREATE_FLAGS,
        "apps.log.rotate": NO_CREATE_FLAGS,
    },
}  # fmt: skip
# These share library and way with one that is asked everything.
ALIKE = ("passthrough-bare", "passthrough_fh", "unionfs-fuse", "mfusepy")
# By target: the check after which a file is there again that was removed: its cache writes it back.
COMES_BACK = {"rclone": "posix.rename.open-file"}


def for_user(command: str) -> str:
    """bindfs asks for allow_other by itself, which /etc/fuse.conf may forbid an ordinary user."""
    return command.replace("bindfs ", "bindfs --no-allow-other ", 1) if command.startswith("bindfs ") else command


def check_run(result: Result, name: str) -> None:
    """A run that came to its end: nothing went wrong with fsprobe, and read-only is seen where it is so."""
    document = document_of(result)
    assert result.exit_code in (0, 1), str(result)
    assert not with_verdict(document, "ERROR", "HANG", "CRASH", "NOTRUN")
    assert document["processes"]["restarts"] == 0
    assert bool(document["environment"].get("read_only")) is TARGETS[name].read_only
    assert [left for left in leaked(document) if not comes_back(name, left, leaked(document))] == []
    assert document["target"]["library"], str(result)


def comes_back(name: str, left: str, every: list[str]) -> bool:
    """Whether it is such a file, or a directory that cannot be removed for one."""
    return name in COMES_BACK and any(COMES_BACK[name] in one and one.startswith(left) for one in every)


@pytest.mark.parametrize("name", TARGETS)
def test_whole_run(name: str, target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch) -> None:
    """Any real daemon is probed to the end without a false alarm of a hang, a crash or an error of fsprobe."""
    result = fsprobe("run", target_command(name), *(["--quick"] if name in ALIKE else []))
    check_run(result, name)
    assert result.document is not None
    told = operations(result.document)
    if not TARGETS[name].read_only:
        assert [op for op in WRITING if told[op] in ("ENOSYS", "untested", "unsupported")] == []
        assert "write" in result.document["environment"]["capabilities"]
    if name in ALMOST_SOUND:
        failed = with_verdict(result.document, "FAIL")
        assert [line for line in failed if line.partition(":")[0] not in ALMOST_SOUND[name]] == []
    if name == "passthrough-bare":
        touch = next(c for c in result.document["checks"] if c["id"] == "shell.historic.touch")
        assert (touch["verdict"], touch["op"]) == ("FAIL", "SETATTR")
    layers = {check["layer"] for check in result.document["checks"] if check["verdict"] == "PASS"}
    assert layers == {"wire", "mount", "shell"}
    assert leaks() == []


@pytest.mark.parametrize("name", ["bindfs", "hello_ll", "mfusepy"])
def test_background_is_the_same(
    name: str, target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch
) -> None:
    """A daemon that detaches itself is followed: the verdicts are those of the one in the foreground."""
    in_front = fsprobe("run", target_command(name), "--quick")
    behind = fsprobe("run", target_command(name, background=True), "--quick")
    check_run(behind, name)
    assert verdicts(document_of(behind)) == verdicts(document_of(in_front))
    assert behind.document is not None and len(asked(behind.document, "shell")) > 5
    assert leaks() == []


@pytest.mark.parametrize("name", ["rclone", "squashfuse"])
def test_background_runs_to_the_end(
    name: str, target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch
) -> None:
    """Also ones that wait for their own mount to show before they detach, and ones of libfuse 2."""
    check_run(fsprobe("run", target_command(name, background=True), "--quick"), name)
    assert leaks() == []


def test_a_daemon_that_forks_to_mount(fsprobe: Command, leaks: LeakWatch) -> None:
    """glusterfs does: its author would read that it died after the mount, which it never does."""
    result = fsprobe("run", f"{sys.executable} {HAND_OVER} fork {{mountpoint}}", "--quick")
    document = document_of(result)
    passed = {check["layer"] for check in document["checks"] if check["verdict"] == "PASS"}
    assert result.exit_code == 1 and passed >= {"wire", "mount", "shell"}, str(result)  # it is no sound file system
    assert document["operations"] and leaks() == []


@pytest.mark.parametrize("name", ["bindfs", "passthrough_ll", "squashfuse", "pyfuse3", "vexfs:raw"])
def test_relay_changes_no_verdict(
    name: str, target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch
) -> None:
    """What fsprobe says of a file system is not made by fsprobe standing in its way."""
    command = target_command(name) if name in TARGETS else name
    relayed = document_of(fsprobe("run", command, *MOUNTED, "--quick"))
    alone = document_of(fsprobe("run", command, *MOUNTED, "--quick", "--no-relay"))
    assert verdicts(alone) == verdicts(relayed)
    assert {check["layer"] for check in alone["checks"]} == {"mount", "shell"}
    assert len(asked(alone)) > 15
    assert leaked(alone) == []
    assert leaks() == []


@pytest.mark.unprivileged
@pytest.mark.parametrize("name", TARGETS)
def test_ordinary_user(
    name: str, unprivileged: User, target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch, scratch: Path
) -> None:
    """No root is needed: every daemon is probed in all three layers by whoever may open /dev/fuse."""
    user = able(unprivileged, scratch)
    if isinstance(user, str):
        pytest.skip(user)
    result = fsprobe("run", for_user(target_command(name, python=user.python)), "--quick", user=user)
    check_run(result, name)
    assert result.document is not None
    assert result.document["environment"]["uid"] == user.uid
    layers = {check["layer"] for check in result.document["checks"] if check["verdict"] == "PASS"}
    assert layers == {"wire", "mount", "shell"}, with_verdict(result.document, "FAIL")
    assert leaks() == []


@pytest.mark.unprivileged
@pytest.mark.parametrize("name", ["bindfs", "hello_ll"])
def test_ordinary_user_in_the_background_without_relay(
    name: str, unprivileged: User, target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch, scratch: Path
) -> None:
    """The hardest to clean up after: a detached daemon that holds the device itself, mounted by fusermount3."""
    user = able(unprivileged, scratch)
    if isinstance(user, str):
        pytest.skip(user)
    command = for_user(target_command(name, background=True, python=user.python))
    result = fsprobe("run", command, *MOUNTED, "--quick", "--no-relay", user=user)
    check_run(result, name)
    assert leaks() == []


@pytest.mark.unprivileged
def test_without_device_the_wire_layer_is_left(
    unprivileged: User, bindfs: str, fsprobe: Command, leaks: LeakWatch, scratch: Path
) -> None:
    """In a container without /dev/fuse there is still an answer, and the report says what is missing in it."""
    user = unable(unprivileged, scratch)
    if isinstance(user, str):
        pytest.skip(user)
    result = fsprobe("run", for_user(bindfs), "--quick", user=user)
    document = document_of(result)
    assert result.exit_code in (0, 1), str(result)
    assert len(asked(document, "wire")) > 30
    assert asked(document, "mount") == asked(document, "shell") == []
    assert any("/dev/fuse" in note for note in document["environment"]["degraded"])
    assert "/dev/fuse cannot be opened" in " ".join(result.stdout.split()), str(result)
    assert leaks() == []
