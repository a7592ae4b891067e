"""Mountinfo as the kernel writes it, whatever a path is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fsprobe.posix import linux
from fsprobe.posix.child import Child
from fsprobe.sandbox import mounts

LINE = r"98 28 0:52 / /tmp/a\040b\011c\134d rw,nosuid shared:1 master:2 - fuse.bindfs /home/my\040data rw,user_id=0"


def test_every_field() -> None:
    """A wrong field here aborts somebody else's connection."""
    mount = mounts.parse_line(LINE)
    assert mount.mountpoint == "/tmp/a b\tc\\d" and mount.source == "/home/my data"
    assert (mount.fs_type, mount.minor, mount.options) == ("fuse.bindfs", 52, "rw,nosuid")
    assert mount.super_options == "rw,user_id=0" and mount.line == LINE


def test_a_block_device_has_its_major_in_the_connections_number() -> None:
    """By its minor alone, ntfs-3g on loop5 would be the connection 5 of somebody else."""
    mount = mounts.parse_line("98 28 7:5 / /mnt rw - fuseblk /dev/loop5 rw")
    assert mount.minor == 7 << 20 | 5


@pytest.mark.parametrize("line", ["1 2 0:3 / /x rw - tmpfs  rw", "1 2 0:3 / /x rw - tmpfs none"])
def test_an_empty_source_or_no_options(line: str) -> None:
    """One odd mount elsewhere on the machine would end every run."""
    assert mounts.parse_line(line).mountpoint == "/x"


def test_the_topmost_mount_counts_and_those_below_come_last_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unmounted in the wrong order a mount is busy."""
    lines = [f"{n} 1 0:{n} / {path} rw - fuse x rw" for n, path in enumerate(("/a", "/a/b", "/ab", "/a"), 10)]
    monkeypatch.setattr(mounts, "mounts", lambda: [mounts.parse_line(line) for line in lines])
    found = mounts.find("/a")
    assert found is not None and found.minor == 13
    assert mounts.find("/nowhere") is None
    assert [mount.minor for mount in mounts.below("/a")] == [13, 11, 10]


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to mount")
@pytest.mark.parametrize(
    "name",
    ["plain", "a b", "tab\tin", "line\nbreak", "back\\slash", "return\rin", "no\u00a0break", "#x", "n\udcffo"],
    ids=ascii,
)
def test_any_name_is_read_back_from_the_kernel(tmp_path: Path, name: str) -> None:
    """A mount with an odd name is never found again, so never unmounted."""
    path = os.path.join(tmp_path, name)
    os.mkdir(path)

    def mounted() -> str:
        linux.unshare(linux.CLONE_NEWNS)
        linux.mount(b"none", b"/", b"", linux.MS_REC | linux.MS_PRIVATE)
        linux.mount(b"a source", os.fsencode(path), b"tmpfs")
        found = mounts.find(path)
        child = mounts.detach_in_child(path)
        status = os.waitpid(child, 0)[1]
        return f"{found.source if found else None} {status} {mounts.find(path)}"

    assert Child(mounted).result(5) == "a source 0 None"
