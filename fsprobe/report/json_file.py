"""The result document as JSON, and any report as a file.

Owns putting it there whole or not at all; knows nothing of what is in it (`results.document` does).
"""

from __future__ import annotations

import errno
import os
import select
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from fsprobe.errors import UsageError
from fsprobe.results.document import dumps

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
READER_WITHIN = 5.0
"""How long whoever is to read a pipe may leave it alone; what is not read then is given up."""


def text(document: Mapping[str, Any]) -> str:
    """The document itself."""
    return dumps(document)


def write(document: Mapping[str, Any], path: str) -> None:
    """Put the document at `path`. Raises UsageError."""
    put(dumps(document), path)


def put(said: str, path: str) -> None:
    """Put a report at `path`: a file of the same directory is renamed over it.

    Something that is no regular file (a pipe, /dev/null) is written to directly. Raises UsageError.
    """
    try:
        _write(said, Path(os.path.realpath(path)))  # through a symbolic link, not over it
    except TimeoutError as error:
        raise UsageError(f"the result cannot be written to {path}: nobody reads from this pipe") from error
    except OSError as error:
        command = f"df -h {os.path.dirname(path) or '.'}" if error.errno in _FULL else f"ls -ld {path}"
        raise UsageError(f"the result cannot be written to {path}: {error.strerror}", command=command) from error


def say(said: str, stream: IO[str]) -> None:
    """Print a report that a program reads: in UTF-8, whatever the terminal's encoding is."""
    raw = getattr(stream, "buffer", None)
    stream.flush()
    if raw is None:
        stream.write(said)
    else:
        raw.write(said.encode())
        raw.flush()


def _write(said: str, target: Path) -> None:
    if target.exists() and not target.is_file():
        if stat.S_ISFIFO(target.stat().st_mode):
            _write_pipe(said.encode(), target)
        else:
            target.write_text(said, encoding="utf-8")
        return
    fd, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(said)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp's own 0600 would surprise whoever collects results
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _write_pipe(said: bytes, target: Path) -> None:
    """To a named pipe, waiting for its reader a bounded time. Raises TimeoutError where there is none."""
    fd = _opened(target, time.monotonic() + READER_WITHIN)
    try:
        while said:
            if not select.select([], [fd], [], READER_WITHIN)[1]:
                raise TimeoutError
            said = said[os.write(fd, said) :]
    finally:
        os.close(fd)


def _opened(target: Path, deadline: float) -> int:
    while True:
        try:
            return os.open(target, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:  # which is what a pipe without a reader answers
                raise
            if time.monotonic() > deadline:
                raise TimeoutError from error
        time.sleep(0.02)
