"""CREATE: a new file, opened at once."""

from __future__ import annotations

from errno import ENAMETOOLONG, ENOSYS
from typing import Any

from fsprobe.checks import SHOULD, Skip, Unsupported, wire_check
from fsprobe.checks.kernel import Handle, Kernel, Name


@wire_check(
    "protocol.create.regular", op="CREATE", also=("WRITE", "GETATTR", "LOOKUP"), source="catalogue 3.24.3, 4",
    needs=("write",), quick=True, main=True,
    killers=("CREATE:errno=EIO", "CREATE:errno=EROFS", "CREATE:attr.mode=0o40644", "CREATE:nodeid"),
)
def regular(k: Kernel) -> None:
    """A new regular file can be written and asked about before anyone looks it up, and is then found."""
    try:
        made, handle = k.create(k.dir, "new")
    except OSError as error:
        if error.errno != ENOSYS:
            raise
        k.mknod(k.dir, "new", 0o100644)
        raise Unsupported("CREATE: ENOSYS (the kernel asks MKNOD and OPEN instead, which work)", ENOSYS) from None
    k.expect_equal("regular file", k.type_of(made.attr), "type")
    k.expect_equal(4, k.write(handle, b"data"), "bytes written")
    k.expect_equal(4, k.getattr(made.nodeid, handle).size, "size")
    k.expect_equal(made.nodeid, k.lookup(k.dir, "new").nodeid, "nodeid")


def _create(k: Kernel, parent: int, name: Name, mode: int = 0o644, umask: int = 0o022) -> tuple[Any, Handle]:
    """CREATE, where it is offered at all. Raises Skip."""
    try:
        return k.create(parent, name, mode, umask=umask)
    except OSError as error:
        if error.errno == ENOSYS:
            raise Skip("CREATE is not offered: the kernel asks MKNOD and OPEN instead") from None
        raise


@wire_check(
    "protocol.create.mode", op="CREATE", also=("GETATTR",), source="catalogue 3.24.2", needs=("write", "regular-file"),
    killers=("CREATE:attr.mode=0o100777", "GETATTR:attr.mode=0o100777"), quick=True,
)
def mode(k: Kernel) -> None:
    """A new file has the mode asked for, less the umask."""
    made, _ = _create(k, k.dir, "new", 0o666, umask=0o027)
    k.expect_equal(0o100640, made.attr.mode, "mode")
    k.expect_equal(0o100640, k.getattr(made.nodeid).mode, "mode")


@wire_check(
    "protocol.create.owner", op="CREATE", also=("GETATTR",), source="catalogue 3.24.2", level=SHOULD,
    needs=("write", "regular-file"), killers=("CREATE:attr.uid=+7", "CREATE:attr.gid=+7"), quick=True,
)
def owner(k: Kernel) -> None:
    """A new file belongs to whoever made it."""
    made, _ = _create(k, k.dir, "new")
    k.expect_equal((k.link.uid, k.link.gid), (made.attr.uid, made.attr.gid), "owner and group")


@wire_check(
    "protocol.create.listed", op="CREATE", also=("READDIR",), source="catalogue 3.1.6", needs=("write", "regular-file"),
    killers=("READDIR:entries=lose", "CREATE:errno=EIO"), quick=True,
)
def listed(k: Kernel) -> None:
    """A new file is in its directory at once."""
    _create(k, k.dir, "new")
    k.expect_equal([b"new"], k.names(k.dir), "names")


@wire_check(
    "protocol.create.same-name-twice", op="CREATE", also=("LOOKUP", "MKDIR", "READ"), source="catalogue 3.24; 3.1.7",
    needs=("write", "mkdir", "regular-file"), quick=True,
    killers=("CREATE:errno=EEXIST", "READ:flip", "vexfs:flat-names"),
)
def same_name_twice(k: Kernel) -> None:
    """Two files of the same name in two directories are two files."""
    one, two = k.given_dir("one"), k.given_dir("two")
    first, handle = _create(k, one, "f")
    k.write(handle, b"first")
    k.close_file(handle)
    second, handle = _create(k, two, "f")
    k.write(handle, b"second one")
    k.close_file(handle)
    k.expect(first.nodeid != second.nodeid, "two nodeids", f"nodeid {first.nodeid} for both")
    k.expect_equal(b"first", k.content(k.lookup(one, "f").nodeid), "content of the first")
    k.expect_equal(b"second one", k.content(k.lookup(two, "f").nodeid), "content of the second")


@wire_check(
    "protocol.create.longest-name", op="CREATE", also=("LOOKUP", "STATFS"), source="catalogue 3.1.2", quick=True,
    needs=("write", "regular-file"), killers=("CREATE:map=ENAMETOOLONG>EINVAL", "LOOKUP:errno=ENAMETOOLONG"),
)
def longest_name(k: Kernel) -> None:
    """A name as long as statfs allows works, one byte more gives ENAMETOOLONG."""
    limit = k.name_limit()
    made, _ = _create(k, k.dir, b"x" * limit)
    k.expect_equal(made.nodeid, k.lookup(k.dir, b"x" * limit).nodeid, "nodeid")
    with k.raises(ENAMETOOLONG):
        _create(k, k.dir, b"x" * (limit + 1))
