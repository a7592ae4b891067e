"""Users with and without /dev/fuse, made in a mount namespace of their own: the shared device is left alone.

Owns what such a user's command is wrapped in; knows nothing of fsprobe. Only root can make these.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.command import User

_COVER = 'mount --bind "$1" /dev/fuse && shift && exec "$@"'


@dataclass(frozen=True, slots=True)
class Covered(User):
    """A user who sees another file in place of /dev/fuse."""

    cover: str

    def wrap(self, argv: list[str]) -> list[str]:
        """The argv in a mount namespace where the cover lies over the device."""
        inner = User.wrap(self, argv)
        return ["unshare", "--mount", "--propagation=slave", "--", "sh", "-c", _COVER, "sh", self.cover, *inner]


def able(user: User, place: Path) -> User | str:
    """The user with a /dev/fuse that it can open, or the reason why there is none."""
    if user.device:
        return user
    node = place / "fuse"
    if not node.exists():
        try:
            os.mknod(node, 0o020666, os.stat("/dev/fuse").st_rdev)
            node.chmod(0o666)
        except OSError as error:
            return f"/dev/fuse cannot be opened by uid {user.uid}, and another one cannot be made: {error.strerror}"
    return _covered(user, node, device=True)


def unable(user: User, place: Path) -> User | str:
    """The user where /dev/fuse cannot be opened, or the reason why that cannot be had."""
    if not user.device:
        return user
    closed = place / "closed"
    closed.touch(mode=0o000)
    return _covered(user, closed, device=False)


def _covered(user: User, cover: Path, *, device: bool) -> User | str:
    if os.getuid() != 0 or shutil.which("unshare") is None:
        return "only root can put another file in place of /dev/fuse"
    made = Covered(user.uid, user.python, device, str(cover))
    probe = subprocess.run(made.wrap(["sh", "-c", "exec 3<>/dev/fuse"]), capture_output=True, text=True, timeout=10)
    if (probe.returncode == 0) is not device:
        return f"another file in place of /dev/fuse has no effect here: {probe.stderr.strip()}"
    return made
