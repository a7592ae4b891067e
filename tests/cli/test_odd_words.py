"""Words that a command line should not have: each is told for what it is, with what to do instead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fsprobe.cli.main import main
from fsprobe.errors import MachineError, UsageError
from tests.cli.test_main import fsprobe

AS_OTHER = "import sys; sys.executable = sys.argv.pop(1); from fsprobe.cli.main import entry; entry()"


@pytest.mark.parametrize(("words", "fact"), [
    (["run", "vexfs", "--json", ""], "--json is empty"),
    (["run", "vexfs", "--html="], "--html is empty"),
    (["run", ""], "an empty word stands behind run"),
    (["run", "-q", ""], "an empty word stands behind -q"),
    (["run", "vexfs", "--suite", ""], "--suite is empty"),
    (["run", "vexfs", "--select", " "], "--select is empty"),
    (["run", "--native", ""], "--native is empty"),
    (["list", "--suite", ""], "--suite is empty"),
    (["baseline", ""], "an empty word stands behind baseline"),
    (["baseline", "r.json", "-o", ""], "-o is empty"),
    (["report", "r.json", "--output", ""], "--output is empty"),
    ([""], "an empty word stands behind fsprobe"),
])  # fmt: skip
def test_an_empty_word_is_refused(words: list[str], fact: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json "$OUT"` with OUT unset would lose the result, and `--native ""` check something else."""
    assert main(words) == UsageError.exit_code
    told = capsys.readouterr()
    assert told.out == "" and f"fsprobe: {fact}\n" in told.err
    assert "variable of the shell" in told.err and "--help" in told.err and "  --help" not in told.err


def test_an_empty_word_for_the_daemon_is_the_daemons(capsys: pytest.CaptureFixture[str]) -> None:
    """A daemon may take an empty option, and nobody else knows what it means."""
    assert main(["run", "./no-such-daemon", "--", "-o", ""]) == 4
    assert "does not exist" in capsys.readouterr().err


def test_a_directory_in_place_of_the_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Python's own words, `[Errno 21]`, help nobody."""
    result = tmp_path / "r.json"
    result.write_text('{"schema": "other"}')
    assert main(["baseline", str(result), "-o", str(tmp_path)]) == UsageError.exit_code  # told of the result first
    capsys.readouterr()
    from tests.cli.test_baseline import write_result

    assert main(["baseline", write_result(result, {"posix.a": "FAIL"}), "-o", str(tmp_path)]) == UsageError.exit_code
    told = capsys.readouterr().err
    assert f"-o {tmp_path}: this is a directory" in told and "Errno" not in told
    assert f"try:    fsprobe baseline RESULT.json -o {tmp_path}/fsprobe-baseline.toml" in told


@pytest.mark.parametrize(("content", "exit_code", "told"), [
    ("", 5, "there is no check in the suite"),
    ("import sys; sys.exit(0)", 2, "SystemExit: 0"),
    ("raise SystemExit", 2, "__main__"),
])  # fmt: skip
def test_a_file_that_is_no_suite(
    content: str, exit_code: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program in the place of a suite would end fsprobe itself, with the program's own exit status: green."""
    (tmp_path / "suite.py").write_text(content)
    assert main(["run", "vexfs", "--suite", str(tmp_path)]) == exit_code
    assert told in capsys.readouterr().err
    assert main(["list", "--suite", str(tmp_path)]) == exit_code


def test_options_that_leave_no_check_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever gave two options would be told of five."""
    assert main(["run", "vexfs", "--no-mount", "--suite", "posix"]) == 5
    told = capsys.readouterr().err
    assert "each check has to meet all of --suite, --no-mount" in told and "--quick" not in told


@pytest.mark.parametrize("words", [
    [b"b\xffd"], [b"run", b"./b\xffd"], [b"explain", b"b\xffd"], [b"run", b"vexfs", b"--select", b"b\xffd"],
    [b"report", b"b\xffd"], [b"run", b"--native", b"/b\xffd"], [b"list", b"b\xffd"],
    [b"run", b"vexfs", b"--suite", b"b\xffd"],
])  # fmt: skip
def test_a_name_that_is_no_utf8_is_shown_by_its_bytes(words: list[bytes]) -> None:
    """A half of a surrogate pair in a message is nothing that anybody has typed; a traceback even less."""
    shown = fsprobe(*map(os.fsdecode, words))
    assert shown.returncode in (2, 4)
    assert "b\\xffd" in shown.stderr and "udc" not in shown.stderr and "Traceback" not in shown.stderr


@pytest.mark.parametrize("words", [["doctor"], ["run", "vexfs", "-q"], ["trace", "vexfs"]])
@pytest.mark.parametrize("python", ["", "/no/such/python", "plain"])
def test_a_python_that_cannot_be_started_is_the_machines_fault(words: list[str], python: str, tmp_path: Path) -> None:
    """A moved virtual environment would be called a fault of fsprobe, to be reported."""
    plain = tmp_path / "python3"
    plain.write_text("#!/bin/sh\n")
    program = str(plain) if python == "plain" else python
    done = subprocess.run(
        [sys.executable, "-c", AS_OTHER, program, *words], capture_output=True, text=True, timeout=30, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == MachineError.exit_code, done.stderr
    assert "fsprobe's own Python cannot be started" in done.stderr and "venv" in done.stderr


@pytest.mark.parametrize(("words", "likely", "command"), [
    (["explain", "touch"], "touch is a command, and needs SETATTR", "fsprobe explain SETATTR"),
    (["run", "vexfs", "--op", "mv"], "mv is a command, and needs RENAME", "--op RENAME"),
    (["explain", "posix.mkdir"], "it is the beginning of ids", "fsprobe list 'posix.mkdir.*'"),
    (["list", "shell.historic"], "did you mean 'shell.historic.*'?", "fsprobe list 'shell.historic.*'"),
    (["run", "vexfs", "--select", "posix"], "did you mean 'posix.*'?", "fsprobe list 'posix.*'"),
    (["run", "python3", "my.py"], 'quotes: fsprobe run "python3 my.py {mountpoint}"', "fsprobe run --help"),
    (["run", "vexfs:lost-reply=SETATR"], "did you mean SETATTR?", "fsprobe run vexfs:lost-reply=SETATTR"),
    (["run", "vexfs", "--select"], "requires an argument", "fsprobe run --help"),
    (["run", "vexfs", "--timeout", "soon"], "'soon' is no number of seconds", "fsprobe run --help"),
])  # fmt: skip
def test_what_was_meant_is_said(
    words: list[str], likely: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Operations, commands and ids are mixed up by everybody on the first day."""
    assert main(words) == UsageError.exit_code
    told = capsys.readouterr().err
    assert likely in told and f"  try:    {command}" in told


@pytest.mark.parametrize("words", [["run", "vexfs", "-q"], ["doctor"]])
def test_too_few_files_are_told_before_anything_is_started(words: list[str]) -> None:
    """A worker that ended for want of a descriptor would be laid at the door of an operation."""
    limited = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)); "
    shown = fsprobe(*words, code=limited + "import sys; from fsprobe.cli.main import entry; entry()")
    assert shown.returncode == MachineError.exit_code, shown.stderr
    assert "no more than 20 open files" in shown.stderr and "ulimit -n" in shown.stderr
