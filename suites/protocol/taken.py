"""Making something under a name that is taken. A kernel asks this only where someone else was faster: on a store
that others change too, an answer other than EEXIST loses their work or an agreement made by mkdir."""

from __future__ import annotations

import os
from errno import EEXIST, ENOSYS, EOPNOTSUPP, EPERM, EROFS

from fsprobe.checks import SHOULD, Unsupported, wire_check
from fsprobe.checks.kernel import Kernel

_CONTENT = b"there before"
_NOT_OFFERED = (ENOSYS, EOPNOTSUPP, EPERM, EROFS)


@wire_check(
    "protocol.mkdir.taken", op="MKDIR", also=("LOOKUP",), source="catalogue 3.7.5; POSIX mkdir", level=SHOULD,
    needs=("write", "mkdir"), killers=("MKDIR:map=EEXIST>EIO", "MKDIR:map=EEXIST>ENOSYS"), quick=True,
)
def mkdir_taken(k: Kernel) -> None:
    """A directory that is there already gives EEXIST, and what it holds stays."""
    folder = k.given_dir("taken")
    k.given_file("inside", parent=folder)
    with k.raises(EEXIST):
        k.mkdir(k.dir, "taken")
    k.lookup(k.lookup(k.dir, "taken").nodeid, "inside")


@wire_check(
    "protocol.mknod.taken", op="MKNOD", also=("READ",), source="catalogue 3.6.2; POSIX mknod", level=SHOULD,
    needs=("write", "regular-file"), killers=("MKNOD:map=EEXIST>EIO", "READ:flip"), quick=True,
)
def mknod_taken(k: Kernel) -> None:
    """A file that is there already gives EEXIST, and keeps its content."""
    node = k.given_file("taken", _CONTENT)
    with k.raises(EEXIST, optional=_NOT_OFFERED):
        k.mknod(k.dir, "taken", 0o100644)
    k.expect_equal(_CONTENT, k.content(node), "content of what was there")


@wire_check(
    "protocol.symlink.taken", op="SYMLINK", also=("READ",), source="catalogue 3.5.3; POSIX symlink", level=SHOULD,
    needs=("write", "regular-file"), killers=("SYMLINK:map=EEXIST>EIO", "READ:flip"), quick=True,
)
def symlink_taken(k: Kernel) -> None:
    """A file that is there already gives EEXIST, and keeps its content."""
    node = k.given_file("taken", _CONTENT)
    with k.raises(EEXIST, optional=_NOT_OFFERED):
        k.symlink(k.dir, "taken", "target")
    k.expect_equal(_CONTENT, k.content(node), "content of what was there")


@wire_check(
    "protocol.link.taken", op="LINK", also=("READ",), source="catalogue 3.12.2; POSIX link", level=SHOULD,
    needs=("write", "regular-file"), killers=("LINK:map=EEXIST>EIO", "READ:flip"), quick=True,
)
def link_taken(k: Kernel) -> None:
    """A name that is taken gives EEXIST, and keeps its own content."""
    node = k.given_file("taken", _CONTENT)
    other = k.given_file("other", b"another")
    with k.raises(EEXIST, optional=_NOT_OFFERED):
        k.hardlink(other, k.dir, "taken")
    k.expect_equal(_CONTENT, k.content(node), "content of what was there")


@wire_check(
    "protocol.create.taken", op="CREATE", also=("READ",), source="catalogue 3.24; POSIX open", level=SHOULD,
    needs=("write", "regular-file"), killers=("READ:flip", "READ:errno=EIO"), quick=True,
)
def create_taken(k: Kernel) -> None:
    """CREATE without O_TRUNC of a file that is there already opens it or refuses, and leaves its content."""
    node = k.given_file("taken", _CONTENT)
    try:
        found, handle = k.create(k.dir, "taken", flags=os.O_RDWR)
    except OSError as error:
        if error.errno == ENOSYS:
            raise Unsupported("CREATE: ENOSYS", ENOSYS) from None
        if error.errno != EEXIST:
            raise
    else:
        node = found.nodeid
        k.close_file(handle)
    k.expect_equal(_CONTENT, k.content(node), "content of what was there")
