"""RENAME and RENAME2."""

from __future__ import annotations

from errno import EEXIST, EINVAL, ENOENT, ENOTEMPTY

from fsprobe.checks import OPTIONAL, wire_check
from fsprobe.checks.kernel import Kernel

_NEEDS = ("write", "regular-file")
_NOREPLACE, _EXCHANGE = 1, 2


@wire_check(
    "protocol.rename.moves", op="RENAME", also=("LOOKUP",), source="catalogue 3.10.1", needs=_NEEDS,
    quick=True, main=True, killers=("RENAME:errno=ENOSYS", "RENAME:errno=EIO", "RENAME:fake"),
)
def moves(k: Kernel) -> None:
    """A renamed file has its new name and its content; the old name is gone."""
    k.given_file("old", b"content")
    k.rename(k.dir, "old", k.dir, "new")
    with k.raises(ENOENT):
        k.lookup(k.dir, "old")
    k.expect_equal(b"content", k.content(k.lookup(k.dir, "new").nodeid), "content")


@wire_check(
    "protocol.rename.replaces", op="RENAME", also=("LOOKUP", "READ"), source="catalogue 3.10.2", needs=_NEEDS,
    killers=("RENAME:fake", "RENAME:errno=EEXIST"), quick=True,
)
def replaces(k: Kernel) -> None:
    """A rename onto an existing file puts the new content under that name."""
    k.given_file("new version", b"new")
    k.given_file("target", b"old content")
    k.rename(k.dir, "new version", k.dir, "target")
    k.expect_equal(b"new", k.content(k.lookup(k.dir, "target").nodeid), "content")
    k.expect_equal([b"target"], k.names(k.dir), "names")


@wire_check(
    "protocol.rename.open-victim", op="RENAME", also=("READ",), source="catalogue 3.10.2", needs=_NEEDS, quick=True,
    killers=("RENAME:errno=EBUSY", "READ:errno=ENOENT"),
)
def open_victim(k: Kernel) -> None:
    """A file that is replaced while open can still be read through its handle."""
    k.given_file("new", b"new")
    handle = k.given_handle(k.given_file("target", b"old content"))
    k.rename(k.dir, "new", k.dir, "target")
    k.expect_equal(b"old content", k.read(handle, 64), "content")


@wire_check(
    "protocol.rename.other-directory", op="RENAME", also=("LOOKUP",), source="catalogue 3.10.7",
    needs=("write", "mkdir"), killers=("RENAME:fake", "RENAME:errno=EXDEV"), quick=True,
)
def other_directory(k: Kernel) -> None:
    """A file and a directory can be moved into another directory."""
    folder, moved = k.given_dir("folder"), k.given_dir("moved")
    k.given_file("inside", b"inside", parent=moved)
    k.given_file("f", b"content")
    k.rename(k.dir, "f", folder, "g")
    k.rename(k.dir, "moved", folder, "moved too")
    k.expect_equal([b"g", b"moved too"], k.names(folder), "names")
    k.expect_equal([b"inside"], k.names(k.lookup(folder, "moved too").nodeid), "names in the moved directory")


@wire_check(
    "protocol.rename.nodeid-stays", op="RENAME", also=("GETATTR", "READ"), source="catalogue 3.10.8", needs=_NEEDS,
    killers=("GETATTR:errno=ENOENT", "RENAME:errno=EIO"), quick=True,
)
def nodeid_stays(k: Kernel) -> None:
    """The nodeid of a renamed file still leads to it."""
    node = k.given_file("old", b"content")
    k.rename(k.dir, "old", k.dir, "new")
    k.expect_equal(7, k.getattr(node).size, "size")
    k.expect_equal(b"content", k.content(node), "content")


@wire_check(
    "protocol.rename.missing", op="RENAME", source="catalogue 3.10.6", needs=_NEEDS, quick=True,
    killers=("RENAME:fake", "RENAME:map=ENOENT>EIO"),
)
def missing(k: Kernel) -> None:
    """Renaming a name that is not there (someone was faster) gives ENOENT."""
    with k.raises(ENOENT):
        k.rename(k.dir, "missing", k.dir, "new")


@wire_check(
    "protocol.rename.not-empty", op="RENAME", also=("MKDIR",), source="catalogue 3.10.5", needs=("write", "mkdir"),
    killers=("RENAME:fake", "RENAME:map=ENOTEMPTY>EIO", "RENAME:map=ENOTEMPTY>EPERM"), quick=True,
)
def not_empty(k: Kernel) -> None:
    """A directory is not renamed onto one that holds something: ENOTEMPTY, and nothing is lost."""
    k.given_dir("source")
    target = k.given_dir("target")
    k.given_file("kept", b"kept", parent=target)
    with k.raises(ENOTEMPTY, EEXIST):
        k.rename(k.dir, "source", k.dir, "target")
    k.lookup(k.lookup(k.dir, "target").nodeid, "kept")


@wire_check(
    "protocol.rename2.no-replace", op="RENAME2", also=("LOOKUP",), source="catalogue 3.11.1", level=OPTIONAL,
    needs=_NEEDS, quick=True, main=True, killers=("RENAME2:errno=EIO", "RENAME2:fake"),
)
def no_replace(k: Kernel) -> None:
    """RENAME_NOREPLACE moves to a free name, and gives EEXIST for one that is taken."""
    k.given_file("old", b"one")
    k.given_file("taken", b"two")
    with k.optional(EINVAL):
        k.rename2(k.dir, "old", k.dir, "new", _NOREPLACE)
    with k.raises(EEXIST):
        k.rename2(k.dir, "new", k.dir, "taken", _NOREPLACE)
    k.expect_equal([b"new", b"taken"], k.names(k.dir), "names")


@wire_check(
    "protocol.rename2.exchange", op="RENAME2", also=("LOOKUP", "READ"), source="catalogue 3.11.1, 3.11.2",
    level=OPTIONAL, needs=_NEEDS, killers=("RENAME2:errno=EIO", "RENAME2:fake"), quick=True,
)
def exchange(k: Kernel) -> None:
    """RENAME_EXCHANGE swaps two files, or is refused: it is never taken for a plain rename."""
    k.given_file("a", b"was a")
    k.given_file("b", b"was b")
    with k.optional(EINVAL):
        k.rename2(k.dir, "a", k.dir, "b", _EXCHANGE)
    k.expect_equal([b"a", b"b"], k.names(k.dir), "names")
    for name, content in (("a", b"was b"), ("b", b"was a")):
        k.expect_equal(content, k.content(k.lookup(k.dir, name).nodeid), f"content of {name}")
