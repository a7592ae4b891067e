"""What a check of the mount layer works with: its own place, set-up helpers, expectations, processes.

Owns the vocabulary of such a check and the tidying after it; knows nothing of how it is judged. Paths are
`str` with surrogate escapes, so every name that Linux allows can be given; a name may be bytes too.
"""

from __future__ import annotations

import errno
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from fsprobe.checks.check import Blocked, Check, Finding, Lost, Skip, Unsupported
from fsprobe.posix import files
from fsprobe.posix.child import Child, ChildDied, ChildError, ChildTimeout
from fsprobe.runners.mount_names import forget_names
from fsprobe.runners.mount_place import Place
from fsprobe.runners.mount_words import difference, one_of, source_line
from fsprobe.runners.setup import Setup

__all__ = ["OTHER_UID", "PAST", "PAST_NS", "Mount", "Place", "Process"]

OTHER_UID = 65534
"""The second user of checks that need one: nobody."""

PAST = 1_000_000_000
PAST_NS = PAST * 1_000_000_000
"""2001-09-09: times are set to it, so that "newer" needs no waiting."""

CTIME_STEP = 0.1
"""Seconds between two changes that must not have the same ctime: far more than a clock's tick."""

_READ_LIMIT = 64 << 20


class Process:
    """A function running in a child process. `result` gives what it returned, or raises what it raised."""

    def __init__(self, child: Child, timeout: float) -> None:
        self.child = child
        self._timeout = timeout

    def result(self, timeout: float | None = None) -> Any:
        """Wait within the deadline. Raises the child's Finding or OSError, or Lost when it does not end."""
        try:
            kind, value = self.child.result(self._timeout if timeout is None else timeout)
        except ChildTimeout as error:
            raise Lost(str(error)) from error
        except ChildDied as error:
            raise Finding("the process to finish", str(error)) from error
        except ChildError as error:
            raise RuntimeError(str(error)) from error
        if kind == "finding":
            raise Finding(value[0], value[1], warn=value[2])
        if kind == "unsupported":
            raise Unsupported(*value)
        if kind == "blocked":
            call, number = value
            raise Blocked(call, OSError(number, os.strerror(number)))
        if kind == "skip":
            raise Skip(value)
        return value

    def wait_until_it_waits(self) -> None:
        """Give it a moment to block in a system call; no verdict may depend on it."""
        self.child.waits(0.05)

    def ended_within(self, seconds: float) -> bool:
        """Whether the process ends in that time; unlike `result` it lets a slow one live."""
        return self.child.ended_within(seconds)


class Mount:
    """The context of one check. `root` is the mounted directory, `rng` the check's own seeded randomness."""

    def __init__(self, setup: Setup, place: Place, check: Check, ordinal: int, features: dict[str, str]) -> None:
        self.root = setup.root
        self.check = check
        self.features = features
        self.notes: list[str] = []
        self.rng = random.Random(f"{setup.seed} {check.id}")
        self.timeout, self._place = setup.timeout, place
        self.forget_names = partial(forget_names, setup)
        self._ordinal = ordinal
        self._dir: str | None = None
        self._existing_file, self._existing_dir = "", ""
        self._own, self._fds = list[str](), set[int]()
        self._children: list[Child] = []

    # The place

    @property
    def dir(self) -> str:
        """A fresh directory of this check alone. Raises Blocked where none can be made."""
        if self._dir is None:
            if not self._place.has_dir:
                raise Blocked("mkdir", self._place.no_dir)
            made = os.path.join(self._place.work_dir, f"{self._ordinal}.{self.check.id}")
            try:
                os.mkdir(made, 0o755)
            except OSError as error:
                raise Blocked("mkdir", error) from error
            self._dir = made
            self._own.append(made)
        return self._dir

    def path(self, name: str | bytes) -> str:
        """Where an entry of that name of this check's own would be; nothing is made of it yet."""
        name = os.fsdecode(name)
        if self._place.has_dir:
            try:
                return os.path.join(self.dir, name)
            except Blocked:
                pass  # a check of files can be asked all the same, beside those of others
        path = self._place.track(f"{self._ordinal}.{name}")
        self._own.append(path)
        return path

    def existing_file(self) -> str:
        """A file with data to read: a file of the target's own where nothing can be written, else a fresh one."""
        if self._place.existing_file:
            return self._place.existing_file
        if not self._existing_file:
            self._existing_file = self.file("existing", self.rng.randbytes(10_000))
        return self._existing_file

    def existing_dir(self) -> str:
        """A directory with entries: the root where no directory can be made, else a fresh one with three."""
        if not self._place.has_dir:
            if not self.features.get("write"):
                self.existing_file()
            return self._place.root
        if not self._existing_dir:
            self._existing_dir = self.subdir("existing-dir")
            self.subdir("existing-dir/sub")
            for name in ("one", "two"):
                self.file(f"existing-dir/{name}", name.encode())
        return self._existing_dir

    def absent(self, name: str = "absent") -> str:
        """A path that does not exist, in the root where nothing can be made."""
        return self.path(name)

    # Preparing the question

    @contextmanager
    def setup(self, call: str = "") -> Iterator[None]:
        """What fails in here was only preparing the question: OSError becomes Blocked."""
        try:
            yield
        except OSError as error:
            raise Blocked(call or source_line(error, self.check.path) or "set-up", error) from error

    def file(self, name: str | bytes, data: bytes = b"", mode: int = 0o644) -> str:
        """Make a file with this content; its path. Raises Blocked."""
        path = self.path(name)
        with self.setup("create"):
            fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        try:
            with self.setup("write"):
                while data:
                    done = os.write(fd, data)
                    if done == 0:
                        raise OSError(errno.EIO, "write stored nothing")
                    data = data[done:]
        finally:
            with self.setup("close"):
                os.close(fd)
        return path

    def subdir(self, name: str | bytes, mode: int = 0o755) -> str:
        """Make a directory; its path. Raises Blocked."""
        path = self.path(name)
        with self.setup("mkdir"):
            os.mkdir(path, mode)
        return path

    def link_to(self, target: str | bytes, name: str | bytes) -> str:
        """Make a symbolic link to `target`; its path. Raises Blocked."""
        path = self.path(name)
        with self.setup("symlink"):
            os.symlink(os.fsdecode(target), path)
        return path

    def hard_link(self, existing: str, name: str | bytes) -> str:
        """Make a second name of a file; its path. Raises Blocked."""
        path = self.path(name)
        with self.setup("link"):
            os.link(existing, path, follow_symlinks=False)
        return path

    def chmod(self, path: str, mode: int) -> None:
        """Set a mode as preparation, and see that it took. Raises Blocked."""
        with self.setup("chmod"):
            os.chmod(path, mode)
            if self.stat(path).permissions != mode:
                raise OSError(errno.EOPNOTSUPP, "chmod answered success and changed nothing")

    def age(self, target: str | int) -> None:
        """Set atime and mtime to 2001 as preparation, and see that it took. Raises Blocked."""
        with self.setup("utimensat"):
            os.utime(target, ns=(PAST_NS, PAST_NS))
            if self.stat(target).mtime_ns != PAST_NS:
                raise OSError(errno.EOPNOTSUPP, "utimensat answered success and set another time")

    def need(self, feature: str) -> None:
        """For a check that finds out on its way that it needs a feature. Raises Skip."""
        reason = self.features.get(feature, f"nothing here offers {feature!r}")
        if reason:
            raise Skip(reason)

    # Descriptors and looking

    def open(self, path: str, flags: int = 0, mode: int = 0o666, *, dir_fd: int | None = None) -> int:
        """os.open whose descriptor is closed when the check ends, if the check does not."""
        fd = os.open(path, flags, mode, dir_fd=dir_fd)
        self._fds.add(fd)
        return fd

    def close(self, fd: int) -> None:
        """os.close of a descriptor from `open`."""
        self._fds.discard(fd)
        os.close(fd)

    def stat(self, target: str | int, *, follow: bool = True, mask: int = files.STATX_BASIC_STATS) -> files.Stat:
        """Attributes as the file system itself has them now, past the kernel's cache (AT_STATX_FORCE_SYNC)."""
        flags = files.AT_STATX_FORCE_SYNC | (0 if follow or isinstance(target, int) else files.AT_SYMLINK_NOFOLLOW)
        return files.statx(target, flags=flags, mask=mask)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        """pread after asking the kernel to drop its clean cached pages of the file."""
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.pread(fd, size, offset)

    def read(self, path: str) -> bytes:
        """The whole content, through a fresh descriptor and past clean cached pages; 64 MiB at most."""
        fd = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            data = bytearray()
            while len(data) < _READ_LIMIT and (part := os.read(fd, 1 << 17)):
                data += part
            return bytes(data)
        finally:
            os.close(fd)

    def entries(self, target: str | int, size: int = 32768, limit: int = 20_000) -> list[files.Entry]:
        """Every record of a directory by getdents64 with buffers of `size`, `.` and `..` too; at most `limit`."""
        fd = os.open(target, os.O_RDONLY | os.O_DIRECTORY) if isinstance(target, str) else target
        try:
            found: list[files.Entry] = []
            while len(found) < limit and (part := files.getdents64(fd, size)):
                found += part
            return found
        finally:
            if fd != target:
                os.close(fd)

    def names(self, target: str | int) -> list[bytes]:
        """The sorted names in a directory, each as often as it was returned, without `.` and `..`."""
        return sorted(entry.name for entry in self.entries(target) if entry.name not in (b".", b".."))

    def listed(self, path: str) -> bool:
        """Whether its directory lists that entry."""
        return os.fsencode(os.path.basename(path)) in self.names(os.path.dirname(path))

    def hidden(self, beside: str) -> str:
        """The name that libfuse or NFS gave an unlinked open file in the directory of `beside`; "" for none."""
        found = [name for name in self.names(os.path.dirname(beside)) if name.startswith((b".fuse_hidden", b".nfs"))]
        return os.fsdecode(found[0]) if found else ""

    # Expectations

    @contextmanager
    def raises(
        self, *errnos: int, what: str, warn: tuple[int, ...] = (), success_warns: bool = False
    ) -> Iterator[None]:
        """`what` has to fail with one of these errnos; one of `warn` is legal but surprising. Raises Finding."""
        expected = f"{one_of(errnos)} from {what}"
        try:
            yield
        except OSError as error:
            if error.errno in errnos:
                return
            raise Finding(expected, files.errno_name(error.errno or 0), warn=error.errno in warn) from error
        raise Finding(expected, "success", warn=success_warns)

    @contextmanager
    def optional(self, *errnos: int, what: str) -> Iterator[None]:
        """One of these errnos means that the file system declines `what`. Raises Unsupported."""
        try:
            yield
        except OSError as error:
            if error.errno in errnos:
                raise Unsupported(f"{what}: {files.errno_name(error.errno)}", error.errno) from error
            raise

    def expect(self, condition: bool, expected: str, observed: str, *, warn: bool = False) -> None:
        """Raises Finding unless the condition holds."""
        if not condition:
            raise Finding(expected, observed, warn=warn)

    def expect_equal(self, expected: Any, observed: Any, what: str, *, show: Callable[[Any], str] = repr,
                     warn: bool = False) -> None:
        """Raises Finding unless both are equal; long bytes are shown by their first difference."""
        if expected != observed:
            if isinstance(expected, bytes) and isinstance(observed, bytes):
                wanted, seen = difference(expected, observed)
                raise Finding(f"{what}: {wanted}", seen, warn=warn)
            raise Finding(f"{what} {show(expected)}", show(observed), warn=warn)

    def expect_newer(self, target: str | int, after: str) -> None:
        """Something aged by `age` has a later mtime now. Raises Finding."""
        mtime = self.stat(target).mtime_ns
        if mtime < PAST_NS + 10**9:  # the present is decades later
            seen = "the old mtime" if mtime >= PAST_NS else f"mtime {mtime / 1e9:.9f}"
            raise Finding(f"a newer mtime after {after}", seen)

    def expect_same_mtime(self, target: str | int, after: str) -> None:
        """Something aged by `age` still has that mtime. Raises Finding."""
        mtime = self.stat(target).mtime_ns
        if mtime != PAST_NS:
            raise Finding(f"an unchanged mtime after {after}", f"mtime moved by {(mtime - PAST_NS) / 1e9:.9f} s")

    def expect_ctime_moves(self, target: str | int, action: Callable[[], object], after: str) -> None:
        """`action` gives an aged target a later ctime, at once or when repeated. Raises Finding, Blocked, Skip."""
        self.age(target)
        before, began = self.stat(target).ctime_ns, time.monotonic()
        if before == PAST_NS:
            raise Finding(f"a later ctime after {after}", "no ctime of its own: it is mtime", warn=True)
        if before % 10**9 == 0:
            raise Skip("ctime is kept in whole seconds: two changes at once cannot be told apart")
        last = False
        while not last:
            last = time.monotonic() - began > CTIME_STEP
            action()
            if self.stat(target).ctime_ns > before:
                return
        raise Finding(f"a later ctime after {after}", "the old ctime")

    def info(self, text: str) -> None:
        """An observation for the report; it never gates."""
        self.notes.append(text)

    # Processes

    def start(self, function: Callable[[], Any], *, uid: int | None = None, gid: int | None = None) -> Process:
        """Run a function in a child process, as another user if wanted; killed when the check ends."""
        child = Child(lambda: _carried(function), uid=uid, gid=gid)
        self._children.append(child)
        return Process(child, self.timeout)

    def fork(self, function: Callable[[], Any], timeout: float | None = None, *, uid: int | None = None) -> Any:
        """Run a function in a child process and have its result within the deadline."""
        return self.start(function, uid=uid).result(timeout)

    def ordinary(self, *paths: str) -> int | None:
        """The user, for `fork`, who owns these paths and has no privileges: None where we are one ourselves."""
        if os.geteuid():
            return None
        self.need("root")
        self.need("allow_other")
        with self.setup("chown"):
            for path in paths:
                os.chown(path, OTHER_UID, OTHER_UID, follow_symlinks=False)
                if self.stat(path, follow=False).uid != OTHER_UID:
                    raise OSError(errno.EOPNOTSUPP, "chown answered success and changed nothing")
        return OTHER_UID

    # The end

    def tidy(self) -> None:
        """Kill the check's processes, close its descriptors, remove its files. What stays is met again at the end."""
        for child in self._children:
            child.kill()
        for fd in self._fds:
            try:
                os.close(fd)
            except OSError:
                pass  # the verdict on close(2) is that of the checks that ask for it
        for path in reversed(self._own):
            self._place.remove(path)


def _carried(function: Callable[[], Any]) -> tuple[str, Any]:
    try:
        return "ok", function()
    except Finding as finding:
        return "finding", (finding.expected, finding.observed, finding.warn)
    except Unsupported as declined:
        return "unsupported", (declined.observed, declined.errno)
    except Blocked as blocked:
        return "blocked", (blocked.call, blocked.errno)
    except Skip as skip:
        return "skip", str(skip)
