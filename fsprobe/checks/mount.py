"""What a check of the mount layer is given, as an author sees it: `def check(m: Mount) -> None`.

Owns the shape of that context for reading and for type checkers; knows nothing of how it is done
(`fsprobe.runners.mount_context` does it).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from fsprobe.posix.files import STATX_BASIC_STATS, Entry, Stat


class Process(Protocol):
    """A function running in a child process."""

    def result(self, timeout: float | None = None) -> Any:
        """What it returned; raises what it raised, or Lost when it does not end in time."""

    def ended_within(self, seconds: float) -> bool:
        """Whether it ends in that time; a slow one lives on."""

    def wait_until_it_waits(self) -> None:
        """Give it a moment to block in a system call. For preparing only: no verdict may depend on it."""


class Mount(Protocol):
    """The context of one check. Everything it makes is below one directory of its own and is removed afterwards."""

    root: str
    """The mounted directory. Nothing may be changed there but through `path`."""
    rng: random.Random
    """Randomness of this check's own, the same for the same seed."""
    features: dict[str, str]
    """What works here: "" where a feature is present, else the reason why not."""

    @property
    def dir(self) -> str:
        """A fresh directory of this check alone. Raises Blocked where none can be made."""

    def path(self, name: str | bytes) -> str:
        """Where an entry of that name of this check's own would be; nothing is made of it yet."""

    def absent(self, name: str = "absent") -> str:
        """A path that does not exist."""

    def existing_file(self) -> str:
        """A file with data to read: one of the target's own where nothing can be written, else a fresh one."""

    def existing_dir(self) -> str:
        """A directory with entries: the root where nothing can be written, else a fresh one."""

    # Preparing: what fails here makes the check Blocked, never failed.

    def setup(self, call: str = "") -> AbstractContextManager[None]:
        """`with m.setup(): …` was only preparing the question: its OSError becomes Blocked."""

    def file(self, name: str | bytes, data: bytes = b"", mode: int = 0o644) -> str:
        """Make a file with this content; its path."""

    def subdir(self, name: str | bytes, mode: int = 0o755) -> str:
        """Make a directory; its path."""

    def link_to(self, target: str | bytes, name: str | bytes) -> str:
        """Make a symbolic link to `target`; its path."""

    def hard_link(self, existing: str, name: str | bytes) -> str:
        """Make a second name of a file; its path."""

    def chmod(self, path: str, mode: int) -> None:
        """Set a mode, and see that it took."""

    def age(self, target: str | int) -> None:
        """Set atime and mtime to 2001, and see that it took: whatever happens later is newer, without waiting."""

    def need(self, feature: str) -> None:
        """For a check that finds out on its way that it needs a feature. Raises Skip."""

    def forget_names(self) -> None:
        """Make the kernel forget names and attributes that nobody holds open, so that the next path is looked up
        anew. A mount that is not fsprobe's own (--native) is left as it is."""

    # Looking

    def open(self, path: str, flags: int = 0, mode: int = 0o666, *, dir_fd: int | None = None) -> int:
        """os.open; the descriptor is closed when the check ends, if the check does not do it."""

    def close(self, fd: int) -> None:
        """os.close of a descriptor from `open`."""

    def stat(self, target: str | int, *, follow: bool = True, mask: int = STATX_BASIC_STATS) -> Stat:
        """Attributes as the file system itself has them now, past the kernel's cache."""

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        """pread, past clean cached pages."""

    def read(self, path: str) -> bytes:
        """The whole content, through a fresh descriptor and past clean cached pages."""

    def entries(self, target: str | int, size: int = 32768, limit: int = 20_000) -> list[Entry]:
        """Every record of a directory by getdents64 with buffers of `size`, `.` and `..` too."""

    def names(self, target: str | int) -> list[bytes]:
        """The sorted names in a directory, each as often as it was returned, without `.` and `..`."""

    def listed(self, path: str) -> bool:
        """Whether its directory lists that entry."""

    def hidden(self, beside: str) -> str:
        """The name that libfuse or NFS gave an unlinked open file in the directory of `beside`; "" for none."""

    # Expecting: each raises Finding

    def raises(
        self, *errnos: int, what: str, warn: tuple[int, ...] = (), success_warns: bool = False
    ) -> AbstractContextManager[None]:
        """`what` has to fail with one of these errnos; one of `warn` is legal but surprising.

        success_warns: so is success, as with permissions that neither kernel nor daemon were told to check.
        """

    def optional(self, *errnos: int, what: str) -> AbstractContextManager[None]:
        """One of these errnos means that the file system declines `what`: raises Unsupported."""

    def expect(self, condition: bool, expected: str, observed: str, *, warn: bool = False) -> None:
        """The condition has to hold."""

    def expect_equal(
        self, expected: Any, observed: Any, what: str, *, show: Callable[[Any], str] = repr, warn: bool = False
    ) -> None:
        """Both have to be equal."""

    def expect_newer(self, target: str | int, after: str) -> None:
        """Something aged by `age` has a later mtime now."""

    def expect_same_mtime(self, target: str | int, after: str) -> None:
        """Something aged by `age` still has that mtime."""

    def expect_ctime_moves(self, target: str | int, action: Callable[[], object], after: str) -> None:
        """`action` gives the target, which is aged first, a later ctime.

        It is repeated for as long as a clock's tick may take, so it has to be something that can be done again.
        Raises Skip where ctime is kept in whole seconds.
        """

    def info(self, text: str) -> None:
        """An observation for the report; it never gates."""

    # Other processes

    def start(self, function: Callable[[], Any], *, uid: int | None = None, gid: int | None = None) -> Process:
        """Run a function in a child process, as another user if wanted; killed when the check ends."""

    def fork(self, function: Callable[[], Any], timeout: float | None = None, *, uid: int | None = None) -> Any:
        """Run a function in a child process and have its result within the deadline."""

    def ordinary(self, *paths: str) -> int | None:
        """For `fork` and `start`: a user without privileges who owns these paths from now on.

        None, which means ourselves, where we are such a user. Raises Skip where root cannot ask as somebody else.
        """
