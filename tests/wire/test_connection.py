"""What INIT comes to: a wrong reckoning would make the checks ask for what was never agreed."""

from __future__ import annotations

from fsprobe import wire
from fsprobe.wire import InitFlag, InitIn, InitOut

KERNEL = InitFlag.ASYNC_READ | InitFlag.MAX_PAGES | InitFlag.INIT_EXT | InitFlag.SETXATTR_EXT
REQUEST = InitIn(minor=45, max_readahead=131072, flags=KERNEL, flags2=1 << (42 - 32))


def test_a_modern_daemon() -> None:
    reply = InitOut(
        minor=39,
        max_readahead=65536,
        flags=InitFlag.MAX_PAGES | InitFlag.INIT_EXT | InitFlag.POSIX_LOCKS | InitFlag.SETXATTR_EXT,
        flags2=1 << (42 - 32),
        max_write=1 << 20,
        max_pages=256,
        time_gran=100,
        request_timeout=60,
    )
    agreed = wire.negotiate(REQUEST, reply)
    assert (agreed.minor, agreed.max_readahead, agreed.max_write) == (39, 65536, 1 << 20)
    assert (agreed.max_pages, agreed.time_gran, agreed.request_timeout) == (256, 100, 60)
    assert agreed.setxattr_ext
    assert agreed.unoffered == InitFlag.POSIX_LOCKS
    assert InitFlag.REQUEST_TIMEOUT in agreed.flags


def test_flags2_counts_only_with_init_ext() -> None:
    reply = InitOut(minor=45, flags=InitFlag.ASYNC_READ, flags2=1 << (42 - 32), request_timeout=9)
    agreed = wire.negotiate(REQUEST, reply)
    assert agreed.flags == InitFlag.ASYNC_READ
    assert agreed.request_timeout == 0


def test_an_old_daemon_gets_the_defaults() -> None:
    agreed = wire.negotiate(REQUEST, InitOut(minor=8, flags=InitFlag.ASYNC_READ, max_write=100))
    assert (agreed.minor, agreed.max_write, agreed.max_pages, agreed.time_gran) == (8, 4096, 32, 1)
