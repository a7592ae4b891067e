"""The sandbox's first process: it holds the real device, relays the traffic, starts and reaps everything else.

Owns the calls that the session makes and the events that it is told; knows nothing of checks. One thread, one
loop: nothing here may wait on the mount. When this process ends, its namespaces end with it.
"""

from __future__ import annotations

import errno
import fcntl
import importlib
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from fsprobe.errors import FsprobeError
from fsprobe.posix import linux
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.relay import debugger
from fsprobe.relay.daemon import Daemon
from fsprobe.relay.loop import READ, Loop
from fsprobe.relay.mounter import DirectMounter, FusermountMounter, Mounter
from fsprobe.relay.recorder import IN_HEADER, Recorder
from fsprobe.relay.rules import RuleSet
from fsprobe.sandbox import evidence, isolation, process

HUNG_WHEN_ALONE = 0.5  # seconds after which a request is answered here, so that a worker can tidy up
TIDY_PATIENCE = 2.0  # seconds for the workers to remove what is theirs when the session is gone
STOP_GRACE = 1.0  # seconds between SIGTERM and SIGKILL for a daemon
KILL_GRACE = 1.0  # and after SIGKILL, until it is given up
_NO_DAEMON = {"open": [], "alive": False, "output": b"", "connected": False, "exits": {}, "masked": []}


class Host:
    """Answers the session's calls; see the methods named `do_…`."""

    def __init__(
        self, channel: Channel, level: str, place: isolation.Place, mounter: Mounter | None, token: str
    ) -> None:  # fmt: skip
        self.loop = Loop()
        self.channel, self.level, self.place, self.mounter, self.token = channel, level, place, mounter, token
        self.recorder = Recorder()
        self.rules = RuleSet()
        self.daemon: Daemon | None = None
        self.workers: dict[int, str] = {}
        self.debugger = debugger.Debugger(self.loop, lambda pid: self.workers.update({pid: "debugger"}))
        self.starts, self.alone = 0, False
        self._log = os.open(f"{place.path}/worker.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def serve(self) -> None:
        """Run until the session closes its end."""
        wake_read, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(wake_write)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.loop.watch(wake_read, lambda _: self._reap(wake_read))
        self.loop.watch(self.channel.fileno(), self._on_call, READ)
        try:
            self.loop.run()
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            self._end()  # in order, whatever happened: a notifier that is blocked keeps the device open

    def tell(self, event: dict[str, Any]) -> None:
        """Send an event to the session."""
        if event["event"] == "rule-crash":
            self._kill_daemon()
            return
        self._say(event)

    def _say(self, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
        """To the session, as long as there is one."""
        if not self.alone:
            try:
                self.channel.send(message, fds)
            except (ChannelClosed, TimeoutError):
                self._session_gone()

    def _session_gone(self) -> None:
        """Its workers have lost their channels too and tidy up; the relay serves them that long, and no longer."""
        if not self.alone:
            self.alone = True
            self.loop.forget(self.channel.fileno())
            self._wait_for_workers(time.monotonic() + TIDY_PATIENCE)

    def _wait_for_workers(self, deadline: float) -> None:
        if not self.workers or time.monotonic() > deadline:
            self._end()
        pump = self.daemon.pump if self.daemon else None
        for opened in pump.open_requests() if pump else ():
            if pump and opened["age"] > HUNG_WHEN_ALONE:
                pump.answer(opened["unique"], errno.EIO)
        self.loop.later(0.01, lambda: self._wait_for_workers(deadline))

    def _on_call(self, events: int) -> None:
        try:
            self._answer_calls()
        except ChannelClosed:
            self._session_gone()

    def _answer_calls(self) -> None:
        while not self.alone and (message := self.channel.take_ready()) is not None:
            call, _fds = message
            number, name, arguments = call["id"], call["call"], call["args"]

            def reply(result: Any = None, fds: tuple[int, ...] = (), number: int = number) -> None:
                self._say({"id": number, "result": result}, fds)

            try:
                getattr(self, f"do_{name}")(reply, **arguments)
            except (OSError, FsprobeError) as error:
                self._say({"id": number, "errno": getattr(error, "errno", 0) or 0, "error": str(error)})

    # -- the daemon

    def do_place(self, reply: Callable[..., None]) -> None:
        """A fresh mountpoint and source directory for the next start."""
        self.starts += 1
        names = {kind: os.path.join(self.place.path, f"{kind}{self.starts}") for kind in ("mnt", "source")}
        for path in names.values():
            os.mkdir(path, 0o755)
        reply(names)

    def do_start(
        self, reply: Callable[..., None], argv: list[str], env: dict[str, str], cwd: str, mode: str, layer: str,
        rules: list[str],
    ) -> None:  # fmt: skip
        """Start the daemon in a mode of `handover.TRAPS`. Its progress comes as events."""
        self.rules = RuleSet(rules)
        self.recorder.start, self.recorder.layer = self.starts, layer
        self.daemon = Daemon(self.loop, self.recorder, self.rules, self.mounter, self.tell)
        self.daemon.start(
            argv, {**env, process.RUN_TAG: self.token}, cwd, mode, no_new_privileges=not linux.has_sys_admin()
        )
        reply(self.daemon.pid)

    def do_layer(self, reply: Callable[..., None], layer: str) -> None:
        """Exchanges recorded from now on belong to this layer."""
        self.recorder.layer = layer
        reply()

    def do_rules(self, reply: Callable[..., None], rules: list[str]) -> None:
        """Replace the fault rules."""
        self.rules.replace(rules)
        reply()

    def do_status(self, reply: Callable[..., None]) -> None:
        """Open requests, whether the daemon lives, what it printed."""
        reply(self.daemon.status() if self.daemon else _NO_DAEMON)

    def do_exchanges(self, reply: Callable[..., None]) -> None:
        """Records since the last call."""
        reply({"records": self.recorder.take(), "dropped": self.recorder.dropped})

    def do_trace(self, reply: Callable[..., None]) -> None:
        """The same, with the names of the callers and the open requests: what a live trace shows."""
        records, callers = self.recorder.take(), self.recorder.take_callers()
        opened = self.daemon.pump.open_requests() if self.daemon and self.daemon.pump else []
        for one in opened:
            one["command"] = self.recorder.command(IN_HEADER.unpack_from(one["head"])[6])
        reply({"records": records, "callers": callers, "dropped": self.recorder.dropped, "open": opened})

    def do_answer(self, reply: Callable[..., None], uniques: list[int], error: int) -> None:
        """Answer open requests in the daemon's place. Replies with how many were still open."""
        pump = self.daemon.pump if self.daemon else None
        reply(sum(pump.answer(unique, error) for unique in uniques) if pump else 0)

    def do_condemn(self, reply: Callable[..., None], error: int) -> None:
        """Answer every request, open or to come, in the daemon's place: it is beyond use."""
        if self.daemon and self.daemon.pump:
            self.daemon.pump.condemn(error)
        reply()

    def do_others(self, reply: Callable[..., None]) -> None:
        """The daemon's living processes."""
        reply(self._others())

    def do_evidence(self, reply: Callable[..., None], light: bool = False) -> None:
        """What /proc tells of the daemon's processes; light: of their threads alone."""
        reply(debugger.daemons(self._daemons(), debugger.link(self.daemon), light=light))

    def do_limits(self, reply: Callable[..., None]) -> None:
        """What the daemon's processes use, and may use."""
        reply({str(pid): evidence.limits(pid) for pid in self._daemons()[: debugger.MOST]})

    def do_stacks(self, reply: Callable[..., None]) -> None:
        """Where the daemon's threads are in its own code; the reply takes up to `stacks.TOTAL_TIME`."""
        self.debugger.stacks(self._daemons(), reply)

    def do_quit(self, reply: Callable[..., None]) -> None:
        """SIGQUIT to the daemon. It is of no more use then; what it printed is in the status."""
        self.debugger.quit(self._daemons(), reply)

    def _daemons(self) -> list[int]:
        return debugger.holders(self.daemon, self._others)

    def do_stop(self, reply: Callable[..., None], grace: float = STOP_GRACE) -> None:
        """End the daemon and everything it started, then its mount. Replies {"killed": pids, "left": pids}."""
        if self.daemon is None:
            reply({"killed": [], "left": []})
            return
        for pid in self._others():
            process.kill(pid, signal.SIGTERM)
        self._wait_for_end(reply, time.monotonic() + grace, [])

    def _wait_for_end(self, reply: Callable[..., None], deadline: float, killed: list[int]) -> None:
        self._reap_all()  # an exit that is told later would count as one of the next start
        others = [*self._others(), *self._unreaped()]
        if others and time.monotonic() < deadline:
            self.loop.later(0.004, lambda: self._wait_for_end(reply, deadline, killed))
            return
        if others and not killed:
            for pid in others:
                process.kill(pid)
            if self.daemon:
                self.daemon.abort()
            last = time.monotonic() + KILL_GRACE
            self.loop.later(0.004, lambda: self._wait_for_end(reply, last, others))
            return
        if self.daemon:
            self.daemon.finish()
        self.daemon = None
        reply({"killed": killed, "left": others})

    def _kill_daemon(self) -> None:
        for pid in self.daemon.processes() if self.daemon else []:
            process.kill(pid)

    def _others(self) -> list[int]:
        """The daemon's processes: all of the sandbox's but ours, the workers and what they started."""
        ours = set(self.workers) | (self.mounter.children if self.mounter else set())
        # Being their reaper we stay the ancestor of all that it starts, whatever it does to its environment.
        pids = process.pids() if self.level != "none" else process.descendants(os.getpid())
        return [pid for pid in pids if process.state(pid) not in ("Z", "") and not self._is_ours(pid, ours)]

    def _unreaped(self) -> list[int]:
        """Children that look ended while threads of theirs still end: they cannot be reaped yet."""
        own = os.getpid()
        children = [pid for pid in process.pids() if process.parent(pid) == own and pid not in self.workers]
        return [pid for pid in children if process.state(pid) == "Z"]

    @staticmethod
    def _is_ours(pid: int, workers: set[int]) -> bool:
        """Whether a process is a worker or descends from one."""
        own = os.getpid()
        while pid > 1 and pid != own:
            if pid in workers:
                return True
            pid = process.parent(pid)
        return False

    # -- workers

    def do_worker(self, reply: Callable[..., None], entry: str, setup: dict[str, Any]) -> None:
        """Fork a worker that runs `module:function` with a channel; its setup goes through that channel.

        In the wire layer it inherits the kernel's end of the connection, which only it then holds.
        """
        wire_end = self.daemon.take_kernel_end() if self.daemon and setup["layer"] == "wire" else None
        if self.daemon and self.daemon.known is None:
            self.daemon.known = {self.daemon.pid, *self._others()}
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            self._become_worker(entry, theirs, wire_end)
        self.workers[pid] = setup["layer"]
        theirs.close()
        if wire_end is not None:
            wire_end.close()
        reply({"pid": pid, "socket": -1 if wire_end is None else 4}, (ours.fileno(),))
        ours.close()

    def _become_worker(self, entry: str, theirs: socket.socket, wire_end: socket.socket | None) -> None:
        try:
            isolation.die_with_parent()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            os.environ["TMPDIR"] = self.place.path
            os.dup2(self._log, 2)
            os.dup2(2, 1)
            kernel_end = wire_end.fileno() if wire_end else os.open("/dev/null", os.O_RDONLY)
            keep = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 5) for fd in (theirs.fileno(), kernel_end)]
            for at, fd in enumerate(keep):
                os.dup2(fd, 3 + at, inheritable=False)
            os.closerange(5, os.sysconf("SC_OPEN_MAX"))
            if self.level == "user":
                linux.drop_capabilities()
            module, _, function = entry.partition(":")
            getattr(importlib.import_module(module), function)(Channel(socket.socket(fileno=3)))
        finally:
            sys.stderr.flush()
            os._exit(1)

    def do_kill_worker(self, reply: Callable[..., None], pid: int) -> None:
        """SIGKILL a worker and all of its descendants; it may stay in D until its request is answered."""
        for other in process.descendants(pid):
            self.workers[other] = self.workers.get(pid, "")  # its exit, too, is not the daemon's
            process.kill(other)
        process.kill(pid)
        reply()

    def do_caller(self, reply: Callable[..., None], pid: int) -> None:
        """What a process and all that it started are doing: state, system calls, command line."""
        reply(debugger.caller(pid))

    def do_waiting(self, reply: Callable[..., None], pid: int) -> None:
        """Who waits at this mount where the daemon holds the device itself: the pump would know better."""
        pids = [pid, *process.descendants(pid), *self._daemons()]
        reply(debugger.waits(pids, self.place.path, own=self.level != "none"))

    def do_affinity(self, reply: Callable[..., None], cpus: list[int]) -> None:
        """Let this process, the daemon and the workers run on these processors only."""
        for pid in [os.getpid(), *self.workers, *(self.daemon.processes() if self.daemon else [])]:
            for tid in process.thread_ids(pid):
                try:
                    os.sched_setaffinity(tid, cpus)
                except OSError:
                    continue
        reply()

    def do_keep(self, reply: Callable[..., None], destination: str) -> None:
        """Copy the run directory's own files (never what is mounted in it) out of the sandbox."""
        import shutil

        for entry in os.scandir(self.place.path):
            if entry.is_file(follow_symlinks=False):
                shutil.copy2(entry.path, destination)
            elif entry.name.startswith("source"):
                shutil.copytree(entry.path, os.path.join(destination, entry.name), symlinks=True)
        reply()

    def _reap(self, wake: int) -> None:
        os.read(wake, 4096)
        self._reap_all()

    def _reap_all(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            layer = self.workers.pop(pid, None)
            code = os.waitstatus_to_exitcode(status)
            if layer is not None:
                self._say({"event": "worker-exit", "pid": pid, "status": code})
            elif self.mounter is not None and pid in self.mounter.children:
                self.mounter.children.discard(pid)
            elif self.daemon is not None:
                self.daemon.reaped(pid, code)

    def _end(self) -> None:
        """The session is gone or done: nothing of this run may stay."""
        if self.daemon:
            self.daemon.abort()
        if self.level == "none":
            for pid in {*process.tagged(self.token), *process.descendants(os.getpid())}:
                process.kill(pid)
            if self.daemon:
                self.daemon.finish()
        os._exit(0)


def main() -> None:
    """`python -m fsprobe.relay.host CHANNEL_FD LEVEL TOKEN AVOID…`, started by `relay.client`."""
    channel = Channel.inherited(int(sys.argv[1]))
    level, token, avoid = sys.argv[2], sys.argv[3], sys.argv[4:]
    isolation.die_with_parent()
    try:
        isolation.enter(level)
        place = isolation.private_place(avoid) if level != "none" else None
    except OSError as error:
        channel.send({"failed": f"{error}"})
        sys.exit(1)
    if place is None:  # the session makes one, after it has started the janitor that will remove it
        channel.send({"need": "place"})
        place = isolation.Place(channel.receive(10.0)[0]["place"], private=False)
    device = os.access("/dev/fuse", os.R_OK | os.W_OK)
    mounter: Mounter | None = None
    if device:
        mounter = DirectMounter() if level != "none" or linux.has_sys_admin() else FusermountMounter.find()
    host = Host(channel, level, place, mounter, token)
    channel.send({"hello": {"path": place.path, "private": place.private, "device": device,
                            "mounter": type(mounter).__name__ if mounter else ""}})  # fmt: skip
    if level == "none":
        isolation.outlive_parent()
    host.serve()


if __name__ == "__main__":
    main()
