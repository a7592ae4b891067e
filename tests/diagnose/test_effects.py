"""What a success came to: nothing, or another size, is told as that, and never where it came to what it should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsprobe.diagnose.effects import set_nothing, wrong_size
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
