"""The recipes with real programs: green on this kernel's own file systems, red where a program cannot do its work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fsprobe.checks.outcome import Outcome
from fsprobe.checks.suite import BUILT_IN, load_suite, unique_ids
from fsprobe.runners.setup import Setup
from fsprobe.runners.shell import ShellLayer
from fsprobe.runners.worker import run_check
from tests.suites.test_shell_suite import bad, root  # noqa: F401 - the fixture of both file systems

CHECKS = unique_ids(load_suite("apps"))
BY_ID = {check.id: check for check in CHECKS}


def run_apps(place: str, ids: list[str]) -> dict[str, Outcome]:
    layer = ShellLayer(Setup("shell", place, ".fsprobe-test", ("apps",)))
    features = layer.prepare()
    outcomes = {id: run_check(layer, features, BY_ID[id]) for id in ids}
    assert layer.close() == []
    return outcomes


def test_all_pass_on_the_kernels_own(root: str) -> None:  # noqa: F811
    """Else fsprobe would accuse sound file systems of breaking git or sqlite3."""
    outcomes = run_apps(root, list(BY_ID))
    assert bad(outcomes) == []
    skipped = {id: outcome.observed for id, outcome in outcomes.items() if outcome.kind == "skip"}
    assert all(observed.startswith(("no program", "python3 has no")) for observed in skipped.values()), skipped
    assert sum(outcome.kind == "ok" for outcome in outcomes.values()) >= 20, skipped
    assert os.listdir(root) == []


def test_a_program_that_is_absent_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else who has no git would read that the file system breaks it."""
    for program in ("bash", "mkdir", "rm", "mv", "cat", "sync", "ls", "seq", "chmod", "stat"):
        found = next(place for place in ("/bin", "/usr/bin") if os.path.exists(f"{place}/{program}"))
        (tmp_path / program).symlink_to(f"{found}/{program}")
    (tmp_path / "target").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    outcomes = run_apps(str(tmp_path / "target"), ["apps.git.commit", "apps.sqlite.wal", "apps.save.backup"])
    assert outcomes["apps.git.commit"] == Outcome("skip", observed="no program 'git' in PATH")
    assert outcomes["apps.sqlite.wal"].observed == "no program 'sqlite3' in PATH"
    assert outcomes["apps.save.backup"].kind == "ok"


@pytest.mark.parametrize(
    ("program", "script", "id"),
    [
        ("rsync", "exit 0", "apps.rsync.twice"),
        ("tar", 'case "$*" in *xpf*) cd "$2" && mkdir -p t/a/b t/none && touch t/a/large; esac; exec /bin/tar "$@"',
         "apps.tar.compare"),
        ("mv", "exec cp \"$@\"", "apps.log.rotate"),
        ("patch", "exit 0", "apps.patch"),
        ("make", "exec /usr/bin/make -B \"$@\"", "apps.make.mtimes"),
    ],
)  # fmt: skip
def test_a_program_that_does_not_do_its_work_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, script: str, id: str
) -> None:
    """Else the recipe would be green whatever the file system makes of it."""
    fake, target = tmp_path / "bin", tmp_path / "target"
    fake.mkdir()
    target.mkdir()
    (fake / program).write_text(f"#!/bin/sh\n{script}\n")
    (fake / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:{os.environ['PATH']}")
    outcome = run_apps(str(target), [id])[id]
    if outcome.kind == "skip":
        pytest.skip(outcome.observed)
    assert outcome.kind == "finding", outcome


def test_the_suite_is_part_of_every_run_but_the_quick_one() -> None:
    """Else nobody would learn that git does not work, or `--quick` would not be quick."""
    assert "apps" in BUILT_IN and len(CHECKS) >= 40
    assert [check.id for check in CHECKS if check.quick] == []
    assert all(check.id.startswith("apps.") and check.killers and check.source for check in CHECKS)
