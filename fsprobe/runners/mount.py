"""The mount layer: one fresh working place below a mounted (or native) directory, and what works there.

Owns preparing the place, finding the features and removing what was made; knows nothing of verdicts, and
what a check can do is in `mount_context`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from fsprobe.checks.check import Check
from fsprobe.checks.mount import Mount as MountContext
from fsprobe.posix import linux
from fsprobe.posix.child import Child, ChildDied, ChildError, ChildTimeout
from fsprobe.posix.files import errno_name, is_absent, total_size
from fsprobe.runners.calls import Calls, taken_down
from fsprobe.runners.earlier import remove_earlier
from fsprobe.runners.mount_context import OTHER_UID, Mount, Place
from fsprobe.runners.script import of_calls
from fsprobe.runners.setup import Setup

# A target that answers every attempt to make something with one of these takes no writing. One EROFS is enough
# where nothing can be made: what else is wrong the checks of the read-only profile say.
_NO_WRITING = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP})
# Without a connection to a daemon there is nothing to prepare, and every other error is a finding.
_NO_MOUNT = frozenset({errno.ENOTCONN, errno.ECONNABORTED, errno.ECONNREFUSED, errno.EACCES})


__all__ = ["Mount", "MountLayer", "Place"]


class MountLayer:
    """The layer of system calls. Everything happens in `setup.work` below `setup.root`.

    Where no directory can be made there, checks get files with a unique prefix in the root instead; where
    nothing can be made, the target is taken to be read-only.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.place = Place(setup.root, setup.work, setup.avoid)
        self.features: dict[str, str] = {}
        self._ordinal = 0
        self._calls, self._mount = Calls(), None  # type: Calls, Mount | None

    def prepare(self) -> dict[str, str]:
        """Make the working place. Raises OSError where the root itself cannot be reached."""
        os.umask(0o022)
        try:
            root = os.stat(self.setup.root)
        except OSError as error:
            if error.errno in _NO_MOUNT:
                raise
            root = None
        refusal = "the target is to be treated as read-only" if self.setup.read_only else self._make_place()
        foreign = bool(refusal) and root is not None and linux.unmapped(root.st_uid)
        if foreign:
            refusal = "the owner of the mount's root is not mapped in this user namespace"
        self.features = {
            "write": refusal,
            "mkdir": refusal,
            "read-only": refusal if foreign else "" if refusal else "asked of read-only targets only",
            "root": _is_root(),
        }
        self.features["allow_other"] = self.features["root"] or self._other_user()
        self._find_file(refusal)
        for name, (operation, probe) in _OPTIONAL.items():
            self.features[name] = refusal or self._probe(name, operation, probe)
        return self.features

    @contextmanager
    def context(self, check: Check) -> Iterator[MountContext]:
        """The context of one check; on leaving, its descriptors, processes and files are gone."""
        self._ordinal += 1
        self._mount = mount = Mount(self.setup, self.place, check, self._ordinal, self.features)
        umask = os.umask(0o022)
        try:
            with taken_down() as self._calls:
                yield mount
        finally:
            os.umask(umask)
            mount.tidy()

    def script(self, about: Sequence[str]) -> str:
        """A program that shows what the last check found, "" where its calls do not show it."""
        if self._mount is None:
            return ""
        scratch = os.environ.get("TMPDIR", "/tmp")
        return of_calls(self._calls, self._mount._dir or "", self.setup.root, about, scratch)

    def size(self) -> int:
        """By statfs; 0 where that hung before."""
        return 0 if "STATFS" in self.setup.avoid else total_size(self.setup.root)

    def close(self) -> list[str]:
        """Remove the working place. Returns what could not be removed, relative to the root."""
        paths = [*sorted(self.place.made), *((self.place.work_dir,) if self.place.has_dir else ())]
        stayed: list[str] = []
        for delay in (0.0, 0.05, 0.2):  # a file hidden by libfuse goes when its RELEASE has arrived
            time.sleep(delay)
            stayed = [left for path in paths for left in self.place.remove(path)]
            if not stayed:
                break
        earlier = remove_earlier(self.setup.root, self.setup.earlier)
        return [*(os.path.relpath(path, self.setup.root) for path in stayed), *earlier]

    def _make_place(self) -> str:
        """Make the work directory or settle for a prefix. Returns why nothing can be written, "" if it can."""
        avoided = self.place.avoided("MKDIR")
        if avoided:
            self.place.no_dir = OSError(errno.EIO, avoided)
            return ""
        try:
            os.mkdir(self.place.work_dir)
        except FileExistsError:
            raise
        except OSError as error:
            mkdir_error = error
        else:
            self.place.has_dir = True
            return ""
        self.place.no_dir = mkdir_error
        if self.place.avoided("CREATE"):
            return ""
        probe = self.place.track("probe")
        try:
            os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except OSError as error:
            both = {error.errno, mkdir_error.errno}
            if (both <= _NO_WRITING or errno.EROFS in both) and is_absent(probe):
                mkdir, create = errno_name(mkdir_error.errno or 0), errno_name(error.errno or 0)
                return f"the target refuses all writing (mkdir: {mkdir}, create: {create})"
        return ""

    def _find_file(self, refusal: str) -> None:
        avoided = self.place.avoided("OPENDIR", "READDIR", "READDIRPLUS")
        if refusal and not avoided:
            self.place.find_existing()
        found = not refusal or self.place.existing_file
        self.features["regular-file"] = "" if found else avoided or "no file with data was found"

    def _probe(self, name: str, operation: str, probe: Callable[[str, str], None]) -> str:
        """What other checks need of an optional operation; its own check never needs the feature, so asks anyway."""
        avoided = self.place.avoided(operation, "CREATE", "FLUSH", "UNLINK")
        if avoided:
            return avoided
        base, new = self.place.track(f"{name}.probe"), self.place.track(f"{name}.probe.2")
        try:
            os.close(os.open(base, os.O_CREAT | os.O_WRONLY, 0o644))
        except OSError:
            return ""
        try:
            probe(base, new)
        except OSError as error:
            return f"no {name} here: {errno_name(error.errno or 0)}"
        finally:
            for path in (base, new):
                try:
                    os.unlink(path)
                except OSError:
                    pass
        return ""

    def _other_user(self) -> str:
        seen = self.place.work_dir if self.place.has_dir else self.setup.root
        child = Child(lambda: stat.S_IFMT(os.stat(seen).st_mode), uid=OTHER_UID)
        try:
            child.result(self.setup.timeout)
        except OSError as error:
            return f"another user cannot reach the mount ({errno_name(error.errno or 0)}): allow_other may be missing"
        except (ChildTimeout, ChildDied, ChildError) as error:
            return f"another user cannot be tried: {error}"
        return ""


def _symlink(base: str, new: str) -> None:
    os.symlink("target", new)


def _xattr(base: str, new: str) -> None:
    os.setxattr(base, "user.fsprobe", b"1")


def _fifo(base: str, new: str) -> None:
    os.mkfifo(new)


def _lock(base: str, new: str) -> None:
    with open(base, "r+b", buffering=0) as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _flock(base: str, new: str) -> None:
    with open(base, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_OPTIONAL: dict[str, tuple[str, Callable[[str, str], None]]] = {
    "symlink": ("SYMLINK", _symlink),
    "hardlink": ("LINK", os.link),
    "xattr": ("SETXATTR", _xattr),
    "fifo": ("MKNOD", _fifo),
    "locks": ("SETLK", _lock),
    "flocks": ("SETLK", _flock),
}


def _is_root() -> str:
    if os.geteuid() != 0:
        return "needs root"
    if sum(length for _, _, length in linux.id_maps()) < 65536:
        return "needs root outside a user namespace"
    return ""
