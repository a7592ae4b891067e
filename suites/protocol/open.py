"""OPEN, FLUSH and RELEASE: the life of a handle."""

from __future__ import annotations

import os
from errno import ENOENT, ENOSYS, ESTALE

from fsprobe.checks import OPTIONAL, SHOULD, Unsupported, wire_check
from fsprobe.checks.kernel import Kernel

_NEEDS = ("write", "regular-file")


@wire_check(
    "protocol.open.read-only", op="OPEN", source="catalogue 3.13.8, 4", needs=("regular-file",), quick=True, main=True,
    killers=("OPEN:errno=EIO", "OPEN:errno=EACCES", "OPEN:length"),
)
def read_only(k: Kernel) -> None:
    """A regular file can be opened for reading."""
    handle = k.open(k.some_file().node)
    if handle.stateless:
        raise Unsupported("OPEN: ENOSYS (no open needed: files are read and written without a handle)", ENOSYS)


@wire_check(
    "protocol.open.twice", op="OPEN", also=("READ", "RELEASE"), source="catalogue 3.13.6", needs=("regular-file",),
    killers=("OPEN:errno=EMFILE", "READ:errno=EBADF"), quick=True,
)
def twice(k: Kernel) -> None:
    """Of two handles on a file, one works on when the other is released."""
    node = k.some_file().node
    first, second = k.open(node), k.open(node)
    before = k.read(second, 100)
    k.release_quietly(first)
    k.expect_equal(before, k.read(second, 100), "content")


@wire_check(
    "protocol.open.truncate", op="OPEN", also=("SETATTR", "GETATTR"), source="catalogue 3.13.2, 3.4.19", needs=_NEEDS,
    killers=("OPEN:fake", "OPEN:errno=EINVAL", "GETATTR:attr.size=+1"), quick=True,
)
def truncate(k: Kernel) -> None:
    """O_TRUNC empties the file: in OPEN where that was agreed on, else by the SETATTR that follows."""
    node = k.given_file("f", b"content")
    handle = k.open(node, os.O_WRONLY | os.O_TRUNC)
    k.expect_equal(0, k.getattr(node).size, "size")
    k.close_file(handle)
    k.expect_equal(b"", k.content(node), "content")


@wire_check(
    "protocol.open.unlinked", op="OPEN", also=("UNLINK",), source="catalogue 3.36 concurrency", needs=_NEEDS,
    level=SHOULD, killers=("OPEN:errno=EIO",), quick=True,
)
def unlinked(k: Kernel) -> None:
    """Opening a node whose name went between LOOKUP and OPEN succeeds or gives ENOENT, never EIO."""
    node = k.given_file("f")
    with k.setup():
        k.unlink(k.dir, "f")
    try:
        k.open(node)
    except OSError as error:
        k.expect(error.errno in (ENOENT, ESTALE), "success, ENOENT or ESTALE", error.strerror or "")


@wire_check(
    "protocol.flush.answered", op="FLUSH", also=("WRITE",), source="catalogue 3.17.1, 3.17.5", level=OPTIONAL,
    needs=("regular-file",), quick=True, main=True, killers=("FLUSH:errno=EIO", "FLUSH:drop"),
)
def flush_answered(k: Kernel) -> None:
    """FLUSH succeeds, twice on one handle too, as for a descriptor and its duplicate."""
    handle = k.open(k.some_file().node, os.O_RDONLY if k.read_only else os.O_RDWR)
    if not k.read_only:
        k.write(handle, b"x")
    with k.optional():
        k.flush(handle)
        k.flush(handle)


@wire_check(
    "protocol.release.answered", op="RELEASE", source="catalogue 3.17.1, 4", level=SHOULD, needs=("regular-file",),
    quick=True, main=True, killers=("RELEASE:errno=EIO", "RELEASE:drop"),
)
def release_answered(k: Kernel) -> None:
    """RELEASE is answered with success."""
    handle = k.open(k.some_file().node)
    if handle.stateless:
        raise Unsupported("OPEN: ENOSYS (there is no handle to release)", ENOSYS)
    with k.optional():
        k.release(handle)


@wire_check(
    "protocol.release.kept", op="RELEASE", also=("WRITE", "READ", "FLUSH"), source="catalogue 3.17.3", needs=_NEEDS,
    killers=("WRITE:fake", "WRITE:flip", "READ:errno=EIO"), quick=True,
)
def release_kept(k: Kernel) -> None:
    """What was written before close is read after the next open, every time."""
    node = k.given_file("f", b"-" * 20)
    for turn in range(5):
        handle = k.open(node, os.O_RDWR)
        k.write(handle, b"turn %d" % turn)
        k.close_file(handle)
        k.expect_equal(b"turn %d" % turn, k.content(node)[:6], "content")
