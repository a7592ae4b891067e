"""LOOKUP: a name in a directory becomes a nodeid."""

from __future__ import annotations

from errno import EILSEQ, EINVAL, ENAMETOOLONG, ENOENT, ENOSYS
from stat import S_IFREG

from fsprobe.checks import INFO, SHOULD, Finding, Skip, wire_check
from fsprobe.checks.kernel import Kernel


@wire_check(
    "protocol.lookup.existing", op="LOOKUP", source="catalogue 3.1.7; fs/fuse/dir.c fuse_lookup",
    needs=("regular-file",), quick=True, main=True,
    killers=("LOOKUP:errno=ENOENT", "LOOKUP:errno=ENOSYS", "LOOKUP:nodeid", "LOOKUP:attr.mode=0o40755"),
)
def existing(k: Kernel) -> None:
    """A name that exists is found, under the nodeid that its file has already, as a regular file."""
    sample = k.some_file()
    found = k.lookup(sample.parent, sample.name)
    k.expect_equal(sample.node, found.nodeid, "nodeid")
    k.expect_equal("regular file", k.type_of(found.attr), "type")


@wire_check(
    "protocol.lookup.missing-name", op="LOOKUP", source="catalogue 3.1.1; fs/fuse/dir.c fuse_lookup_name",
    quick=True, killers=("LOOKUP:map=ENOENT>EIO", "LOOKUP:errno=ENOSYS"),
)
def missing_name(k: Kernel) -> None:
    """A name that does not exist gives ENOENT, or nodeid 0."""
    with k.raises(ENOENT):
        k.lookup(k.root, k.unused_name())


@wire_check(
    "protocol.lookup.attributes", op="LOOKUP", also=("GETATTR",), source="catalogue 3.1.8",
    needs=("regular-file",), quick=True,
    killers=("LOOKUP:attr.size=+1", "LOOKUP:attr.nlink=+1", "LOOKUP:attr.mode=0o100111", "LOOKUP:attr.uid=+7"),
)
def attributes(k: Kernel) -> None:
    """The attributes that LOOKUP gives are those that GETATTR gives."""
    sample = k.some_file()
    found = k.lookup(sample.parent, sample.name).attr
    asked = k.getattr(sample.node)
    for what in ("mode", "size", "nlink", "uid", "gid", "ino"):
        k.expect_equal(getattr(asked, what), getattr(found, what), what)


@wire_check(
    "protocol.lookup.after-forget", op="LOOKUP", also=("FORGET", "GETATTR"), source="catalogue 3.1.7, 3.2.2",
    needs=("regular-file",), killers=("LOOKUP:errno=EIO", "LOOKUP:attr.size=+1"), quick=True,
)
def after_forget(k: Kernel) -> None:
    """A file that was forgotten is found again by its name, as it was."""
    sample = k.some_file()
    before = k.getattr(sample.node)
    k.forget(sample.node, k.lookups(sample.node))
    again = k.lookup(sample.parent, sample.name)
    k.expect_equal((before.mode, before.size), (again.attr.mode, again.attr.size), "mode and size")


@wire_check(
    "protocol.lookup.name-too-long", op="LOOKUP", also=("STATFS",), source="catalogue 3.1.2", level=SHOULD,
    killers=("LOOKUP:map=ENAMETOOLONG>ENOENT",), quick=True,
)
def name_too_long(k: Kernel) -> None:
    """A name longer than statfs allows gives ENAMETOOLONG: the kernel passes on up to 1024 bytes."""
    limit = k.name_limit()
    with k.raises(ENAMETOOLONG):
        k.lookup(k.root, b"x" * (limit + 1))


@wire_check(
    "protocol.lookup.odd-bytes", op="LOOKUP", also=("CREATE",), source="catalogue 3.1.3", level=SHOULD,
    needs=("write",), killers=("LOOKUP:errno=EIO", "CREATE:errno=EIO"), quick=True,
)
def odd_bytes(k: Kernel) -> None:
    """A name is bytes: one that is no UTF-8, with a newline and a backslash, is kept as it is."""
    name = b"\xff\xfe\n \\:*\x01."
    try:
        made, handle = k.create(k.dir, name)
        k.release(handle)
    except OSError as error:
        if error.errno in (EILSEQ, EINVAL):
            raise Finding("any bytes but / and NUL", f"{error.strerror}", warn=True) from None
        if error.errno != ENOSYS:
            raise
        made = k.mknod(k.dir, name, S_IFREG | 0o644)  # as the kernel does it
    k.expect_equal(made.nodeid, k.lookup(k.dir, name).nodeid, "nodeid")
    k.expect(name in k.names(k.dir), f"READDIR shows {name!r}", f"{k.names(k.dir)}")


@wire_check(
    "protocol.lookup.case", op="LOOKUP", also=("CREATE",), source="catalogue 3.1.4", level=INFO,
    needs=("write",), killers=("LOOKUP:map=ENOENT>EIO",), quick=True,
)
def case(k: Kernel) -> None:
    """Upper and lower case are different names."""
    k.given_file("lower")
    with k.raises(ENOENT):
        k.lookup(k.dir, "LOWER")


@wire_check(
    "protocol.lookup.dots", op="LOOKUP", source="catalogue 3.20.2; fs/fuse/inode.c fuse_get_dentry, fuse_get_parent",
    killers=("LOOKUP:nodeid", "LOOKUP:errno=EIO", "LOOKUP:attr.mode=0o100644"), quick=True,
)
def dots(k: Kernel) -> None:
    """Who agrees to EXPORT_SUPPORT finds `.` of a directory as itself and `..` as its parent: an NFS server asks so."""
    if not k.has("EXPORT_SUPPORT"):
        raise Skip("the daemon did not ask for EXPORT_SUPPORT, so no kernel looks these names up")
    if k.read_only:
        given = k.some_dir()
        inner, outer = given.node, given.parent
    else:
        inner, outer = k.given_dir("inner", parent=k.dir), k.dir
    for name, node in ((b".", inner), (b"..", outer)):
        if inner == k.root and name == b"..":
            continue  # the root has no parent to look up
        found = k.lookup_raw(inner, name)
        k.expect_equal(node, found.nodeid, f"nodeid of {name.decode()!r}")
        k.expect_equal("directory", k.type_of(found.attr), "type")
