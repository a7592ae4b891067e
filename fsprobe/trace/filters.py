"""Which requests a trace is asked to show.

Owns the conditions, all of which must hold, and what can be typed for them; knows nothing of where requests come from.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from fsprobe.errors import UsageError
from fsprobe.trace.entry import Entry
from fsprobe.trace.text import safe
from fsprobe.wire import Opcode, opcode_name

ANY_ERROR = "any"


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty ones hold always. paths: globs over the path from the mount's root, or over the second one of RENAME and
    LINK. errnos: errno values; any_error: every one. slower_than: milliseconds, for open requests until now.
    """

    ops: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    errnos: frozenset[int] = frozenset()
    any_error: bool = False
    slower_than: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.ops or self.paths or self.errnos or self.any_error or self.slower_than)

    def keep(self, entry: Entry, now_ns: int) -> bool:
        """Whether an entry is to be shown."""
        if self.ops and entry.op not in self.ops:
            return False
        if self.slower_than and entry.age_us(now_ns) < self.slower_than * 1000:
            return False
        if self.slower_than and entry.state == "silent":
            return False
        if (self.errnos or self.any_error) and not (entry.error and (self.any_error or entry.error in self.errnos)):
            return False
        return not self.paths or any(self._matches(path) for path in (entry.path, entry.to) if path is not None)

    def _matches(self, path: bytes) -> bool:
        text = safe(path)
        return any(fnmatchcase(text, glob) for glob in self.paths)


def parse(ops: Sequence[str], paths: Sequence[str], errnos: Sequence[str], slower_than: float) -> Filters:
    """The filters that were typed: names may be joined by commas. Raises UsageError."""
    numbers = [word for text in errnos for word in text.split(",") if word]
    return Filters(
        frozenset(_operation(word) for text in ops for word in text.split(",") if word),
        tuple(paths),
        frozenset(_errno(word) for word in numbers if word.lower() != ANY_ERROR),
        any(word.lower() == ANY_ERROR for word in numbers),
        slower_than,
    )


def _operation(word: str) -> str:
    known = [opcode_name(one) for one in Opcode]
    name = word.upper().removeprefix("FUSE_")
    if name not in known:
        near = difflib.get_close_matches(name, known, 3)
        raise UsageError(
            f"--op {word}: there is no such operation",
            causes=(f"did you mean {' or '.join(near)}?",) if near else (),
            command=f"fsprobe explain {near[0] if near else 'LOOKUP'}",
        )
    return name


def _errno(word: str) -> int:
    if word.isdigit():
        return int(word)
    number = getattr(errno, word.upper(), None)
    if not isinstance(number, int):
        near = difflib.get_close_matches(word.upper(), errno.errorcode.values(), 3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"as in --errno ENOENT, or --errno {ANY_ERROR}"
        raise UsageError(
            f"--errno {word}: there is no such errno",
            causes=(hint,),
            command="fsprobe trace --help",
        )
    return number
