"""The result document as a JSON file.

Owns putting it there whole or not at all; knows nothing of what is in it (`results.document` does).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fsprobe.errors import UsageError
from fsprobe.results.document import dumps


def write(document: Mapping[str, Any], path: str) -> None:
    """Put the document at `path`: a file of the same directory is renamed over it.

    Something that is no regular file (a pipe, /dev/null) is written to directly. Raises UsageError.
    """
    try:
        _write(dumps(document), Path(os.path.realpath(path)))  # through a symbolic link, not over it
    except OSError as error:
        raise UsageError(f"the result cannot be written to {path}: {error.strerror}") from error


def _write(text: str, target: Path) -> None:
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="ascii")
        return
    fd, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp's own 0600 would surprise whoever collects results
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
