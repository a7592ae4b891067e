"""What surrounds the command: streams that are closed or full, pipes that nobody reads, signals before it is there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fsprobe.cli.main import main
from fsprobe.errors import UsageError
from fsprobe.report import json_file

COMMAND = "import sys; sys.argv[0] = 'fsprobe'; from fsprobe.cli.start import entry; entry()"
EARLY = (
    "import os, signal; from fsprobe.cli.interrupt import hold; hold(); "
    "os.kill(os.getpid(), signal.{name}); {command}"
)
RUN = ("run", "vexfs:raw", "--no-mount", "--quick", "-q", "--op", "STATFS")


def shell(redirected: str, *words: str, code: str = COMMAND) -> subprocess.CompletedProcess[str]:
    """The command with its streams redirected by a shell."""
    argv = ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, "-P", "-c", code, *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("words", [("list",), ("--help",), ("doctor",)], ids=lambda words: words[0])
def test_full_output_is_told(words: tuple[str, ...]) -> None:
    """A full disk is told as one, not as a fault of fsprobe, and no half output passes for success."""
    done = shell(">/dev/full", *words)
    assert done.returncode == 2, done.stderr
    assert "cannot be written: No space left on device" in done.stderr
    assert "fault of fsprobe" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_matter(closed: str, tmp_path: Path) -> None:
    """Started by a service without standard streams, a run ends as ever and writes its result, whole."""
    result = tmp_path / "r.json"
    done = shell(closed, *RUN, "--json", str(result))
    assert done.returncode == 0, done.stderr
    assert json.loads(result.read_text())["summary"]["exit_code"] == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signal_before_the_first_import(name: str, tmp_path: Path) -> None:
    """Who ends a run at once still gets the result that was asked for, and no traceback from some import."""
    result = tmp_path / "r.json"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        done = shell("", *RUN, "--json", str(result), code=EARLY.format(name=name, command=COMMAND))
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(result.read_text())["summary"]["exit_code"] == 130


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_early_signal_ends_every_other_verb(name: str) -> None:
    """A signal that was held is not lost."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        done = shell("", "list", code=EARLY.format(name=name, command=COMMAND))
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.returncode == (130 if name == "SIGINT" else -signal.SIGTERM), done.stderr
    assert done.stdout == ""


def test_pipe_without_reader_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named pipe that nobody reads does not keep a run for ever, with signals held off."""
    monkeypatch.setattr(json_file, "READER_WITHIN", 0.2)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="nobody reads from this pipe"):
        json_file.put("said", str(pipe))


def test_pipe_with_reader_gets_everything(tmp_path: Path) -> None:
    """And one that is read gets all, also where that is more than a pipe holds."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        with subprocess.Popen(["wc", "-c"], stdin=reader.stdout, stdout=subprocess.PIPE, text=True) as counted:
            json_file.put("x" * 300_000, str(pipe))
            assert counted.communicate(timeout=20)[0].strip() == "300000"


def test_trace_into_a_pipe_without_reader_is_refused(tmp_path: Path) -> None:
    """A trace says so at once, in place of waiting where Ctrl-C does not reach it."""
    os.mkfifo(tmp_path / "pipe")
    done = shell("", "trace", "vexfs:raw", "--do", "true", "-o", str(tmp_path / "pipe"))
    assert done.returncode == 2, done.stderr
    assert "nobody reads from this pipe" in done.stderr


@pytest.mark.parametrize("number", ["nan", "inf", "1e999", "99999999999999999999"])
@pytest.mark.parametrize(
    "words",
    [("run", "vexfs:raw", "--timeout"), ("run", "vexfs:raw", "--start-timeout"), ("mutate", "vexfs:raw", "--timeout"),
     ("trace", "vexfs:raw", "--slower-than"), ("diagnose", "1", "--patience"), ("compare", "a", "b", "--slower")],
    ids=lambda words: f"{words[0]}{words[-1]}",
)  # fmt: skip
def test_numbers_that_no_clock_knows_are_refused(
    words: tuple[str, ...], number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--timeout nan` made every check hang and `inf` ended in a fault of fsprobe; both are slips, told as such."""
    assert main([*words, number]) == 2
    assert f"{number} is no usable number" in capsys.readouterr().err


def test_unknown_kind_of_fault_is_refused_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped --kind is told with the right word, not after a whole run without a fault."""
    assert main(["mutate", "vexfs:raw", "--kind", "erno"]) == 2
    assert "did you mean errno" in capsys.readouterr().err


def test_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    """A shell that stands in a removed directory is the cause, and is named as such."""
    gone = tmp_path / "gone"
    gone.mkdir()
    argv = ["sh", "-c", 'rmdir "$1" && shift && exec "$@"', "sh", str(gone), sys.executable, "-P", "-c", COMMAND, *RUN]
    done = subprocess.run(argv, cwd=gone, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "the directory in which this was started is gone" in done.stderr
