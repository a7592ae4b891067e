"""The helpers of a mount check say what they mean: what is expected stands beside what was observed."""

from __future__ import annotations

import dataclasses
import errno
import os
import signal
import time

import pytest

from fsprobe.checks import Blocked, Finding, Lost, Skip, Unsupported, mount_check
from fsprobe.posix import files
from fsprobe.runners.mount import MountLayer
from fsprobe.runners.mount_context import PAST_NS
from fsprobe.runners.mount_words import difference
from fsprobe.runners.setup import Setup


@mount_check("test.context", op="READ", source="this test")
def some_check(m) -> None:
    """Something."""


CHECK = some_check.__fsprobe_check__


@pytest.fixture
def layer(tmp_path):
    layer = MountLayer(Setup("mount", str(tmp_path), "work", (), timeout=5, seed=7))
    layer.prepare()
    yield layer
    assert layer.close() == []


@pytest.fixture
def m(layer):
    with layer.context(CHECK) as context:
        yield context


def fail(number: int) -> None:
    raise OSError(number, os.strerror(number))


def test_raises_tells_success_and_the_wrong_error_apart(m):
    """A finding would not say what came instead."""
    with m.raises(errno.ENOENT, what="stat of a missing name"):
        os.stat(m.absent())
    with pytest.raises(Finding) as caught, m.raises(errno.ENOENT, errno.EPERM, what="stat"):
        pass
    assert (caught.value.expected, caught.value.observed) == ("ENOENT or EPERM from stat", "success")
    with pytest.raises(Finding) as caught, m.raises(errno.ENOENT, what="stat", warn=(errno.EIO,)):
        fail(errno.EIO)
    assert (caught.value.observed, caught.value.warn) == ("EIO", True)
    with pytest.raises(Finding) as caught, m.raises(errno.ENOENT, what="stat", warn=(errno.EIO,)):
        fail(errno.ENOSYS)
    assert not caught.value.warn


def test_a_decline_passes_through_raises(m):
    """An optional operation that is missing would be a failure."""
    with (
        pytest.raises(Unsupported) as caught,
        m.raises(errno.ENODATA, what="getxattr"),
        m.optional(errno.EOPNOTSUPP, what="getxattr"),
    ):
        fail(errno.EOPNOTSUPP)
    assert (caught.value.observed, caught.value.errno) == ("getxattr: EOPNOTSUPP", errno.EOPNOTSUPP)
    with pytest.raises(OSError) as other, m.optional(errno.EOPNOTSUPP, what="getxattr"):
        fail(errno.EIO)
    assert other.value.errno == errno.EIO


def test_setup_failures_are_blocked(m):
    """One missing operation would be a hundred failures."""
    with pytest.raises(Blocked) as caught, m.setup("rename"):
        fail(errno.ENOSYS)
    assert (caught.value.call, caught.value.errno) == ("rename", errno.ENOSYS)
    m.file("taken")
    makers = (m.file, m.subdir, lambda name: m.link_to("x", name), lambda name: m.hard_link(m.path("taken"), name))
    for helper in makers:
        with pytest.raises(Blocked) as caught:
            helper("taken")
        assert caught.value.errno == errno.EEXIST


def test_a_write_that_stores_nothing_is_blocked(m, monkeypatch):
    """The set-up would loop for ever."""
    monkeypatch.setattr(os, "write", lambda fd, data: 0)
    with pytest.raises(Blocked, match="write"):
        m.file("file", b"data")


def test_preparations_that_do_not_take_are_blocked(m, monkeypatch):
    """A check of "newer" would pass because the old time was never set."""
    path = m.file("file")
    monkeypatch.setattr(os, "utime", lambda *a, **k: None)
    monkeypatch.setattr(os, "chmod", lambda *a, **k: None)
    with pytest.raises(Blocked, match="utimensat"):
        m.age(path)
    with pytest.raises(Blocked, match="chmod"):
        m.chmod(path, 0o600)


def test_times_are_compared_without_waiting(m):
    """Timestamps would be judged by luck."""
    path = m.file("file")
    m.age(path)
    m.expect_same_mtime(path, "nothing")
    with pytest.raises(Finding, match="the old mtime"):
        m.expect_newer(path, "nothing")
    os.truncate(path, 5)
    m.expect_newer(path, "truncate")
    with pytest.raises(Finding, match="moved by"):
        m.expect_same_mtime(path, "truncate")


def test_success_where_nobody_checks_only_warns(m):
    """A file system for one user, which leaves permissions to nobody, would be called broken."""
    with pytest.raises(Finding) as caught, m.raises(errno.EACCES, what="open", success_warns=True):
        pass
    assert (caught.value.observed, caught.value.warn) == ("success", True)
    with pytest.raises(Finding) as caught, m.raises(errno.EACCES, what="open", success_warns=True):
        fail(errno.EIO)
    assert not caught.value.warn


def test_a_ctime_that_moves_is_told_from_one_that_stands_still(m):
    """chmod without a new ctime would pass, or a clock that ticks slowly would fail it."""
    path = m.file("plain")
    m.expect_ctime_moves(path, lambda: os.chmod(path, 0o600), "chmod")
    with pytest.raises(Finding) as caught:
        m.expect_ctime_moves(path, lambda: None, "nothing at all")
    assert (caught.value.expected, caught.value.warn) == ("a later ctime after nothing at all", False)


@pytest.mark.parametrize(("ctime", "seen"), [(PAST_NS, Finding), (1_700_000_000 * 10**9, Skip)])
def test_ctimes_that_say_nothing_are_no_failure(m, monkeypatch, ctime, seen):
    """File systems without a ctime, or with whole seconds, would fail at random."""
    path = m.file("plain")
    real = files.statx
    monkeypatch.setattr(files, "statx", lambda *a, **k: dataclasses.replace(real(*a, **k), ctime_ns=ctime))
    with pytest.raises(seen) as caught:
        m.expect_ctime_moves(path, lambda: None, "nothing")
    assert getattr(caught.value, "warn", True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_an_ordinary_user_owns_what_is_given(m, monkeypatch):
    """Checks of permissions would be asked as root, who may all."""
    m.features["allow_other"] = ""  # pytest's directories are for their owner alone
    path = m.file("given")
    user = m.ordinary(path)
    assert user == m.stat(path).uid == m.fork(os.getuid, uid=user) != 0
    monkeypatch.setattr(os, "chown", lambda *a, **k: None)
    with pytest.raises(Blocked):
        m.ordinary(m.file("not-given"))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert m.ordinary(path) is None


def test_long_contents_are_shown_by_their_difference():
    """A megabyte would be printed on the terminal."""
    long = bytes(100_000)
    changed = long[:70_000] + b"x" + long[70_001:]
    assert difference(long, changed)[1] == "100000 bytes, at offset 70000 b'x\\x00\\x00\\x00\\x00\\x00\\x00\\x00'"
    assert difference(long, long[:50]) == (
        "100000 bytes, at offset 50 b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00'",
        "50 bytes, at offset 50 b''",
    )
    assert difference(b"a", b"b") == ("b'a'", "b'b'")


def test_children_bring_findings_home(m):
    """A finding in another process would be an error of fsprobe's."""
    assert m.fork(lambda: m.read(m.file("file", b"x"))) == b"x"
    with pytest.raises(Finding, match="expected x 1, observed 2"):
        m.fork(lambda: m.expect_equal(1, 2, "x"))
    with pytest.raises(PermissionError):
        m.fork(lambda: fail(errno.EPERM))
    with pytest.raises(Skip, match="why"):
        m.fork(lambda: (_ for _ in ()).throw(Skip("why")))
    with pytest.raises(Finding, match="SIGKILL"):
        m.fork(lambda: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(Lost):
        m.fork(lambda: time.sleep(60), timeout=0.1)


def test_a_forgotten_child_is_ended(layer):
    """Processes would pile up on the mount and keep it busy."""
    with layer.context(CHECK) as m:
        pid = m.start(lambda: time.sleep(60)).child.pid
    assert not os.path.exists(f"/proc/{pid}")


def test_the_rng_depends_on_seed_and_check_alone(layer):
    """A failure could not be reproduced."""
    values = []
    for _ in range(2):
        with layer.context(CHECK) as m:
            values.append(m.rng.random())
    assert values[0] == values[1]


def test_names_of_any_bytes(m):
    """Names that are no text could not be tested."""
    m.file(b"\xff\xfe\n")
    assert m.names(m.dir) == [b"\xff\xfe\n"]


def test_something_existing_is_made_where_one_may_write(m):
    """Checks that only read would have nothing to read on an empty mount."""
    path = m.existing_file()
    assert path == m.existing_file()
    assert os.stat(path).st_size == 10_000
    assert m.names(m.existing_dir()) == [b"one", b"sub", b"two"]


def test_hidden_files_are_found(m):
    """libfuse's way with open files would be a plain failure."""
    path = m.file("file")
    assert m.hidden(path) == ""
    m.file(".fuse_hidden0001")
    assert m.hidden(path) == ".fuse_hidden0001"
