"""`fuse_mount`: a project's own tests on a mounted target, and what a hanging one may cost: its own test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import User
from tests.leaks import LeakWatch
from tests.pytest_plugin.project import Project

pytestmark = pytest.mark.mount

USES = '''
import os, pathlib
import psutil, pytest

pytestmark = pytest.mark.fsprobe(target="vexfs:raw")


def test_all_of_it(fuse_mount):
    (fuse_mount.path / "a").write_text("hello")
    assert [call.error for call in fuse_mount.calls("CREATE")] == [""]
    assert 'CREATE / "a"' in str(fuse_mount.calls("create")[0])
    assert os.path.ismount(fuse_mount.path)
    assert isinstance(fuse_mount.daemon, psutil.Process) and fuse_mount.daemon.pid == fuse_mount.pid
    with fuse_mount.inject("MKDIR:errno=ENOSPC"):
        with pytest.raises(OSError, match="No space left"):
            (fuse_mount.path / "d").mkdir()
    (fuse_mount.path / "d").mkdir()
    assert [call.error for call in fuse_mount.calls("MKDIR")] == ["ENOSPC", ""]
    assert {call.op for call in fuse_mount.trace} > {"LOOKUP", "CREATE", "WRITE", "MKDIR"}
    with pytest.raises(Exception, match="MKDIRR"):
        fuse_mount.inject("MKDIRR:drop")


def test_another_one_is_fresh(fuse_mount):
    assert not (fuse_mount.path / "a").exists()
    os.kill(fuse_mount.pid, 9)
    with pytest.raises(OSError):
        os.stat(fuse_mount.path / "x")


@pytest.mark.fsprobe(target="vexfs:missing-setattr")
def test_its_own_target(fuse_mount):
    (fuse_mount.path / "x").write_text("")
    os.chmod(fuse_mount.path / "x", 0o600)


def test_two_at_once(fuse_mount_factory, fuse_mount):
    with fuse_mount_factory("vexfs", inject="CREATE:errno=EDQUOT") as other:
        assert other.path != fuse_mount.path
        (fuse_mount.path / "here").touch()
        with pytest.raises(OSError):
            (other.path / "there").touch()
        kept = other.path
    assert not kept.exists()


@pytest.mark.fsprobe(target="false")
def test_does_not_start(fuse_mount):
    pass
'''
HANGS = '''
import mmap, os, pytest, shutil, threading


@pytest.fixture
def asks(fuse_mount):
    os.stat(fuse_mount.path)


@pytest.fixture
def tidies(fuse_mount):
    yield
    fuse_mount.inject("*:drop")
    shutil.rmtree(fuse_mount.path)


raw = pytest.mark.fsprobe("vexfs:raw", timeout=90)
hung = pytest.mark.fsprobe("vexfs:raw", timeout=90, inject="GETATTR:drop")


@hung
@pytest.mark.timeout(2, func_only=True)
def test_stat(fuse_mount):
    os.stat(fuse_mount.path)


@raw
@pytest.mark.timeout(2, method="thread", func_only=True)
def test_page_fault(fuse_mount):
    file = fuse_mount.path / "big"
    file.write_bytes(bytes(range(256)) * 4096)
    fd = os.open(file, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    pages = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    fuse_mount.inject("READ:drop")
    assert sum(pages[:]) > 0


@hung
@pytest.mark.timeout(8, method="thread")
def test_fixture(asks):
    pass


@pytest.mark.fsprobe("vexfs:raw", timeout=0.7)
def test_teardown(tidies):
    pass


@hung
@pytest.mark.timeout(2, func_only=True)
def test_other_thread(fuse_mount):
    thread = threading.Thread(target=lambda: os.path.exists(fuse_mount.path))
    thread.start()
    thread.join()


@pytest.mark.fsprobe("vexfs:raw", timeout=0.7, inject="GETATTR:drop")
def test_swallows_the_error(fuse_mount):
    assert not os.path.exists(fuse_mount.path)


@pytest.mark.fsprobe("vexfs:raw", timeout=90, inject="GETATTR:delay=0.3")
@pytest.mark.timeout(30)
def test_slow_is_not_hung(fuse_mount):
    os.stat(fuse_mount.path)


def test_nothing_to_do_with_it():
    pass
'''
HANGING = {"test_stat", "test_page_fault", "test_fixture", "test_teardown", "test_other_thread",
           "test_swallows_the_error"}  # fmt: skip
WAITS = '''
import os, pathlib, pytest

@pytest.mark.fsprobe("vexfs:raw", timeout=90, inject="STATFS:drop")
def test_waits(fuse_mount):
    pathlib.Path(os.environ["READY"]).write_text(f"{os.getpid()} {fuse_mount.path}")
    os.statvfs(fuse_mount.path)
'''


@pytest.fixture
def project(scratch: Path, leaks: LeakWatch) -> Project:
    return Project(scratch / "project")


def names(junit: dict[str, str], *outcomes: str) -> set[str]:
    """Names of the tests that ended so."""
    return {name.rpartition("::")[2] for name, outcome in junit.items() if outcome in outcomes}


def test_what_a_test_gets(project: Project, leaks: LeakWatch) -> None:
    """Path, daemon, trace, faults: all that the README promises; and a failure shows the traffic and what it tells."""
    project.write("test_it.py", USES)
    ended = project.run("-p", "no:cacheprovider", "--strict-markers", "-W", "error")
    assert names(ended.junit, "passed") == {"test_all_of_it", "test_another_one_is_fresh", "test_two_at_once"}
    assert "SETATTR /x mode=0600 → ENOSYS" in ended.text
    assert "SETATTR is not implemented: the daemon answered ENOSYS. Implement" in ended.text
    assert "def chmod" in ended.text
    assert names(ended.junit, "error") == {"test_does_not_start"} and "without mounting" in ended.text
    assert leaks() == []


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "workers"])
def test_a_hang_fails_its_own_test_and_no_other(project: Project, leaks: LeakWatch, workers: tuple[str, ...]) -> None:
    """pytest-timeout alone leaves pytest beyond the reach of SIGKILL, with no report of all the tests before."""
    project.write("test_it.py", HANGS)
    ended = project.run(*workers)
    assert names(ended.junit, "failed", "error") == HANGING, ended.junit
    assert names(ended.junit, "passed") >= {"test_slow_is_not_hung", "test_nothing_to_do_with_it"}
    for name in HANGING:
        told = next(text for test, text in ended.messages.items() if test.endswith(name) and text)
        assert " hangs: it was taken and not answered" in told and "its reply is lost (lost-reply)" in told, name
        assert "READ /big fh=" in told if name == "test_page_fault" else "GETATTR /" in told or "OPENDIR" in told
    assert leaks() == []


@pytest.mark.parametrize("victim", ["pytest", "worker", "group"])
def test_sigkill_leaves_nothing(project: Project, leaks: LeakWatch, victim: str, scratch: Path) -> None:
    """A CI that is cancelled must not leave a mount that hangs whoever looks at it."""
    project.write("test_it.py", WAITS)
    ready = scratch / "ready"
    running = project.start(*(("-n", "1") if victim == "worker" else ()), env={"READY": str(ready)})
    deadline = time.monotonic() + 20
    while not (ready.exists() and ready.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    pid, path = ready.read_text().split(" ")
    time.sleep(0.3)  # until it waits in the kernel
    if victim == "group":
        os.killpg(running.pid, signal.SIGKILL)
    else:
        os.kill(int(pid), signal.SIGKILL)
    text, _ = running.communicate(timeout=20)
    assert leaks(8.0) == [], text
    assert path not in Path("/proc/self/mountinfo").read_text()
    if victim == "worker":
        assert "test_waits" in text and running.returncode == 1, "the controller tells of the lost test"


def test_interrupting_a_test_that_waits_for_its_mount(project: Project, leaks: LeakWatch, scratch: Path) -> None:
    """Ctrl-C has to work."""
    project.write("test_it.py", WAITS)
    ready = scratch / "ready"
    running = project.start(env={"READY": str(ready)})
    deadline = time.monotonic() + 20
    while not (ready.exists() and ready.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    text, _ = running.communicate(timeout=15)
    assert running.returncode == 2 and "KeyboardInterrupt" in text
    assert leaks() == []


@pytest.mark.unprivileged
def test_an_ordinary_user_has_mounts_too(project: Project, leaks: LeakWatch, unprivileged: User) -> None:
    """CI seldom runs as root; where fusermount3 cannot mount the test says so and is no failure."""
    project.write("test_it.py", HANGS.replace("test_page_fault", "page_fault"))
    subprocess.run(["chmod", "-R", "a+rwX", str(project.place)], check=True)
    # A copy of the venv (tests.command) leaves out who provides entry points.
    loads = ("-p", "fsprobe.pytest_plugin.plugin") if unprivileged.python != sys.executable else ()
    args = (*loads, "-p", "no:cacheprovider", "-k", "stat or slow")
    ended = project.run(*args, user=unprivileged)
    if not unprivileged.device:
        assert set(ended.junit.values()) == {"skipped"} and "/dev/fuse" in ended.text
        return
    assert names(ended.junit, "failed") == {"test_stat"} and names(ended.junit, "passed") == {"test_slow_is_not_hung"}
    project.write("conftest.py", "import os\nos.environ['PATH'] = '/nowhere'\n")
    ended = project.run(*args, "-rs", user=unprivileged)
    assert set(ended.junit.values()) == {"skipped"} and "no way to mount here" in ended.text
    assert leaks() == []


def test_the_next_test_has_a_mount_though_its_keeper_was_killed(project: Project, leaks: LeakWatch) -> None:
    """Somebody's out-of-memory killer must not cost all the tests after."""
    project.write("test_it.py", """
import os, psutil, pytest
pytestmark = pytest.mark.fsprobe("vexfs:raw", timeout=60)

def test_killed(fuse_mount):
    keeper = next(one for one in psutil.Process().children() if "pytest_plugin.guard" in " ".join(one.cmdline()))
    keeper.kill()
    keeper.wait(5)
    with pytest.raises(Exception, match="did not answer"):
        fuse_mount.trace

def test_next(fuse_mount):
    (fuse_mount.path / "a").touch()
""")
    ended = project.run("-W", "error")
    assert set(ended.junit.values()) == {"passed"}, ended.text
    assert leaks(8.0) == []


def test_a_mount_for_a_whole_module(project: Project) -> None:
    """Starting a database of a daemon for every test may take too long."""
    project.write("pytest.ini", "[pytest]\nfsprobe_target = vexfs:raw\nfsprobe_no_checks = true\n"
                  "fsprobe_mount_scope = module\n")  # fmt: skip
    body = "def test_one(fuse_mount): (fuse_mount.path / 'a').touch()\n"
    project.write("test_it.py", body + "def test_two(fuse_mount): assert (fuse_mount.path / 'a').exists()\n")
    project.write("test_other.py", "def test_three(fuse_mount): assert not (fuse_mount.path / 'a').exists()\n")
    assert project.run().code == 0
    project.write("pytest.ini", "[pytest]\nfsprobe_mount_scope = world\n")
    ended = project.run()
    assert "invalid fsprobe mount_scope 'world' from fsprobe_mount_scope in pytest.ini" in ended.text


def test_markers_that_make_no_sense(project: Project) -> None:
    """A misspelt argument would mount another target than the test is about."""
    project.write("test_it.py", "import pytest\n@pytest.mark.fsprobe(target='vexfs', tiemout=3)\n"
                  "def test_a(fuse_mount): pass\n@pytest.mark.fsprobe(timeout='x', target='vexfs')\n"
                  "def test_b(fuse_mount): pass\ndef test_c(fuse_mount): pass\n")  # fmt: skip
    ended = project.run()
    assert names(ended.junit, "error") == {"test_a", "test_b", "test_c"}
    assert "unknown argument 'tiemout'" in ended.text and "marker fsprobe of test_it.py::test_a" in ended.text
    assert "invalid fsprobe timeout 'x' from marker fsprobe of test_it.py::test_b" in ended.text
    assert "no target to mount" in ended.text
