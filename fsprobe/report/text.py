"""Text on its way to a screen: made harmless, wrapped, measured.

Owns escaping and the way numbers read; knows nothing of what is said. Strings of a result come from the file
system under test and may hold anything: control characters, terminal escapes, markup, bidirectional marks.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, Any

from rich.cells import cell_len
from rich.text import Text

WIDTH = 80
WIDEST = 110
"""On a wider terminal lines become longer, up to what an eye follows."""

_screen: ContextVar[int] = ContextVar("screen", default=WIDTH)

# Other, but unassigned (Cn) which a newer terminal may know; separators that break a line.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_MULTI_LINE = {"fix"}
# Whoever prints a report in a GitHub job has every line read for commands of the job: `::error::…`, `##[group]…`.
# Only the names of such commands are spelled out: Rust's `std::error::Error` is no command.
_JOB_COMMAND = re.compile(
    r"(?<!\w):(?=:(?:error|warning|notice|debug|group|endgroup|add-mask|set-output|save-state|set-env|add-path"
    r"|add-matcher|remove-matcher|stop-commands|echo|internal-set-repo-path)(?:[ :]|$))|#(?=#\[)"
)
_OPTION = re.compile(r"( --[a-z-]+) (?=[^' -])")


def screen_width() -> int:
    """Cells of a line of the screen that is being written: WIDTH, but inside `wide_as`."""
    return _screen.get()


@contextmanager
def wide_as(file: IO[str]) -> Iterator[None]:
    """Lines as wide as the terminal that a stream leads to, between WIDTH and WIDEST; WIDTH where it is none."""
    try:
        columns = os.get_terminal_size(file.fileno()).columns
    except (OSError, ValueError, AttributeError):
        columns = WIDTH
    token = _screen.set(min(max(columns, WIDTH), WIDEST))
    try:
        yield
    finally:
        _screen.reset(token)


def safe(text: str, *, lines: bool = False) -> str:
    """The text with everything a terminal would act upon spelled out. lines: line ends may stay."""
    if "::" in text or "##[" in text:
        text = _JOB_COMMAND.sub(lambda found: _spelled(found[0]), text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if (char == "\n" and lines) or not _is_unsafe(char) else _spelled(char) for char in text)


def _is_unsafe(char: str) -> bool:
    """Also the code points that are no characters: XML may not hold them."""
    code = ord(char)
    no_character = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return no_character or unicodedata.category(char) in _UNSAFE


def _spelled(char: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
    code = ord(char)
    if named:
        return named
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean(value: Any, key: str = "") -> Any:
    """A copy of a result document in which every string is safe; only a fix may have several lines."""
    if isinstance(value, str):
        return safe(value, lines=key in _MULTI_LINE)
    if isinstance(value, Mapping):
        return {clean(str(name)): clean(item, str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item, key) for item in value]
    return value


def fold(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken at spaces where there are any; at least one line."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            joined = f"{line} {word}" if line else word
            if cell_len(joined) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            while cell_len(word) > width:
                head = _head(word, width) or word[0]
                while len(head) > 1 and word[len(head)] in ":[":  # no line begins as a command of a CI job does
                    head = head[:-1]
                lines.append(head)
                word = word[len(head) :]
            line = word
        lines.append(line)
    return lines


def fold_command(command: str, width: int) -> list[str]:
    """A shell command in lines that can be copied together: broken between words, each line but the last ending in a
    backslash. Where a break has to come inside quotes there is none; a target's command is split at any space.
    """
    whole = _OPTION.sub(r"\1\0", command)  # an option stays with its value
    lines = [line.replace("\0", " ") for line in fold(whole, width - 2)]
    quotes = 0
    for index, line in enumerate(lines[:-1]):
        quotes += line.count("'")
        lines[index] = line if quotes % 2 else f"{line} \\"
    return lines


def pack(parts: Sequence[str], width: int, joint: str = " · ") -> list[str]:
    """Parts joined into lines of at most `width` cells, never broken inside a part; at least one line."""
    lines = [""]
    for part in parts:
        joined = f"{lines[-1]}{joint}{part}" if lines[-1] else part
        if cell_len(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines


def _head(word: str, width: int) -> str:
    """As much of a word as fits. Cells do not add up: a selector behind a character may make it wider."""
    end = 0
    while end < len(word) and cell_len(word[: end + 1]) <= width:
        end += 1
    return word[:end]


def cut(text: str, width: int) -> str:
    """One line of at most `width` cells, with … where something was left out."""
    return text if cell_len(text) <= width else _head(text, width - 1) + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Filled with spaces to exactly `width` cells, and cut to it."""
    text = cut(text, width)
    space = " " * max(0, width - cell_len(text))
    return space + text if right else text + space


def labelled(label: str, text: str, indent: int = 2, column: int = 12, style: str = "") -> list[Text]:
    """`label   text…` with the text folded beside its label."""
    lines = fold(text, screen_width() - column)
    first = Text(" " * indent).append(pad(label, column - indent), "dim").append(lines[0], style)
    return [first, *(Text(" " * column).append(line, style) for line in lines[1:])]


def micros(value: float | None) -> str:
    """A latency of microseconds in at most six cells."""
    if value is None:
        return ""
    if value < 999.5:
        return f"{value:.0f}µs"
    if value < 999_500:
        return f"{value / 1000:.1f}ms" if value < 99_950 else f"{value / 1000:.0f}ms"
    return f"{value / 1_000_000:.1f}s"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 check`, `2 checks`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listing(words: Sequence[str], most: int) -> str:
    """`A, B, C and 4 more`."""
    shown = ", ".join(words[:most])
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"
