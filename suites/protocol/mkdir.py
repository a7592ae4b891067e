"""MKDIR and RMDIR."""

from __future__ import annotations

from errno import EEXIST, ENAMETOOLONG, ENOENT, ENOTEMPTY

from fsprobe.checks import wire_check
from fsprobe.checks.kernel import Kernel


@wire_check(
    "protocol.mkdir.created", op="MKDIR", also=("LOOKUP",), source="catalogue 3.7.1", needs=("write",),
    quick=True, main=True,
    killers=("MKDIR:errno=ENOSYS", "MKDIR:errno=EIO", "MKDIR:attr.mode=0o100755"),
)
def created(k: Kernel) -> None:
    """A directory can be made and is found again under the same nodeid."""
    made = k.mkdir(k.dir, "new")
    k.expect_equal("directory", k.type_of(made.attr), "type")
    k.expect_equal(made.nodeid, k.lookup(k.dir, "new").nodeid, "nodeid")


@wire_check(
    "protocol.mkdir.mode", op="MKDIR", source="catalogue 3.7.2", needs=("write", "mkdir"), quick=True,
    killers=("MKDIR:attr.mode=0o40000", "MKDIR:attr.mode=0o40755"),
)
def mode(k: Kernel) -> None:
    """A directory has the mode asked for, less the umask."""
    made = k.mkdir(k.dir, "new", 0o777, umask=0o027)
    k.expect_equal(0o40750, made.attr.mode, "mode")


@wire_check(
    "protocol.mkdir.empty", op="MKDIR", also=("READDIR",), source="catalogue 3.7.1", needs=("write", "mkdir"),
    killers=("READDIR:errno=EIO", "READDIR:errno=ENOENT"), quick=True,
)
def empty(k: Kernel) -> None:
    """A new directory holds nothing."""
    node = k.mkdir(k.dir, "new").nodeid
    k.expect_equal([], k.names(node), "entries")


@wire_check(
    "protocol.mkdir.name-too-long", op="MKDIR", also=("STATFS",), source="catalogue 3.1.2", needs=("write", "mkdir"),
    killers=("MKDIR:map=ENAMETOOLONG>EIO", "MKDIR:map=ENAMETOOLONG>EINVAL"), quick=True,
)
def name_too_long(k: Kernel) -> None:
    """A name longer than statfs allows gives ENAMETOOLONG."""
    with k.raises(ENAMETOOLONG):
        k.mkdir(k.dir, b"x" * (k.name_limit() + 1))


@wire_check(
    "protocol.rmdir.gone", op="RMDIR", also=("LOOKUP",), source="catalogue 3.9.2", needs=("write", "mkdir"),
    quick=True, main=True, killers=("RMDIR:errno=ENOSYS", "RMDIR:errno=EIO", "RMDIR:fake"),
)
def rmdir_gone(k: Kernel) -> None:
    """An empty directory can be removed, and its name is gone."""
    k.given_dir("d")
    k.rmdir(k.dir, "d")
    with k.raises(ENOENT):
        k.lookup(k.dir, "d")


@wire_check(
    "protocol.rmdir.not-empty", op="RMDIR", also=("CREATE", "LOOKUP"), source="catalogue 3.9.1",
    needs=("write", "mkdir"), quick=True,
    killers=("RMDIR:fake", "RMDIR:map=ENOTEMPTY>EIO", "RMDIR:map=ENOTEMPTY>EPERM"),
)
def rmdir_not_empty(k: Kernel) -> None:
    """A directory that holds a file is refused with ENOTEMPTY, and the file stays."""
    folder = k.given_dir("d")
    k.given_file("f", b"kept", parent=folder)
    with k.raises(ENOTEMPTY, EEXIST):
        k.rmdir(k.dir, "d")
    k.lookup(folder, "f")


@wire_check(
    "protocol.rmdir.missing", op="RMDIR", source="catalogue 3.9.1", needs=("write",), quick=True,
    killers=("RMDIR:fake", "RMDIR:map=ENOENT>EIO"),
)
def rmdir_missing(k: Kernel) -> None:
    """Removing a directory that is not there (someone was faster) gives ENOENT."""
    with k.raises(ENOENT):
        k.rmdir(k.dir, "missing")
