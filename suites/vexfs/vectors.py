"""NAME.vec: what is taken as a vector, when, and what is said of one that cannot be."""

from __future__ import annotations

import errno
import os
import re

from fsprobe.checks import Skip, mount_check
from fsprobe.checks.mount import Mount

DIMENSION, MODEL, TIMESTAMP = "user.vexfs.dimension", "user.vexfs.model", "user.vexfs.timestamp"
SOURCE = "VexFS, the vector interface"


def put(m: Mount, name: str, *chunks: str) -> str:
    """Write a file in as many writes as there are chunks, and close it; its path. Part of the question, not set-up."""
    try:
        os.stat(os.path.join(m.root, "_vexfs"))
    except FileNotFoundError:
        raise Skip("there is no _vexfs: this file system has no vector interface") from None
    path = m.path(name)
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    for chunk in chunks:
        os.write(fd, chunk.encode())
    m.close(fd)
    return path


def dimension(path: str) -> bytes | None:
    """The dimension that the file system tells, None where it takes the file for no vector."""
    try:
        return os.getxattr(path, DIMENSION)
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        return None


@mount_check(
    "vexfs.vector.taken-when-closed", op="FLUSH", also=("GETXATTR", "WRITE"), source=SOURCE, needs=("write", "xattr"),
    quick=True, killers=("FLUSH:errno=EIO", "GETXATTR:flip", "GETXATTR:errno=EIO"),
)
def taken_when_closed(m: Mount) -> None:
    """A file NAME.vec of comma-separated numbers is a vector once it is closed, and tells its dimension."""
    m.expect_equal(b"3", dimension(put(m, "a.vec", "1, -2.5,3e-1\n")), DIMENSION)


@mount_check(
    "vexfs.vector.not-by-chunk", op="WRITE", also=("FLUSH", "GETXATTR"), source=SOURCE, needs=("write", "xattr"),
    killers=("WRITE:fake", "WRITE:errno=EIO", "GETXATTR:flip"),
)
def not_by_chunk(m: Mount) -> None:
    """A vector that is written in pieces is looked into when it is whole, not before."""
    put(m, "other.vec", "1,2")
    path = m.path("a.vec")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    for chunk in ("1,2", ",3", "4,5"):
        os.write(fd, chunk.encode())
        m.expect_equal(None, dimension(path), f"{DIMENSION} while it is being written")
    with m.raises(errno.EINVAL, what="close of 4 dimensions beside 2"):
        m.close(fd)
    os.unlink(m.path("other.vec"))
    m.expect_equal(b"4", dimension(put(m, "b.vec", "1,2", ",3", "4,5")), DIMENSION)


@mount_check(
    "vexfs.vector.text-stays-a-file", op="FLUSH", also=("READ",), source=SOURCE, needs=("write", "xattr"),
    killers=("FLUSH:errno=EINVAL", "READ:flip", "GETXATTR:errno=EIO"),
)
def text_stays_a_file(m: Mount) -> None:
    """Text that is no vector stays an ordinary file, whatever its name: it can be closed and read."""
    texts = ("", "a letter", "1,two,3", "1,,2", "1,2,", "1 2 3", "1,2\n3,4\n", "0x10,1", "1_0,1")
    for number, text in enumerate(texts):
        path = put(m, f"{number}.vec", text)
        m.expect_equal(text.encode(), m.read(path), "the content")
        m.expect_equal(None, dimension(path), f"{DIMENSION} of {text!r}")


@mount_check(
    "vexfs.vector.finite", op="FLUSH", source=SOURCE, needs=("write", "xattr"), quick=True,
    killers=("FLUSH:fake", "FLUSH:errno=EIO", "WRITE:fake"),
)
def finite(m: Mount) -> None:
    """A vector with a value that is not finite is refused with EINVAL when closed; the file keeps its content."""
    for number, value in enumerate(("nan", "inf", "-Infinity", "1e999")):
        text = f"1,{value},3"
        with m.raises(errno.EINVAL, what=f"close of a vector with {value}"):
            put(m, f"{number}.vec", text)
        m.expect_equal(text.encode(), m.read(m.path(f"{number}.vec")), "the content")
        m.expect_equal(None, dimension(m.path(f"{number}.vec")), DIMENSION)


@mount_check(
    "vexfs.vector.most-dimensions", op="FLUSH", also=("WRITE",), source=SOURCE, needs=("write", "xattr"),
    killers=("FLUSH:fake", "FLUSH:errno=EINVAL", "WRITE:fake"),
)
def most_dimensions(m: Mount) -> None:
    """10,000 dimensions are a vector, one more is refused with EINVAL."""
    m.expect_equal(b"10000", dimension(put(m, "a.vec", ",".join(["0.25"] * 10_000))), DIMENSION)
    with m.raises(errno.EINVAL, what="close of a vector of 10,001 dimensions"):
        put(m, "b.vec", ",".join(["0.25"] * 10_001))


@mount_check(
    "vexfs.vector.one-dimension", op="FLUSH", also=("MKDIR",), source=SOURCE, needs=("write", "xattr"),
    killers=("FLUSH:fake", "FLUSH:errno=EINVAL", "WRITE:fake"),
)
def one_dimension(m: Mount) -> None:
    """The vectors of a directory have one dimension: another is refused with EINVAL there, and taken elsewhere."""
    put(m, "a.vec", "1,2,3")
    with m.raises(errno.EINVAL, what="close of 2 dimensions beside 3"):
        put(m, "b.vec", "1,2")
    m.subdir("other")
    m.expect_equal(b"2", dimension(put(m, "other/b.vec", "1,2")), DIMENSION)


@mount_check(
    "vexfs.vector.dimension-free-again", op="UNLINK", also=("FLUSH",), source=SOURCE, needs=("write", "xattr"),
    killers=("UNLINK:fake", "UNLINK:errno=EIO", "FLUSH:errno=EINVAL"),
)
def dimension_free_again(m: Mount) -> None:
    """A directory whose last vector is gone takes another dimension."""
    os.unlink(put(m, "a.vec", "1,2,3"))
    m.expect_equal(b"2", dimension(put(m, "b.vec", "1,2")), DIMENSION)


@mount_check(
    "vexfs.vector.rewritten", op="WRITE", also=("FLUSH", "GETXATTR"), source=SOURCE, needs=("write", "xattr"),
    killers=("WRITE:fake", "WRITE:errno=EIO,nth=2", "GETXATTR:map=ENODATA>EIO"),
)
def rewritten(m: Mount) -> None:
    """A vector that is overwritten by words is none any more, and one again with numbers."""
    path = put(m, "a.vec", "1,2,3")
    for text, wanted in ((b"words", None), (b"4,5,6", b"3")):
        fd = m.open(path, os.O_WRONLY)
        os.pwrite(fd, text, 0)
        m.close(fd)
        m.expect_equal(wanted, dimension(path), f"{DIMENSION} of {text!r}")


@mount_check(
    "vexfs.vector.model", op="SETXATTR", also=("GETXATTR", "LISTXATTR"), source=SOURCE, needs=("write", "xattr"),
    killers=("SETXATTR:fake", "GETXATTR:errno=EIO", "LISTXATTR:errno=EIO"),
)
def model(m: Mount) -> None:
    """user.vexfs.model is the user's to set and stays when the vector is written anew."""
    path = put(m, "a.vec", "1,2,3")
    os.setxattr(path, MODEL, b"model-1")
    fd = m.open(path, os.O_WRONLY)
    os.pwrite(fd, b"3,2,1", 0)
    m.close(fd)
    m.expect_equal(b"model-1", os.getxattr(path, MODEL), MODEL)
    m.expect_equal({DIMENSION, MODEL, TIMESTAMP}, set(os.listxattr(path)), "the attributes")


@mount_check(
    "vexfs.vector.timestamp", op="GETXATTR", also=("RENAME",), source=SOURCE, needs=("write", "xattr"),
    killers=("GETXATTR:errno=EIO", "GETXATTR:short", "RENAME:fake"),
)
def timestamp(m: Mount) -> None:
    """user.vexfs.timestamp is the time (UTC, ISO 8601) when the vector was taken; renaming does not change it."""
    path = put(m, "a.vec", "1,2,3")
    taken = os.getxattr(path, TIMESTAMP).decode("ascii", "replace")
    m.expect(bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", taken)), "a time like 2001-09-09T01:46:40Z", taken)
    os.rename(path, m.path("b.vec"))
    renamed = os.getxattr(m.path("b.vec"), TIMESTAMP).decode("ascii", "replace")
    m.expect_equal(taken, renamed, f"{TIMESTAMP} after rename")
