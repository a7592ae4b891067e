"""The shell's checks: green on this kernel's own file systems, red where a program lies or is refused."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsprobe.checks.check import Check
from fsprobe.checks.outcome import Outcome
from fsprobe.checks.suite import load_suite, unique_ids
from fsprobe.runners.setup import Setup
from fsprobe.runners.shell import ShellLayer
from fsprobe.runners.worker import run_check

CHECKS = unique_ids(load_suite("shell"))
BY_ID = {check.id: check for check in CHECKS}
NOBODY = 65534


def run_all(root: str, checks: list[Check], timeout: float = 10.0, read_only: bool | None = None) -> dict[str, Outcome]:
    layer = ShellLayer(Setup("shell", root, ".fsprobe-test", ("shell",), timeout=timeout, read_only=read_only))
    features = layer.prepare()
    outcomes = {check.id: run_check(layer, features, check) for check in checks}
    assert layer.close() == []
    return outcomes


def as_user(uid: int, root: str) -> dict[str, Outcome]:
    """The whole suite in a process of another user."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            if not os.access(BY_ID["shell.rm"].path, os.R_OK):
                os.write(writing, pickle.dumps("this user cannot read the suites"))
            else:
                os.write(writing, pickle.dumps({id: o.to_wire() for id, o in run_all(root, CHECKS).items()}))
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        data = file.read()
    os.waitpid(pid, 0)
    result = pickle.loads(data)
    if isinstance(result, str):
        pytest.skip(result)
    return {id: Outcome.from_wire(outcome) for id, outcome in result.items()}


def bad(outcomes: dict[str, Outcome]) -> list[str]:
    return [f"{id}: {o.kind} {o.expected} / {o.observed} {o.detail}" for id, o in outcomes.items()
            if o.kind not in ("ok", "skip", "unsupported")]


@pytest.fixture(params=["here", "tmpfs"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A directory that everyone can write: on the disk, and on a tmpfs."""
    shm = "/dev/shm"
    if request.param == "tmpfs" and not os.access(shm, os.W_OK):
        pytest.skip(f"no tmpfs that can be written at {shm}")
    with tempfile.TemporaryDirectory(prefix="test-fsprobe-", dir=shm if request.param == "tmpfs" else None) as path:
        os.chmod(path, 0o777)
        yield path


def test_all_pass_on_the_kernels_own(root: str) -> None:
    """Else fsprobe would accuse sound file systems."""
    outcomes = run_all(root, CHECKS)
    assert bad(outcomes) == []
    assert sum(outcome.kind == "ok" for outcome in outcomes.values()) > 60
    assert sum(outcome.seconds for outcome in outcomes.values()) < 10
    assert os.listdir(root) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_all_pass_for_an_ordinary_user(root: str) -> None:
    """Else those who are not root would see failures that are none."""
    outcomes = as_user(NOBODY, root)
    assert bad(outcomes) == []
    assert sum(outcome.kind == "ok" for outcome in outcomes.values()) > 60


def test_an_existing_tree_is_read_and_left_alone(tmp_path: Path) -> None:
    """Else a read-only target would go unchecked, or a real tree would be changed."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "numbers").write_text("".join(f"{n}\n" for n in range(5000)))
    before = {path: os.lstat(path).st_ctime_ns for path in tmp_path.rglob("*")}
    reading = [check for check in CHECKS if "write" not in check.needs and "read-only" not in check.needs]
    outcomes = run_all(str(tmp_path), reading, read_only=True)
    assert bad(outcomes) == [] and sum(outcome.kind == "ok" for outcome in outcomes.values()) >= 15
    assert {path: os.lstat(path).st_ctime_ns for path in tmp_path.rglob("*")} == before


def test_what_is_not_refused_is_found(tmp_path: Path) -> None:
    """Else a file system that calls itself read-only and takes writes would pass; and the new names must go."""
    (tmp_path / "theirs").write_text("kept\n")
    outcomes = run_all(str(tmp_path), [check for check in CHECKS if "read-only" in check.needs], read_only=True)
    assert outcomes["shell.read-only.mkdir"].observed == "exit 0"
    assert {o.kind for id, o in outcomes.items() if id != "shell.read-only.rm"} == {"finding"}
    assert os.listdir(tmp_path) == ["theirs"] and (tmp_path / "theirs").read_text() == "kept\n"


LIES = [
    ("rmdir", "exit 0", "shell.rmdir", "finding", "is still there"),
    ("rm", "exit 0", "shell.rm", "finding", "is still there"),
    ("mv", "exit 0", "shell.mv", "finding", "is still there"),
    ("chmod", "exit 0", "shell.chmod", "finding", "644"),
    ("truncate", "exit 0", "shell.truncate", "finding", "abcdef"),
    ("touch", "exit 0", "shell.touch-d", "finding", ""),
    ("ln", "exit 0", "shell.ln-s", "finding", "No such file or directory"),
    ("setfattr", "exit 0", "shell.setfattr", "finding", "No such attribute"),
    ("touch", "echo 'touch: f: Function not implemented'; exit 1", "shell.historic.touch", "finding", "Function not"),
    ("ln", "echo 'ln: failed: Function not implemented'; exit 1", "shell.ln", "unsupported", "Function not"),
    ("mkdir", "echo 'mkdir: failed: Function not implemented'; exit 1", "shell.rmdir", "blocked", "Function not"),
    ("cat", "exec tail -c +2 \"$@\"", "shell.historic.echo-write", "finding", "ello FUSE"),
    ("ls", "echo; exec /bin/ls \"$@\" | head -n 3", "shell.historic.ls-la", "finding", "0"),
    ("sed", "exec cp \"$3\" \"$3.bak\"", "shell.sed-i", "finding", "one two three"),
    ("sync", "exec sleep 60", "shell.sync", "lost", "`sync f` did not end within 0.5 s"),
    ("rm", "read -r answer", "shell.rm", "finding", "it waits for an answer"),
]


@pytest.mark.parametrize(("program", "script", "id", "kind", "words"), LIES)
def test_a_program_that_fails_or_lies_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, script: str, id: str, kind: str, words: str
) -> None:
    """Else the check is decoration."""
    fake, target = tmp_path / "bin", tmp_path / "target"
    fake.mkdir()
    target.mkdir()
    (fake / program).write_text(f"#!/bin/sh\n{script}\n")
    (fake / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:{os.environ['PATH']}")
    outcome = run_all(str(target), [BY_ID[id]], timeout=0.5 if kind == "lost" else 10.0)[id]
    assert outcome.kind == kind and words in outcome.observed
    assert os.listdir(target) == []


def test_every_check_can_be_asked_and_killed() -> None:
    """Else `list` would show checks that nothing can fail, and the historic script would not come first."""
    assert [check.id for check in CHECKS[:5]] == [
        f"shell.historic.{name}" for name in ("mounted", "ls-la", "touch", "echo-write", "cat")
    ]
    assert [check.id for check in CHECKS if not check.killers or not check.source] == []
    assert all(":" in killer and check.id.startswith("shell.") for check in CHECKS for killer in check.killers)
    assert sum(check.quick for check in CHECKS) >= 12
