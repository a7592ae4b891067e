"""The table of fault kinds: every row is told, typed and tried; what cannot act is refused before anything starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fsprobe import wire
from fsprobe.errors import UsageError
from fsprobe.relay import faults, fields, kinds
from fsprobe.relay.rules import Rule, RuleSet, parse, seeded
from fsprobe.wire import Opcode
from tests.relay.rig import ENTRY, FILE, Rig

GETATTR = wire.GetattrIn()
DATA = b"abcdefghi"


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


# -- the language


@pytest.mark.parametrize("kind", kinds.KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_is_told_with_an_example_that_parses(kind: kinds.Kind) -> None:
    """An example in the documentation that is refused is worse than none."""
    told = "\n".join(kinds.lines())
    assert kind.about in told and f"'{kind.example}'" in told
    rule = parse(kind.example)
    assert kinds.find(rule.kind) is kind


def test_every_condition_is_told() -> None:
    """A condition nobody knows of is never used."""
    told = list(kinds.lines())
    assert [name for name, (form, _) in kinds.CONDITIONS.items() if f",{name}={form}" not in told] == []


@pytest.mark.parametrize(
    ("text", "word", "hint"),
    [
        ("setattr:drop", "setattr", "did you mean SETATTR?"),
        ("GETATTR:atr.size=1", "atr.size", "attr.size"),
        ("GETATTR:attr.sise=1", "attr.sise", "attr.size"),
        ("SETATTR:errno=ENOSIS", "ENOSIS", "ENOSYS"),
        ("READDIR:entries=loose", "loose", "lose"),
        ("MKDIR:fake", "node", "fake acts on"),
        ("READ:entries=lose", "READ", "READDIR"),
        ("GETATTR:short", "GETATTR", "READ"),
        ("FORGET:unique", "FORGET", ""),
        ("SETATTR:ignore.ctime", "ignore.ctime", "kinds:"),
        ("WRITE:fake,prob=0.5", "prob", "p=0..1"),
        ("WRITE:fake,pth=/x", "pth", "did you mean path"),
        ("WRITE:fake,p=2", "p=2", "p=0..1"),
        ("WRITE:fake,p=nan", "p=nan", ""),
        ("WRITE:fake,p=often", "p=often", ""),
        ("WRITE:fake,seed=3", "seed", ""),
        ("WRITE:fake,every=0", "every=0", ""),
        ("WRITE:fake,nth=2,every=2", "exclude", ""),
        ("WRITE:fake,nth=2,nth=3", "twice", ""),
        ("READ:flip,path=a,b", "'b'", "comma"),
    ],
)
def test_a_bad_rule_says_which_word_and_what_is_allowed(text: str, word: str, hint: str) -> None:
    """Whoever mistypes a rule would search in a header file for what the table knows."""
    with pytest.raises(UsageError) as error:
        parse(text)
    assert word in error.value.fact and hint in " ".join((error.value.fact, *error.value.causes))
    assert error.value.command == "fsprobe list --rules"


# -- when


def turns(text: str, count: int) -> list[bool]:
    rule: Rule = parse(text)
    return [rule.is_due() for _ in range(count)]


def test_every_third_time() -> None:
    """A store that loses some writes is not one that loses all."""
    assert turns("WRITE:fake,every=3", 7) == [False, False, True, False, False, True, False]


def test_chances_repeat_with_the_seed_and_differ_without() -> None:
    """A failure that was seen once could never be looked into."""
    text = "WRITE:errno=EIO,p=0.3"
    first = turns(seeded(text, 7), 2000)
    assert turns(seeded(text, 7), 2000) == first != turns(seeded(text, 8), 2000)
    assert 500 < sum(first) < 700
    assert turns(f"{text},seed=7", 2000) == first, "a rule's own seed is the same as the run's"
    assert seeded(f"{text},seed=9", 7).endswith("seed=9") and seeded("WRITE:fake", 7) == "WRITE:fake"
    assert sum(turns("WRITE:fake,p=0", 50)) == 0 and sum(turns("WRITE:fake,p=1", 50)) == 50


# -- what: on requests


def test_two_rules_on_one_request_both_act(rig: Rig) -> None:
    """The second of two faults would be lost without a word."""
    rig.rules.replace(["WRITE:flip", "WRITE:torn"])
    unique = rig.ask(Opcode.WRITE, wire.WriteIn(data=bytes(8)))
    assert wire.decode_request(rig.taken() or b"").body.data == bytes(4)
    rig.say(wire.build_reply(unique, wire.WriteOut(size=4), opcode=Opcode.WRITE))
    assert wire.decode_reply(rig.heard() or b"", Opcode.WRITE).body.size == 8


@pytest.mark.parametrize(("rule", "stored"), [("torn", b"abcd"), ("zero", b"abc\0\0\0ghi"), ("flip", b"abcdEfghi")])
def test_what_is_stored_is_not_what_was_written(rig: Rig, rule: str, stored: bytes) -> None:
    """Every one of them is acknowledged in full: only reading again can tell."""
    rig.rules.replace([f"WRITE:{rule}"])
    unique = rig.ask(Opcode.WRITE, wire.WriteIn(data=DATA))
    request = wire.decode_request(rig.taken() or b"")
    assert request.body.data == stored
    rig.say(wire.build_reply(unique, wire.WriteOut(size=len(stored)), opcode=Opcode.WRITE))
    assert wire.decode_reply(rig.heard() or b"", Opcode.WRITE).body.size == len(DATA)


def test_flip_of_a_target_and_of_a_value(rig: Rig) -> None:
    """The neighbours of what is flipped, a name and its NUL, have to stay whole."""
    rig.rules.replace(["SYMLINK:flip", "SETXATTR:flip"])
    rig.ask(Opcode.SYMLINK, wire.Symlink(name=b"name", target=b"target"))
    assert wire.decode_request(rig.taken() or b"").body == wire.Symlink(name=b"name", target=b"tarGet")
    rig.ask(Opcode.SETXATTR, wire.Setxattr(name=b"user.x", value=b"value"))
    assert (rig.taken() or b"").endswith(b"user.x\0vaLue")


def test_one_field_of_setattr_is_passed_over(rig: Rig) -> None:
    """A daemon that sets the mode and forgets the owner passes every test of the mode."""
    valid = wire.SetattrValid
    rig.rules.replace(["SETATTR:ignore.mtime"])
    rig.ask(Opcode.SETATTR, wire.SetattrIn(valid=valid.MODE | valid.MTIME | valid.MTIME_NOW, mode=0o600))
    request = wire.decode_request(rig.taken() or b"")
    assert (request.opcode, request.body.valid) == (Opcode.SETATTR, valid.MODE)
    rig.ask(Opcode.SETATTR, wire.SetattrIn(valid=valid.MTIME), nodeid=5)
    request = wire.decode_request(rig.taken() or b"")
    assert (request.opcode, request.header.nodeid) == (Opcode.GETATTR, 5), "nothing is left to set"
    rig.ask(Opcode.SETATTR, wire.SetattrIn(valid=valid.SIZE, size=3))
    assert wire.decode_request(rig.taken() or b"").body.valid == valid.SIZE


# -- what: on replies


def test_the_neighbours_inode_number(rig: Rig) -> None:
    """Two files with one number are one file to tar and to rsync."""
    rig.rules.replace(["GETATTR:neighbour"])

    def ino(nodeid: int, own: int) -> int:
        answer = wire.AttrOut(attr=wire.Attr(ino=own, mode=0o100644))
        heard = rig.through(Opcode.GETATTR, GETATTR, answer, nodeid=nodeid)
        found: int = wire.decode_reply(heard or b"", Opcode.GETATTR).body.attr.ino
        return found

    assert [ino(5, 50), ino(5, 50), ino(6, 60), ino(5, 50), ino(7, 70)] == [50, 50, 50, 60, 50]


def test_a_listing_with_other_offsets_types_numbers_and_names() -> None:
    """What comes after the first entries is found by their offsets."""
    entry = wire.Dirent(7, 3, 4, b"sub")
    reply = wire.build_reply(2, wire.DirentList((wire.Dirent(1, 1, 4, b"."), entry)), opcode=Opcode.READDIR)

    def altered(how: str) -> tuple[wire.Dirent, ...]:
        body = fields.entries(how, Opcode.READDIR, reply)
        head = (len(body) + 16).to_bytes(4, "little") + reply[4:16]
        found: tuple[wire.Dirent, ...] = wire.decode_reply(head + body, Opcode.READDIR).body.entries
        return found

    assert [e.off for e in altered("offset")] == [2, 4]
    assert [e.type for e in altered("type")] == [8, 8]
    assert [e.ino for e in altered("ino")][1] != entry.ino
    assert [e.name for e in altered("flip")] == [b".", b"Sub"]


ALTERED: list[tuple[str, Opcode, Any, Any, Any, Any]] = [
    ("READ:zero", Opcode.READ, wire.ReadIn(size=9), wire.DataOut(data=DATA), lambda r: r.data, b"abc\0\0\0ghi"),
    ("LOOKUP:generation", Opcode.LOOKUP, wire.Lookup(name=b"n"), ENTRY, lambda r: r.generation, ENTRY.generation + 1),
    ("STATFS:statfs.bavail=0", Opcode.STATFS, None, wire.StatfsOut(st=wire.Kstatfs(blocks=9, bavail=8)),
     lambda r: (r.st.blocks, r.st.bavail), (9, 0)),
    ("STATX:attr.size=+1", Opcode.STATX, wire.StatxIn(), wire.StatxOut(stat=wire.Statx(size=4)),
     lambda r: r.stat.size, 5),
    ("GETLK:fake", Opcode.GETLK, wire.LkIn(), None, lambda r: r.lk.type, 2),
    ("STATFS:fake", Opcode.STATFS, None, None, lambda r: r.st, wire.Kstatfs()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "opcode", "body", "answer", "pick", "expected"), ALTERED, ids=[row[0] for row in ALTERED]
)
def test_what_a_kind_makes_of_a_reply(
    rig: Rig, rule: str, opcode: Opcode, body: Any, answer: Any, pick: Any, expected: Any
) -> None:
    """A fault that changes nothing, or breaks the message instead, tests something else."""
    rig.rules.replace([rule])
    heard = rig.through(opcode, body, answer)
    assert pick(wire.decode_reply(heard or b"", opcode).body) == expected
    assert rig.events("malformed") == []


def test_a_name_that_is_not_there_has_no_generation() -> None:
    """nodeid 0 means that there is no such name: another number would make a file of it."""
    reply = wire.build_reply(2, wire.EntryOut(nodeid=0, attr=FILE), opcode=Opcode.LOOKUP)
    for kind in ("nodeid", "generation"):
        assert faults.alter_reply(kind, "", Opcode.LOOKUP, bytes(40), reply, faults.Memory()) == reply


def test_a_body_that_is_cut_is_named(rig: Rig) -> None:
    """The kernel makes EIO of it, and nobody knows why."""
    rig.rules.replace(["GETATTR:body"])
    heard = rig.through(Opcode.GETATTR, GETATTR, wire.AttrOut(attr=FILE)) or b""
    assert int.from_bytes(heard[:4], "little") == len(heard) == 16 + 104 - 8
    assert [event["open"] for event in rig.events("malformed")] == [False]


def test_a_stale_attribute_is_that_of_the_same_name() -> None:
    """One attribute answered in place of another would be a different fault."""
    rules = RuleSet(["GETXATTR:stale"])

    def get(name: bytes, value: bytes) -> bytes:
        request = wire.build_request(Opcode.GETXATTR, 5, wire.Getxattr(size=64, name=name), unique=2)
        assert rules.request(Opcode.GETXATTR, 2, 5, memoryview(request)) is None
        reply = wire.build_reply(2, wire.DataOut(data=value), opcode=Opcode.GETXATTR)
        return (rules.reply(Opcode.GETXATTR, request, reply) or reply)[16:]

    assert [get(b"user.a", b"1"), get(b"user.b", b"2"), get(b"user.a", b"333")] == [b"1", b"2", b"1"]
