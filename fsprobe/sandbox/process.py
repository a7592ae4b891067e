"""Starting the target, and looking at processes from outside.

Owns fork and exec under a filter, and what /proc tells; knows nothing of FUSE or of what is trapped.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import sys
from dataclasses import dataclass

from fsprobe.errors import MachineError
from fsprobe.posix import linux, seccomp

RUN_TAG = "FSPROBE_RUN"
"""Environment variable that marks every process of a run, so that the janitor finds them."""


_EXEC_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Started:
    """A child under way: its pid, the listener of its filter (None without one), the read end of its output."""

    pid: int
    listener: seccomp.Listener | None
    output: int


def start(
    argv: list[str], env: dict[str, str], cwd: str, traps: tuple[seccomp.Trap, ...], *, no_new_privileges: bool
) -> Started:
    """Start a program under the traps, its output into a pipe, standard input empty.

    Raises OSError where it cannot be executed, or the kernel has no such filter.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    output_read, output_write = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        _child(argv, env, cwd, traps, no_new_privileges, theirs, output_write)
    theirs.close()
    os.close(output_write)
    listener, failure = _executed(ours)
    if failure is not None:
        os.close(output_read)
        if listener is not None:
            listener.close()
        kill(pid)
        os.waitpid(pid, 0 if failure.errno != errno.ETIMEDOUT else os.WNOHANG)
        failure.filename = argv[0]
        raise failure
    os.set_blocking(output_read, False)
    return Started(pid, listener, output_read)


def _executed(ours: socket.socket) -> tuple[seccomp.Listener | None, OSError | None]:
    """What a child says until its exec closes the socket: the listener of its filter, and why it has failed."""
    listener: seccomp.Listener | None = None
    ours.settimeout(_EXEC_TIMEOUT)
    with ours:
        while True:
            try:
                data, fds = linux.receive_fds(ours, 64, 1)
            except TimeoutError:  # the file lies on a file system that hangs
                return listener, OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            if fds:
                listener = seccomp.Listener(fds[0])
            if not data:
                return listener, None
            if data[:1] in (b"E", b"F"):
                number = int(data[1:])
                what = "the filter of seccomp notification: " if data[:1] == b"F" else ""
                return listener, OSError(number, what + os.strerror(number))


def _child(
    argv: list[str], env: dict[str, str], cwd: str, traps: tuple[seccomp.Trap, ...],
    no_new_privileges: bool, tell: socket.socket, output: int,
) -> None:  # fmt: skip
    step = b"E"
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no file in the user's directory
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        null = os.open("/dev/null", os.O_RDONLY)
        for source, standard in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, standard)
        os.chdir(cwd)
        try:  # so that py-spy, which is started by our parent as we are, can read a daemon that is stuck
            linux.prctl(linux.PR_SET_PTRACER, os.getppid())
        except OSError:
            pass  # no Yama here: nothing is forbidden
        if traps:
            step = b"F"
            if no_new_privileges:
                linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
            listener = seccomp.install(traps)
            socket.send_fds(tell, [b"L"], [listener])
            os.close(listener)
            step = b"E"
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        tell.send(b"%c%d" % (step, error.errno or 1))
    finally:
        os._exit(127)


def pids() -> list[int]:
    """Every process that /proc shows, but this one."""
    own = os.getpid()
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != own]


def state(pid: int) -> str:
    """The state letter of a process ("R", "S", "D", "T", "Z"), "" where it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def tagged(token: str) -> list[int]:
    """Processes whose environment carries this run's tag, but this one; zombies left out."""
    wanted = f"{RUN_TAG}={token}".encode()
    found = []
    for pid in pids():
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ:
                if wanted in environ.read().split(b"\0") and state(pid) not in ("Z", ""):
                    found.append(pid)
        except OSError:
            continue
    return found


def holders(link: str) -> list[int]:
    """Processes that have a descriptor whose link reads `link`, e.g. "socket:[1234]"."""
    found = []
    for pid in pids():
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for name in names:
            try:
                if os.readlink(f"/proc/{pid}/fd/{name}") == link:
                    found.append(pid)
                    break
            except OSError:
                continue
    return found


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Signal a process that may have ended already, or may be another user's (a set-user-ID helper)."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def parent(pid: int) -> int:
    """The parent of a process, 0 where it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def descendants(root: int) -> list[int]:
    """Every process that descends from `root`, parents before children."""
    children: dict[int, list[int]] = {}
    for pid in pids():
        children.setdefault(parent(pid), []).append(pid)
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def thread_ids(pid: int) -> list[int]:
    """The threads of a process, none where it is gone."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


FEWEST_FILES = 40
"""Descriptors that the session needs for its channels, pipes and files, with some to spare."""


def own_python() -> str:
    """The Python that runs us, to start one more. Raises MachineError where it cannot be started, or do its work."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= most < FEWEST_FILES:
        fact = f"a process may have no more than {most} open files here, and fsprobe needs {FEWEST_FILES}"
        causes = ("ulimit -n of this shell, or the limit of a service or container",)
        raise MachineError(fact, causes=causes, command="ulimit -n 1024")
    if not os.access(sys.executable, os.X_OK):
        raise MachineError(
            f"fsprobe's own Python cannot be started: {sys.executable or 'it does not know its own path'}",
            causes=("it was moved, removed or made not executable, or is built into another program; what touches a "
                    "mount runs in processes of that Python",),
            command="python3 -m venv ENV && ENV/bin/pip install fsprobe",
        )  # fmt: skip
    return sys.executable


def python_command(module: str) -> list[str]:
    """A command that runs the `main` of one of our modules, whatever the working directory holds."""
    package_parent = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    boot = f"import sys; sys.path.insert(0, {package_parent!r}); from {module} import main; main()"
    return [own_python(), "-P", "-c", boot]
