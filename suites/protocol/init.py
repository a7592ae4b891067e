"""INIT: what the daemon agreed to before anything else is asked."""

from __future__ import annotations

from fsprobe.checks import SHOULD, Finding, wire_check
from fsprobe.checks.kernel import Kernel


@wire_check(
    "protocol.init.version", op="INIT", source="catalogue 3.20.1; fs/fuse/inode.c process_init_reply",
    quick=True, main=True, killers=("INIT:errno=EIO", "INIT:length"),
)
def version(k: Kernel) -> None:
    """INIT is answered with major 7, and with a minor that the kernel knows."""
    k.expect_equal(7, k.init.major, "major version")
    if k.init.minor > k.link.offered_minor:
        raise Finding(f"a minor up to {k.link.offered_minor}", f"minor {k.init.minor}", warn=True)


@wire_check(
    "protocol.init.flags-offered", op="INIT", source="catalogue 3.20.2", level=SHOULD,
    killers=("INIT:drop",), quick=True,
)
def flags_offered(k: Kernel) -> None:
    """The reply to INIT asks for nothing that was not offered."""
    extra = k.flag_names(k.negotiated.unoffered)
    k.expect(not extra, "flags out of those offered", "also " + ", ".join(extra))


@wire_check(
    "protocol.init.sizes", op="INIT", source="catalogue 3.20.1; fs/fuse/inode.c process_init_reply", quick=True,
    killers=("INIT:errno=EPROTO",),
)
def sizes(k: Kernel) -> None:
    """max_write is a page at least, time_gran between 1 ns and 1 s, max_pages given only with its flag."""
    told = k.init
    k.expect(told.minor < 5 or told.max_write >= 4096, "max_write of at least 4096", f"max_write {told.max_write}")
    if told.minor >= 23 and told.time_gran:
        k.expect(told.time_gran <= 1_000_000_000, "time_gran of at most 1 s", f"time_gran {told.time_gran} ns")
    if told.max_pages and not k.has("MAX_PAGES"):
        raise Finding("max_pages 0 without MAX_PAGES", f"max_pages {told.max_pages}", warn=True)
