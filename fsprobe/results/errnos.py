"""Names and texts of error numbers, one name for each.

Owns the canonical spelling of an errno; knows nothing of who answered it.
"""

from __future__ import annotations

import errno as _errno
import os
import re

# Python's table keeps one name of two that share a number, and not the one man pages use on Linux.
_PREFERRED = {_errno.EOPNOTSUPP: "EOPNOTSUPP", _errno.EAGAIN: "EAGAIN", _errno.EDEADLK: "EDEADLK"}
_ALIASES = {"ENOTSUP": "EOPNOTSUPP", "EWOULDBLOCK": "EAGAIN", "EDEADLOCK": "EDEADLK", "ENOATTR": "ENODATA"}

_BY_TEXT = {os.strerror(number): number for number in _errno.errorcode}
_TEXT = re.compile("|".join(re.escape(text) for text in sorted(_BY_TEXT, key=len, reverse=True)))
_NAME = re.compile(r"\bE[A-Z0-9]{2,15}\b")


def errno_name(number: int) -> str:
    """`ENOSYS` for 38; the number itself where it has no name; "" for 0."""
    if number == 0:
        return ""
    return _PREFERRED.get(number) or _errno.errorcode.get(number, str(number))


def errno_text(number: int) -> str:
    """`ENOSYS (Function not implemented)`."""
    return f"{errno_name(number)} ({os.strerror(number)})" if number else ""


def canonical(name: str) -> str:
    """The one name of several (`ENOTSUP` is `EOPNOTSUPP`)."""
    return _ALIASES.get(name, name)


def errno_in(text: str) -> str:
    """The first errno that a text mentions, by its name or as a command prints it; "" where there is none."""
    named = next((canonical(m[0]) for m in _NAME.finditer(text) if hasattr(_errno, m[0])), "")
    if named:
        return named
    printed = _TEXT.search(text)
    return errno_name(_BY_TEXT[printed[0]]) if printed else ""
