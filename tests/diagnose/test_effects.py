"""What a success came to: nothing, or another size, is told as that, and never where it came to what it should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsprobe.diagnose.effects import set_nothing, short_read, wrong_size
from tests.diagnose.made import check

MADE = 'CREATE /w/ "f" flags=O_CREAT mode=0644 umask=0022 → node 7 file 0644 size=0 nlink=1 uid=0 gid=0 fh=0x1 26 µs'
WRITTEN = 'WRITE /w/f fh=0x1 offset=0 size=6 "abcdef" → 6 bytes 30 µs'


def after(size: int = 0, mode: str = "0644", uid: int = 0, asked: str = "mode=0600") -> str:
    return f"SETATTR /w/f {asked} → file {mode} size={size} nlink=1 uid={uid} gid=0 24 µs"


@pytest.mark.parametrize(
    ("lines", "nothing"),
    [
        ((MADE, after()), True),
        ((MADE, after(mode="0600")), False),
        ((MADE, after(mode="0600"), after(mode="0600", asked="mode=04600")), False),  # it works, but for a bit
        ((MADE, after(asked="mode=0644")), False),  # nothing was to change
        ((after(),), False),  # nobody knows what it was before
        ((MADE, WRITTEN, after(6, asked="size=3")), True),
        ((MADE, WRITTEN, after(3, asked="size=3")), False),
        ((MADE, after(uid=0, asked="uid=1000 gid=1000")), True),
        ((MADE, "SETATTR /w/f mode=0600 → EIO 3 µs"), False),
    ],
)
def test_what_a_success_came_to(lines: tuple[str, ...], nothing: bool) -> None:
    """`chmod` that answers yes and does nothing reads "wrong attributes", which sends the author to getattr."""
    failed = check("posix.setattr.chmod", "SETATTR", "FAIL", expected="mode 0600", observed="0644", trace=lines)
    assert set_nothing(failed) is nothing
    assert not set_nothing(replace(failed, op="GETATTR"))


def stat(size: int, op: str = "GETATTR") -> str:
    return f"{op} /w/f → file 0644 size={size} nlink=1 uid=0 gid=0 23 µs"


READ = 'READ /w/f fh=0x1 offset=0 size=4096 → {} bytes "abcdef" 20 µs'


@pytest.mark.parametrize(
    ("lines", "whose"),
    [
        ((MADE, WRITTEN, stat(6)), ""),
        ((MADE, WRITTEN, stat(5)), "WRITE"),  # the tail was dropped
        ((MADE, WRITTEN, stat(5), READ.format(5)), "WRITE"),
        ((MADE, WRITTEN, stat(0), READ.format(6)), "GETATTR"),  # what was written is there
        ((MADE, WRITTEN, stat(0), "RELEASE /w/f fh=0x1 → OK 3 µs", stat(6)), "GETATTR"),  # stale while it is open
        ((MADE, WRITTEN, after(3, asked="size=3"), stat(3)), ""),
        ((MADE, WRITTEN, after(2, asked="size=3")), "SETATTR"),
        ((MADE, WRITTEN, "OPEN /w/f flags=O_WRONLY|O_TRUNC → fh=0x2 4 µs", stat(0)), ""),
        ((MADE, WRITTEN, 'RENAME /w/ "g" to=/w/ "f" → OK 4 µs', stat(9)), ""),  # another file by now
        ((MADE, WRITTEN, "… 30 exchanges left out …", stat(9)), ""),
        ((WRITTEN, stat(5)), ""),  # nobody knows what was there before
    ],
)
def test_whose_size_is_wrong(lines: tuple[str, ...], whose: str) -> None:
    """A WRITE that drops its tail is found by reading back: READ would be mended, which is right."""
    assert wrong_size(check("posix.x", "READ", "FAIL", trace=lines)) == whose


@pytest.mark.parametrize(
    ("line", "short"),
    [
        ("READ /w/f fh=0x1 offset=0 size=4096 \u2192 5 bytes 3 \u00b5s", True),
        ("READ /w/f fh=0x1 offset=0 size=4096 \u2192 OK 3 \u00b5s", True),
        ("READ /w/f fh=0x1 offset=0 size=4096 \u2192 6 bytes 3 \u00b5s", False),
        ("READ /w/f fh=0x1 offset=0 size=2 \u2192 2 bytes 3 \u00b5s", False),
        ("READ /w/f fh=0x1 offset=6 size=4096 \u2192 OK 3 \u00b5s", False),
        ("READ /w/g fh=0x1 offset=0 size=4096 \u2192 OK 3 \u00b5s", False),  # nobody said how long that is
    ],
)
def test_a_read_that_stops_before_the_end_is_reads_own_fault(line: str, short: bool) -> None:
    """Else WRITE is blamed, which stored every byte of it."""
    told = "GETATTR /w/f \u2192 file 0644 size=6 nlink=1 uid=0 gid=0 3 \u00b5s"
    failed = check("posix.read", "WRITE", "FAIL", trace=(MADE, WRITTEN, told, line))
    assert short_read(failed) is short
    cut = (MADE, told, 'OPEN /w/f flags=O_RDWR|O_TRUNC \u2192 fh=0x1', line)
    assert not short_read(replace(failed, trace=cut))


def test_who_told_the_wrong_size_is_named() -> None:
    """A low-level daemon's lookup and getattr are two functions."""
    looked = 'LOOKUP /w/ "f" \u2192 node 7 file 0644 size=0 nlink=1 uid=0 gid=0 3 \u00b5s'
    right = "GETATTR /w/f \u2192 file 0644 size=6 nlink=1 uid=0 gid=0 3 \u00b5s"
    assert wrong_size(check("posix.x", "RENAME", "FAIL", trace=(MADE, WRITTEN, looked, right))) == "LOOKUP"
