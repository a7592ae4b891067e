"""A real bash on a real pseudo-terminal. If this failed, one stuck command would take the run with it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsprobe.checks.check import Lost
from fsprobe.runners import shell_terminal
from fsprobe.runners.shell_terminal import Asked, Flooded, Terminal


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.stop()


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


def test_status_and_output(terminal: Terminal) -> None:
    """Else a failing command would pass."""
    done = terminal.run("echo out; echo err >&2; printf 'no newline'; (exit 7)", 5)
    assert (done.status, done.output) == (7, "out\nerr\nno newline")
    assert terminal.run("[ -t 0 ] && [ -t 1 ] && [ -t 2 ]", 5).status == 0
    assert terminal.run("true", 5).data == b""


def test_a_forged_prompt_is_output(terminal: Terminal) -> None:
    """Else a program that prints what looks like our prompt could claim to have succeeded."""
    marker = "0123456789abcdef" * 2
    leaks = "printf '%s' \"$PS1\"; env; tr '\\0' '\\n' < /proc/$$/environ"
    done = terminal.run(f"printf '{marker}:0:'; {leaks}; (exit 3)", 5)
    assert done.status == 3 and f"{marker}:0:" in done.output
    assert terminal.run("echo next", 5).output == "next"


def test_a_mebibyte_of_output_is_whole(terminal: Terminal) -> None:
    """Else a large listing would be cut or take for ever."""
    began = time.monotonic()
    done = terminal.run("seq 200000 | head -c 1048576", 20)
    assert len(done.data) == 1 << 20 and done.data.startswith(b"1\n2\n")
    assert time.monotonic() - began < 5


def test_bytes_that_are_no_text(terminal: Terminal) -> None:
    """Else a binary file on the terminal would break the reading of the status."""
    done = terminal.run("head -c 256 /dev/urandom > /dev/null; printf '\\000\\377\\003\\004\\033[2J\\r'; false", 5)
    assert (done.status, done.data) == (1, b"\x00\xff\x03\x04\x1b[2J\r")


def test_a_command_that_does_not_end_is_lost(terminal: Terminal) -> None:
    """Else a hang would hang us."""
    with pytest.raises(Lost, match=r"`sleep 60` did not end within 0.3 s"):
        terminal.run("sleep 60", 0.3)
    assert not terminal.alive and terminal.remarks == ["Ctrl-C ended `sleep 60`"]


def test_what_ignores_ctrl_c_is_killed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else stubborn programs would be left behind."""
    monkeypatch.setattr(shell_terminal, "GRACE", 0.3)
    pid = int(terminal.run("trap '' INT; sleep 60 & echo $!", 5).output.split()[-1])
    with pytest.raises(Lost):
        terminal.run("wait; sleep 60", 0.2)
    assert "SIGKILL ended it" in terminal.remarks[0]
    assert _soon_dead(pid) and _soon_dead(terminal.pid)


@pytest.mark.parametrize("command", ["cat", "read answer", "rm -i {file}"])
def test_a_question_at_the_terminal_is_no_hang(terminal: Terminal, command: str, tmp_path: Path) -> None:
    """Else `rm` that asks would look like a file system that hangs, after the whole timeout."""
    file = tmp_path / "f"
    terminal.run(f": > {file}", 5)
    began = time.monotonic()
    with pytest.raises(Asked):
        terminal.run(command.format(file=file), 30)
    assert time.monotonic() - began < 5 and os.path.exists(file)


@pytest.mark.parametrize("command", ["exit 3", "kill -9 $$", "exec true"])
def test_a_bash_that_ends_is_noticed(terminal: Terminal, command: str) -> None:
    """Else the end of bash would be waited for until the timeout."""
    began = time.monotonic()
    with pytest.raises(Lost, match="bash itself ended"):
        terminal.run(command, 30)
    assert time.monotonic() - began < 5 and not terminal.alive


def test_a_bash_that_ends_with_the_terminal_still_open_is_noticed(terminal: Terminal) -> None:
    """Else a child that holds the terminal would hide that bash is gone."""
    with pytest.raises(Lost, match="bash itself ended"):
        terminal.run("sleep 60 & disown; kill -9 $$", 30)


def test_background_children_are_seen_and_ended(terminal: Terminal) -> None:
    """Else what one check started would write into the next one's output."""
    pid = int(terminal.run("sleep 60 & echo $!", 5).output.split()[-1])
    assert terminal.background() == [pid]
    terminal.stop()
    assert _soon_dead(pid)


def test_endless_output_is_ended(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a program that prints without end would fill the memory."""
    monkeypatch.setattr(shell_terminal, "MOST_OUTPUT", 1 << 16)
    with pytest.raises(Flooded, match="printed more than"):
        terminal.run("yes", 30)


def test_a_command_that_is_none_is_the_authors_fault(terminal: Terminal) -> None:
    """Else a typing error in a suite would pass as a check."""
    with pytest.raises(ValueError, match="bash cannot read"):
        terminal.run("echo 'no end", 5)
    with pytest.raises(ValueError, match="bash cannot read"):
        terminal.run("if; then", 5)


def test_signals_are_as_a_login_has_them(terminal: Terminal) -> None:
    """Else `yes | head` would complain, as Python ignores SIGPIPE."""
    done = terminal.run("yes | head -n 1; echo ${PIPESTATUS[0]}", 5)
    assert done.output == "y\n141"
