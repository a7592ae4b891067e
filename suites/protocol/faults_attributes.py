"""What every reply with attributes says, beside two other witnesses of the same node.

The operation that is asked about is wrong where the two others agree and it does not.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from contextlib import suppress
from errno import EINVAL, ENOSYS, EPERM, EROFS

from fsprobe.checks import OPTIONAL, SHOULD, Finding, Skip, wire_check
from fsprobe.checks.kernel import Attr, EntryOut, Kernel

FIELDS = ("ino", "mode", "nlink", "uid", "gid", "size", "blocks", "rdev")
TIMES = ("atime", "mtime", "ctime")
STATX_BITS = {
    "mode": 0x3, "nlink": 0x4, "uid": 0x8, "gid": 0x10, "atime": 0x20, "mtime": 0x40, "ctime": 0x80, "ino": 0x100,
    "size": 0x200, "blocks": 0x400,
}  # fmt: skip
"""By which bits of its mask an answer to STATX says that it gives a field (linux/stat.h)."""
SOURCE = "catalogue 3.1.9, 3.3.1"
_TIME = 1_234_567_890
SAME_MOMENT = 10**9
"""Nanoseconds: a daemon that looks at its backing store twice while it makes a node sees two times, both true."""


def told(attr: Attr) -> dict[str, int]:
    """The fields that stat(2) shows, times in nanoseconds."""
    times = {name: getattr(attr, name) * 10**9 + getattr(attr, f"{name}nsec") for name in TIMES}
    return {name: getattr(attr, name) for name in FIELDS} | times


def differs(mine: Attr, one: Attr, other: Attr) -> list[str]:
    """Fields in which `mine` stands alone."""
    a, b, c = told(mine), told(one), told(other)
    return [
        f"{name} {a[name]}, others {b[name]}" for name in a
        if b[name] == c[name] != a[name] and not (name in TIMES and abs(a[name] - b[name]) < SAME_MOMENT)
    ]  # fmt: skip


def expect_agreement(what: str, mine: Attr, one: Attr, other: Attr) -> None:
    """Raises Finding where the attributes of the operation in question are its own alone."""
    alone = differs(mine, one, other)
    if alone:
        raise Finding(f"{what}: the attributes that two other replies give", "; ".join(alone))


def expect_generation(what: str, mine: EntryOut, found: EntryOut, other: EntryOut, other_found: EntryOut) -> None:
    """Raises Finding where LOOKUP gives another generation than `mine`, but not than another operation did."""
    if mine.generation != found.generation and other.generation == other_found.generation:
        raise Finding(f"{what}: generation {found.generation}, as LOOKUP has it", f"{mine.generation}")


def judge_new(k: Kernel, what: str, make: Callable[[str], EntryOut], other: Callable[[str], EntryOut]) -> None:
    """Two new nodes, because some faults need a neighbour: what made them, LOOKUP and GETATTR agree."""
    for name in ("first", "second"):
        made = make(name)
        found, beside = k.lookup(k.dir, name), other(f"{name}-beside")
        k.expect_equal(found.nodeid, made.nodeid, f"{what}: the nodeid beside LOOKUP's")
        expect_generation(what, made, found, beside, k.lookup(k.dir, f"{name}-beside"))
        expect_agreement(what, made.attr, found.attr, k.getattr(found.nodeid))


def created(k: Kernel, name: str) -> EntryOut:
    """A file made by CREATE, opened and closed again."""
    made, handle = k.create(k.dir, name)
    k.release_quietly(handle)
    return made


def new_file(k: Kernel) -> Callable[[str], EntryOut]:
    """A maker of files: by CREATE, or by MKNOD where that is not there, as the kernel does it (fuse_atomic_open)."""

    def make(name: str) -> EntryOut:
        try:
            return created(k, name)
        except OSError as error:
            if error.errno != ENOSYS:
                raise
            return k.mknod(k.dir, name, stat.S_IFREG | 0o644)

    return make


def killers(op: str, *more: str) -> tuple[str, ...]:
    """What must turn red a check of an operation that makes a node."""
    fields = ("ino=+1000", "nlink=+1", "uid=+1", "gid=+1", "blocks=+8", "mtime=+1000", "ctime=+1000", "atime=+1000")
    return (*(f"{op}:attr.{field}" for field in fields), f"{op}:neighbour", f"{op}:generation", f"{op}:nodeid", *more)


@wire_check(
    "protocol.create.agrees", op="CREATE", also=("LOOKUP", "GETATTR", "MKDIR"), source=SOURCE, needs=("write",),
    killers=killers("CREATE", "CREATE:attr.size=+1"), quick=True,
)
def create_agrees(k: Kernel) -> None:
    """The attributes, the nodeid and the generation that CREATE answers are those of LOOKUP and GETATTR."""
    with k.optional():  # MKNOD and OPEN do as well
        judge_new(k, "CREATE", lambda name: created(k, name), lambda name: k.mkdir(k.dir, name))


@wire_check(
    "protocol.mkdir.agrees", op="MKDIR", also=("LOOKUP", "GETATTR", "CREATE"), source=SOURCE, needs=("write",),
    quick=True, killers=killers("MKDIR", "MKDIR:errno=EIO", "MKDIR:attr.size=+1"),
)
def mkdir_agrees(k: Kernel) -> None:
    """The attributes, the nodeid and the generation that MKDIR answers are those of LOOKUP and GETATTR."""
    judge_new(k, "MKDIR", lambda name: k.mkdir(k.dir, name), new_file(k))


@wire_check(
    "protocol.mknod.agrees", op="MKNOD", also=("LOOKUP", "GETATTR", "CREATE"), source=SOURCE, needs=("write",),
    level=OPTIONAL, killers=killers("MKNOD", "MKNOD:attr.mode=+1"), quick=True,
)
def mknod_agrees(k: Kernel) -> None:
    """The attributes, the nodeid and the generation that MKNOD answers are those of LOOKUP and GETATTR."""
    with k.optional(EPERM, EROFS, EINVAL):
        judge_new(k, "MKNOD", lambda name: k.mknod(k.dir, name, stat.S_IFREG | 0o644), new_file(k))


@wire_check(
    "protocol.symlink.agrees", op="SYMLINK", also=("LOOKUP", "GETATTR", "CREATE"), source=SOURCE,
    level=OPTIONAL, needs=("write", "symlink"), quick=True,
    killers=killers("SYMLINK", "SYMLINK:attr.size=+1", "SYMLINK:attr.mode=+1"),
)
def symlink_agrees(k: Kernel) -> None:
    """The attributes, the nodeid and the generation that SYMLINK answers are those of LOOKUP and GETATTR."""
    judge_new(k, "SYMLINK", lambda name: k.symlink(k.dir, name, "target"), new_file(k))


@wire_check(
    "protocol.link.agrees", op="LINK", also=("LOOKUP", "GETATTR", "CREATE"), source=SOURCE, needs=("write", "hardlink"),
    level=OPTIONAL, killers=killers("LINK", "LINK:attr.size=+1", "LINK:attr.mode=+1"), quick=True,
)
def link_agrees(k: Kernel) -> None:
    """The attributes, the nodeid and the generation that LINK answers are those of LOOKUP and GETATTR."""
    make = new_file(k)

    def link(name: str) -> EntryOut:
        with k.setup():
            node = k.given_file(f"{name}-before", b"content")
        return k.hardlink(node, k.dir, name)

    judge_new(k, "LINK", link, make)


@wire_check(
    "protocol.tmpfile.agrees", op="TMPFILE", also=("GETATTR", "SETATTR", "LINK", "LOOKUP"), source=SOURCE,
    level=OPTIONAL, needs=("write", "hardlink"), quick=True,
    killers=(
        *(f"TMPFILE:attr.{field}" for field in ("ino=+1000", "uid=+1", "gid=+1", "size=+1", "nlink=+1", "blocks=+8")),
        "TMPFILE:attr.atime=+1000", "TMPFILE:attr.mtime=+1000", "TMPFILE:attr.ctime=+1000", "TMPFILE:neighbour",
        "TMPFILE:generation",
    ),
)  # fmt: skip
def tmpfile_agrees(k: Kernel) -> None:
    """The attributes and the generation that TMPFILE answers are those that GETATTR, SETATTR and LOOKUP give later."""
    for name in ("first", "second"):
        with k.optional(EPERM, EROFS, EINVAL):
            made, handle = k.tmpfile(k.dir)
        now = k.getattr(made.nodeid)
        with k.setup():
            changed = k.setattr(made.nodeid, mode=now.mode)
        alone = [text for text in differs(made.attr, now, changed) if not text.startswith("ctime")]
        k.expect(not alone, "TMPFILE: the attributes that GETATTR and SETATTR give", "; ".join(alone))
        before = made.attr.ctime <= changed.ctime
        k.expect(before, f"a ctime before that of a change, {changed.ctime}", str(made.attr.ctime))
        with k.setup():
            named = k.hardlink(made.nodeid, k.dir, name)
        found = k.lookup(k.dir, name)
        if (named.nodeid, named.generation) == (found.nodeid, found.generation) and named.nodeid == made.nodeid:
            k.expect_equal(found.generation, made.generation, "TMPFILE: the generation")
        k.release_quietly(handle)


@wire_check(
    "protocol.statx.agrees", op="STATX", also=("GETATTR", "LOOKUP", "CREATE"), source="catalogue 3.34.2",
    level=OPTIONAL, needs=("write",), quick=True,
    killers=(
        *(f"STATX:attr.{field}" for field in ("ino=+1000", "uid=+1", "gid=+1", "size=+1", "nlink=+1", "blocks=+8")),
        "STATX:attr.atime=+1000", "STATX:attr.mtime=+1000", "STATX:attr.ctime=+1000", "STATX:attr.mode=+1",
    ),
)  # fmt: skip
def statx_agrees(k: Kernel) -> None:
    """The attributes that STATX answers, as far as its mask says that it does, are those of GETATTR and LOOKUP."""
    node = k.given_file("file", b"content")
    with k.optional():
        shown = k.statx(node)
    found, asked = k.lookup(k.dir, "file").attr, k.getattr(node)
    wrong = []
    for name, bit in STATX_BITS.items():
        value = getattr(shown, name).tv_sec if name in TIMES else getattr(shown, name)
        if shown.mask & bit and getattr(found, name) == getattr(asked, name) != value:
            wrong.append(f"{name} {value}, others {getattr(found, name)}")
    k.expect(not wrong, "STATX: the attributes that GETATTR and LOOKUP give", "; ".join(wrong))


@wire_check(
    "protocol.lookup.agrees", op="LOOKUP", also=("CREATE", "GETATTR", "MKDIR"), source=SOURCE, needs=("write",),
    quick=True, killers=killers("LOOKUP", "LOOKUP:attr.size=+1", "LOOKUP:attr.mode=+1"),
)
def lookup_agrees(k: Kernel) -> None:
    """The attributes, the nodeid and the generation that LOOKUP answers are those with which the nodes were made."""
    makers: tuple[Callable[[str], EntryOut], ...] = (new_file(k), lambda name: k.mkdir(k.dir, name))
    other_nodes = other_generations = 0
    for name, make in zip(("file", "folder"), makers, strict=True):
        made = make(name)
        found, again = k.lookup(k.dir, name), k.lookup(k.dir, name)
        k.expect_equal(found.nodeid, again.nodeid, "the nodeid, twice")
        other_nodes += made.nodeid != found.nodeid
        other_generations += made.generation != found.generation
        if other_nodes < 1:
            expect_agreement("LOOKUP", found.attr, made.attr, k.getattr(made.nodeid))
    k.expect(other_nodes < 2, "LOOKUP: the nodeids that CREATE and MKDIR gave", "others, both times")
    k.expect(other_generations < 2, "LOOKUP: the generations that CREATE and MKDIR gave", "others, both times")


@wire_check(
    "protocol.getattr.agrees", op="GETATTR", also=("CREATE", "LOOKUP", "SETATTR"), source=SOURCE, needs=("write",),
    quick=True,
    killers=(
        *(f"GETATTR:attr.{field}" for field in ("ino=+1000", "mode=+1", "nlink=+1", "uid=+1", "gid=+1", "blocks=+8")),
        "GETATTR:attr.mtime=+1000", "GETATTR:attr.ctime=+1000", "GETATTR:attr.atime=+1000", "GETATTR:neighbour",
        "GETATTR:stale", "GETATTR:attr.size=+1",
    ),
)  # fmt: skip
def getattr_agrees(k: Kernel) -> None:
    """GETATTR answers what CREATE and LOOKUP do, and after a change what SETATTR and LOOKUP do."""
    make = new_file(k)
    for name in ("first", "second"):
        made = make(name)
        now = k.getattr(made.nodeid)
        expect_agreement("GETATTR", now, made.attr, k.lookup(k.dir, name).attr)
        with k.setup():
            changed = k.setattr(made.nodeid, mode=0o100600)
        with suppress(OSError):  # owner and group of their own, where they may be given away
            changed = k.setattr(made.nodeid, uid=1234, gid=4321)
        now = k.getattr(made.nodeid)
        expect_agreement("GETATTR after a change", now, changed, k.lookup(k.dir, name).attr)


@wire_check(
    "protocol.setattr.agrees", op="SETATTR", also=("LOOKUP", "GETATTR"), source="catalogue 3.4.1, 3.3.1",
    needs=("write", "regular-file"), quick=True,
    killers=(
        *(f"SETATTR:attr.{field}" for field in ("ino=+1000", "nlink=+1", "uid=+1", "gid=+1", "blocks=+8", "size=+1")),
        "SETATTR:attr.mtime=+1000", "SETATTR:attr.ctime=+1000", "SETATTR:attr.atime=+1000", "SETATTR:neighbour",
    ),
)  # fmt: skip
def setattr_agrees(k: Kernel) -> None:
    """The attributes that SETATTR answers, for a mode, a size and times, are those of LOOKUP and GETATTR."""
    for name in ("first", "second"):
        node = k.given_file(name, b"content")
        asks: dict[str, Callable[[int], Attr]] = {
            "a mode": lambda node: k.setattr(node, mode=0o100640),
            "a size": lambda node: k.setattr(node, size=3),
            "times": lambda node: k.setattr(node, atime=(_TIME, 0), mtime=(_TIME + 1, 0)),
        }
        for what, ask in asks.items():
            expect_agreement(f"SETATTR of {what}", ask(node), k.lookup(k.dir, name).attr, k.getattr(node))


@wire_check(
    "protocol.setattr.new-owner", op="SETATTR", also=("GETATTR",), source="catalogue 3.4.6; POSIX chown", level=SHOULD,
    needs=("write", "regular-file"), killers=("SETATTR:ignore.uid", "SETATTR:ignore.gid", "SETATTR:fake"), quick=True,
)
def owner(k: Kernel) -> None:
    """A new owner and group that SETATTR grants are there afterwards."""
    node = k.given_file("f")
    asks: dict[str, Callable[[], Attr]] = {
        "uid": lambda: k.setattr(node, uid=4321), "gid": lambda: k.setattr(node, gid=4321),
    }  # fmt: skip
    for name, ask in asks.items():
        try:
            ask()
        except OSError as error:
            raise Skip(f"the daemon grants no other {name}: {error.strerror}") from error
        k.expect_equal(4321, getattr(k.getattr(node), name), f"the {name} afterwards")
