"""FORGET and BATCH_FORGET: the kernel gives nodeids back, and waits for no answer."""

from __future__ import annotations

from fsprobe.checks import wire_check
from fsprobe.checks.kernel import Kernel

_SOURCE = "catalogue 3.2.1; fs/fuse/dev.c fuse_dev_do_write"


@wire_check(
    "protocol.forget.no-reply", op="FORGET", also=("LOOKUP",), source=_SOURCE, needs=("regular-file",),
    quick=True, main=True, killers=("FORGET:errno=EIO", "FORGET:errno=ENOSYS", "FORGET:crash"),
)
def no_reply(k: Kernel) -> None:
    """FORGET gets no answer, and the daemon serves on."""
    sample = k.some_file()
    k.forget(sample.node, k.lookups(sample.node))
    k.lookup(sample.parent, sample.name)
    k.expect("FORGET" not in k.answered_unasked(), "no reply to FORGET", "a reply, which the kernel refuses")


@wire_check(
    "protocol.forget.counts", op="FORGET", also=("LOOKUP", "GETATTR"), source="catalogue 3.2.2",
    needs=("regular-file",), killers=("GETATTR:errno=ENOENT", "FORGET:errno=EIO"), quick=True,
)
def counts(k: Kernel) -> None:
    """A node that was looked up three times and forgotten twice is still there."""
    sample = k.some_file()
    k.lookup(sample.parent, sample.name)
    k.lookup(sample.parent, sample.name)
    k.forget(sample.node, 2)
    k.expect_equal(sample.attr.size, k.getattr(sample.node).size, "size")
    k.expect("FORGET" not in k.answered_unasked(), "no reply to FORGET", "a reply, which the kernel refuses")


@wire_check(
    "protocol.batch-forget.no-reply", op="BATCH_FORGET", also=("LOOKUP", "GETATTR"), source=_SOURCE,
    needs=("regular-file",), quick=True, main=True,
    killers=("BATCH_FORGET:errno=ENOSYS", "BATCH_FORGET:errno=EIO", "BATCH_FORGET:crash"),
)
def batch_no_reply(k: Kernel) -> None:
    """BATCH_FORGET gets no answer, and the daemon serves on."""
    sample = k.some_file()
    k.lookup(sample.parent, sample.name)
    k.lookup(sample.parent, sample.name)
    k.batch_forget([(sample.node, 1), (sample.node, 1)])
    k.expect_equal(sample.attr.size, k.getattr(sample.node).size, "size")
    k.expect("BATCH_FORGET" not in k.answered_unasked(), "no reply to BATCH_FORGET", "a reply, which is refused")
