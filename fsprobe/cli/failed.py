"""The result of a run that could not begin: nothing checked, but told why.

Owns that small document; knows nothing of runs.
"""

from __future__ import annotations

import os
import platform
from typing import Any

from fsprobe import __version__
from fsprobe.errors import FsprobeError
from fsprobe.results.document import build
from fsprobe.runners.options import RunOptions

INTERRUPTED = 130


def failed_document(name: str, options: RunOptions | None, error: BaseException) -> dict[str, Any]:
    """A document without checks. Its additional entry `error` holds the fact, the causes and what to try."""
    target = options.target if options is not None else None
    return build(
        target={"name": name, "argv": list(target.argv) if target is not None else []},
        environment={"fsprobe": __version__, "kernel": platform.release(), "uid": os.getuid()},
        exit_code=_exit_code(error),
        error=_told(error),
    )


def _exit_code(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return error.exit_code if isinstance(error, FsprobeError) else FsprobeError.exit_code


def _told(error: BaseException) -> dict[str, Any]:
    if isinstance(error, FsprobeError):
        return {"fact": error.fact, "causes": list(error.causes), "command": error.command or ""}
    if isinstance(error, KeyboardInterrupt):
        return {"fact": "interrupted before anything was checked", "causes": [], "command": ""}
    return {"fact": f"{type(error).__name__}: {error}", "causes": [], "command": ""}
