"""Reading TARGET and ARGS."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fsprobe.config.target import resolve
from fsprobe.errors import TargetError, UsageError


@pytest.fixture
def binary(tmp_path, monkeypatch):
    """A program `daemon` in the current directory."""
    path = tmp_path / "daemon"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return path


def test_binary_is_started_with_its_mount_point_and_args_behind_f(binary):
    """Real daemons would be started with their options in front of the mount point."""
    target = resolve("./daemon", ["-o", "source={source}"])
    assert target.command("/m", "/s") == [str(binary), "/m", "-f", "-o", "source=/s"]
    assert target.wants_source and target.name == "./daemon"


def test_binary_with_a_space_in_its_path_is_one_word(binary):
    """A build below `My Projects` could not be tested."""
    spaced = binary.rename(binary.with_name("my daemon"))
    assert resolve(str(spaced)).argv[0] == str(spaced)


def test_name_is_looked_for_here_and_on_the_path(binary):
    """`fsprobe run bindfs` is the first thing anyone types."""
    assert resolve("daemon").argv[0] == str(binary)
    assert resolve("sh").argv[0] == os.path.abspath(subprocess.check_output(["which", "sh"], text=True).strip())


def test_command_is_split_like_a_shell_line_and_never_run_by_one(binary):
    """Quotes would reach the daemon, or `$(…)` be carried out."""
    target = resolve("./daemon -o 'a b,$(id)' {source} {mountpoint}", ["-d"])
    assert target.command("/m", "/s") == [str(binary), "-o", "a b,$(id)", "/s", "/m", "-d"]


def test_without_a_target_it_is_the_reference():
    """`fsprobe run` alone has to show something that works."""
    target = resolve(None)
    assert target.name == "vexfs" and target.profile is None
    assert target.command("/m", "/s")[:5] == [sys.executable, "-m", "reference_fs", "/m", "-f"]


@pytest.mark.parametrize(("name", "options", "profile"), [
    ("vexfs:before-fix", ["--profile", "before-fix"], "before-fix"),
    ("vexfs:raw", ["--front", "raw"], None),
    ("vexfs:raw:after-fix", ["--front", "raw", "--profile", "after-fix"], "after-fix"),
    ("vexfs:lost-reply=write", ["--profile", "lost-reply=WRITE"], "lost-reply=WRITE"),
])  # fmt: skip
def test_built_in_names(name, options, profile):
    """A profile that is not passed on would make a defect pass as sound."""
    target = resolve(name, ["-o", "size=1m"])
    assert list(target.argv[5:]) == [*options, "-o", "size=1m"]
    assert target.suites == (() if profile else ("vexfs",))
    assert target.profile == profile


def test_reference_can_be_imported_from_any_directory(tmp_path):
    """In a clone, `fsprobe run` from a home directory would end in ModuleNotFoundError."""
    target = resolve("vexfs")
    done = subprocess.run(
        [*target.argv[:3], "--list-profiles"], cwd=tmp_path, env={**os.environ, **target.env}, capture_output=True,
        text=True, timeout=20, check=False,
    )  # fmt: skip
    assert "before-fix" in done.stdout, done.stderr


@pytest.mark.parametrize(("text", "error", "told"), [
    ("./deamon", TargetError, "did you mean"),
    ("./no/such", TargetError, "there is no directory"),
    ("/etc", TargetError, "fsprobe run --native /etc"),
    ("no-such-daemon", TargetError, "not on PATH"),
    ("vexsf:before-fix", UsageError, "fsprobe run vexfs:before-fix"),
    ("vexfs:befor-fix", UsageError, "fsprobe run vexfs:before-fix"),
    ("vexfs:before-fix=READ", UsageError, "no target"),
    ("./daemon 'x {mountpoint}", UsageError, "quotes come in pairs"),
    ("./daemon {mountpont}", UsageError, 'fsprobe run "./daemon {mountpoint}"'),
    ("./daemon -o ro", UsageError, "fsprobe run ./daemon -- -o ro"),
    ("python3 x.py", UsageError, 'fsprobe run "python3 x.py {mountpoint} -f"'),
    (" ", UsageError, "empty"),
])  # fmt: skip
def test_what_cannot_be_started_is_told_with_what_to_try(binary, text, error, told):
    """A bare `No such file` costs an author a search; the exit code tells scripts whose fault it is."""
    with pytest.raises(error) as caught:
        resolve(text)
    assert told in "\n".join(caught.value.lines())


@pytest.mark.parametrize(("content", "mode", "told"), [
    ("#!/usr/bin/python3\n", 0o644, "chmod +x ./fs.py"),
    ("import fuse\n", 0o644, 'fsprobe run "python3 ./fs.py {mountpoint} -f"'),
    ("import fuse\n", 0o755, 'fsprobe run "python3 ./fs.py {mountpoint} -f"'),
])  # fmt: skip
def test_script_that_the_kernel_cannot_start(binary, content, mode, told):
    """Python file systems are the commonest first target, and seldom executable."""
    script = binary.with_name("fs.py")
    script.write_text(content)
    script.chmod(mode)
    with pytest.raises(TargetError) as caught:
        resolve("./fs.py")
    assert caught.value.command == told
