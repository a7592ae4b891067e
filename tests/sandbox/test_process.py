"""Starting the target, and finding what belongs to it."""

from __future__ import annotations

import errno
import os
import resource
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsprobe.posix import linux, seccomp
from fsprobe.sandbox import process

ECHO = "import os, resource, sys; print(sys.argv[1:], os.getcwd(), os.getsid(0) == os.getpid(), "
ECHO += "resource.getrlimit(resource.RLIMIT_CORE)[0], sys.stdin.read() == '', sorted(os.listdir('/proc/self/fd')))"


def started(argv: list[str], traps: tuple[seccomp.Trap, ...] = (), cwd: str = "/") -> tuple[str, int]:
    """What a program printed, and its exit code."""
    own = process.start(argv, dict(os.environ), cwd, traps, no_new_privileges=not linux.has_sys_admin())
    os.set_blocking(own.output, True)
    text = b""
    while data := os.read(own.output, 4096):
        text += data
    os.close(own.output)
    if own.listener is not None:
        own.listener.close()
    return text.decode(), os.waitstatus_to_exitcode(os.waitpid(own.pid, 0)[1])


@pytest.fixture
def cores() -> Iterator[None]:
    """Core files switched on, as far as this process may."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def given_on(fd: int) -> bool:
    """Whether programs that this process starts have it: what runs the tests may have left some."""
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False


def test_a_program_starts_with_nothing_of_ours(tmp_path: Path, cores: None) -> None:
    """A descriptor too many is a pipe that never ends; a core file is litter in the user's directory."""
    inherited = {name for name in os.listdir("/proc/self/fd") if given_on(int(name))}
    trap = (seccomp.Trap("mount", seccomp.NOTIFY),)
    text, code = started([sys.executable, "-c", ECHO, "a b"], trap, cwd=str(tmp_path))
    words, _, names = text.strip().rpartition(" [")
    assert words == f"['a b'] {tmp_path} True 0 True" and code == 0
    assert set(names.strip("]").replace("'", "").split(", ")) <= {"0", "1", "2", "3"} | inherited, "3: the listing's"


@pytest.mark.parametrize(
    ("argv", "number"),
    [(["/nonexistent"], errno.ENOENT), (["/"], errno.EACCES), (["no-such-program-on-path"], errno.ENOENT)],
)
def test_a_program_that_cannot_start(argv: list[str], number: int) -> None:
    """`not found` and `not executable` are mended differently."""
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError) as error:
        started(argv, (seccomp.Trap("mount", seccomp.NOTIFY),))
    assert (error.value.errno, error.value.filename) == (number, argv[0])
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_filter_that_is_refused_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """`the target cannot be executed` sends the user to look at the target."""
    def refuse(traps: object) -> int:
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(seccomp, "install", refuse)
    with pytest.raises(OSError, match="seccomp") as error:
        started(["/bin/true"], (seccomp.Trap("mount", seccomp.NOTIFY),))
    assert error.value.errno == errno.EBUSY


def test_the_core_limit_is_the_childs_alone(cores: None) -> None:
    """The user's own shell tools keep theirs."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    started(["/bin/true"])
    assert resource.getrlimit(resource.RLIMIT_CORE) == before


def test_holders_and_descendants() -> None:
    """Who holds the connection is the daemon, whatever it has forked into."""
    ours, theirs = socket.socketpair()
    link = os.readlink(f"/proc/self/fd/{theirs.fileno()}")
    pid = os.fork()
    if pid == 0:
        ours.close()
        theirs.recv(1)
        os._exit(0)
    theirs.close()
    assert process.holders(link) == [pid]
    assert process.parent(pid) == os.getpid() and pid in process.descendants(os.getpid())
    assert process.state(pid) in ("S", "R") and process.thread_ids(pid) == [pid]
    ours.close()
    os.waitpid(pid, 0)
    assert (process.state(pid), process.parent(pid), process.thread_ids(pid)) == ("", 0, [])
    process.kill(pid)
