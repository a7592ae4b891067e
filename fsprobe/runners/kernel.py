"""The wire layer: fsprobe plays the kernel, one context for every check.

Owns where the work happens and that nothing is left of it; knows nothing of how the socket was got, of the
trace or of verdicts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from errno import ENOENT, ENOTEMPTY
from typing import Any

from fsprobe import wire
from fsprobe.checks.check import Blocked, Check, Finding, Lost, Skip
from fsprobe.checks.kernel import Kernel as KernelContext
from fsprobe.checks.kernel import Name, Sample
from fsprobe.runners.kernel_asks import Asks
from fsprobe.runners.kernel_link import Declined, Link
from fsprobe.runners.kernel_survey import survey
from fsprobe.runners.setup import Setup
from fsprobe.wire import Opcode

_DOTS = (b".", b"..")
# Tidying up deeper than this means that a directory holds itself.
_DEPTH = 12


@dataclass(slots=True)
class Place:
    """Where the checks of one connection work, found out once.

    work: nodeid of the fresh directory, 0 where none could be made. prefix: what every name in the root
    starts with then. read_only: why nothing can be made. samples: paths that were there before us, by kind.
    left: names that could not be removed. ended: why no further check can be asked. earlier: what lost workers left.
    """

    name: str
    work: int = 0
    prefix: bytes = b""
    read_only: str = ""
    samples: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    ended: str = ""
    earlier: tuple[str, ...] = ()
    count: int = 0


class Kernel(Asks):
    """What a wire check talks to: the operations, the expectations, and a directory of its own."""

    def __init__(self, link: Link, negotiated: wire.Negotiated, init: wire.InitOut, place: Place) -> None:
        super().__init__(link, negotiated)
        self.init = init
        """The daemon's reply to INIT as it came."""
        self.place = place
        self.read_only = place.read_only
        self.notes: list[str] = []
        place.count += 1
        self._mine = b"%d" % place.count
        self._dir = 0
        link.unasked.clear()

    # -- where

    @property
    def dir(self) -> int:  # type: ignore[override]
        """The directory of this check, made when it is first asked for; the root where none can be made."""
        if self.place.work == 0:
            return self.root
        if self._dir == 0:
            body = wire.Mkdir(0o755, 0o022, self._mine)
            with self.setup():
                entry: wire.EntryOut = self.request(Opcode.MKDIR, self.place.work, body)
            self._dir = entry.nodeid
            self.ledger.own.add(entry.nodeid)
            self.ledger.handed(entry.nodeid, entry.attr.mode)
        return self._dir

    def _prefix(self, parent: int) -> bytes:
        shared = parent == self.root and self.place.prefix
        return b"%s%s-" % (self.place.prefix, self._mine) if shared else b""

    def full_name(self, parent: int, name: Name) -> bytes:
        """A name as it goes on the wire: in the root that we share, with a prefix of our own."""
        return self._prefix(parent) + os.fsencode(name)

    def names(self, node: int) -> list[bytes]:
        """The names in a directory, sorted, without the dots and what is not ours."""
        return self._without(self._prefix(node), self.entries(node))

    def own_names(self, entries: list[wire.Dirent]) -> list[bytes]:
        """The same of entries that were read from the check's own directory."""
        return self._without(self._prefix(self.dir), entries)

    @staticmethod
    def _without(prefix: bytes, entries: list[wire.Dirent]) -> list[bytes]:
        ours = (e.name for e in entries if e.name not in _DOTS and e.name.startswith(prefix))
        return sorted(name[len(prefix) :] for name in ours)

    def unused_name(self) -> bytes:
        """A name that is nowhere."""
        return f"{self.place.name}-none".encode()

    def name_limit(self) -> int:
        """The longest name that a check may give, its prefix left out."""
        return super().name_limit() - len(self._prefix(self.root))

    def _existing(self, kind: str) -> Sample:
        path = self.place.samples.get(kind)
        if path is None:
            raise Skip(f"no {kind} was found on this read-only target")
        node, parent = self.root, self.root
        attr = wire.Attr()
        with self.setup():
            for name in path:
                parent = node
                entry = self.lookup(parent, name)
                node, attr = entry.nodeid, entry.attr
        return Sample(node, parent, path[-1], attr)

    # -- tidying up, as a kernel does when the last user is gone

    def finish(self) -> None:
        """Release, remove and forget whatever this check has. Raises Lost where the connection ended."""
        for handle in self.ledger.handles:
            self.release_quietly(handle)
        for (parent, name), directory in reversed(list(self.ledger.names.items())):
            if self._is_ours(parent, name):
                self._remove(parent, name, directory, _DEPTH)
        if self._dir:
            self._remove(self.place.work, self._mine, True, _DEPTH)
        for node, count in list(self.ledger.lookups.items()):
            self.forget(node, count)

    def _is_ours(self, parent: int, name: bytes) -> bool:
        """Whether nobody else can have made this entry: it is removed without asking what it is."""
        if parent == self.root:
            return name.startswith(os.fsencode(self.place.name))
        return parent in self.ledger.own and self.lookups(parent) > 0

    def _remove(self, parent: int, name: bytes, directory: bool, depth: int) -> None:
        opcode, body = (Opcode.RMDIR, wire.Rmdir(name)) if directory else (Opcode.UNLINK, wire.Unlink(name))
        try:
            self.request(opcode, parent, body)
        except Declined as error:
            if directory and error.errno == ENOTEMPTY and depth:
                self._remove_below(parent, name, depth)
            elif parent == self.root and error.errno != ENOENT and os.fsdecode(name) not in self.place.left:
                self.place.left.append(os.fsdecode(name))

    def _remove_below(self, parent: int, name: bytes, depth: int) -> None:
        """Empty a directory of ours, then remove it: an operation that failed may have left something."""
        try:
            node = self.lookup_raw(parent, name).nodeid
            for entry in self.entries(node):
                if entry.name not in _DOTS:
                    child = self.lookup_raw(node, entry.name)
                    self._remove(node, entry.name, self.type_of(child.attr) == "directory", depth - 1)
            self.request(Opcode.RMDIR, parent, wire.Rmdir(name))
        except (Declined, Finding):
            return

    def lookup_raw(self, parent: int, raw: bytes) -> wire.EntryOut:
        """LOOKUP of a name as READDIR gave it, whether ours or not."""
        entry: wire.EntryOut = self.request(Opcode.LOOKUP, parent, wire.Lookup(raw))
        if entry.nodeid == 0:
            raise Declined(ENOENT, Opcode.LOOKUP)
        self.ledger.handed(entry.nodeid, entry.attr.mode)
        return entry

    def finish_or_note(self, *, lost: bool) -> None:
        """Tidy up unless the connection is in doubt, and remember what stays."""
        if not lost and not self.link.closed:
            try:
                self.finish()
                return
            except (Finding, Blocked) as broken:
                self.note(f"while tidying up: {broken}")
            except Lost as gone:
                self._remember_left()
                if self.link.closed:
                    raise
                self.note(f"while tidying up: {gone}")
                return
        self._remember_left()

    def _remember_left(self) -> None:
        if self._dir:
            self.place.left.append(f"{self.place.name}/{self._mine.decode()}")
        elif self.place.prefix:
            self.place.left += [os.fsdecode(name) for parent, name in self.ledger.names if parent == self.root]

    # -- the end of a connection

    def destroy(self) -> Any:
        """Tidy up everything, then DESTROY: no further check can be asked on this connection."""
        self.finish()
        self.ledger = type(self.ledger)()
        self._dir = 0
        remove_work(self)
        remove_earlier_work(self)
        self.place.ended = "the connection was ended by DESTROY"
        return self.request(Opcode.DESTROY, 0)


def remove_work(kernel: Kernel) -> None:
    """Remove the fresh directory, and entries of ours that a check had to leave in the root."""
    place = kernel.place
    root = kernel.root
    if place.work:
        kernel._remove(root, os.fsencode(place.name), True, _DEPTH)
        place.left = [name for name in place.left if name.split("/")[0] != place.name]
        try:
            kernel.lookup_raw(root, os.fsencode(place.name))
            place.left.append(place.name)
        except (Declined, Finding):
            pass
        kernel.forget(place.work)
        place.work = 0
    for name in list(place.left):
        if place.prefix and name.startswith(os.fsdecode(place.prefix)):
            kernel._remove(root, os.fsencode(name), False, 0)
            try:
                kernel.lookup_raw(root, os.fsencode(name))
            except (Declined, Finding):
                place.left.remove(name)


def remove_earlier_work(kernel: Kernel) -> None:
    """Remove the directories that lost workers of this run left in the root; what stays is named."""
    for work in kernel.place.earlier:
        for _ in range(2):  # gone, or removed and then seen to be gone
            try:
                kernel.lookup_raw(kernel.root, os.fsencode(work))
            except (Declined, Finding):
                break
            kernel._remove(kernel.root, os.fsencode(work), True, _DEPTH)
        else:
            kernel.place.left.append(work)


class WireLayer:
    """The wire layer of a worker."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.link = Link(setup.socket_fd, setup.timeout, setup.minor)
        self.place = Place(setup.work, earlier=setup.earlier)
        self.features: dict[str, str] = {}
        self._init: tuple[wire.InitIn, wire.InitOut] = (wire.InitIn(), wire.InitOut())
        self.negotiated: wire.Negotiated = wire.negotiate(*self._init)

    def prepare(self) -> dict[str, str]:
        """INIT, then a fresh directory, or a prefix, or the finding that nothing can be made.

        Raises Lost where the daemon answers no INIT or ends.
        """
        self._init = self.link.handshake(self.setup.start_timeout)
        self.negotiated = wire.negotiate(*self._init)
        kernel = self._kernel()
        try:
            self.features = survey(kernel, self.place, self.setup)
        finally:
            self._give_back(kernel)
        return self.features

    def _give_back(self, kernel: Kernel) -> None:
        """Forget what looking around handed out, but for the directory that we work in."""
        kernel.ledger.lookups.pop(self.place.work, None)
        if not self.link.closed:
            for node, count in list(kernel.ledger.lookups.items()):
                kernel.forget(node, count)

    def size(self) -> int:
        """By STATFS, for which an older protocol has no f_frsize."""
        try:
            told = self._kernel().statfs()
        except (OSError, Finding):
            return 0
        return told.blocks * (told.frsize or told.bsize)

    def _kernel(self) -> Kernel:
        return Kernel(self.link, self.negotiated, self._init[1], self.place)

    @contextmanager
    def context(self, check: Check) -> Iterator[KernelContext]:
        """A kernel for one check; leaving it releases, removes and forgets what the check has."""
        if self.place.ended:
            raise Skip(self.place.ended)
        kernel = self._kernel()
        lost = False
        try:
            yield kernel
        except Lost:
            lost = True
            raise
        finally:
            if not self.place.ended:
                kernel.finish_or_note(lost=lost)

    def close(self) -> list[str] | None:
        """Remove the working place. Returns what could not be removed, None where nothing could be asked any more."""
        if self.place.ended:
            return self.place.left
        if self.link.closed:
            return None
        kernel = self._kernel()
        try:
            remove_work(kernel)
            remove_earlier_work(kernel)
            for node, count in list(kernel.ledger.lookups.items()):
                kernel.forget(node, count)
        except (Lost, Finding) as broken:
            return [*self.place.left, f"{self.place.name} ({broken})"]
        return self.place.left
