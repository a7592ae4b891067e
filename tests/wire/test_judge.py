"""The kernel's rules for replies: a bad one is named, a good one never is."""

from __future__ import annotations

import timeit
from typing import Any

import pytest

from fsprobe import wire
from fsprobe.wire import Attr, EntryOut, Opcode

FILE = Attr(ino=9, mode=0o100644, nlink=1)
DIRECTORY = Attr(ino=9, mode=0o040755, nlink=2)
LINK = Attr(ino=9, mode=0o120777, nlink=1)
ENTRY = EntryOut(nodeid=9, attr=FILE)
NAMES = wire.DirentList((wire.Dirent(1, 1, 8, b"a"), wire.Dirent(2, 2, 8, b"\xff" * 255)))
PLUS = wire.DirentPlusList((wire.DirentPlus(EntryOut(), wire.Dirent(1, 1, 4, b".")),))
READ = wire.ReadIn(size=4096)

GOOD: list[tuple[Opcode, Any, Any]] = [
    (Opcode.LOOKUP, wire.Lookup(b"a"), ENTRY),
    (Opcode.LOOKUP, wire.Lookup(b"a"), EntryOut(nodeid=0, entry_valid=3)),
    (Opcode.LOOKUP, wire.Lookup(b".."), EntryOut(nodeid=1, attr=DIRECTORY)),
    (Opcode.GETATTR, wire.GetattrIn(), wire.AttrOut(attr=FILE)),
    (Opcode.SETATTR, wire.SetattrIn(), wire.AttrOut(attr=FILE)),
    (Opcode.READLINK, None, wire.ReadlinkOut(b"x" * 4095)),
    (Opcode.SYMLINK, wire.Symlink(b"a", b"b"), EntryOut(nodeid=9, attr=LINK)),
    (Opcode.MKNOD, wire.Mknod(mode=0o010644, name=b"f"), EntryOut(nodeid=9, attr=Attr(mode=0o010644))),
    (Opcode.MKDIR, wire.Mkdir(mode=0o755, name=b"d"), EntryOut(nodeid=9, attr=DIRECTORY)),
    (Opcode.UNLINK, wire.Unlink(b"a"), None),
    (Opcode.LINK, wire.Link(9, b"b"), ENTRY),
    (Opcode.OPEN, wire.OpenIn(), wire.OpenOut(fh=1)),
    (Opcode.READ, READ, wire.DataOut(b"x" * 4096)),
    (Opcode.READ, READ, wire.DataOut(b"")),
    (Opcode.WRITE, wire.WriteIn(data=b"abc"), wire.WriteOut(size=3)),
    (Opcode.STATFS, None, wire.StatfsOut()),
    (Opcode.GETXATTR, wire.Getxattr(size=0, name=b"n"), wire.GetxattrOut(size=3)),
    (Opcode.GETXATTR, wire.Getxattr(size=9, name=b"n"), wire.DataOut(b"abc")),
    (Opcode.LISTXATTR, wire.GetxattrIn(size=9), wire.DataOut(b"a\0bc\0")),
    (Opcode.LISTXATTR, wire.GetxattrIn(size=9), wire.DataOut(b"")),
    (Opcode.INIT, wire.InitIn(minor=45), wire.InitOut(minor=31)),
    (Opcode.READDIR, READ, NAMES),
    (Opcode.READDIRPLUS, READ, PLUS),
    (Opcode.CREATE, wire.Create(name=b"a"), wire.CreateOut(entry=ENTRY)),
    (Opcode.TMPFILE, wire.Create(name=b"/"), wire.CreateOut(entry=ENTRY)),
    (Opcode.GETLK, wire.LkIn(), wire.LkOut(wire.FileLock(type=2))),
    (Opcode.INTERRUPT, wire.InterruptIn(5), None),
    (Opcode.IOCTL, wire.IoctlIn(out_size=4), wire.IoctlOut(data=b"abcd")),
    (Opcode.IOCTL, wire.IoctlIn(flags=2, out_size=4), wire.IoctlOut(data=b"x" * 64)),
    (Opcode.POLL, wire.PollIn(), wire.PollOut()),
    (Opcode.LSEEK, wire.LseekIn(), wire.LseekOut(8)),
    (Opcode.COPY_FILE_RANGE, wire.CopyFileRangeIn(len=5), wire.WriteOut(size=5)),
    (Opcode.COPY_FILE_RANGE_64, wire.CopyFileRangeIn(len=2**33), wire.CopyFileRangeOut(2**33)),
    (Opcode.STATX, wire.StatxIn(), wire.StatxOut(stat=wire.Statx(mask=0x7FF, mode=0o100644))),
]

BAD_CONTENTS: list[tuple[Opcode, Any, Any, str]] = [
    (Opcode.LOOKUP, wire.Lookup(b"a"), EntryOut(nodeid=1, attr=DIRECTORY), "nodeid 1"),
    (Opcode.LOOKUP, wire.Lookup(b"a"), EntryOut(nodeid=9), "no file type"),
    (Opcode.LOOKUP, wire.Lookup(b"a"), EntryOut(nodeid=9, attr=Attr(mode=0o100644, size=2**63)), "size"),
    (Opcode.GETATTR, wire.GetattrIn(), wire.AttrOut(), "no file type"),
    (Opcode.MKDIR, wire.Mkdir(name=b"d"), EntryOut(nodeid=9, attr=FILE), "type asked for"),
    (Opcode.MKNOD, wire.Mknod(mode=0o010644, name=b"f"), ENTRY, "type asked for"),
    (Opcode.SYMLINK, wire.Symlink(b"a", b"b"), EntryOut(nodeid=0, attr=LINK), "nodeid 0"),
    (Opcode.CREATE, wire.Create(name=b"a"), wire.CreateOut(EntryOut(nodeid=1, attr=FILE)), "nodeid 1"),
    (Opcode.READ, READ, wire.DataOut(b"x" * 4097), "0 to 4096 bytes, not 4097"),
    (Opcode.WRITE, wire.WriteIn(data=b"abc"), wire.WriteOut(size=4), "4 bytes written, only 3"),
    (Opcode.COPY_FILE_RANGE, wire.CopyFileRangeIn(len=5), wire.WriteOut(size=6), "only 5"),
    (Opcode.COPY_FILE_RANGE_64, wire.CopyFileRangeIn(len=5), wire.CopyFileRangeOut(6), "only 5"),
    (Opcode.GETXATTR, wire.Getxattr(size=0, name=b"n"), wire.DataOut(b"value"), "body of 8 bytes, not 5"),
    (Opcode.GETXATTR, wire.Getxattr(size=4, name=b"n"), wire.DataOut(b"value"), "0 to 4 bytes"),
    (Opcode.LISTXATTR, wire.GetxattrIn(size=9), wire.DataOut(b"a\0bc"), "NUL"),
    (Opcode.INIT, wire.InitIn(minor=45), wire.InitOut(major=8), "major 8"),
    (Opcode.READDIR, READ, wire.DirentList((wire.Dirent(name=b"a/b"),)), "slash"),
    (Opcode.READDIR, READ, wire.DirentList((wire.Dirent(name=b"a"), wire.Dirent())), "at byte 32"),
    (Opcode.READDIR, wire.ReadIn(size=8192), wire.DirentList((wire.Dirent(name=b"n" * 4096),)), "4096 bytes"),
    (
        Opcode.READDIRPLUS,
        READ,
        wire.DirentPlusList((wire.DirentPlus(dirent=wire.Dirent(name=b"/")),)),
        "slash",
    ),
    (Opcode.GETLK, wire.LkIn(), wire.LkOut(wire.FileLock(type=7)), "lock type 7"),
    (Opcode.IOCTL, wire.IoctlIn(out_size=4), wire.IoctlOut(data=b"abcde"), "not 21"),
    (Opcode.STATX, wire.StatxIn(), wire.StatxOut(stat=wire.Statx(mask=1)), "no file type"),
]


def judge(opcode: Opcode, request: Any, raw: bytes, *, known: bool = True, minor: int = 45) -> str:
    head = wire.build_request(opcode, 1, request, unique=4)
    return wire.judge_reply(raw, len(raw), known, opcode, minor, head)


@pytest.mark.parametrize(("opcode", "request_body", "body"), GOOD, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("minor", [3, 8, 22, 45])
def test_a_good_reply_is_taken(opcode: Opcode, request_body: Any, body: Any, minor: int) -> None:
    """A false refusal would blame every daemon there is."""
    raw = wire.build_reply(4, body, opcode=opcode, minor=minor)
    assert judge(opcode, request_body, raw, minor=minor) == ""
    low, high = wire.expected_reply_sizes(opcode, minor, wire.build_request(opcode, 1, request_body, unique=4))
    assert low <= len(raw) <= high


@pytest.mark.parametrize(
    ("opcode", "request_body", "body", "reason"), BAD_CONTENTS, ids=lambda value: type(value).__name__
)
def test_contents_that_give_the_application_eio_are_named(
    opcode: Opcode, request_body: Any, body: Any, reason: str
) -> None:
    """The user sees EIO and no reason: this is the reason."""
    assert reason in judge(opcode, request_body, wire.build_reply(4, body, opcode=opcode))


@pytest.mark.parametrize("opcode", sorted(set(Opcode) - wire.NO_REPLY), ids=lambda opcode: opcode.name)
def test_headers_that_leave_the_application_hanging_are_named(opcode: Opcode) -> None:
    """The commonest own-protocol bug, a positive errno, hangs the caller without a word."""
    request = wire.REQUESTS[opcode]()
    for raw, reason in (
        (wire.raw_reply(4, 2), "positive error 2"),
        (wire.raw_reply(4, -512), "error -512"),
        (wire.raw_reply(4, -2, length=20), "says 20 bytes, 16 came"),
        (wire.raw_reply(4, -2, b"body"), "an error has no body"),
        (b"short", "5 bytes are shorter"),
    ):
        assert reason in judge(opcode, request, raw)
    assert "unique 4" in judge(opcode, request, wire.raw_reply(4, 0), known=False)
    assert judge(opcode, request, wire.raw_reply(4, -511)) == ""


@pytest.mark.parametrize("opcode", sorted(wire.NO_REPLY), ids=lambda opcode: opcode.name)
def test_an_answer_to_a_request_that_has_none_is_named(opcode: Opcode) -> None:
    assert "must not be answered" in judge(opcode, wire.REQUESTS[opcode](), wire.raw_reply(4, 0))


@pytest.mark.parametrize(
    "opcode",
    [op for op, kind in wire.REPLIES.items() if kind is None and op not in wire.NO_REPLY],
    ids=lambda opcode: opcode.name,
)
def test_a_body_where_there_is_none_is_named(opcode: Opcode) -> None:
    assert "body of 0 bytes, not 4" in judge(opcode, wire.REQUESTS[opcode](), wire.raw_reply(4, 0, b"body"))


def test_older_minors_have_their_own_sizes() -> None:
    """A daemon of libfuse 2.6 answers 120 bytes, and rightly so."""
    old = wire.build_reply(4, ENTRY, opcode=Opcode.LOOKUP, minor=8)
    assert judge(Opcode.LOOKUP, wire.Lookup(b"a"), old, minor=8) == ""
    assert "body of 128 bytes, not 120" in judge(Opcode.LOOKUP, wire.Lookup(b"a"), old, minor=9)
    assert wire.expected_reply_sizes(Opcode.STATFS, 3) == (64, 64)
    assert wire.expected_reply_sizes(Opcode.FORGET) == (0, 0)


def test_notifications_are_judged_too() -> None:
    """A notification the kernel refuses leaves stale data, and no one is told."""
    good = wire.build_notification(3, wire.NotifyInvalEntryOut(parent=1, name=b"a"))
    assert wire.judge_reply(good, len(good), False, None) == ""
    wrong = wire.build_notification(3, wire.NotifyInvalEntryOut(parent=1, namelen=3, name=b"a"))
    assert "namelen 3" in wire.judge_notification(wrong, len(wrong))
    assert "no notification" in wire.judge_notification(wire.raw_reply(0, 77), 16)
    assert "POLL" in wire.judge_notification(wire.raw_reply(0, 1, b"x"), 17)


def test_only_the_head_is_needed() -> None:
    """The relay need not copy a megabyte to judge it."""
    raw = wire.build_reply(4, wire.DataOut(b"x" * 9000), opcode=Opcode.READ)
    request = wire.build_request(Opcode.READ, 1, wire.ReadIn(size=9000), unique=4)
    assert wire.judge_reply(raw[:400], len(raw), True, Opcode.READ, 45, request) == ""
    assert wire.judge_reply(memoryview(raw)[:17], len(raw), True, Opcode.READ, 45, request) == ""


def test_the_usual_reply_costs_next_to_nothing() -> None:
    """The relay judges every reply, and its time is charged to the daemon under test (0.3 µs measured)."""
    raw = wire.build_reply(4, wire.AttrOut(attr=FILE), opcode=Opcode.GETATTR)
    head = wire.build_request(Opcode.GETATTR, 1, wire.GetattrIn(), unique=4)
    rounds = 2000
    best = min(
        timeit.repeat(
            lambda: wire.judge_reply(raw, len(raw), True, 3, 45, head), number=rounds, repeat=5
        )
    )
    assert best / rounds < 5e-6
