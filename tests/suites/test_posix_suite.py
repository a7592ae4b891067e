"""The posix suite on the kernel's own file systems: what ext4 and tmpfs do is right by definition."""

from __future__ import annotations

import os
import tempfile
from collections import Counter

import pytest

from fsprobe.checks.suite import load_suite, unique_ids
from fsprobe.posix import linux
from fsprobe.posix.child import Child
from fsprobe.relay.rules import parse
from fsprobe.runners.mount import MountLayer
from fsprobe.runners.setup import Setup
from fsprobe.runners.worker import run_check

CHECKS = unique_ids(load_suite("posix"))
# Operations that the kernel sends for a system call, without those that only the wire layer can provoke.
OPERATIONS = {
    "LOOKUP", "GETATTR", "SETATTR", "READLINK", "SYMLINK", "MKNOD", "MKDIR", "UNLINK", "RMDIR", "RENAME", "RENAME2",
    "LINK", "OPEN", "READ", "WRITE", "STATFS", "RELEASE", "FSYNC", "SETXATTR", "GETXATTR", "LISTXATTR", "REMOVEXATTR",
    "FLUSH", "OPENDIR", "READDIR", "READDIRPLUS", "RELEASEDIR", "FSYNCDIR", "GETLK", "SETLK", "SETLKW", "ACCESS",
    "CREATE", "INTERRUPT", "IOCTL", "POLL", "FALLOCATE", "LSEEK", "COPY_FILE_RANGE", "TMPFILE", "STATX",
}
# Far more than is needed (0.6 s), also on a busy machine with a slow disk, and far less than sleeps would cost.
SECONDS = 20.0


def run_suite(root: str, read_only: bool | None = None) -> list[tuple[str, str, str, float]]:
    layer = MountLayer(Setup("mount", root, f"fsprobe-{os.getpid()}", ("posix",), timeout=5, read_only=read_only))
    features = layer.prepare()
    results = []
    for check in CHECKS:
        outcome = run_check(layer, features, check)
        seen = f"{outcome.expected} {outcome.observed} {outcome.call}"
        results.append((check.id, outcome.kind, seen, outcome.seconds))
    left = layer.close()
    assert left == []
    return results


def judge(results: list[tuple[str, str, str, float]], *, skips: tuple[str, ...]) -> None:
    bad = [result for result in results if result[1] not in ("ok", "unsupported", "skip")]
    assert bad == []
    odd = [result for result in results if result[1] == "skip" and not result[2].strip().startswith(skips)]
    assert odd == []
    assert Counter(result[1] for result in results)["ok"] > len(CHECKS) * 0.8
    assert sum(result[3] for result in results) < SECONDS


@pytest.fixture(params=["disk", "tmpfs"])
def native(request):
    """A directory on the disk and one on a tmpfs, that anyone may write to."""
    place = "/dev/shm" if request.param == "tmpfs" else None
    if place and not os.access(place, os.W_OK):
        pytest.skip("no tmpfs to write to")
    with tempfile.TemporaryDirectory(dir=place) as path:
        os.chmod(path, 0o777)
        yield path


def test_every_check_passes_on_the_kernels_own(native):
    """A correct file system would be reported as broken."""
    judge(run_suite(native), skips=("asked of read-only targets", "needs root", "mounted noatime", "filled only where"))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_every_check_passes_for_an_ordinary_user(native):
    """Without root there would be false alarms."""
    results = Child(lambda: run_suite(native), uid=65534).result(60)
    judge(results, skips=("asked of read-only targets", "needs root", "mounted noatime", "filled only where"))


def test_a_directory_that_may_not_be_written_is_only_read(tmp_path):
    """Pointing fsprobe at data with `--expect read-only` would change it."""
    (tmp_path / "data").write_bytes(os.urandom(20_000))
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("data")
    before = sorted((path.name, path.lstat().st_mtime_ns, path.lstat().st_ctime_ns) for path in tmp_path.iterdir())
    layer = MountLayer(Setup("mount", str(tmp_path), "work", ("posix",), read_only=True))
    features = layer.prepare()
    for check in CHECKS:
        if check.id.startswith("posix.existing."):
            assert run_check(layer, features, check).kind == "ok", check.id
    assert layer.close() == []
    after = sorted((path.name, path.lstat().st_mtime_ns, path.lstat().st_ctime_ns) for path in tmp_path.iterdir())
    assert before == after


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")
def test_a_read_only_mount_passes_the_read_only_profile(tmp_path):
    """Read-only file systems, which most Python ones are, would have no suite."""
    (tmp_path / "data").write_bytes(os.urandom(20_000))
    (tmp_path / "link").symlink_to("data")

    def run() -> list[tuple[str, str, str, float]]:
        linux.unshare(linux.CLONE_NEWNS)
        here = bytes(tmp_path)
        linux.mount(b"none", b"/", b"", linux.MS_REC | linux.MS_PRIVATE)
        linux.mount(here, here, b"", linux.MS_BIND)
        linux.mount(here, here, b"", linux.MS_BIND | 0x20 | 1)  # MS_REMOUNT, MS_RDONLY
        return run_suite(str(tmp_path))

    results = Child(run).result(60)
    asked = [result for result in results if result[0].startswith(("posix.read-only.", "posix.existing."))]
    assert [result for result in asked if result[1] != "ok"] == []
    assert len(asked) > 25
    assert sorted(os.listdir(tmp_path)) == ["data", "link"]


def test_every_operation_has_its_main_check_and_a_quick_one():
    """`--quick` would leave an operation untested."""
    main = {check.op for check in CHECKS if check.main}
    quick = {check.op for check in CHECKS if check.quick}
    assert OPERATIONS - main == set()
    assert OPERATIONS - quick - {"INTERRUPT"} == set()
    assert sum(check.quick for check in CHECKS) < len(CHECKS) // 3


def test_every_check_has_killers_that_can_be_injected():
    """A check that nothing can fail is decoration."""
    for check in CHECKS:
        assert check.killers, check.id
        for killer in check.killers:
            if not killer.startswith("vexfs:"):
                parse(killer)


def test_checks_are_quick_and_do_not_sleep():
    """The suite would take minutes, and its verdicts would depend on the machine's load."""
    for check in CHECKS:
        with open(check.path) as file:
            assert "sleep" not in file.read(), check.path


def test_ids_name_the_suite_and_the_source_is_given():
    """A finding could not be looked up."""
    for check in CHECKS:
        assert check.id.startswith("posix.") and check.layer == "mount"
        assert "catalogue 3." in check.source or "catalogue 4" in check.source, check.id
        assert check.needs or check.id in ALWAYS, check.id


ALWAYS = {
    "posix.getattr.root", "posix.statfs.sane", "posix.statfs.longest-name", "posix.statfs.countable",
    "posix.existing.missing", "posix.existing.name-too-long", "posix.existing.tree-twice", "posix.existing.listing",
    "posix.existing.types",
}
"""Checks that any target can be asked."""

