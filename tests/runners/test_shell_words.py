"""Reading what programs print. If this failed, a report would show raw escapes or miss the error number."""

from __future__ import annotations

import errno
import subprocess

import pytest

from fsprobe.runners.shell_words import Command, errno_of, one_line, safe, terminal_quote


@pytest.mark.parametrize(("output", "number"), [
    ("touch: setting times of 'f': Function not implemented", errno.ENOSYS),
    ("ln: b: Not supported", errno.EOPNOTSUPP),
    ("setfattr: f: Operation not supported", errno.EOPNOTSUPP),
    ("bash: f: Read-only file system\n", errno.EROFS),
    ("cp: cannot stat 'a': No such file or directory\ncp: done", errno.ENOENT),
    ("tar: t/g: Cannot utime: Function not implemented", errno.ENOSYS),
    ("a b differ: byte 5001, line 2", 0),
    ("", 0),
])
def test_the_error_is_read_from_the_message(output: str, number: int) -> None:
    """Else the operation at fault could not be told from the command's words."""
    assert errno_of(output) == number


def test_no_control_character_reaches_the_report() -> None:
    """Else a file name could move the cursor or change the title of the reader's terminal."""
    done = Command("printf x", 1, b"\x1b]0;owned\x07bad\xff \xe2\x80\xae\xc2\x9b name\r\n", 0.0)
    assert done.output == "\\x1b]0;owned\\x07bad\\xff \\u202e\\x9b name\\x0d"
    assert done.told() == f"exit 1: {done.output}"
    assert safe("plain\ttext\nwith ü") == "plain\ttext\nwith ü"


def test_a_long_output_is_one_short_line() -> None:
    """Else one failing check would fill the screen."""
    line = one_line("\n".join(f"line {n}" for n in range(1000)))
    assert len(line) <= 300 and line.startswith("line 0; line 1") and line.endswith("line 999")


@pytest.mark.parametrize("text", [
    "", "it's", "a\x03b\x04\x1b\n\t\x7f", "x" * 5000, "\udcff\udc80", "ü" * 3000, "\\$`!\"*",
])
def test_quoting_keeps_every_character(text: str) -> None:
    """Else a name with a control character would act on the terminal in place of being a name."""
    word = terminal_quote(text, width=700)
    assert max(map(len, word.split(b"\n"))) < 4000 and not any(byte < 32 and byte != 10 for byte in word)
    shown = subprocess.run(["bash", "-c", b"printf %s " + word], capture_output=True, check=True).stdout
    assert shown == text.encode("utf-8", "surrogateescape")


def test_a_nul_is_refused() -> None:
    """Else the command would be cut at it."""
    with pytest.raises(ValueError, match="NUL"):
        terminal_quote("a\0b")
