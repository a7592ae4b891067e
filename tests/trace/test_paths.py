"""Paths of nodeids: without them a hang is "node 17" and the user does not know which file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsprobe import wire
from fsprobe.trace.exchange import Exchange
from fsprobe.trace.paths import NodePaths
from fsprobe.wire import Opcode
from tests.trace.recording import Recording


@pytest.fixture
def tape() -> Recording:
    return Recording()


def fed(*exchanges: Exchange) -> NodePaths:
    paths = NodePaths()
    for exchange in exchanges:
        paths.feed(exchange)
    return paths


def tree(tape: Recording) -> list[Exchange]:
    """/dir (2) with /dir/file (3)."""
    return [
        tape.entry(Opcode.MKDIR, 1, wire.Mkdir(name=b"dir"), 2, 0o040755),
        tape.entry(Opcode.CREATE, 2, wire.Create(name=b"file"), 3),
    ]


@pytest.mark.parametrize(
    ("opcode", "asked"),
    [
        (Opcode.LOOKUP, wire.Lookup(b"n\xff")),
        (Opcode.MKNOD, wire.Mknod(name=b"n\xff")),
        (Opcode.MKDIR, wire.Mkdir(name=b"n\xff")),
        (Opcode.SYMLINK, wire.Symlink(b"n\xff", b"target")),
        (Opcode.CREATE, wire.Create(name=b"n\xff")),
        (Opcode.LINK, wire.Link(9, b"n\xff")),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_each_way_to_a_node_is_followed(tape: Recording, opcode: Opcode, asked: object) -> None:
    paths = fed(*tree(tape), tape.entry(opcode, 2, asked, 9))
    assert paths.path(9) == b"/dir/n\xff"
    assert paths.path(1) == b"/"
    assert paths.child(2, b"n\xff") == 9


def test_readdirplus_names_nodes(tape: Recording) -> None:
    entries = tuple(
        wire.DirentPlus(wire.EntryOut(nodeid=nodeid), wire.Dirent(name=name))
        for nodeid, name in ((2, b"."), (1, b".."), (7, b"seven"), (0, b"unknown"))
    )
    whole = wire.build_reply(9, wire.DirentPlusList(entries), opcode=Opcode.READDIRPLUS)
    cut = tape.exchange(Opcode.READDIRPLUS, 2, wire.ReadIn(size=4096), wire.DirentPlusList(entries))
    paths = fed(*tree(tape), replace(cut, reply=whole))
    assert paths.path(7) == b"/dir/seven"
    assert paths.path(2) == b"/dir"
    assert paths.path(0) is None


def test_rename_moves_a_whole_tree(tape: Recording) -> None:
    rename = tape.exchange(Opcode.RENAME, 1, wire.Rename(1, b"dir", b"new"))
    assert fed(*tree(tape), rename).path(3) == b"/new/file"


def test_rename_over_a_file_leaves_it_without_a_name(tape: Recording) -> None:
    other = tape.entry(Opcode.LOOKUP, 1, wire.Lookup(b"other"), 4)
    paths = fed(*tree(tape), other, tape.exchange(Opcode.RENAME2, 2, wire.Rename2(1, 0, 0, b"file", b"other")))
    assert paths.path(3) == b"/other"
    assert paths.deleted(4)
    assert not paths.deleted(3)


def test_exchange_swaps_two_names(tape: Recording) -> None:
    other = tape.entry(Opcode.LOOKUP, 1, wire.Lookup(b"other"), 4)
    swap = tape.exchange(Opcode.RENAME2, 2, wire.Rename2(1, 2, 0, b"file", b"other"))
    paths = fed(*tree(tape), other, swap)
    assert (paths.path(3), paths.path(4)) == (b"/other", b"/dir/file")


def test_a_failed_rename_or_unlink_changes_nothing(tape: Recording) -> None:
    paths = fed(
        *tree(tape),
        tape.exchange(Opcode.RENAME, 2, wire.Rename(1, b"file", b"x"), error=38),
        tape.exchange(Opcode.UNLINK, 2, wire.Unlink(b"file"), error=13),
        tape.exchange(Opcode.UNLINK, 2, wire.Unlink(b"file"), error=None),
    )
    assert paths.path(3) == b"/dir/file"
    assert not paths.deleted(3)


def test_an_unlinked_open_file_keeps_its_last_path(tape: Recording) -> None:
    paths = fed(*tree(tape), tape.exchange(Opcode.UNLINK, 2, wire.Unlink(b"file")))
    assert paths.path(3) == b"/dir/file"
    assert paths.deleted(3)


def test_a_second_name_outlives_the_first(tape: Recording) -> None:
    link = tape.entry(Opcode.LINK, 1, wire.Link(3, b"hard"), 3)
    paths = fed(*tree(tape), link, tape.exchange(Opcode.UNLINK, 1, wire.Unlink(b"hard")))
    assert paths.path(3) == b"/dir/file"
    assert not paths.deleted(3)


def test_an_unnamed_temporary_file_is_in_its_directory(tape: Recording) -> None:
    paths = fed(*tree(tape), tape.entry(Opcode.TMPFILE, 2, wire.Create(name=b"/"), 8))
    assert paths.path(8) == b"/dir/(unnamed)"
    assert paths.deleted(8)
    paths.feed(tape.entry(Opcode.LINK, 1, wire.Link(8, b"named"), 8))
    assert paths.path(8) == b"/named"


def test_forget_ends_what_is_known_of_a_nodeid(tape: Recording) -> None:
    """Daemons give a nodeid out again: the old path would name the wrong file."""
    looked = tape.entry(Opcode.LOOKUP, 2, wire.Lookup(b"file"), 3)
    once = tape.exchange(Opcode.FORGET, 3, wire.ForgetIn(1), error=None)
    paths = fed(*tree(tape), looked, once)
    assert paths.path(3) == b"/dir/file"
    batch = wire.BatchForgetIn(forgets=(wire.ForgetOne(3, 1), wire.ForgetOne(77, 1)))
    paths.feed(tape.exchange(Opcode.BATCH_FORGET, 0, batch, error=None))
    assert paths.path(3) is None
    assert paths.child(2, b"file") is None


def test_a_negative_lookup_ends_a_name(tape: Recording) -> None:
    for gone in (
        tape.exchange(Opcode.LOOKUP, 2, wire.Lookup(b"file"), error=2),
        tape.exchange(Opcode.LOOKUP, 2, wire.Lookup(b"file"), wire.EntryOut()),
    ):
        assert fed(*tree(tape), gone).deleted(3)


def test_another_start_of_the_daemon_has_other_nodeids(tape: Recording) -> None:
    again = Recording(start=2)
    paths = fed(*tree(tape), again.entry(Opcode.LOOKUP, 1, wire.Lookup(b"x"), 5))
    assert paths.path(3) is None
    assert paths.path(5) == b"/x"


def test_old_daemons_short_entries_are_understood() -> None:
    tape = Recording(minor=8)
    init = tape.exchange(Opcode.INIT, 0, wire.InitIn(minor=45), wire.InitOut(minor=8))
    entries = tuple(
        wire.DirentPlus(wire.EntryOut(nodeid=n), wire.Dirent(name=b"n%d" % n)) for n in (2, 3)
    )
    plus = tape.exchange(Opcode.READDIRPLUS, 1, wire.ReadIn(size=4096), wire.DirentPlusList(entries))
    assert fed(init, plus).path(3) == b"/n3"


def test_nonsense_from_a_daemon_is_passed_over(tape: Recording) -> None:
    """A directory that is its own parent must not hang the trace."""
    loop = [
        tape.entry(Opcode.LOOKUP, 2, wire.Lookup(b"a"), 3),
        tape.entry(Opcode.LOOKUP, 3, wire.Lookup(b"b"), 2),
        tape.entry(Opcode.LOOKUP, 1, wire.Lookup(b"root"), 1),
        tape.raw(Opcode.LOOKUP, 1, b"short", b"shorter", 0),
    ]
    paths = fed(*loop)
    assert paths.path(2) is None
    assert paths.path(1) == b"/"
