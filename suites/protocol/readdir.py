"""OPENDIR, READDIR, READDIRPLUS and RELEASEDIR."""

from __future__ import annotations

from errno import ENOSYS

from fsprobe.checks import OPTIONAL, SHOULD, Finding, Unsupported, wire_check
from fsprobe.checks.kernel import Kernel

_DOTS = (b".", b"..")
_NAMES = tuple(b"entry-%02d-" % number + b"n" * (5 * number) for number in range(9))
# A buffer that holds one entry of 255 bytes, or few of these: a directory takes several requests.
_SMALL = 288


def _fill(k: Kernel) -> None:
    for name in _NAMES:
        k.given_file(name)


@wire_check(
    "protocol.opendir.answered", op="OPENDIR", source="catalogue 3.21.12, 4", quick=True, main=True,
    killers=("OPENDIR:errno=EIO", "OPENDIR:errno=EACCES"),
)
def opendir(k: Kernel) -> None:
    """A directory can be opened."""
    handle = k.opendir(k.some_dir().node)
    if handle.stateless:
        raise Unsupported("OPENDIR: ENOSYS (no open needed: directories are read without a handle)", ENOSYS)


@wire_check(
    "protocol.readdir.complete", op="READDIR", also=("OPENDIR", "CREATE"), source="catalogue 3.21.1", needs=("write",),
    quick=True, main=True,
    killers=("READDIR:errno=ENOSYS", "READDIR:entries=lose", "READDIR:entries=double", "READDIR:entries=slash"),
)
def complete(k: Kernel) -> None:
    """Every entry is listed exactly once."""
    _fill(k)
    k.expect_equal(sorted(_NAMES), k.names(k.dir), "names")


@wire_check(
    "protocol.readdir.answered", op="READDIR", also=("OPENDIR",), source="catalogue 3.21.1, 3.21.8", quick=True,
    killers=("READDIR:errno=ENOSYS", "READDIR:errno=EIO"),
)
def answered(k: Kernel) -> None:
    """The root can be listed to its end, no name twice."""
    names = [entry.name for entry in k.entries(k.root)]
    twice = {name for name in names if names.count(name) > 1} if len(names) < 2000 else set()
    k.expect(not twice, "every name once", f"{sorted(twice)[:3]} more than once")


@wire_check(
    "protocol.readdir.lookup", op="READDIR", also=("LOOKUP",), source="catalogue 3.21.1, 3.1.6", quick=True,
    killers=("LOOKUP:errno=ENOENT", "READDIR:errno=EIO", "READDIR:entries=slash"),
)
def lookup(k: Kernel) -> None:
    """Every name that is listed is found by LOOKUP."""
    folder = k.some_dir()
    if not k.read_only:
        k.given_file("listed")
    for entry in [e for e in k.entries(folder.node) if e.name not in _DOTS][:20]:
        try:
            k.lookup_raw(folder.node, entry.name)
        except OSError as error:
            raise Finding(f"LOOKUP finds {entry.name!r}", f"{error.strerror}") from None


@wire_check(
    "protocol.readdir.small-buffer", op="READDIR", source="catalogue 3.21.3", needs=("write",), quick=True,
    killers=("READDIR:entries=double", "READDIR:entries=lose", "READDIR:errno=EINVAL"),
)
def small_buffer(k: Kernel) -> None:
    """A directory read in small pieces is the directory read at once."""
    _fill(k)
    handle = k.opendir(k.dir)
    found = k.own_names(k.read_directory(handle, _SMALL))
    k.expect_equal(sorted(_NAMES), found, "names")


@wire_check(
    "protocol.readdir.offsets", op="READDIR", source="catalogue 3.21.3", quick=True,
    killers=("READDIR:entries=lose", "READDIR:errno=EIO"),
)
def offsets(k: Kernel) -> None:
    """Reading on from the offset of any entry gives the entries behind it, and no others."""
    if not k.read_only:
        _fill(k)
    handle = k.opendir(k.some_dir().node)
    whole = k.read_directory(handle)
    if len(whole) > 60:
        whole = whole[:60]
    for place in range(len(whole) - 1, -1, -1):
        following = k.readdir(handle, whole[place].off)
        wanted = whole[place + 1].name if place + 1 < len(whole) else None
        if wanted is None:
            continue
        seen = following[0].name if following else None
        k.expect_equal(wanted, seen, f"behind offset {whole[place].off} ({whole[place].name!r}), the name")


@wire_check(
    "protocol.readdir.types", op="READDIR", also=("LOOKUP",), source="catalogue 3.21.2", quick=True,
    killers=("LOOKUP:attr.mode=0o10644",),
)
def types(k: Kernel) -> None:
    """The type of each entry is that of its attributes, or unknown."""
    if not k.read_only:
        k.given_file("file")
    folder = k.some_dir()
    unknown = 0
    for entry in [e for e in k.entries(folder.node) if e.name not in _DOTS][:20]:
        attr = k.lookup_raw(folder.node, entry.name).attr
        unknown += entry.type == 0
        if entry.type not in (0, attr.mode >> 12 & 15):
            raise Finding(f"type {attr.mode >> 12 & 15} of {entry.name!r}", f"type {entry.type}")
    if unknown:
        raise Finding("the type of each entry", f"{unknown} of unknown type: ls and find ask for each", warn=True)


@wire_check(
    "protocol.readdir.inode-numbers", op="READDIR", source="catalogue 3.21.2", level=SHOULD,
    killers=("READDIR:errno=EIO",), quick=True,
)
def inode_numbers(k: Kernel) -> None:
    """No entry has inode number 0: many programs take it for a removed one."""
    none = [entry.name for entry in k.entries(k.some_dir().node) if entry.ino == 0]
    k.expect(not none, "an inode number for each entry", f"0 for {none[:3]}")


@wire_check(
    "protocol.readdir.rewind", op="READDIR", also=("CREATE",), source="catalogue 3.21.4",
    needs=("write", "regular-file"), quick=True, killers=("READDIR:stale", "READDIR:entries=lose,nth=3"),
)
def rewind(k: Kernel) -> None:
    """A directory that is read again from offset 0 shows what was made since it was opened."""
    k.given_file("before")
    handle = k.opendir(k.dir)
    k.expect_equal([b"before"], k.own_names(k.read_directory(handle)), "names")
    k.given_file("later")
    k.expect_equal([b"before", b"later"], k.own_names(k.read_directory(handle)), "names")


@wire_check(
    "protocol.readdir.dots", op="READDIR", source="catalogue 3.21.1", level=SHOULD, killers=("READDIR:errno=EIO",),
    quick=True,
)
def dots(k: Kernel) -> None:
    """A directory lists itself and its parent, as every other file system of Linux does."""
    names = {entry.name for entry in k.entries(k.some_dir().node)}
    absent = [name.decode() for name in _DOTS if name not in names]
    k.expect(not absent, "the entries . and ..", f"no {' and no '.join(absent)}")


@wire_check(
    "protocol.readdirplus.attributes", op="READDIRPLUS", also=("GETATTR", "OPENDIR"), source="catalogue 3.21.9",
    level=OPTIONAL, needs=("readdirplus",), quick=True, main=True,
    killers=(
        "READDIRPLUS:errno=EIO", "READDIRPLUS:entries=slash", "READDIRPLUS:attr.size=+1", "READDIRPLUS:entries=lose",
    ),
)
def plus_attributes(k: Kernel) -> None:
    """READDIRPLUS lists what READDIR lists, with the attributes that GETATTR gives."""
    if not k.read_only:
        k.given_file("file", b"12345")
    folder = k.some_dir()
    plain = k.opendir(folder.node)
    listed = {entry.name for entry in k.readdir(plain)}
    handle = k.opendir(folder.node)
    with k.optional():
        plus = list(k.readdirplus(handle))
    while plus and not listed <= {one.dirent.name for one in plus}:
        following = k.readdirplus(handle, plus[-1].dirent.off)
        if not following or len(plus) > 5000:
            break
        plus += following
    names = {one.dirent.name for one in plus}
    k.expect(listed <= names, "the names that READDIR lists", f"without {sorted(listed - names)[:3]}")
    bare = 0
    for one in plus[:20]:
        if one.dirent.name in _DOTS:
            continue
        if one.entry.nodeid == 0:
            bare += 1
            continue
        attr = k.getattr(one.entry.nodeid)
        said = (one.entry.attr.mode, one.entry.attr.size)
        k.expect_equal((attr.mode, attr.size), said, f"mode and size of {one.dirent.name!r}")
    if bare:
        k.note(f"{bare} entries came without attributes: each is looked up again")


@wire_check(
    "protocol.releasedir.answered", op="RELEASEDIR", also=("OPENDIR",), source="catalogue 3.21.12, 4", level=SHOULD,
    quick=True, main=True, killers=("RELEASEDIR:errno=EIO", "RELEASEDIR:drop"),
)
def releasedir(k: Kernel) -> None:
    """RELEASEDIR is answered with success."""
    handle = k.opendir(k.some_dir().node)
    if handle.stateless:
        raise Unsupported("OPENDIR: ENOSYS (there is no handle to release)", ENOSYS)
    with k.optional():
        k.release(handle)
