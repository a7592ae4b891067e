"""`fsprobe run --native` on the kernel's own file systems: they decide what is right, so nothing may fail on them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command, User, me
from tests.leaks import LeakWatch

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount"),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed"),
    pytest.mark.timeout(120),
]

SIZE = 512 << 20
"""Of an image, which is sparse; xfs wants 300 MiB."""
NO_MOUNT = 77
# In a mount namespace of its own: with the command the mount goes, and with that the loop device.
MOUNT = f'mount -t "$1" -o "$2" "$3" "$4" || exit {NO_MOUNT}; chmod 1777 "$4"; shift 4; exec "$@"'


@dataclass(frozen=True, slots=True)
class Kind:
    """A file system of the kernel. make: the command that makes one in an image, none where it needs no image.
    differs: checks that it answers in a way of its own, each with the reason."""

    make: tuple[str, ...]
    differs: dict[str, str]


NO_EXCHANGE_TIME = "rename of two names for each other leaves their ctime"
SAME_SIZE = "truncate to the size that a file has is no change"
ONE_BLOCK = "attributes, and the target of a link, have one block, of 1 KiB in a small ext4"

KINDS: dict[str, Kind] = {
    "ext4": Kind(("mkfs.ext4", "-q", "-F"), {
        "posix.readlink.longest": ONE_BLOCK, "posix.setxattr.page-sized": ONE_BLOCK,
    }),
    "xfs": Kind(("mkfs.xfs", "-q", "-f"), {
        "posix.readlink.longest": "a target has 1,024 bytes at most",
        "posix.rename2.ctime": NO_EXCHANGE_TIME, "posix.setattr.truncate-same-mtime": SAME_SIZE,
    }),
    "btrfs": Kind(("mkfs.btrfs", "-q", "-f"), {"posix.setattr.truncate-same-mtime": SAME_SIZE}),
    "tmpfs": Kind((), {
        "posix.fallocate.zero-range": "it has no FALLOC_FL_ZERO_RANGE",
        "posix.fallocate.zero-grows": "it has no FALLOC_FL_ZERO_RANGE",
    }),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mounting:
    """A user in whose place the command starts once the file system is mounted, in a namespace of its own."""

    user: User
    mount: tuple[str, ...]

    @property
    def uid(self) -> int:
        return self.user.uid

    @property
    def python(self) -> str:
        return self.user.python

    def wrap(self, argv: list[str]) -> list[str]:
        inside = self.user.wrap(argv)
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNT, "sh", *self.mount, *inside]


def run_on(name: str, user: User, fsprobe: Command, scratch: Path, *options: str) -> dict[str, Any]:
    """The result of a run on a fresh file system of that kind; SKIP with the reason where there can be none."""
    place, image = scratch / "mounted", scratch / "image"
    place.mkdir()
    mount = (name, f"size={SIZE}", "none", str(place))
    if make := KINDS[name].make:
        if shutil.which(make[0]) is None:
            pytest.skip(f"{make[0]} is not installed")
        image.touch()
        os.truncate(image, SIZE)
        subprocess.run([*make, str(image)], check=True, capture_output=True, timeout=60)
        mount = (name, "loop", str(image), str(place))
    mounting: Any = Mounting(user, mount)
    result = fsprobe("run", "--native", str(place), *options, user=mounting, timeout=110)
    if result.exit_code == NO_MOUNT:
        pytest.skip(f"no {name} can be mounted here: {result.stderr.strip()}")
    assert result.document is not None, str(result)
    assert result.document["target"]["fs_type"] == name, str(result)
    assert os.listdir(place) == [], "the mount was to be seen by the command alone"
    return result.document


def expect_sound(name: str, document: dict[str, Any]) -> None:
    """Nothing failed, what differs is known, and every check that was not asked says why."""
    checks = document["checks"]
    wrong = {"FAIL", "HANG", "CRASH", "ERROR", "NOTRUN"}
    assert [(c["id"], c["expected"], c["observed"]) for c in checks if c["verdict"] in wrong] == []
    odd = [c for c in checks if c["verdict"] in ("WARN", "INFO", "UNSUPPORTED") and c["level"] != "INFO"]
    assert [(c["id"], c["expected"], c["observed"]) for c in odd if c["id"] not in KINDS[name].differs] == []
    assert [c["id"] for c in odd if not (c["expected"] or c["reason"])] == []
    skipped = [c for c in checks if c["verdict"] == "SKIP"]
    assert [c["id"] for c in skipped if not c["reason"]] == []
    assert [c["id"] for c in skipped if c["blocked_by"] and c["id"] not in KINDS[name].differs] == []
    passed = sum(c["verdict"] == "PASS" for c in checks)
    assert passed > 0.85 * len(checks), document["summary"]
    assert document["summary"]["exit_code"] == 0
    assert document["processes"]["leaked"] == {"mounts": [], "processes": [], "files": []}


@pytest.mark.parametrize("name", KINDS)
def test_nothing_fails_on_the_kernels_own(name: str, fsprobe: Command, scratch: Path, leaks: LeakWatch) -> None:
    """What ext4, xfs, btrfs or tmpfs does would be called wrong in somebody's own file system."""
    document = run_on(name, me(), fsprobe, scratch, "--suite", "posix", "--suite", "shell")
    expect_sound(name, document)
    assert len(document["checks"]) > 500


@pytest.mark.parametrize("name", ["xfs", "btrfs"])
def test_nothing_fails_for_an_ordinary_user(
    name: str, unprivileged: User, fsprobe: Command, scratch: Path, leaks: LeakWatch
) -> None:
    """Without root there would be false alarms that nobody who develops as root sees."""
    document = run_on(name, unprivileged, fsprobe, scratch, "--suite", "posix")
    expect_sound_for_a_user(name, document)


def expect_sound_for_a_user(name: str, document: dict[str, Any]) -> None:
    """The same, where more cannot be asked."""
    skipped = [c for c in document["checks"] if c["verdict"] == "SKIP"]
    rest = [c for c in document["checks"] if c["verdict"] != "SKIP" or "root" not in c["reason"]]
    assert len(skipped) < 0.2 * len(document["checks"])
    expect_sound(name, {**document, "checks": rest})
    assert document["environment"]["uid"] != 0
