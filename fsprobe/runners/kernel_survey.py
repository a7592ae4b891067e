"""Looking around before the first check: can anything be made here, and where.

Owns the questions that decide on the working place and on features; knows nothing of checks. It asks as
little as it can: an operation that hangs or kills should do so in its own check.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from dataclasses import dataclass, field
from errno import ENOENT
from typing import Protocol

from fsprobe import wire
from fsprobe.checks.check import Finding, Lost
from fsprobe.results.errnos import errno_name
from fsprobe.runners.kernel_asks import Asks
from fsprobe.runners.setup import Setup
from fsprobe.wire import InitFlag, Opcode

# Looked at on a read-only target until one of each kind is found.
_MOST_LOOKUPS, _MOST_IN_ONE = 300, 100
_KIND = {stat.S_IFREG: "regular-file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
_KINDS = frozenset(_KIND.values())
_MS_RDONLY = 1
_NO_WRITING = frozenset({"EROFS", "EACCES", "EPERM", "ENOSYS", "EOPNOTSUPP"})
_NICE_SIZE = range(1, 1 << 20)


class WorkPlace(Protocol):
    """As much of the place as is decided here."""

    name: str
    work: int
    prefix: bytes
    read_only: str
    samples: dict[str, tuple[bytes, ...]]
    left: list[str]


@dataclass(slots=True)
class Refusals:
    """Why each way of making something does not work here. broken: one was not refused but went wrong."""

    avoid: tuple[str, ...]
    why: dict[str, str] = field(default_factory=dict)
    broken: bool = False


def survey(kernel: Asks, place: WorkPlace, setup: Setup) -> dict[str, str]:
    """Decide where to work and say which features there are: "" or the reason why not."""
    if setup.avoid:  # a daemon that dies at whatever comes first is not to be taken for one that dies in MKDIR
        _quietly(kernel, Opcode.GETATTR, kernel.root, wire.GetattrIn())
    refused = Refusals(setup.avoid)
    guarded = bool(setup.mount_flags & _MS_RDONLY)
    if guarded:
        place.read_only = "read-only target: it is mounted so, and the kernel refuses all writing itself"
    elif setup.read_only:
        place.read_only = "read-only target: it is known to refuse all writing"
    elif not (_make_work(kernel, place, refused) or _can_create(kernel, place, refused)) and _is_refusal(
        kernel, place, refused
    ):
        told = ", ".join(f"{op} {why}" for op, why in refused.why.items())
        place.read_only = f"read-only target: {told}"
    if place.read_only:
        place.prefix = b""
        _find_samples(kernel, place)
    features = _features(kernel.negotiated, place, refused.why.get("MKDIR", ""))
    if guarded:
        features["read-only"] = "the kernel refuses all writing itself: the daemon mounts read-only"
    if not setup.fs_type.startswith("fuseblk"):
        features["fuseblk"] = "the kernel sends this to block-device mounts (fuseblk) only"
    return features


def _is_refusal(kernel: Asks, place: WorkPlace, refused: Refusals) -> bool:
    """Whether what stood in the way says that nothing may be written, rather than that something is broken.

    One EROFS is enough. A daemon that does not even say ENOENT of a free name refuses for another reason.
    """
    answers = set(refused.why.values())
    if refused.broken or not (answers <= _NO_WRITING or "EROFS" in answers):
        return False
    try:
        found = kernel.request(Opcode.LOOKUP, kernel.root, wire.Lookup(place.prefix or os.fsencode(place.name)))
    except OSError as error:
        return error.errno == ENOENT
    except (Lost, Finding):
        if kernel.link.closed:
            raise
        return False
    return bool(found.nodeid == 0)


def _tried(kernel: Asks, op: Opcode, node: int, body: object, refused: Refusals) -> wire.EntryOut | None:
    """The new entry, None where it was refused. Raises Lost only where the daemon's end closed."""
    if op.name in refused.avoid:
        refused.why[op.name], refused.broken = "hung or killed the daemon before", True
        return None
    try:
        answer = kernel.request(op, node, body)
    except OSError as error:
        refused.why[op.name] = errno_name(error.errno or 0)
        return None
    except (Lost, Finding) as problem:
        if kernel.link.closed:
            raise
        refused.why[op.name], refused.broken = str(problem), True
        return None
    entry: wire.EntryOut = answer.entry if isinstance(answer, wire.CreateOut) else answer
    kernel.ledger.lookups[entry.nodeid] = kernel.ledger.lookups.get(entry.nodeid, 0) + 1
    if isinstance(answer, wire.CreateOut):
        release = wire.ReleaseIn(fh=answer.open.fh, flags=os.O_RDWR)
        _quietly(kernel, Opcode.RELEASE, entry.nodeid, release)
    return entry


def _quietly(kernel: Asks, op: Opcode, node: int, body: object) -> bool:
    """Whether a request succeeded that is only there to tidy up."""
    try:
        kernel.request(op, node, body)
    except (OSError, Finding, Lost):
        if kernel.link.closed:
            raise
        return False
    return True


def _make_work(kernel: Asks, place: WorkPlace, refused: Refusals) -> bool:
    name = place.name
    for attempt in range(1, 4):
        entry = _tried(kernel, Opcode.MKDIR, kernel.root, wire.Mkdir(0o755, 0o022, os.fsencode(name)), refused)
        if entry is not None:
            place.name, place.work = name, entry.nodeid
            refused.why.clear()
            return True
        if refused.why.get("MKDIR") != "EEXIST":
            return False
        name = f"{place.name}-{attempt}"
    return False


def _can_create(kernel: Asks, place: WorkPlace, refused: Refusals) -> bool:
    """Whether files can be made in the root, by trying one and removing it again."""
    place.prefix = os.fsencode(place.name) + b"-"
    name = place.prefix + b"try"
    mode = stat.S_IFREG | 0o644
    create = wire.Create(os.O_CREAT | os.O_RDWR, mode, 0o022, name=name)
    entry = _tried(kernel, Opcode.CREATE, kernel.root, create, refused)
    if entry is None:
        entry = _tried(kernel, Opcode.MKNOD, kernel.root, wire.Mknod(mode, 0, 0o022, name=name), refused)
    if entry is None:
        return False
    if not _quietly(kernel, Opcode.UNLINK, kernel.root, wire.Unlink(name)):
        place.left.append(os.fsdecode(name))
    return True


def _find_samples(kernel: Asks, place: WorkPlace) -> None:
    """A regular file, a directory and a symbolic link that are there, the nearest to the root."""
    queue: deque[tuple[int, tuple[bytes, ...]]] = deque([(kernel.root, ())])
    looked = 0
    small: set[str] = set()
    while queue and looked < _MOST_LOOKUPS and not small >= _KINDS:
        node, path = queue.popleft()
        for name in _list(kernel, node)[:_MOST_IN_ONE]:
            looked += 1
            try:
                entry = kernel.lookup(node, name)
            except (OSError, Finding, Lost):
                if kernel.link.closed:
                    raise
                continue
            kind = _KIND.get(stat.S_IFMT(entry.attr.mode), "")
            nice = kind != "regular-file" or entry.attr.size in _NICE_SIZE
            if kind and (kind not in place.samples or (nice and kind not in small)):
                place.samples[kind] = (*path, name)
            if kind and nice:
                small.add(kind)
            if kind == "directory" and len(path) < 4:
                queue.append((entry.nodeid, (*path, name)))


def _list(kernel: Asks, node: int) -> list[bytes]:
    try:
        return sorted(entry.name for entry in kernel.entries(node) if entry.name not in (b".", b".."))
    except (OSError, Finding, Lost):
        if kernel.link.closed:
            raise
        return []


def _features(negotiated: wire.Negotiated, place: WorkPlace, no_mkdir: str) -> dict[str, str]:
    write = place.read_only
    unasked = "the daemon did not ask for {} in INIT: {}"
    has = negotiated.flags
    no_file = "no regular file was found on this read-only target"
    no_link = "no symbolic link was found on this read-only target"
    mkdir = f"no directory can be made here: MKDIR {no_mkdir}" if no_mkdir else ""
    locks = unasked.format("POSIX_LOCKS", "the kernel keeps the locks itself")
    flocks = unasked.format("FLOCK_LOCKS", "the kernel keeps flock(2) itself")
    plus = unasked.format("DO_READDIRPLUS", "the kernel never sends it")
    return {
        "write": write,
        "read-only": "" if write else "asked of read-only targets only",
        "mkdir": write or mkdir,
        "regular-file": "" if not write or "regular-file" in place.samples else no_file,
        "symlink": "" if not write or "symlink" in place.samples else no_link,
        "hardlink": write,
        "xattr": write,
        "readdirplus": "" if has & InitFlag.DO_READDIRPLUS else plus,
        "posix-locks": "" if has & InitFlag.POSIX_LOCKS else locks,
        "flock": "" if has & InitFlag.FLOCK_LOCKS else flocks,
        "export": "" if has & InitFlag.EXPORT_SUPPORT else unasked.format("EXPORT_SUPPORT", "no NFS export"),
        "fuseblk": "",
        "root": "" if os.getuid() == 0 else "needs root",
    }
