"""The expendable process that does the timed work on a mount.

Owns the loop of one worker: the mount check, one sample, the clean-up; knows nothing of turns. It may be lost at any
system call.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from typing import Any

from fsprobe.bench import workloads
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.posix.removal import remove_tree
from fsprobe.sandbox import mounts


class NotThere(Exception):
    """The mount check failed."""


def check_mount(root: str, expected: dict[str, Any], probe: str) -> None:
    """The mount is there, it is the one that was made, and a file written to it reads back. Raises NotThere.

    expected: {"fs_type", "minor"} of a FUSE mount; empty for a directory of the kernel's own file systems.
    """
    if expected:
        mount = mounts.find(root)
        if mount is None:
            raise NotThere("nothing is mounted there")
        if mount.minor != expected["minor"] or not mount.fs_type.startswith("fuse"):
            raise NotThere(f"the mount is {mount.fs_type} number {mount.minor}, not the daemon's {expected['minor']}")
    content = os.urandom(64)
    with open(probe, "wb", buffering=0) as file:
        file.write(content)
    with open(probe, "rb", buffering=0) as file:
        found = file.read(100)
    os.unlink(probe)
    if found != content:
        raise NotThere("a file written to it does not read back")


def main(channel: Channel) -> None:
    """Messages in: {"setup"}, {"begin": root, "mount": …, "work": name}, {"sample": …}, {"close": True}."""
    root, work, mount = "", "", {}
    try:
        while True:
            message, _ = channel.receive()
            try:
                if "begin" in message:
                    root, mount = message["begin"], message["mount"]
                    os.stat(root)
                    answered = time.monotonic()
                    work = f"{root}/{message['work']}"
                    os.mkdir(work, 0o755)
                    channel.send({"answered": answered})
                elif "sample" in message:
                    channel.send({"value": _sample(message["sample"], root, work, mount)})
                elif "vectors" in message:
                    from fsprobe.bench.vector_work import through_mount

                    check_mount(root, mount, f"{work}/check")
                    channel.send({"found": through_mount(f"{work}/vectors", **message["vectors"])})
                elif "close" in message:
                    channel.send({"closed": remove_tree(work, seconds=60.0) if work else []})
                    os._exit(0)
            except NotThere as error:
                channel.send({"mark": "mount check", "detail": str(error)})
            except OSError as error:
                mark = errno.errorcode.get(error.errno or 0, "error")
                channel.send({"mark": mark, "detail": str(error.strerror or error)})
    except ChannelClosed:
        if work:
            with suppress(OSError):
                remove_tree(work, seconds=10.0)
        os._exit(0)


def _sample(told: dict[str, Any], root: str, work: str, mount: dict[str, Any]) -> float:
    check_mount(root, mount, f"{work}/check")
    place = f"{work}/w"
    os.mkdir(place)
    try:
        if told["tool"] == "fio":
            from fsprobe.bench import fio

            value = fio.run(place, told["args"], told["seed"])
        else:
            value = workloads.run(place, told["kind"], told["args"], told["seed"])
    finally:
        _clear(place)
    check_mount(root, mount, f"{work}/check")  # a mount that went away under the work gave a figure of what is below
    return value


def _clear(place: str) -> None:
    """What the work made, which may be more than `remove_tree` takes at once."""
    for _ in range(8):
        if not remove_tree(place, seconds=60.0):
            return
