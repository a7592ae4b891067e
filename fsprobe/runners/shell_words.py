"""What a command came to, and how its words are read: errors named in messages, output safe to print.

Owns the record of one command, the quoting for a terminal line and the tables of messages; knows nothing of
terminals or of checks.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass

LONGEST = 300
"""Characters of output that a finding shows."""

_KEPT = {"\n", "\t"}

# How musl words the same errors; busybox is often linked with it.
_MUSL = {
    "Not supported": errno.EOPNOTSUPP,
    "No error information": 0,
    "Resource not available": errno.EAGAIN,
    "I/O error": errno.EIO,
    "Operation not permitted": errno.EPERM,
}
MESSAGES: dict[str, int] = {**_MUSL, **{os.strerror(number): number for number in sorted(errno.errorcode)}}
"""The text of each error, by glibc and by musl."""

# What a program prints last: `touch: setting times of 'f': Function not implemented`. Longest first, so that
# "Not supported" does not shadow "Operation not supported".
_ANY = "|".join(re.escape(text) for text in sorted(MESSAGES, key=len, reverse=True))
_AT_THE_END = re.compile(rf"(?:^|[:( ])({_ANY})\)?[.;]?$")

DECLINED = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM})
"""How a file system may say no to an optional feature. EPERM: what link(2) and mknod(2) say where the type
of file system has none (man 2 link, man 2 mknod)."""

UNKNOWN_OPTION = re.compile(r"(?:unrecognized|invalid|unknown) option|^Usage: ", re.IGNORECASE | re.MULTILINE)
"""A program that is another one than the check expects (busybox in place of coreutils)."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command line that ended: its exit status, output (stdout and stderr, as on a terminal), seconds."""

    text: str
    status: int
    data: bytes
    seconds: float

    @property
    def output(self) -> str:
        """The output as text without its last newline; other control characters are written as escapes."""
        return safe(self.data.decode("utf-8", "backslashreplace")).removesuffix("\n")

    @property
    def errno(self) -> int:
        """The error number that the program's last message names; 0 where none does."""
        return errno_of(self.output)

    def told(self) -> str:
        """How it ended, for a finding: `exit 1: touch: setting times of 'f': Function not implemented`."""
        words = one_line(self.output)
        if words:
            return f"exit {self.status}: {words}"
        return f"exit {self.status} and no message from `{one_line(self.text)}`"


def safe(text: str) -> str:
    """The same text with every control character but newline and tab as a backslash escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT else _escape(c) for c in text)


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def one_line(text: str, longest: int = LONGEST) -> str:
    """A text as one line of at most so many characters, safe to print; what is cut out is the middle."""
    line = "; ".join(part.strip().replace("\t", " ") for part in safe(text).splitlines() if part.strip())
    if len(line) <= longest:
        return line
    half = (longest - 3) // 2
    return f"{line[:half]} … {line[-half:]}"


def errno_of(output: str) -> int:
    """The error number named by the last line of a program's output that names one; 0 where none does."""
    for line in reversed(output.splitlines()):
        found = _AT_THE_END.search(line.strip())
        if found:
            return MESSAGES[found[1]]
    return 0


def terminal_quote(text: str, width: int = 1000) -> bytes:
    """One word for bash that survives a terminal in canonical mode.

    The line discipline acts on control characters and takes no line longer than 4095 bytes: control
    characters go as octal escapes, and the word is continued over lines of about `width` bytes. Raises
    ValueError for NUL.
    """
    data = os.fsencode(text)
    if b"\0" in data:
        raise ValueError("a command cannot hold a NUL character")
    pieces: list[bytes] = []
    for start in range(0, len(data), width):
        for run in re.findall(rb"[\x00-\x1f\x7f]+|[^\x00-\x1f\x7f]+", data[start : start + width]):
            if run[0] < 0x20 or run[0] == 0x7F:
                pieces.append(b"$'" + b"".join(b"\\%03o" % byte for byte in run) + b"'")
            else:
                pieces.append(b"'" + run.replace(b"'", b"'\\''") + b"'")
        pieces.append(b"\\\n")
    return b"".join(pieces[:-1]) or b"''"
