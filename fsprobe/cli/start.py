"""Where the command `fsprobe` begins: there are three standard streams, and a signal waits until there are handlers.

Owns nothing but that order; knows nothing of the verbs, but for the one that has two seconds. What it imports before
that is a few lines, not a library.
"""

from __future__ import annotations

import os
import sys

from fsprobe.cli.interrupt import hold

_HASTY, _PRIORITY = "diagnose", -10
_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def entry() -> None:
    """The command."""
    hold()
    _open_closed()
    if _HASTY in sys.argv[1:2]:
        _go_first()
    from fsprobe.cli.main import entry as command

    command()


def _go_first() -> None:
    """Before others on a machine that is busy, perhaps with what is stuck: importing ourselves takes longest then."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
    except PermissionError:
        pass  # an ordinary user is not let


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
