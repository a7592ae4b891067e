"""The result document as a JSON file.

Owns how it is written; knows nothing of what is in it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def dumps(document: Mapping[str, Any]) -> str:
    """The document as text that ends in a newline. Names that are no UTF-8 are written as lone surrogates' escapes."""
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def write(document: Mapping[str, Any], path: str) -> None:
    """Put the document at `path`, whole or not at all: a file of the same directory is renamed over it.

    Something that is no regular file (a pipe, /dev/stdout) is written to directly. Raises OSError.
    """
    target = Path(path)
    if target.exists() and not target.is_file():
        target.write_text(dumps(document))
        return
    target = Path(os.path.realpath(target))  # through a symbolic link, not over it
    fd, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(fd, "w") as file:
            file.write(dumps(document))
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
