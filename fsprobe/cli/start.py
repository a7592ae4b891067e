"""Where the command `fsprobe` begins: there are three standard streams, and a signal waits until there are handlers.

Owns nothing but that order; knows nothing of the verbs. What it imports before that is a few lines, not a library.
"""

from __future__ import annotations

import os
import sys

from fsprobe.cli.interrupt import hold

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def entry() -> None:
    """The command."""
    hold()
    _open_closed()
    from fsprobe.cli.main import entry as command

    command()


def _open_closed() -> None:
    """/dev/null for each standard stream that was closed (`>&-`): its number would go to a socket or a file of ours,
    and what is printed into that.
    """
    for fd, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(fd, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - open as long as the process
