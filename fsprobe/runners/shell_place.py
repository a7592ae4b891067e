"""The place on the target where the shell's checks work, and what can be done there.

Owns making, finding and removing it: a directory of its own below the root, names with a prefix of its own
where there are no directories, and only existing files where nothing can be written. Knows nothing of the
shell. Every function here touches the mount and may never return; its process can be lost.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fsprobe.posix import linux
from fsprobe.posix.files import first_names, is_absent

REFUSALS = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP})
"""What a file system that cannot be written says to mkdir(2) and open(2) with O_CREAT."""

MOST_ENTRIES, MOST_DEPTH, MOST_SECONDS = 400, 4, 2.0
"""Bounds of the walk for an existing file: a live bucket has millions of entries."""
SAMPLE_MOST = 4 << 20
"""Bytes of the largest existing file that is read again and again."""


@dataclass(slots=True)
class Place:
    """Where a worker's checks work.

    no_write, no_mkdir: "" where it can be done, else the reason why not. sample: an existing regular file of
    a target that cannot be written, "" where there is none; no_sample says why. foreign: the root is not
    to be written because its owner is not mapped in this user namespace, which says nothing of the target.
    """

    root: str
    work: str
    no_write: str = ""
    no_mkdir: str = ""
    sample: str = ""
    no_sample: str = ""
    foreign: bool = False
    _made: list[str] = field(default_factory=list)

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written here."""
        return bool(self.no_write)

    @property
    def not_read_only(self) -> str:
        """"" on a read-only target, else why it is not one."""
        if self.foreign:
            return "the owner of the mount's root is not mapped in this user namespace"
        return "" if self.read_only else "asked of read-only targets only"

    @property
    def home(self) -> str:
        """The directory of all that the checks make."""
        return self.root if self.no_mkdir else os.path.join(self.root, self.work)

    def prefix(self, check_id: str) -> str:
        """What a check's names begin with: "" where it has a directory of its own."""
        return f"{self.work}-{_short(check_id)}-" if self.no_mkdir else ""

    def open_for(self, check_id: str) -> str:
        """A fresh directory for a check, the root where none can be made. Raises OSError."""
        short = _short(check_id)
        name = short if short not in self._made else f"{short}-{len(self._made)}"
        self._made.append(name)
        if self.no_mkdir:
            return self.root
        path = os.path.join(self.home, name)
        os.mkdir(path, 0o755)
        return path

    def remove(self) -> list[str]:
        """Take away all that was made. Returns what could not be removed, with the reason."""
        if self.read_only and not self._made:
            return []
        left: list[str] = []
        if self.no_mkdir:
            for name in _names(self.root, left):
                if name.startswith(f"{self.work}-"):
                    _remove(os.path.join(self.root, name), left)
        else:
            _remove(self.home, left)
            if not left and _lstat(self.home) is not None:
                left.append(f"{self.home}: removing it was answered with success, and it is still there")
        return left


def _short(check_id: str) -> str:
    return check_id.removeprefix("shell.").replace("/", "-")


def find_place(root: str, work: str, read_only: bool | None, avoid: tuple[str, ...] = ()) -> Place:
    """Try what can be done below the root, making as little as possible. Never raises OSError.

    read_only: what is known already; None finds out: by the mount's flag, or where both a directory and a
    file are refused. avoid: operations that must not be tried, as they hung or crashed the target before.
    """
    place = Place(root, work)
    if read_only or (read_only is None and "STATFS" not in avoid and _mounted_read_only(root)):
        place.no_write = place.no_mkdir = "this file system is read-only"
        return place
    if "MKDIR" in avoid:
        place.no_mkdir = "mkdir: it hung or crashed the target before"
        return place
    refused = _try_mkdir(os.path.join(root, work))
    if refused:
        place.no_mkdir = f"mkdir: {os.strerror(refused)}"
        if read_only is None and refused in REFUSALS and "CREATE" not in avoid:
            probe = os.path.join(root, f"{work}-probe")
            also = _try_create(probe)
            if also in REFUSALS and is_absent(probe):
                place.no_write = (
                    f"nothing can be created here: mkdir says {os.strerror(refused)}, "
                    f"creating a file says {os.strerror(also)}"
                )
                found = _lstat(root)
                place.foreign = found is not None and linux.unmapped(found.st_uid)
    return place


def find_sample(place: Place) -> None:
    """Look for an existing regular file to read: the first of a bounded walk, not empty and not large."""
    queue = deque([(place.root, 0)])
    seen, deadline, fallback = 0, time.monotonic() + MOST_SECONDS, ""
    device = _lstat(place.root)
    while queue:
        directory, depth = queue.popleft()
        for name in sorted(_names(directory, [])):
            seen += 1
            if seen > MOST_ENTRIES or time.monotonic() > deadline:
                queue.clear()
                break
            path = os.path.join(directory, name)
            status = _lstat(path)
            if status is None or device is None or status.st_dev != device.st_dev:
                continue
            if stat.S_ISDIR(status.st_mode) and depth < MOST_DEPTH:
                queue.append((path, depth + 1))
            if stat.S_ISREG(status.st_mode) and status.st_size <= SAMPLE_MOST and _readable(path):
                if status.st_size:
                    place.sample = path
                    return
                fallback = fallback or path
    place.sample = fallback
    if not fallback:
        place.no_sample = f"no regular file that can be read was found among the first {seen} entries"


def mount_line(root: str) -> str:
    """The mount point's line of /proc/self/mountinfo, "" where the root is none. Touches no mount."""
    wanted = os.path.normpath(root)
    found = ""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            point = line.split(" ")[4]
            for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
                point = point.replace(code, character)
            if point == wanted:
                found = line.rstrip("\n")
    return found


def _mounted_read_only(root: str) -> bool:
    try:
        return bool(os.statvfs(root).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _try_mkdir(path: str) -> int:
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        return 0  # an earlier worker of this run made it; the name is this run's own
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _try_create(path: str) -> int:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    except OSError as error:
        return error.errno or errno.EIO
    try:
        os.unlink(path)
    except OSError:
        pass  # its name has the prefix that `remove` looks for
    return 0


def _names(directory: str, left: list[str]) -> list[str]:
    try:
        return first_names(directory)
    except OSError as error:
        left.append(f"{directory}: {error.strerror}")
        return []


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _readable(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.read(fd, 1)
        finally:
            os.close(fd)
    except OSError:
        return False
    return True


def _remove(path: str, left: list[str]) -> None:
    """Remove one thing and all below it; no link is followed."""
    status = _lstat(path)
    if status is None:
        return
    if not stat.S_ISDIR(status.st_mode):
        _attempt(os.unlink, path, left)
        return
    before = len(left)
    if status.st_mode & 0o700 != 0o700:
        try:
            os.chmod(path, 0o700)
        except OSError:
            pass  # listing it will say why
    for name in _names(path, left):
        _remove(os.path.join(path, name), left)
    if len(left) == before:
        _attempt(os.rmdir, path, left)


def _attempt(function: Callable[[str], None], path: str, left: list[str]) -> None:
    # libfuse renames a file that is still open to .fuse_hiddenN and removes it at RELEASE, which comes late.
    deadline = time.monotonic() + 0.3
    while True:
        try:
            function(path)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EBUSY) or time.monotonic() > deadline:
                left.append(f"{path}: {error.strerror}")
                return
            time.sleep(0.02)
        else:
            return
