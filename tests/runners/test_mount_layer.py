"""The mount layer's working place: found, made, judged and removed, and nothing else touched."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from fsprobe.checks import mount_check
from fsprobe.runners import mount
from fsprobe.runners.mount import MountLayer
from fsprobe.runners.setup import Setup
from fsprobe.runners.worker import run_check

WORK = "fsprobe-1"


def layer_on(root, **more) -> MountLayer:
    return MountLayer(Setup("mount", str(root), WORK, (), timeout=5, **more))


def refuse(monkeypatch, number: int, *names: str) -> None:
    """Make these calls of `os` fail; opening fails only where a file would be made."""
    real_open = os.open

    def failing(*arguments, **keywords):
        raise OSError(number, os.strerror(number))

    def opening(path, flags, *rest, **keywords):
        if flags & os.O_CREAT:
            failing()
        return real_open(path, flags, *rest, **keywords)

    for name in names:
        monkeypatch.setattr(os, name, opening if name == "open" else failing)


@mount_check("test.makes", op="CREATE", source="this test", needs=("write",))
def makes(m) -> None:
    """It makes two files."""
    m.file("one", b"1")
    m.file("two", b"2")


@mount_check("test.needs-a-directory", op="READDIR", source="this test", needs=("write",))
def needs_directory(m) -> None:
    """It needs a directory of its own."""
    m.names(m.dir)


@mount_check("test.leaves-much", op="CREATE", source="this test")
def leaves_much(m) -> None:
    """It leaves files, directories, links and open descriptors."""
    m.open(m.file("deep"))
    m.subdir("sub", 0o000)
    m.link_to("/etc", "link")
    os.mkdir(m.path("a"))
    os.mkdir(m.path("a/b"))


def test_everything_happens_in_one_directory_and_is_gone_afterwards(tmp_path):
    """Someone's files would be among ours, or ours would stay."""
    (tmp_path / "theirs").write_text("precious")
    layer = layer_on(tmp_path)
    features = layer.prepare()
    assert features["write"] == "" and features["symlink"] == "" and features["hardlink"] == ""
    assert features["read-only"]
    assert sorted(os.listdir(tmp_path)) == [WORK, "theirs"]
    before = len(os.listdir("/proc/self/fd"))
    assert run_check(layer, features, leaves_much.__fsprobe_check__).kind == "ok"
    assert os.listdir(tmp_path / WORK) == []
    assert len(os.listdir("/proc/self/fd")) == before
    assert layer.close() == []
    assert os.listdir(tmp_path) == ["theirs"]
    assert (tmp_path / "theirs").read_text() == "precious"


def test_a_name_that_is_taken_is_never_used(tmp_path):
    """A directory of the user's with our name would be emptied."""
    (tmp_path / WORK).mkdir()
    (tmp_path / WORK / "theirs").touch()
    layer = layer_on(tmp_path)
    with pytest.raises(FileExistsError):
        layer.prepare()
    assert layer.close() == []
    assert (tmp_path / WORK / "theirs").exists()


def test_without_mkdir_files_get_a_prefix(tmp_path, monkeypatch):
    """A daemon that only lacks MKDIR could not be probed for anything else."""
    refuse(monkeypatch, errno.ENOSYS, "mkdir")
    layer = layer_on(tmp_path)
    features = layer.prepare()
    assert features["write"] == ""
    outcome = run_check(layer, features, makes.__fsprobe_check__)
    assert outcome.kind == "ok"
    outcome = run_check(layer, features, needs_directory.__fsprobe_check__)
    assert (outcome.kind, outcome.call, outcome.errno) == ("blocked", "mkdir", errno.ENOSYS)
    assert layer.close() == []
    assert os.listdir(tmp_path) == []


def test_mkdir_that_fails_later_blocks_only_what_needs_it(tmp_path, monkeypatch):
    """A fault in MKDIR, injected while running, would hide every other operation."""
    layer = layer_on(tmp_path)
    features = layer.prepare()
    with monkeypatch.context() as patch:
        refuse(patch, errno.EIO, "mkdir")
        assert run_check(layer, features, makes.__fsprobe_check__).kind == "ok"
        assert run_check(layer, features, needs_directory.__fsprobe_check__).kind == "blocked"
    assert os.listdir(tmp_path / WORK) == []
    assert layer.close() == []


def test_what_cannot_be_removed_is_named(tmp_path, monkeypatch):
    """Litter on a live bucket would go unmentioned."""
    layer = layer_on(tmp_path)
    features = layer.prepare()
    refuse(monkeypatch, errno.EPERM, "unlink")
    run_check(layer, features, makes.__fsprobe_check__)
    left = layer.close()
    assert any(name.endswith("test.makes/one") for name in left)
    assert WORK in left
    assert all(name.split("/")[0] == WORK for name in left)


def test_a_target_that_refuses_everything_is_read_only(tmp_path, monkeypatch):
    """A read-only file system would fail a hundred checks."""
    (tmp_path / "small").write_bytes(b"x")
    (tmp_path / "good").write_bytes(b"x" * 10_000)
    refuse(monkeypatch, errno.EROFS, "mkdir", "open")
    layer = layer_on(tmp_path)
    features = layer.prepare()
    assert features["write"] == "the target refuses all writing (mkdir: EROFS, create: EROFS)"
    assert features["read-only"] == features["regular-file"] == ""
    assert layer.place.existing_file == str(tmp_path / "good")
    outcome = run_check(layer, features, makes.__fsprobe_check__)
    assert (outcome.kind, outcome.observed) == ("skip", features["write"])
    assert layer.close() == []


def test_one_erofs_is_enough_where_nothing_can_be_made(tmp_path, monkeypatch):
    """A read-only target with a fault in MKDIR would be asked as if it could be written."""
    refuse(monkeypatch, errno.EROFS, "open")
    refuse(monkeypatch, errno.EIO, "mkdir")
    assert layer_on(tmp_path).prepare()["write"].endswith("(mkdir: EIO, create: EROFS)")


def test_read_only_by_order_writes_nothing(tmp_path):
    """Somebody who said read-only would find a directory made."""
    before = os.stat(tmp_path).st_mtime_ns
    layer = layer_on(tmp_path, read_only=True)
    assert layer.prepare()["write"]
    assert layer.close() == []
    assert os.stat(tmp_path).st_mtime_ns == before


def test_a_fault_is_not_taken_for_read_only(tmp_path, monkeypatch):
    """EIO from everything would be reported as a healthy read-only file system."""
    refuse(monkeypatch, errno.EIO, "mkdir", "open")
    layer = layer_on(tmp_path)
    features = layer.prepare()
    assert features["write"] == ""
    assert run_check(layer, features, makes.__fsprobe_check__).kind == "blocked"


def test_a_missing_option_is_a_feature_with_its_reason(tmp_path, monkeypatch):
    """Checks that only prepare with a link would fail for want of it."""
    refuse(monkeypatch, errno.EPERM, "symlink")
    features = layer_on(tmp_path).prepare()
    assert features["symlink"] == "no symlink here: EPERM"
    assert features["hardlink"] == ""


def test_getting_ready_avoids_what_hung_before(tmp_path, monkeypatch):
    """The worker would hang again before its first check, at every start."""
    for name in ("mkdir", "symlink", "link"):
        monkeypatch.setattr(os, name, lambda *a, **k: pytest.fail("it was tried"))
    layer = layer_on(tmp_path, avoid=("MKDIR", "SYMLINK", "LINK"))
    features = layer.prepare()
    assert features["symlink"] == "SYMLINK hung or crashed the target before"
    assert features["write"] == features["xattr"] == ""
    assert run_check(layer, features, makes.__fsprobe_check__).kind == "ok"
    assert run_check(layer, features, needs_directory.__fsprobe_check__).kind == "blocked"
    assert layer.close() == []


def test_a_mount_that_is_gone_is_an_error(tmp_path):
    """Every check would fail for a mount that is not there."""

    class Gone(MountLayer):
        pass

    layer = Gone(Setup("mount", str(tmp_path / "x"), WORK, ()))
    real = mount.os.stat

    def stat_(path, **keywords):
        if path == str(tmp_path / "x"):
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        return real(path, **keywords)

    mount.os.stat = stat_
    try:
        with pytest.raises(OSError, match="not connected"):
            layer.prepare()
    finally:
        mount.os.stat = real


def test_the_umask_is_the_same_for_everyone(tmp_path):
    """Checks of modes would depend on the user's shell."""
    old = os.umask(0o077)
    try:
        layer = layer_on(tmp_path)
        layer.prepare()
        assert stat.S_IMODE(os.stat(tmp_path / WORK).st_mode) == 0o755
        layer.close()
    finally:
        os.umask(old)
