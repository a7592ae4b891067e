"""How expectations of the mount layer are worded.

Owns a few small phrases; knows nothing of file systems.
"""

from __future__ import annotations

import traceback

from fsprobe.posix.files import errno_name

_SHORT = 48


def one_of(errnos: tuple[int, ...]) -> str:
    """`ENOENT`, `EPERM or EACCES`."""
    return " or ".join(errno_name(number) for number in errnos)


def difference(expected: bytes, observed: bytes) -> tuple[str, str]:
    """Two byte strings side by side: whole where both are short, else their lengths and the first difference."""
    if max(len(expected), len(observed)) <= _SHORT:
        return repr(expected), repr(observed)
    pairs = enumerate(zip(expected, observed, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(expected), len(observed)))
    return _around(expected, at), _around(observed, at)


def _around(data: bytes, at: int) -> str:
    return f"{len(data)} bytes, at offset {at} {data[at : at + 8]!r}"


def source_line(error: BaseException, path: str) -> str:
    """The line of the file `path` where an exception came from, "" where it did not pass there."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.line or "" for frame in reversed(frames) if frame.filename == path), "")
