"""What kernel and daemon agreed on in INIT.

Owns the arithmetic of the negotiation; knows nothing of later messages.
Source: fs/fuse/inode.c, process_init_reply and fuse_send_init.
"""

from __future__ import annotations

from dataclasses import dataclass

from fsprobe.wire.flags import InitFlag
from fsprobe.wire.replies import InitOut
from fsprobe.wire.requests import InitIn

MIN_WRITE = 4096
"""The kernel raises a smaller `max_write` to this."""
DEFAULT_PAGES = 32
"""Pages of a request where MAX_PAGES was not agreed (FUSE_DEFAULT_MAX_PAGES_PER_REQ)."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """An open connection: sizes in bytes, `time_gran` in nanoseconds, `request_timeout` in seconds (0 none).

    flags are those both sides have; `offered` the kernel's, `unoffered` what the daemon asked for besides.
    """

    major: int
    minor: int
    flags: InitFlag
    offered: InitFlag
    unoffered: InitFlag
    max_readahead: int
    max_write: int
    max_background: int
    congestion_threshold: int
    time_gran: int
    max_pages: int
    map_alignment: int
    max_stack_depth: int
    request_timeout: int

    @property
    def setxattr_ext(self) -> bool:
        """Whether SETXATTR has its longer form."""
        return bool(self.flags & InitFlag.SETXATTR_EXT)


def init_flags(body: InitIn | InitOut) -> InitFlag:
    """All 64 flag bits of an INIT request or reply; the upper half counts with INIT_EXT only."""
    upper = body.flags2 if body.flags & InitFlag.INIT_EXT else 0
    return InitFlag(body.flags | upper << 32)


def negotiate(request: InitIn, reply: InitOut) -> Negotiated:
    """What the two INIT bodies come to, as the kernel reckons it."""
    offered = init_flags(request)
    wanted = init_flags(reply) if reply.minor >= 6 else InitFlag(0)
    flags = offered & wanted
    return Negotiated(
        major=reply.major,
        minor=min(request.minor, reply.minor),
        flags=flags,
        offered=offered,
        unoffered=InitFlag(wanted.value & ~offered.value),
        max_readahead=min(request.max_readahead, reply.max_readahead) if reply.minor >= 6 else 0,
        max_write=max(MIN_WRITE, reply.max_write if reply.minor >= 5 else 0),
        max_background=reply.max_background if reply.minor >= 13 else 0,
        congestion_threshold=reply.congestion_threshold if reply.minor >= 13 else 0,
        time_gran=reply.time_gran if 1 <= reply.time_gran <= 1_000_000_000 else 1,
        max_pages=max(reply.max_pages, 1) if flags & InitFlag.MAX_PAGES else DEFAULT_PAGES,
        map_alignment=reply.map_alignment if flags & InitFlag.MAP_ALIGNMENT else 0,
        max_stack_depth=reply.max_stack_depth if flags & InitFlag.PASSTHROUGH else 0,
        request_timeout=reply.request_timeout if flags & InitFlag.REQUEST_TIMEOUT else 0,
    )
