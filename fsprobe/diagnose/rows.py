"""What a row of the handler tables is made of.

Owns the record and how it is built from a compact line; knows nothing of any library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Handler:
    """A function to write. name: as the library's users call it (".utimens"). signature: its declaration.

    word: the bare function name, by which a check that exercises it can be told ("utimens").
    """

    name: str
    signature: str
    word: str


Rows = Mapping[str, tuple[Handler, ...]]
"""Handlers by operation."""


def rows(table: Mapping[str, str], name_of: Callable[[str], str], finish: Callable[[str], str]) -> Rows:
    """Handlers out of compact lines: one declaration a line, the first word before `(` being its name."""
    return {
        op: tuple(_handler(line.strip(), name_of, finish) for line in lines.strip().splitlines())
        for op, lines in table.items()
    }


def _handler(line: str, name_of: Callable[[str], str], finish: Callable[[str], str]) -> Handler:
    match = re.search(r"([\w.]+)\(", line)
    word = match[1] if match else line
    return Handler(name_of(word), finish(line), word.rsplit(".", 1)[-1].lower())
