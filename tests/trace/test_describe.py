"""One line per exchange: the evidence under every finding, on the user's own terminal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsprobe import wire
from fsprobe.trace.describe import Describer, describe
from fsprobe.trace.text import duration, quote, safe
from fsprobe.wire import Opcode
from tests.trace.recording import Recording
from tests.wire.messages import bodies

ATTR = wire.Attr(mode=0o100644, size=5, nlink=1, uid=1000, gid=100)
DIRECTORY = wire.Attr(mode=0o040755, nlink=2)


def session() -> list[str]:
    """A recording of one small life of a file, described."""
    tape = Recording()
    mtime = wire.SetattrValid.MTIME_NOW | wire.SetattrValid.ATIME | wire.SetattrValid.MODE
    names = wire.DirentList(tuple(wire.Dirent(1, n, 8, b"f%d" % n) for n in range(8)))
    exchanges = [
        tape.exchange(
            Opcode.INIT,
            0,
            wire.InitIn(minor=45, max_readahead=131072, flags=1 | 1 << 30, flags2=1 << 8),
            wire.InitOut(minor=31, max_readahead=131072, flags=1, max_write=131072),
        ),
        tape.exchange(Opcode.LOOKUP, 1, wire.Lookup(b"dir"), wire.EntryOut(nodeid=2, attr=DIRECTORY)),
        tape.exchange(Opcode.LOOKUP, 2, wire.Lookup(b"name"), error=2),
        tape.exchange(
            Opcode.CREATE,
            2,
            wire.Create(flags=0o100102, mode=0o100600, umask=0o22, name=b"name"),
            wire.CreateOut(wire.EntryOut(nodeid=3, attr=ATTR), wire.OpenOut(fh=7, open_flags=2)),
        ),
        tape.exchange(Opcode.WRITE, 3, wire.WriteIn(fh=7, data=b"hello\x1b[31m"), wire.WriteOut(10)),
        tape.exchange(Opcode.WRITE, 3, wire.WriteIn(fh=7, data=b"x" * 5000), wire.WriteOut(5000)),
        tape.exchange(Opcode.READ, 3, wire.ReadIn(fh=7, size=4096), wire.DataOut(b"y" * 4096)),
        tape.exchange(
            Opcode.SETATTR,
            3,
            wire.SetattrIn(valid=mtime | 1 << 20, mode=0o100640, atime=2**64 - 5, atimensec=7),
            error=38,
            microseconds=1234,
        ),
        tape.exchange(Opcode.RENAME2, 2, wire.Rename2(1, 1, 0, b"name", b"a b")),
        tape.exchange(Opcode.GETATTR, 3, wire.GetattrIn(), wire.AttrOut(attr=ATTR)),
        tape.exchange(Opcode.UNLINK, 1, wire.Unlink(b"a b")),
        tape.exchange(Opcode.FLUSH, 3, wire.FlushIn(fh=7), error=None),
        tape.exchange(Opcode.FORGET, 3, wire.ForgetIn(1), error=None),
        tape.exchange(Opcode.GETXATTR, 3, wire.Getxattr(name=b"user.x"), wire.GetxattrOut(12)),
        tape.exchange(Opcode.SETXATTR, 2, wire.Setxattr(flags=1, name=b"user.x", value=b"\xff"), error=95),
        tape.exchange(Opcode.READDIR, 2, wire.ReadIn(fh=1, size=4096), names),
        tape.exchange(
            Opcode.SETLKW,
            2,
            wire.LkIn(fh=1, owner=0xAB, lk=wire.FileLock(end=2**63 - 1, type=1, pid=5)),
            error=4,
            note="answered by the relay",
        ),
    ]
    return Describer().lines(exchanges)


def test_the_lines_of_a_session() -> None:
    assert session() == [
        "INIT major=7 minor=45 max_readahead=131072 ASYNC_READ|INIT_EXT|ALLOW_IDMAP"
        " → 7.31 max_write=131072 max_readahead=131072 ASYNC_READ 35 µs",
        'LOOKUP / "dir" → node 2 directory 0755 size=0 nlink=2 uid=0 gid=0 35 µs',
        'LOOKUP /dir/ "name" → ENOENT 35 µs',
        'CREATE /dir/ "name" flags=O_RDWR|O_CREAT|O_LARGEFILE mode=0600 umask=0022'
        " → node 3 file 0644 size=5 nlink=1 uid=1000 gid=100 fh=7 KEEP_CACHE 35 µs",
        'WRITE /dir/name fh=7 offset=0 size=10 "hello\\x1b[31m" → 10 bytes 35 µs',
        f'WRITE /dir/name fh=7 offset=0 size=5000 "{"x" * 32}"… → 5000 bytes 35 µs',
        f'READ /dir/name fh=7 offset=0 size=4096 → 4096 bytes "{"y" * 32}"… 35 µs',
        "SETATTR /dir/name mode=0640 atime=-5.000000007 mtime=now valid=0x100000 → ENOSYS 1.23 ms",
        'RENAME2 /dir/ "name" to / "a b" flags=RENAME_NOREPLACE → OK 35 µs',
        'GETATTR "/a b" → file 0644 size=5 nlink=1 uid=1000 gid=100 35 µs',
        'UNLINK / "a b" → OK 35 µs',
        'FLUSH "/a b" (deleted) fh=7 → no reply',
        'FORGET "/a b" (deleted) nlookup=1',
        'GETXATTR node 3 "user.x" size=0 → size=12 35 µs',
        'SETXATTR /dir "user.x" size=1 flags=XATTR_CREATE value="\\xff" → EOPNOTSUPP 35 µs',
        'READDIR /dir fh=1 offset=0 size=4096 → 8 entries "f0" "f1" "f2" "f3" "f4" "f5" … 35 µs',
        "SETLKW /dir fh=1 owner=0xab F_WRLCK 0-end pid=5 → EINTR 35 µs [answered by the relay]",
    ]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain \xc3\xa9\xe2\x82\xac", "plain é€"),
        (b"\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        (b'a"b\\c\n\r\t', 'a\\"b\\\\c\\n\\r\\t'),
        ("\u202egnp.exe".encode(), "\\u202egnp.exe"),
        ("\u200b\ufeff\x9b".encode(), "\\u200b\\ufeff\\u009b"),
        (b"\xff\xfe\xed\xa0\x80", "\\xff\\xfe\\xed\\xa0\\x80"),
        ("\U000e0001".encode(), "\\U000e0001"),
    ],
)
def test_hostile_names_are_escaped(raw: bytes, shown: str) -> None:
    """A file's name must not run the user's terminal."""
    assert safe(raw) == shown


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_nothing_unprintable_ever_comes_out(raw: bytes) -> None:
    assert safe(raw).isprintable()
    assert quote(raw, shown=10).isprintable()


@pytest.mark.parametrize("opcode", Opcode, ids=lambda opcode: opcode.name)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_every_operation_has_a_printable_line(opcode: Opcode, data: Any) -> None:
    """One operation without a line would end the trace with a traceback."""
    kind = wire.REPLIES[opcode]
    asked = data.draw(bodies(wire.REQUESTS[opcode]))
    answered = None if kind is None else data.draw(bodies(kind))
    error = data.draw(st.sampled_from([0, 38, None]))
    tape = Recording()
    exchange = tape.exchange(opcode, 5, asked, None if error else answered, error, note="\x1b")
    line = describe(exchange)
    assert line.isprintable()
    assert line.startswith(opcode.name)
    assert ("ENOSYS" in line) == (error == 38)


@settings(max_examples=150, deadline=None)
@given(
    opcode=st.one_of(st.sampled_from(list(Opcode)), st.integers(0, 2**32 - 1)),
    request=st.binary(max_size=120),
    reply=st.binary(max_size=120),
    whole=st.booleans(),
)
def test_garbage_is_described_and_not_raised(opcode: int, request: bytes, reply: bytes, whole: bool) -> None:
    tape = Recording()
    if whole:
        request = wire.build_request(opcode, 1, request, unique=1)
        reply = wire.raw_reply(1, 0, reply)
    exchange = tape.raw(opcode, 1, request, reply, 0)
    assert all(line.isprintable() for line in Describer().lines([exchange, exchange]))


def test_an_unknown_opcode_is_shown_with_its_bytes() -> None:
    tape = Recording()
    request = wire.build_request(99, 1, b"\x01ab", unique=1)
    exchange = tape.raw(99, 1, request, wire.raw_reply(1, -38), 38)
    assert describe(exchange) == 'OPCODE_99 / 3 bytes "\\x01ab" → ENOSYS 35 µs'


def test_a_malformed_reply_says_so() -> None:
    tape = Recording()
    request = wire.build_request(Opcode.GETATTR, 1, wire.GetattrIn(), unique=1)
    line = describe(tape.raw(Opcode.GETATTR, 1, request, wire.raw_reply(1, 0, b"few"), 0))
    assert line == "GETATTR / → malformed: AttrOut needs 104 bytes, 3 are there 35 µs"


def test_times_read_like_a_person_would_write_them() -> None:
    assert [duration(us) for us in (0.4, 35, 999, 1234, 2_500_000)] == ["0 µs", "35 µs", "999 µs", "1.23 ms", "2.50 s"]
