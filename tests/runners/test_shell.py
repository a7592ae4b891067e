"""The context that a shell check talks to, on a plain directory."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fsprobe.checks.check import Check, Level, shell_check
from fsprobe.checks.outcome import Outcome
from fsprobe.runners.facts import take_down
from fsprobe.runners.setup import Setup
from fsprobe.runners.shell import Shell, ShellLayer
from fsprobe.runners.shell_place import find_place, find_sample
from fsprobe.runners.worker import run_check

Body = Callable[[Shell], object]
Run = Callable[..., Outcome]


def make(body: Body, level: Level = Level.MUST, needs: tuple[str, ...] = (), id: str = "shell.it") -> Check:
    def function(sh: Shell) -> None:
        """It works."""
        body(sh)

    shell_check(id, op="SETATTR", source="none", level=level, needs=needs)(function)
    return function.__fsprobe_check__  # type: ignore[attr-defined]


@pytest.fixture
def layer(tmp_path: Path) -> Iterator[ShellLayer]:
    made = ShellLayer(Setup("shell", str(tmp_path), ".work", (), timeout=5.0))
    yield made
    made.close()


@pytest.fixture
def run(layer: ShellLayer) -> Run:
    features = layer.prepare()

    def one(body: Body, level: Level = Level.MUST, needs: tuple[str, ...] = (), id: str = "shell.it") -> Outcome:
        return run_check(layer, features, make(body, level, needs, id))

    return one


def _soon_dead(pid: int) -> bool:
    """Gone, or a zombie that its new parent has not looked at yet."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


ENOSYS = "echo \"touch: setting times of 'f': Function not implemented\"; false"


def test_a_failing_command_tells_its_words(run: Run) -> None:
    """Else nobody would know what `touch` complained of."""
    outcome = run(lambda sh: sh.ok(ENOSYS))
    assert (outcome.kind, outcome.expected) == ("finding", "exit 0")
    assert outcome.observed == "exit 1: touch: setting times of 'f': Function not implemented"
    assert outcome.notes[-1].startswith("$ echo") and "→ exit 1" in outcome.notes[-1]


def test_an_optional_feature_may_be_declined(run: Run) -> None:
    """Else a file system without links would fail, or a refused core operation would not."""
    outcome = run(lambda sh: sh.ok(ENOSYS), Level.OPTIONAL)
    assert (outcome.kind, outcome.errno) == ("unsupported", errno.ENOSYS)
    assert run(lambda sh: sh.ok("echo 'ln: b: Input/output error'; false"), Level.OPTIONAL).kind == "finding"
    assert run(lambda sh: sh.ok(ENOSYS, optional=False), Level.OPTIONAL).kind == "finding"


def test_a_failing_preparation_is_blocked(run: Run) -> None:
    """Else `rmdir` would be blamed where `mkdir` is broken."""

    def body(sh: Shell) -> None:
        with sh.setup():
            sh.ok(ENOSYS)

    for outcome in (run(body), run(lambda sh: sh.must(ENOSYS))):
        assert (outcome.kind, outcome.errno, outcome.call) == ("blocked", errno.ENOSYS, ENOSYS)


def test_a_missing_program_or_option_is_skipped(run: Run) -> None:
    """Else a busybox machine would show failures of the file system."""
    assert run(lambda sh: sh.ok("no-such-program-here f")).kind == "skip"
    assert run(lambda sh: sh.ok("cp --no-such-option a b")).kind == "skip"


def test_fails_wants_the_right_words(run: Run) -> None:
    """Else any error would do for the right one."""
    assert run(lambda sh: sh.fails("cat none", matching="No such file")).kind == "ok"
    assert run(lambda sh: sh.fails("cat none", matching="Read-only")).observed.endswith("No such file or directory")
    assert run(lambda sh: sh.fails("true")).observed == "exit 0"
    assert run(lambda sh: sh.fails("cat none", matching="x", allowed=("No such",))).warn


def test_effects_are_compared(run: Run) -> None:
    """Else a command that says yes and does nothing would pass."""
    assert run(lambda sh: (sh.ok(": > f"), sh.expect_gone("f"))).observed == "f is still there"
    assert run(lambda sh: (sh.ok("ln -s none f"), sh.expect_gone("f"))).kind == "finding"
    outcome = run(lambda sh: sh.expect_equal("mode", "644", "640"))
    assert (outcome.expected, outcome.observed) == ("mode: 640", "644")


def test_a_lost_command_and_the_next_check(run: Run) -> None:
    """Else one hang would end the layer."""
    outcome = run(lambda sh: sh.run("sleep 60", timeout=0.2))
    assert (outcome.kind, outcome.observed) == ("lost", "`sleep 60` did not end within 0.2 s")
    assert "Ctrl-C ended `sleep 60`" in outcome.notes
    assert run(lambda sh: sh.expect_output("echo well", "well")).kind == "ok"


def test_a_question_is_a_finding(run: Run) -> None:
    """Else a program that asks would be reported as a hang."""
    outcome = run(lambda sh: (sh.must("mkdir d; : > d/f"), sh.run("rm -i d/f")))
    assert outcome.kind == "finding" and "it waits for an answer: rm: remove regular empty file" in outcome.observed


def test_a_check_finds_nothing_of_the_one_before(run: Run, layer: ShellLayer) -> None:
    """Else the order of checks would decide what they say."""
    pids: list[int] = []
    assert run(lambda sh: sh.ok(": > f; (sleep 60 & echo $!)")).kind == "ok"
    assert run(lambda sh: pids.append(int(sh.ok("sleep 60 & echo $!").output.split()[-1]))).kind == "ok"
    assert run(lambda sh: sh.expect_output("ls -A; jobs", "")).kind == "ok"
    assert _soon_dead(pids[0])


def test_nothing_is_left(layer: ShellLayer, tmp_path: Path) -> None:
    """Else fsprobe would litter the target; and nothing that was there before may go."""
    (tmp_path / "theirs").write_text("kept")
    features = layer.prepare()
    private: list[str] = []

    def litter(sh: Shell) -> None:
        private.append(sh.private())
        sh.ok(f"mkdir -p d/e && : > d/e/f && ln -s ../../theirs l && mkdir -m 0 closed && : > {sh.private()}/g")

    assert run_check(layer, features, make(litter)).kind == "ok"
    assert layer.close() == [] and not os.path.exists(private[0])
    assert sorted(os.listdir(tmp_path)) == ["theirs"] and (tmp_path / "theirs").read_text() == "kept"


def test_names_where_there_are_no_directories(tmp_path: Path) -> None:
    """Else a flat file system could not be checked at all, or our names could meet the user's."""
    (tmp_path / "f").write_text("theirs")
    layer = ShellLayer(Setup("shell", str(tmp_path), ".work", (), timeout=5.0, avoid=("MKDIR",)))
    features = layer.prepare()
    assert features["write"] == "" and "hung or crashed" in features["mkdir"]
    names: list[str] = []
    check = make(lambda sh: (names.append(sh.name("f")), sh.ok(f"echo ours > {sh.name('f')}")), id="shell.it")
    assert run_check(layer, features, check).kind == "ok"
    assert names == [".work-it-f"] and (tmp_path / names[0]).read_text() == "ours\n"
    assert layer.close() == [] and (tmp_path / "f").read_text() == "theirs"


def test_a_read_only_target_is_only_read(tmp_path: Path) -> None:
    """Else a read-only target would be written to, or not be checked."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "it's a file").write_text("words")
    place = find_place(str(tmp_path), ".work", True)
    find_sample(place)
    assert place.read_only and place.sample.endswith("it's a file")
    layer = ShellLayer(Setup("shell", str(tmp_path), ".work", ("shell",), timeout=5.0, read_only=True))
    features = layer.prepare()
    assert features["read-only"] == features["regular-file"] == "" and features["write"]
    assert run_check(layer, features, make(lambda sh: sh.expect_output(f"cat {sh.sample()}", "words"))).kind == "ok"
    assert layer.close() == [] and sorted(os.listdir(tmp_path)) == ["sub"]


def test_a_directory_that_refuses_everything_is_read_only() -> None:
    """Else 60 checks would fail for one reason."""
    place = find_place("/sys/kernel", ".work", None)
    assert place.read_only and place.no_write and place.remove() == []


def test_features_are_tried_only_where_a_check_needs_them(tmp_path: Path) -> None:
    """Else a file system that hangs on links could not be checked for anything."""
    suite = tmp_path / "mine.py"
    suite.write_text(
        "from fsprobe.checks import shell_check\n"
        "@shell_check('mine.x', op='LINK', source='me', needs=('hardlink', 'program:sh', 'program:no-such-one'))\n"
        "def x(sh):\n    'It.'\n"
    )
    root = tmp_path / "root"
    root.mkdir()
    layer = ShellLayer(Setup("shell", str(root), ".work", (str(suite),)))
    features = layer.prepare()
    assert features["hardlink"] == features["program:sh"] == "" and "no-such-one" in features["program:no-such-one"]
    assert "symlink" not in features and layer.close() == []


@pytest.mark.parametrize(("names", "reason"), [({"PATH": "/nowhere"}, "needs bash"), ({}, "no terminal can be had")])
def test_without_a_terminal_the_layer_is_left_out(
    names: dict[str, str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a machine that is out of terminals, or has no bash, would be told as a target that never served."""
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    if not names:
        monkeypatch.setattr("pexpect.spawn", _out_of_terminals)
    layer = ShellLayer(Setup("shell", str(tmp_path), ".work", ("shell",), timeout=5.0))
    features = layer.prepare()
    outcome = run_check(layer, features, make(lambda sh: sh.ok("true")))
    assert outcome.kind == "skip" and reason in outcome.observed and "left out" in outcome.observed
    assert layer.close() == [] and os.listdir(tmp_path) == []
    environment: dict[str, Any] = {"degraded": ["before"]}
    assert take_down(environment, features) == [outcome.observed]
    assert take_down(environment, features) == [], "told once"
    assert environment["degraded"] == ["before", outcome.observed]


def _out_of_terminals(*_words: object, **_more: object) -> None:
    raise OSError("out of pty devices")
