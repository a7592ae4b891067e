"""What the sandbox's first process takes down of a daemon that is stuck: from /proc at once, from tools beside it.

Owns the child that runs the tools, so that the relay goes on meanwhile, and its end; knows nothing of what follows.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fsprobe.relay.loop import Loop
from fsprobe.sandbox import epolls, evidence, fusectl, mounts, process, stacks, standing, waiting

if TYPE_CHECKING:  # it brings the whole relay, for which `fsprobe diagnose` would wait
    from fsprobe.relay.daemon import Daemon

MOST = 8  # processes
DEVICE = "/dev/fuse"
_GRACE = 0.5  # beyond the tools' own limit, for starting Python
_BLOCKED_WRITE = ("anon_pipe_write", "pipe_write", "pipe_wait_writable")
_QUIT_TIME = 1.5
_POLL = 0.01


def link(daemon: Daemon | None) -> str:
    """The daemon's end of the connection, as its descriptors name it."""
    return (daemon.connection.socket_link if daemon and daemon.connection else "") or DEVICE


def holders(daemon: Daemon | None, others: Callable[[], list[int]]) -> list[int]:
    """Those that hold the connection: where that is the device itself, among the `others` of this sandbox only."""
    if daemon is None:
        return []
    if daemon.connection is None or daemon.connection.socket_link:
        return daemon.processes()
    ours = set(others())
    return [pid for pid in process.holders(DEVICE) if pid in ours] or daemon.processes()


def daemons(pids: list[int], link: str, *, light: bool) -> list[dict[str, Any]]:
    """What /proc tells of these processes.

    link: the daemon's end of the connection, as its descriptors name it. light: without what does not change.
    """
    found = []
    for pid in pids[:MOST]:
        threads = [thread.to_wire() for thread in evidence.threads(pid)]
        for thread in threads:
            thread["fuse"] = thread["file"] == link
            thread["polls"] = epolls.waits_for_requests(pid, thread, link)
            if thread["wchan"].startswith(_BLOCKED_WRITE):
                others = [other for other in process.pids() if other not in pids]
                thread["readers"] = len(evidence.readers(others, thread["file"]))
        one = {"pid": pid, "threads": threads, "wakes_itself": evidence.wakes_itself(pid)}
        if not light:
            one |= {"exe": evidence.executable(pid), "cmdline": evidence.command_line(pid), "maps": evidence.maps(pid)}
        found.append(one)
    return found


def caller(pid: int) -> dict[str, Any]:
    """What a process and all that it started are doing: state, command line, threads."""
    threads = [thread.to_wire() for one in [pid, *process.descendants(pid)] for thread in evidence.threads(one)]
    return {"state": process.state(pid), "cmdline": evidence.command_line(pid), "threads": threads}


def waits(pids: list[int], place: str, *, own: bool) -> dict[str, Any]:
    """Which of these wait at a FUSE mount ("callers"), which is the one below `place`, and how many requests that owes.

    own: whether this process is in a mount namespace of its own, where it may mount fusectl.
    """
    connection = next((one.minor for one in mounts.below(place) if standing.is_fuse(one)), -1)
    if own:
        fusectl.mount_here()
    found = [one.to_wire() for one in waiting.find(list(dict.fromkeys(pids)))]
    return {"callers": found, "connection": connection, "waiting": fusectl.told(connection)}


class Debugger:
    """Runs `sandbox.stacks` as a child of this process. `children` are its pids, which are no daemon's."""

    def __init__(self, loop: Loop, adopt: Callable[[int], None]) -> None:
        self.loop, self.adopt = loop, adopt

    def stacks(self, pids: list[int], reply: Callable[[list[dict[str, Any]]], None]) -> None:
        """Reply with the stacks of these processes, within `stacks.TOTAL_TIME` and a little; [] where none came."""
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        command = [*process.python_command("fsprobe.sandbox.stacks"), *map(str, pids[: stacks.MOST])]
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, theirs, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
        try:
            child = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setsid=True)
        except OSError:
            os.close(ours)
            reply([])
            return
        finally:
            os.close(theirs)
            os.close(null)
        self.adopt(child)
        said: list[bytes] = []
        done: list[bool] = []

        def finish() -> None:
            if done:
                return
            done.append(True)
            self.loop.forget(ours)
            os.close(ours)
            try:
                reply(json.loads(b"".join(said)))
            except ValueError:
                reply([])

        def on_output(events: int) -> None:
            data = os.read(ours, 1 << 16)
            said.append(data)
            if not data:
                finish()

        def too_late() -> None:
            if not done:
                for pid in [*process.descendants(child), child]:
                    process.kill(pid)
                for pid in pids:  # a debugger that is killed while it attaches leaves a stop behind
                    process.kill(pid, signal.SIGCONT)
                finish()

        self.loop.watch(ours, on_output)
        self.loop.later(stacks.TOTAL_TIME + _GRACE, too_late)

    def quit(self, pids: list[int], reply: Callable[[], None]) -> None:
        """Send SIGQUIT, on which a Go program prints its goroutines and ends; reply once it has, or after a time."""
        for pid in pids:
            process.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + _QUIT_TIME

        def look() -> None:
            if time.monotonic() > deadline or all(process.state(pid) in ("", "Z") for pid in pids):
                self.loop.later(_POLL, reply)  # what it printed last is read meanwhile
            else:
                self.loop.later(_POLL, look)

        look()
