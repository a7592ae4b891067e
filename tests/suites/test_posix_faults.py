"""Checks of the posix suite turn red on what they are for: each row breaks one thing and names who must see it."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fsprobe.checks import linux
from fsprobe.checks.suite import load_suite
from fsprobe.posix import files
from fsprobe.runners.mount import MountLayer
from fsprobe.runners.setup import Setup
from fsprobe.runners.worker import run_check

CHECKS = {check.id: check for check in load_suite("posix")}


def nothing(*arguments: Any, **keywords: Any) -> None:
    """Success without the deed."""


def failing(number: int) -> Callable[..., Any]:
    def fail(*arguments: Any, **keywords: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


def wrong_stat(**changes: Any) -> Callable[..., files.Stat]:
    real = files.statx

    def statx(*arguments: Any, **keywords: Any) -> files.Stat:
        got = real(*arguments, **keywords)
        return replace(got, **{name: change(getattr(got, name)) for name, change in changes.items()})

    return statx


def losing(real: Callable[..., list[files.Entry]]) -> Callable[..., list[files.Entry]]:
    return lambda *arguments: [entry for entry in real(*arguments) if not entry.name.startswith(b"0017")]


def twice(real: Callable[..., list[files.Entry]]) -> Callable[..., list[files.Entry]]:
    def doubled(*arguments: Any) -> list[files.Entry]:
        found = real(*arguments)
        return found + found[-1:]

    return doubled


def flipped(real: Callable[..., bytes]) -> Callable[..., bytes]:
    def read(*arguments: Any) -> bytes:
        data = real(*arguments)
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 0x20]) + data[middle + 1 :] if data else data

    return read


def all_fcntl_locks_succeed(fd: int, command: int, argument: Any = 0) -> Any:
    return argument


TWO_OLD = 1_000_000_000 * 10**9
STATX, GETDENTS = (files, "statx"), (files, "getdents64")

# What is broken: (module, name), by what, and the checks that must see it.
FAULTS: list[tuple[tuple[Any, str], Any, str]] = [
    ((os, "chmod"), nothing, "posix.setattr.chmod-bits posix.setattr.chmod-through-symlink"),
    ((os, "chmod"), failing(errno.ENOSYS), "posix.setattr.chmod-bits"),
    ((os, "truncate"), nothing, "posix.setattr.truncate-zeros posix.setattr.truncate-mtime"),
    ((os, "ftruncate"), nothing, "posix.setattr.truncate-grows posix.unlink.open-file posix.getattr.other-descriptor"),
    ((os, "utime"), nothing, "posix.setattr.times posix.setattr.times-far"),
    ((os, "unlink"), nothing, "posix.unlink.removes posix.lookup.sees-changes posix.symlink.removal"),
    ((os, "unlink"), nothing, "posix.readdir.delete-while-listing posix.getattr.deleted posix.unlink.other-name-stays"),
    ((os, "rmdir"), nothing, "posix.rmdir.removes posix.rmdir.not-empty"),
    ((os, "rmdir"), failing(errno.EIO), "posix.rmdir.not-empty"),
    ((os, "rename"), nothing, "posix.rename.moves posix.rename.replaces-open-victim posix.rename.over-full-directory"),
    ((os, "rename"), nothing, "posix.rename.directory-with-children posix.rename.open-descriptors-follow"),
    ((linux, "renameat2"), lambda old, new, flags: os.rename(old, new), "posix.rename2.noreplace"),
    ((linux, "renameat2"), nothing, "posix.rename2.exchange posix.rename2.whiteout"),
    ((linux, "fallocate"), nothing, "posix.fallocate.grows posix.fallocate.punch-hole posix.fallocate.zero-range"),
    ((os, "setxattr"), nothing, "posix.setxattr.round-trip posix.setxattr.flags posix.listxattr.lists"),
    ((os, "removexattr"), nothing, "posix.removexattr.removes"),
    ((os, "getxattr"), failing(errno.ENOENT), "posix.getxattr.missing"),
    ((os, "pwrite"), lambda fd, data, offset: len(data), "posix.write.unaligned posix.read.holes posix.read.fresh"),
    ((os, "pread"), flipped(os.pread), "posix.read.exact posix.read.random posix.existing.read-randomly"),
    ((os, "fsync"), failing(errno.EINVAL), "posix.fsync.file posix.fsyncdir.directory"),
    ((os, "readlink"), lambda path: path, "posix.readlink.exact posix.symlink.creates"),
    ((os, "copy_file_range"), lambda a, b, count, *rest: count, "posix.copy_file_range.copies"),
    ((os, "access"), lambda *a, **k: True, "posix.access.owner"),
    ((os, "lseek"), failing(errno.EIO), "posix.lseek.end posix.lseek.data-and-holes posix.readdir.rewind"),
    ((os, "mkdir"), failing(errno.ENOSYS), "posix.mkdir.creates"),
    ((os, "statvfs"), failing(errno.ENOSYS), "posix.statfs.sane"),
    ((os, "isatty"), lambda fd: True, "posix.ioctl.not-a-terminal"),
    ((fcntl, "fcntl"), all_fcntl_locks_succeed, "posix.setlk.conflict posix.getlk.holder posix.setlk.ranges"),
    (STATX, wrong_stat(size=lambda n: n + 1), "posix.getattr.file posix.getattr.symlink-size posix.create.new-file"),
    (STATX, wrong_stat(nlink=lambda n: n + 1), "posix.link.adds-name posix.getattr.unlinked-open"),
    (STATX, wrong_stat(mode=lambda n: n & ~0o7777 | 0o666), "posix.create.mode posix.mkdir.mode posix.mknod.regular"),
    (STATX, wrong_stat(mtime_ns=lambda n: TWO_OLD), "posix.write.mtime posix.setattr.times-now"),
    (STATX, wrong_stat(mtime_ns=lambda n: TWO_OLD), "posix.mkdir.parent-mtime posix.rmdir.parent-mtime"),
    (STATX, wrong_stat(mtime_ns=lambda n: TWO_OLD), "posix.unlink.parent-mtime posix.rename.parents-mtime"),
    (STATX, wrong_stat(ino=lambda n: n + os.urandom(1)[0] + 1), "posix.existing.attributes posix.getattr.entry-number"),
    (STATX, wrong_stat(ctime_ns=lambda n: n - 100 * 10**9), "posix.setattr.times-close-to-clock"),
    (GETDENTS, losing(files.getdents64), "posix.readdir.all posix.readdir.small-buffer posix.readdir.two-at-once"),
    (GETDENTS, twice(files.getdents64), "posix.readdir.all posix.readdir.types posix.readdir.rewind"),
]


@pytest.mark.parametrize(("place", "fault", "checks"), FAULTS, ids=[f"{p[1]}-{c.split()[0]}" for p, _, c in FAULTS])
def test_a_broken_file_system_is_seen(tmp_path, monkeypatch, place, fault, checks):
    """A broken file system would be called good."""
    layer = MountLayer(Setup("mount", str(tmp_path), "work", (), timeout=5))
    features = layer.prepare()
    for check in map(CHECKS.__getitem__, checks.split()):
        good = run_check(layer, features, check)
        with monkeypatch.context() as patch:
            patch.setattr(*place, fault)
            bad = run_check(layer, features, check)
        if good.kind != "unsupported" and good.kind != "skip":
            assert good.kind == "ok", (check.id, good)
            assert bad.kind in ("finding", "oserror"), (check.id, bad)
    assert layer.close() == []
