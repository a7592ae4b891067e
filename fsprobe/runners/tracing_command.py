"""The process that becomes the command of `fsprobe trace --do`, in the mount.

Owns the exchange of its descriptors for the user's; knows nothing of the trace. It may be lost at any call.
"""

from __future__ import annotations

import os
import sys

from fsprobe.posix.channel import Channel

SHELL = "/bin/sh"
CANNOT = 126  # as a shell has it for a command that cannot be run


def main(channel: Channel) -> None:
    """Run by the sandbox's first process, with a channel; never returns where the command starts."""
    setup = channel.receive(10.0)[0]["setup"]
    _, streams = channel.receive(10.0)
    try:
        os.chdir(setup["root"])
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        os.environ["PWD"] = setup["root"]
        os.execv(SHELL, [SHELL, "-c", setup["command"]])
    except OSError as error:
        print(f"fsprobe: the command cannot be run in the mount: {error}", file=sys.stderr, flush=True)
        os._exit(CANNOT)
