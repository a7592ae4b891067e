"""Fault rules: what is typed, when it applies, and what each kind makes of the traffic of a correct daemon."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fsprobe import wire
from fsprobe.errors import UsageError
from fsprobe.relay.rules import RuleSet, parse
from fsprobe.wire import Opcode
from tests.relay.rig import ENTRY, FILE, Rig, turn

LOOKUP = wire.Lookup(name=b"name")
GETATTR = wire.GetattrIn()
READ = wire.ReadIn(offset=0, size=100)
ENTRIES = wire.DirentList(tuple(wire.Dirent(n, n, 8, name) for n, name in enumerate((b".", b"one", b"two"), 1)))
PLUS = wire.DirentPlusList(tuple(wire.DirentPlus(ENTRY, dirent) for dirent in ENTRIES.entries))


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


# -- the grammar


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("SETATTR", "OP:KIND"),
        ("SETATTR:", "OP:KIND"),
        ("SETATR:drop", "SETATR"),
        ("setattr:drop", "setattr"),
        ("SETATTR:explode", "explode"),
        ("SETATTR:drop=1", "drop"),
        ("SETATTR:errno", "errno"),
        ("SETATTR:errno=ENOPE", "ENOPE"),
        ("SETATTR:errno=errorcode", "errorcode"),
        ("LOOKUP:map=ENOENT", "map"),
        ("LOOKUP:delay=soon", "soon"),
        ("READDIR:entries=all", "all"),
        ("GETATTR:attr.colour=1", "colour"),
        ("GETATTR:attr.size=abc", "abc"),
        ("GETATTR:attr.mode=0100644", "0100644"),
        ("GETATTR:drop,nth=0", "nth=0"),
        ("GETATTR:drop,nth=first", "nth=first"),
        ("GETATTR:drop,path=", "path="),
        ("GETATTR:drop,when=now", "when=now"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(text: str, word: str) -> None:
    """A slip of the pen that is swallowed makes a run that injected nothing look like a pass."""
    with pytest.raises(UsageError) as error:
        parse(text)
    assert word in str(error.value) and error.value.causes


def test_a_near_miss_is_helped() -> None:
    """The person at the terminal looks for the name in a header file."""
    with pytest.raises(UsageError) as error:
        parse("SETATR:drop")
    assert "SETATTR" in " ".join(error.value.causes)


def test_a_whole_rule() -> None:
    """A condition that is lost makes the rule hit everything."""
    rule = parse("WRITE:errno=EIO,path=/dir/*,nth=3")
    assert (rule.opcode, rule.kind, rule.value, rule.path, rule.nth) == (
        Opcode.WRITE, "errno", "EIO", "/dir/*", 3,
    )  # fmt: skip
    assert parse("*:drop").opcode is None
    assert parse("SETATTR:errno=EOPNOTSUPP") and parse("GETATTR:attr.mode=0o100600")


# -- when a rule applies


def answers(rig: Rig, *names: bytes) -> list[int]:
    """The errno of a LOOKUP of each name."""
    return [
        wire.decode_reply(rig.through(Opcode.LOOKUP, wire.Lookup(name=name), ENTRY) or b"", Opcode.LOOKUP).error
        for name in names
    ]


def test_the_nth_time_only(rig: Rig) -> None:
    """A fault that comes once is how a retry is tested."""
    rig.rules.replace(["LOOKUP:errno=EIO,nth=2"])
    assert answers(rig, b"a", b"a", b"a") == [0, errno.EIO, 0]


def test_on_a_path_only(rig: Rig) -> None:
    """A fault for one check would break the preparation of all."""
    rig.rules.replace(["LOOKUP:errno=EIO,path=/b*"])
    assert answers(rig, b"abc", b"bcd") == [0, errno.EIO]


def test_a_path_below_a_directory_that_was_seen(rig: Rig) -> None:
    """Rules name paths, requests name nodes."""
    rig.rules.replace(["LOOKUP:errno=EIO,path=/dir/b"])
    rig.through(Opcode.LOOKUP, wire.Lookup(name=b"dir"), ENTRY)
    heard = rig.through(Opcode.LOOKUP, wire.Lookup(name=b"b"), ENTRY, nodeid=ENTRY.nodeid)
    assert wire.decode_reply(heard or b"", Opcode.LOOKUP).error == errno.EIO
    assert answers(rig, b"b") == [0]


def test_star_leaves_the_connection_alone(rig: Rig) -> None:
    """Without INIT there is nothing to inject into."""
    rig.rules.replace(["*:errno=EIO"])
    assert wire.decode_reply(rig.through(Opcode.INIT, wire.InitIn(), wire.InitOut()) or b"", Opcode.INIT).error == 0
    assert answers(rig, b"a") == [errno.EIO]


def test_rules_can_be_taken_back(rig: Rig) -> None:
    """An operation that was kept from the daemon would stay so."""
    rig.rules.replace(["LOOKUP:errno=EIO"])
    rig.rules.replace([])
    assert answers(rig, b"a") == [0] and not rig.rules.active


# -- what becomes of a request


def test_errno_spares_the_daemon(rig: Rig) -> None:
    """It says that the daemon never sees it: a MKDIR that was refused must not be there afterwards."""
    rig.rules.replace(["MKDIR:errno=ENOSYS"])
    rig.ask(Opcode.MKDIR, wire.Mkdir(name=b"d"))
    assert rig.taken() is None
    assert wire.decode_reply(rig.heard() or b"", Opcode.MKDIR).error == errno.ENOSYS
    assert [record.error for record in rig.records()] == [errno.ENOSYS]


def test_drop_leaves_it_open(rig: Rig) -> None:
    """The lost reply is the fault that fsprobe is best at."""
    rig.rules.replace(["GETATTR:drop"])
    rig.ask(Opcode.GETATTR, GETATTR)
    assert rig.taken() is None and rig.heard() is None
    assert len(rig.pump.open_requests()) == 1


def test_delay(rig: Rig) -> None:
    """A slow daemon is not a hung one."""
    rig.rules.replace(["GETATTR:delay=0.05"])
    began = time.monotonic()
    rig.ask(Opcode.GETATTR, GETATTR)
    assert rig.taken() is None
    turn(rig.loop, 0.08)
    assert rig.taken() is not None and time.monotonic() - began >= 0.05


def test_crash_is_the_hosts_to_do(rig: Rig) -> None:
    """The pump has no process to kill."""
    rig.rules.replace(["GETATTR:crash"])
    rig.ask(Opcode.GETATTR, GETATTR)
    assert rig.told == [{"event": "rule-crash"}] and rig.taken() is None


def test_withhold_answers_and_says_so(rig: Rig) -> None:
    """Checks that need what hung before are NOTRUN by this note, not failures of the target."""
    rig.rules.replace(["GETATTR:withhold"])
    rig.ask(Opcode.GETATTR, GETATTR)
    assert rig.taken() is None
    assert wire.decode_reply(rig.heard() or b"", Opcode.GETATTR).error == errno.EIO
    assert ["hung before" in record.note for record in rig.records()] == [True]


@pytest.mark.parametrize("rule", ["FORGET:withhold", "FORGET:drop", "FORGET:fake"])
def test_what_has_no_answer_can_be_kept_from_the_daemon(rig: Rig, rule: str) -> None:
    """A daemon that dies in FORGET would take the relay with it."""
    rig.rules.replace([rule])
    rig.ask(Opcode.FORGET, wire.ForgetIn(nlookup=1))
    assert rig.taken() is None and rig.pump.open_requests() == []


@pytest.mark.parametrize(
    ("opcode", "body", "expected"),
    [
        (Opcode.RMDIR, wire.Rmdir(name=b"d"), b""),
        (Opcode.WRITE, wire.WriteIn(data=b"12345"), wire.WriteOut(size=5)),
        (Opcode.OPEN, wire.OpenIn(), wire.OpenOut()),
        (Opcode.LSEEK, wire.LseekIn(offset=4711), wire.LseekOut(offset=4711)),
        (Opcode.COPY_FILE_RANGE, wire.CopyFileRangeIn(len=77), wire.WriteOut(size=77)),
        (Opcode.COPY_FILE_RANGE_64, wire.CopyFileRangeIn(len=1 << 33), wire.CopyFileRangeOut(bytes_copied=1 << 33)),
    ],
    ids=lambda value: value.name if isinstance(value, Opcode) else "",
)
def test_fake_success(rig: Rig, opcode: Opcode, body: Any, expected: Any) -> None:
    """A daemon that says yes and does nothing is the worst of all: the check must be shown one."""
    rig.rules.replace([f"{opcode.name}:fake"])
    unique = rig.ask(opcode, body)
    assert rig.taken() is None
    heard = rig.heard()
    if expected == b"":
        assert heard == wire.raw_reply(unique, 0)
    else:
        assert heard == wire.build_reply(unique, expected, opcode=opcode)


def test_fake_setattr_answers_what_is_there(rig: Rig) -> None:
    """The daemon is asked for the attributes in place of setting them."""
    rig.rules.replace(["SETATTR:fake"])
    unique = rig.ask(Opcode.SETATTR, wire.SetattrIn(valid=wire.SetattrValid.MODE, mode=0o600), nodeid=5)
    request = wire.decode_request(rig.taken() or b"")
    assert (request.opcode, request.header.nodeid, request.header.unique) == (Opcode.GETATTR, 5, unique)
    rig.say(wire.build_reply(unique, wire.AttrOut(attr=FILE), opcode=Opcode.GETATTR))
    assert rig.heard() == wire.build_reply(unique, wire.AttrOut(attr=FILE), opcode=Opcode.SETATTR)
    assert [record.opcode for record in rig.records()] == [Opcode.SETATTR]


def test_flip_of_a_write_is_on_its_way_to_the_daemon(rig: Rig) -> None:
    """Corruption in storing and in reading are two faults."""
    rig.rules.replace(["WRITE:flip"])
    rig.ask(Opcode.WRITE, wire.WriteIn(data=bytes(9)))
    assert wire.decode_request(rig.taken() or b"").body.data == bytes(4) + b" " + bytes(4)


# -- what becomes of a reply: rule, operation, request, correct answer, how the kernel's reading differs


def size(reply: Any) -> Any:
    return reply.attr.size


REPLIES: list[tuple[str, Opcode, Any, Any, Any, Any]] = [
    ("READ:short", Opcode.READ, READ, wire.DataOut(data=b"12345678"), lambda r: r.data, b"1234"),
    ("WRITE:short", Opcode.WRITE, wire.WriteIn(data=b"1234"), wire.WriteOut(size=4), lambda r: r.size, 2),
    ("READLINK:short", Opcode.READLINK, wire.Readlink(), wire.ReadlinkOut(target=b"abcd"), lambda r: r.target, b"ab"),
    ("READ:flip", Opcode.READ, READ, wire.DataOut(data=bytes(5)), lambda r: r.data, b"\0\0 \0\0"),
    ("GETXATTR:flip", Opcode.GETXATTR, wire.Getxattr(size=9, name=b"user.x"), wire.DataOut(data=b"AAA"),
     lambda r: r.data, b"AaA"),
    ("GETXATTR:flip", Opcode.GETXATTR, wire.Getxattr(size=0, name=b"user.x"), wire.GetxattrOut(size=3),
     lambda r: r.size, 3),
    ("GETATTR:attr.size=+1", Opcode.GETATTR, GETATTR, wire.AttrOut(attr=FILE), size, 11),
    ("GETATTR:attr.size=-1", Opcode.GETATTR, GETATTR, wire.AttrOut(attr=FILE), size, 9),
    ("GETATTR:attr.size=7", Opcode.GETATTR, GETATTR, wire.AttrOut(attr=FILE), size, 7),
    ("LOOKUP:attr.mode=0o100600", Opcode.LOOKUP, LOOKUP, ENTRY, lambda r: r.attr.mode, 0o100600),
    ("LOOKUP:attr.nlink=-2", Opcode.LOOKUP, LOOKUP, ENTRY, lambda r: r.attr.nlink, 2**32 - 1),
    ("LOOKUP:attr.uid=0x10", Opcode.LOOKUP, LOOKUP, ENTRY, lambda r: r.attr.uid, 16),
    ("SETATTR:attr.mtime=+3600", Opcode.SETATTR, wire.SetattrIn(), wire.AttrOut(attr=FILE),
     lambda r: r.attr.mtime, 4600),
    ("CREATE:attr.ino=9", Opcode.CREATE, wire.Create(name=b"f"), wire.CreateOut(entry=ENTRY),
     lambda r: r.entry.attr.ino, 9),
    ("READDIRPLUS:attr.size=+1", Opcode.READDIRPLUS, wire.ReadIn(size=4096), PLUS,
     lambda r: [e.entry.attr.size for e in r.entries], [11, 11, 11]),
    ("*:attr.size=+1", Opcode.READDIR, wire.ReadIn(size=4096), ENTRIES, lambda r: r, ENTRIES),
    ("LOOKUP:nodeid", Opcode.LOOKUP, LOOKUP, ENTRY, lambda r: r.nodeid, 77 + 1_000_003),
    *(
        (f"{op.name}:entries={how}", op, wire.ReadIn(size=4096), answer, pick, names)
        for op, answer, pick in (
            (Opcode.READDIR, ENTRIES, lambda r: [e.name for e in r.entries]),
            (Opcode.READDIRPLUS, PLUS, lambda r: [e.dirent.name for e in r.entries]),
        )
        for how, names in (
            ("lose", [b".", b"two"]),
            ("double", [b".", b"one", b"one", b"two"]),
            ("reorder", [b"two", b"one", b"."]),
            ("slash", [b".", b"/ne", b"two"]),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "opcode", "body", "answer", "pick", "expected"),
    REPLIES,
    ids=[f"{n} {row[0]}" for n, row in enumerate(REPLIES)],
)
def test_what_a_rule_makes_of_a_reply(
    rig: Rig, rule: str, opcode: Opcode, body: Any, answer: Any, pick: Any, expected: Any
) -> None:
    """A killer that changes nothing proves nothing."""
    rig.rules.replace([rule])
    heard = rig.through(opcode, body, answer)
    asked = wire.decode_request(wire.build_request(opcode, 1, body, unique=2))
    more = {"request": asked.body} if opcode in (Opcode.GETXATTR,) else {}
    found = decoded(heard or b"", opcode, **more)
    assert pick(found) == expected
    assert rig.events("malformed") == [] or "slash" in rule


def decoded(heard: bytes, opcode: Opcode, request: Any = None) -> Any:
    if request is None:
        return wire.decode_reply(heard, opcode).body
    if request.size:
        return wire.DataOut(data=heard[16:])
    return wire.GetxattrOut(size=int.from_bytes(heard[16:20], "little"))


@pytest.mark.parametrize("rule", ["unique", "positive-errno", "length"])
def test_what_the_kernel_refuses(rig: Rig, rule: str) -> None:
    """The three replies that the kernel refuses with an error to the daemon alone: its caller hangs."""
    rig.rules.replace([f"GETATTR:{rule}"])
    unique = rig.ask(Opcode.GETATTR, GETATTR)
    rig.taken()
    rig.say(wire.build_reply(unique, wire.AttrOut(attr=FILE), opcode=Opcode.GETATTR))
    heard = rig.heard() or b""
    with pytest.raises(wire.PeerError):
        reply = wire.decode_reply(heard, Opcode.GETATTR)
        if reply.header.unique != unique:
            raise wire.PeerError("another request's")
    assert [o["unique"] for o in rig.pump.open_requests()] == [unique]


def test_map_changes_one_error_only(rig: Rig) -> None:
    """The wrong errno for a missing file, and nothing else."""
    rig.rules.replace(["LOOKUP:map=ENOENT>EIO"])
    found = []
    for error in (errno.ENOENT, errno.EACCES):
        unique = rig.ask(Opcode.LOOKUP, LOOKUP)
        rig.taken()
        rig.say(wire.build_reply(unique, error=error, opcode=Opcode.LOOKUP))
        found.append(wire.decode_reply(rig.heard() or b"", Opcode.LOOKUP).error)
    assert found == [errno.EIO, errno.EACCES]


def test_stale_repeats_the_first_reply_of_the_same_place(rig: Rig) -> None:
    """A cache that is never renewed, which shows only at the second reading."""
    rig.rules.replace(["READ:stale"])

    def read(nodeid: int, offset: int, data: bytes) -> bytes:
        body = wire.ReadIn(offset=offset, size=100)
        return (rig.through(Opcode.READ, body, wire.DataOut(data=data), nodeid=nodeid) or b"")[16:]

    assert read(5, 0, b"old") == b"old"
    assert read(5, 0, b"newer") == b"old"
    rig.ask(Opcode.READ, wire.ReadIn(offset=7, size=100), nodeid=5)
    rig.taken()
    rig.say(wire.build_reply(rig.unique, error=errno.EIO, opcode=Opcode.READ))
    assert rig.heard() is not None
    assert read(5, 7, b"after an error") == b"after an error"
    assert read(5, 100, b"there") == b"there" and read(6, 0, b"other") == b"other"


@pytest.mark.parametrize(
    "rule", ["GETATTR:attr.size=+1", "*:short", "*:nodeid", "GETATTR:neighbour", "READDIR:entries=lose"]
)
def test_errors_are_left_alone(rig: Rig, rule: str) -> None:
    """An error of 16 bytes has no attributes to change: bytes beyond it would be made up."""
    rig.rules.replace([rule])
    opcode = Opcode.READDIR if rule.startswith("READDIR") else Opcode.GETATTR
    unique = rig.ask(opcode, wire.ReadIn(size=10) if opcode is Opcode.READDIR else GETATTR)
    rig.taken()
    said = wire.build_reply(unique, error=errno.EACCES, opcode=opcode)
    rig.say(said)
    assert rig.heard() == said


def test_rules_without_a_request_of_theirs_cost_nothing() -> None:
    """`reply` is asked for every exchange: what no rule chose passes as it is, the very same object."""
    rules = RuleSet(["WRITE:drop"])
    request = wire.build_request(Opcode.GETATTR, 1, GETATTR, unique=2)
    assert rules.request(Opcode.GETATTR, 2, 1, memoryview(request)) is None
    assert rules.reply(Opcode.GETATTR, request, b"x" * 120) is None
