"""A project's configuration: what it says holds, and a mistake in it is found by its line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fsprobe.cli.options import options_of
from fsprobe.config.project import find, load
from fsprobe.errors import UsageError

DEFAULTS = {
    "suites": (), "select": (), "ops": (), "quick": False, "no_mount": False, "no_relay": False, "native": None,
    "expect": None, "strict": False, "start_timeout": 10.0, "timeout": 10.0, "inject": (), "baseline": None,
    "config": None, "seed": None, "keep": False,
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a program, and fsprobe started in it."""
    program = tmp_path / "bin" / "myfs"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(error: pytest.ExceptionInfo[UsageError]) -> str:
    return "\n".join(error.value.lines())


def test_a_target_is_started_as_its_table_says(here: Path) -> None:
    """Everyone in a project would type the command, each a little differently."""
    (here / "fsprobe.toml").write_text("""
        [targets.mine]
        command = "./bin/myfs --fast {mountpoint}"
        args = ["-o", "ro"]
        env = { LEVEL = "debug", N = 3 }
        cwd = "bin"
    """)  # fmt: skip
    target = find(here).target("mine", ("-d",))
    assert target.argv == (str(here / "bin" / "myfs"), "--fast", "{mountpoint}", "-o", "ro", "-d")
    assert target.env == {"LEVEL": "debug", "N": "3"}
    assert target.cwd == str(here / "bin") and target.args == ("-d",)


def test_a_program_alone_is_started_as_on_the_command_line(here: Path) -> None:
    """The simplest line, command = "./myfs", would start a daemon without its mount point."""
    (here / "fsprobe.toml").write_text('[targets.mine]\ncommand = ["./bin/myfs"]\n')
    assert find(here).target("mine").argv == (str(here / "bin" / "myfs"), "{mountpoint}", "-f")


def test_what_is_typed_goes_before_the_target_before_the_file_before_the_defaults(here: Path) -> None:
    """An option on the command line would be overruled by a file out of sight."""
    (here / "fsprobe.toml").write_text("""
        default = "mine"
        timeout = 3
        start-timeout = 4
        strict = true
        [targets.mine]
        command = "./bin/myfs"
        timeout = 5
        seed = 7
    """)  # fmt: skip
    options = options_of(None, (), {"seed"}, **{**DEFAULTS, "seed": 1})
    assert options.target is not None and options.target.name == "mine"
    assert (options.timeout, options.start_timeout, options.strict, options.seed) == (5.0, 4.0, True, 1)
    other = options_of("vexfs", (), (), **DEFAULTS)
    assert (other.timeout, other.seed) == (3.0, None)


def test_paths_are_those_of_the_file_wherever_fsprobe_is_started(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A baseline would be found from the top of the project only."""
    (here / "known.toml").write_text('[[known]]\ncheck = "a.b"\nreason = "x"\n')
    (here / "fsprobe.toml").write_text("""
        suite = ["posix", "./suites/ours"]
        [targets.mine]
        command = "./bin/myfs"
        baseline = "known.toml"
    """)  # fmt: skip
    monkeypatch.chdir(here / "bin")
    options = options_of("mine", (), (), **DEFAULTS)
    assert options.baseline is not None and options.baseline.entries[0].check == "a.b"
    assert options.suites == ("posix", os.path.join(here, "./suites/ours"))


def test_pyproject_is_read_where_it_has_the_table_and_there_is_no_file_of_our_own(here: Path) -> None:
    """Either the shared file would be ignored, or one of another tool taken for ours."""
    shared = here / "pyproject.toml"
    shared.write_text("[tool.other]\nquick = true\n")
    assert find(here / "bin").path == ""
    shared.write_text('[tool.fsprobe]\nquick = true\n[tool.fsprobe.targets.mine]\ncommand = "./bin/myfs"\n')
    project = find(here / "bin")
    assert project.settings == {"quick": True} and list(project.targets) == ["mine"]
    (here / "fsprobe.toml").write_text("strict = true\n")
    assert find(here / "bin").settings == {"strict": True}


def test_a_target_may_be_the_reference_or_a_directory(here: Path) -> None:
    """Only daemons of one's own could be given a name."""
    (here / "fsprobe.toml").write_text(
        '[targets.old]\nprofile = "before-fix"\n[targets.share]\nnative = "bin"\nexpect = "read-only"\n'
    )
    old = options_of("old", (), (), **DEFAULTS).target
    assert old is not None and old.name == "old" and old.profile == "before-fix" and old.argv[0] == sys.executable
    share = options_of("share", (), (), **DEFAULTS)
    assert (share.target, share.native, share.expect) == (None, str(here / "bin"), "read-only")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("quik = true", ["line 1", "unknown key 'quik'", "did you mean 'quick'"]),
        ("start_timeout = 3", ["did you mean 'start-timeout'"]),
        ("quick = 1", ["line 1", "quick is true or false, not 1"]),
        ("timeout = 0", ["timeout is a number of seconds above 0"]),
        ("timeout = true", ["timeout is a number"]),
        ("seed = 1.5", ["seed is a whole number"]),
        ("select = [1]", ["select is a text or a list of texts"]),
        ("\ndefault = 'mien'\n[targets.mine]\ncommand = './bin/myfs'", ["line 2", "did you mean 'mine'"]),
        ("[targets.mine]\ncommand = './bin/myfs'\nprofile = 'x'", ["line 3", "in [targets.mine]", "one of command"]),
        ("[targets.mine]\nquick = true", ["line 1", "one of command, profile and native"]),
        ("[targets.mine]\n\ncomand = './bin/myfs'", ["line 3", "did you mean 'command'"]),
        ("[targets.mine]\ncommand = './bin/myfs {mountpiont}'", ["unknown place {mountpiont}"]),
        ("[targets.mine]\ncommand = './bin/myfs \"'", ["cannot be split"]),
        ("[targets.mine]\ncommand = []", ["command is a list of texts"]),
        ("[targets.mine]\ncommand = './bin/myfs'\nargs = 'x'", ["args is a list of texts"]),
        ("[targets.mine]\ncommand = './bin/myfs'\nenv = ['A=1']", ["env is a table"]),
        ("[targets.vexfs]\ncommand = './bin/myfs'", ["built in already"]),
        ("targets = 3", ["targets are tables"]),
        ("quick =", ["not TOML"]),
    ],
)
def test_a_mistake_is_named_with_its_place(here: Path, text: str, wanted: list[str]) -> None:
    """A misspelt key would be ignored, and the run be another than was meant."""
    (here / "fsprobe.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        find(here)
    for words in ("fsprobe.toml", *wanted):
        assert words in told(caught)


def test_a_mistake_is_found_in_the_shared_file_too(here: Path) -> None:
    """Lines of a long pyproject.toml would have to be counted by hand."""
    (here / "pyproject.toml").write_text("[project]\nquik = 1\n\n[tool.fsprobe]\nquik = 1\n")
    with pytest.raises(UsageError) as caught:
        find(here)
    assert "pyproject.toml, line 5, in [tool.fsprobe]" in told(caught)


def test_a_misspelt_target_is_told_those_there_are(here: Path) -> None:
    """It would be looked for on PATH, and not found."""
    (here / "fsprobe.toml").write_text('[targets.mine]\ncommand = "./bin/myfs"\n')
    with pytest.raises(UsageError) as caught:
        options_of("mien", (), (), **DEFAULTS)
    assert "fsprobe run mine" in told(caught)


def test_an_expectation_that_there_is_not(here: Path) -> None:
    """What click refuses on the command line would pass in a file."""
    (here / "fsprobe.toml").write_text('expect = "readonly"\n')
    with pytest.raises(UsageError) as caught:
        options_of("vexfs", (), (), **DEFAULTS)
    assert "read-only" in told(caught)


def test_a_file_that_is_named_must_be_there(here: Path) -> None:
    """--config with a slip would run without any configuration."""
    with pytest.raises(UsageError, match="cannot be read"):
        load(here / "none.toml")
