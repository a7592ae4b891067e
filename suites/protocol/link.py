"""LINK: a second name for a file."""

from __future__ import annotations

import os
from errno import EMLINK, EPERM, EROFS

from fsprobe.checks import OPTIONAL, Finding, wire_check
from fsprobe.checks.kernel import Kernel


@wire_check(
    "protocol.link.created", op="LINK", also=("GETATTR", "LOOKUP"), source="catalogue 3.12.1", level=OPTIONAL,
    needs=("write", "regular-file"), quick=True, main=True,
    killers=("LINK:errno=EIO", "LINK:attr.mode=0o40644", "GETATTR:attr.nlink=1"),
)
def created(k: Kernel) -> None:
    """A second name can be made; the file then has two links, and the same content under both."""
    node = k.given_file("f", b"content")
    with k.optional(EPERM, EROFS, EMLINK):
        k.hardlink(node, k.dir, "second")
    found = k.lookup(k.dir, "second").nodeid
    k.expect_equal(2, k.getattr(found).nlink, "nlink")
    k.expect_equal(b"content", k.content(found), "content")


@wire_check(
    "protocol.link.same-node", op="LINK", source="catalogue 3.12.6", needs=("write", "hardlink"), quick=True,
    killers=("LINK:nodeid",),
)
def same_node(k: Kernel) -> None:
    """LINK answers with the nodeid of the file, so that the kernel keeps one cache for both names."""
    node = k.given_file("f", b"content")
    other = k.given_hardlink(node, "second")
    if other != node:
        raise Finding(f"nodeid {node}", f"nodeid {other}: the kernel takes the two names for two files", warn=True)


@wire_check(
    "protocol.link.shared-content", op="LINK", also=("WRITE", "READ"), source="catalogue 3.12.1",
    needs=("write", "hardlink"), killers=("WRITE:fake", "READ:flip", "READ:errno=EIO"), quick=True,
)
def shared_content(k: Kernel) -> None:
    """What is written under one name is read under the other."""
    node = k.given_file("f", b"before")
    other = k.given_hardlink(node, "second")
    handle = k.open(node, os.O_RDWR)
    k.write(handle, b"after!")
    k.close_file(handle)
    k.expect_equal(b"after!", k.content(other), "content")
