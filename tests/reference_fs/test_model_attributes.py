"""Attributes: times, modes, owners, permissions and extended attributes."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Callable

import pytest

from reference_fs import model_files, model_names, model_rename, model_xattrs
from reference_fs.model import Store
from reference_fs.model_attributes import Changes, set_attributes
from reference_fs.model_inode import ROOT, Caller, Inode
from reference_fs.model_permissions import FMODE_EXEC, mask_of, require

OWNER, GROUP, OTHER = Caller(1000, 1000), Caller(1001, 1001, lambda: frozenset({1000})), Caller(1002, 1002)


def code(function: object, *arguments: object, **more: object) -> int:
    """The errno that a call ends with, 0 where it succeeds."""
    try:
        function(*arguments, **more)  # type: ignore[operator]
    except OSError as error:
        return error.errno or -1
    return 0


def ticking_store(*, enforce: bool = False) -> Store:
    """A store whose clock moves by a second each time it is asked."""
    seconds = itertools.count(10**6)
    return Store(enforce=enforce, clock=lambda: next(seconds) * 10**9)


class Place:
    """Two directories, a file in the first, a link to nothing."""

    def __init__(self) -> None:
        self.store = ticking_store()
        root = self.store.root
        self.here = model_names.make_directory(self.store, root, b"here", ROOT, 0o755)
        self.there = model_names.make_directory(self.store, root, b"there", ROOT, 0o755)
        self.empty = model_names.make_directory(self.store, self.here, b"empty", ROOT, 0o755)
        self.file = model_names.make(self.store, self.here, b"file", ROOT, 0o644)
        model_files.write(self.store, self.file, 0, b"content")


def _set(**fields: object) -> Callable[[Place], object]:
    return lambda p: set_attributes(p.store, p.file, ROOT, Changes(**fields))  # type: ignore[arg-type]


TABLE: list[tuple[str, Callable[[Place], object], dict[str, str]]] = [
    ("create", lambda p: model_names.make(p.store, p.here, b"new", ROOT, 0o644), {"here": "mc"}),
    ("write", lambda p: model_files.write(p.store, p.file, 3, b"x"), {"file": "mc"}),
    ("write nothing", lambda p: model_files.write(p.store, p.file, 3, b""), {}),
    ("read", lambda p: model_files.read(p.store, p.file, 0, 9), {"file": "a"}),
    ("truncate", _set(size=3), {"file": "mc"}),
    ("truncate to the same", _set(size=7), {"file": "mc"}),
    ("chmod", _set(mode=0o600), {"file": "c"}),
    ("chown", _set(uid=5), {"file": "c"}),
    ("utimens", _set(atime=5, mtime=6), {"file": "amc"}),
    ("utimens of one", _set(mtime=6), {"file": "mc"}),
    ("link", lambda p: model_names.link(p.store, p.file, p.there, b"l", ROOT), {"file": "c", "there": "mc"}),
    ("unlink", lambda p: model_names.unlink(p.store, p.here, b"file", ROOT), {"file": "c", "here": "mc"}),
    (
        "rename",
        lambda p: model_rename.rename(p.store, p.here, b"file", p.there, b"file", ROOT),
        {"file": "c", "here": "mc", "there": "mc"},
    ),
    ("mkdir", lambda p: model_names.make_directory(p.store, p.here, b"d", ROOT, 0o755), {"here": "mc"}),
    ("rmdir", lambda p: model_names.remove_directory(p.store, p.here, b"empty", ROOT), {"here": "mc", "empty": "c"}),
    ("setxattr", lambda p: model_xattrs.set_xattr(p.store, p.file, b"user.x", b"1", 0, ROOT), {"file": "c"}),
    ("readdir", lambda p: model_names.list_directory(p.store, p.here, 0, 9), {"here": "a"}),
    ("fallocate", lambda p: model_files.allocate(p.store, p.file, 0, 0, 9), {"file": "mc"}),
]


@pytest.mark.parametrize(("call", "touched"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table_of_times(call: Callable[[Place], object], touched: dict[str, str]) -> None:
    """make, rsync and backups decide by these: each operation marks exactly the times that POSIX names."""
    place = Place()
    watched = ("file", "here", "there", "empty")

    def times() -> dict[str, tuple[int, int, int]]:
        return {name: (i.atime, i.mtime, i.ctime) for name in watched if (i := getattr(place, name))}

    before = times()
    call(place)
    after = times()
    changed = {
        name: "".join(letter for letter, old, new in zip("amc", before[name], after[name], strict=True) if old != new)
        for name in watched
    }
    assert {name: letters for name, letters in changed.items() if letters} == touched


def test_reading_marks_the_time_once() -> None:
    """relatime: a second read of an unchanged file is not a change."""
    place = Place()
    model_files.read(place.store, place.file, 0, 9)
    first = place.file.atime
    model_files.read(place.store, place.file, 0, 9)
    assert place.file.atime == first


def test_a_quiet_reader_leaves_no_trace() -> None:
    """O_NOATIME: a backup would make every file look used."""
    place = Place()
    before = place.file.atime
    model_files.read(place.store, place.file, 0, 9, quiet=True)
    assert place.file.atime == before


def test_a_change_of_size_has_one_time() -> None:
    """A file whose mtime lies before its ctime looks as if its attributes alone were changed since."""
    place = Place()
    set_attributes(place.store, place.file, ROOT, Changes(size=2))
    assert place.file.mtime == place.file.ctime


def test_times_are_kept_to_the_nanosecond() -> None:
    """Before 1970 and after 2038 too."""
    place = Place()
    for time in (1234567890123456789, -1, -(10**18) + 7, 2208988800000000001):
        set_attributes(place.store, place.file, ROOT, Changes(atime=time, mtime=time))
        assert (place.file.atime, place.file.mtime) == (time, time)


def test_who_writes_takes_set_id_bits_away() -> None:
    """A program that runs as root must not stay so when another writes it; a chown drops them even for root."""
    place = Place()
    store, file = place.store, place.file
    for mode, wanted in ((0o6777, 0o777), (0o4777, 0o777), (0o2666, 0o2666)):
        for change in (
            lambda: model_files.write(store, file, 0, b"x", kill=Caller(1, file.gid)),
            lambda: set_attributes(store, file, Caller(OWNER.uid, file.gid), Changes(size=2)),
            lambda: set_attributes(store, file, ROOT, Changes(uid=3)),
        ):
            set_attributes(store, file, ROOT, Changes(mode=mode))
            change()
            assert stat.S_IMODE(file.mode) == wanted
    set_attributes(store, file, ROOT, Changes(mode=0o2666))
    model_files.write(store, file, 0, b"x", kill=Caller(1, file.gid + 1))
    assert stat.S_IMODE(file.mode) == 0o666, "who is not in the group cannot keep its bit"
    set_attributes(store, file, ROOT, Changes(mode=0o6755))
    model_files.write(store, file, 0, b"x")
    set_attributes(store, file, ROOT, Changes(size=1))
    assert stat.S_IMODE(file.mode) == 0o6755, "root's own writing leaves them"
    set_attributes(store, place.here, ROOT, Changes(mode=0o6755))
    set_attributes(store, place.here, ROOT, Changes(uid=3))
    assert stat.S_IMODE(place.here.mode) == 0o6755, "a directory keeps them"
    device = model_names.make(store, place.here, b"dev", ROOT, stat.S_IFCHR | 0o6755)
    set_attributes(store, device, ROOT, Changes(uid=3))
    assert stat.S_IMODE(device.mode) == 0o755, "what is neither loses them to chown too"


def test_chown_of_nothing_is_for_the_owner() -> None:
    """Anybody who may write a program could take its set-id bits away, without writing."""
    place = Place()
    set_attributes(place.store, place.file, ROOT, Changes(mode=0o6777))
    assert code(set_attributes, place.store, place.file, OTHER, Changes()) == errno.EPERM
    set_attributes(place.store, place.file, OTHER, Changes(), opened=True)
    assert stat.S_IMODE(place.file.mode) == 0o777, "a writer's doing"


@pytest.fixture
def guarded() -> tuple[Store, Inode, Inode]:
    """A store that checks permissions itself: a directory of everyone's, a file of OWNER's in it."""
    store = ticking_store(enforce=True)
    directory = model_names.make_directory(store, store.root, b"d", ROOT, 0o777)
    file = model_names.make(store, directory, b"f", OWNER, 0o664)
    return store, directory, file


@pytest.mark.parametrize(("caller", "changes", "wanted"), [
    (OWNER, Changes(mode=0o600), 0), (GROUP, Changes(mode=0o600), errno.EPERM), (ROOT, Changes(mode=0o600), 0),
    (OWNER, Changes(uid=1001), errno.EPERM), (OWNER, Changes(gid=1001), errno.EPERM), (OWNER, Changes(gid=1000), 0),
    (GROUP, Changes(gid=1001), errno.EPERM), (GROUP, Changes(size=0), 0), (OTHER, Changes(size=0), errno.EACCES),
    (GROUP, Changes(atime=1, mtime=1), errno.EPERM), (GROUP, Changes(atime="now", mtime="now"), 0),
    (GROUP, Changes(atime="now"), errno.EPERM), (OTHER, Changes(atime="now", mtime="now"), errno.EACCES),
    (OWNER, Changes(atime=1, mtime=1), 0),
])  # fmt: skip
def test_who_may_change_what(
    guarded: tuple[Store, Inode, Inode], caller: Caller, changes: Changes, wanted: int
) -> None:
    """Mounted without default_permissions nobody else checks."""
    store, _, file = guarded
    assert code(set_attributes, store, file, caller, changes) == wanted


def test_an_open_file_can_be_truncated_whatever_its_mode(guarded: tuple[Store, Inode, Inode]) -> None:
    """ftruncate(2) asks what the descriptor may, not what the caller may."""
    store, _, file = guarded
    assert code(set_attributes, store, file, OTHER, Changes(size=0), opened=True) == 0


def test_a_group_bit_that_is_not_ones_own(guarded: tuple[Store, Inode, Inode]) -> None:
    """chmod(2) by an owner outside the file's group succeeds without S_ISGID."""
    store, _, file = guarded
    set_attributes(store, file, ROOT, Changes(gid=77))
    set_attributes(store, file, OWNER, Changes(mode=0o2755))
    assert stat.S_IMODE(file.mode) == 0o755


def test_a_sticky_directory_protects_what_is_in_it(guarded: tuple[Store, Inode, Inode]) -> None:
    """/tmp: everyone may write there, nobody may remove or move another's file."""
    store, directory, _ = guarded
    set_attributes(store, directory, ROOT, Changes(mode=0o1777))
    model_names.make(store, directory, b"g", OTHER, 0o644)
    rename = model_rename.rename
    assert code(model_names.unlink, store, directory, b"f", OTHER) == errno.EPERM
    assert code(rename, store, directory, b"f", directory, b"x", OTHER) == errno.EPERM
    assert code(rename, store, directory, b"g", directory, b"f", OTHER) == errno.EPERM
    assert code(rename, store, directory, b"f", directory, b"x", OWNER) == 0


def test_directories_need_write_and_search(guarded: tuple[Store, Inode, Inode]) -> None:
    """No entry is made, found or removed without the bit for it."""
    store, directory, _ = guarded
    set_attributes(store, directory, ROOT, Changes(mode=0o755))
    assert code(model_names.make, store, directory, b"x", OTHER, 0o644) == errno.EACCES
    assert code(model_names.unlink, store, directory, b"f", OTHER) == errno.EACCES
    set_attributes(store, directory, ROOT, Changes(mode=0o644))
    assert code(model_names.lookup, store, directory, b"f", OTHER) == errno.EACCES
    assert code(model_names.lookup, store, directory, b"f", ROOT) == 0


def test_extended_attributes() -> None:
    """Flags, namespaces and limits of xattr(7)."""
    store, here, file = (place := Place()).store, place.here, place.file
    set_xattr, get_xattr = model_xattrs.set_xattr, model_xattrs.get_xattr
    fifo = model_names.make(store, here, b"fifo", ROOT, stat.S_IFIFO | 0o644)
    for wanted, call, *arguments in (
        (errno.ENODATA, get_xattr, file, b"user.a", ROOT),
        (errno.ENODATA, set_xattr, file, b"user.a", b"1", model_xattrs.REPLACE, ROOT),
        (0, set_xattr, file, b"user.a", b"\0\xff", model_xattrs.CREATE, ROOT),
        (errno.EEXIST, set_xattr, file, b"user.a", b"2", model_xattrs.CREATE, ROOT),
        (0, set_xattr, file, b"user.empty", b"", 0, ROOT),
        (errno.EINVAL, set_xattr, file, b"user.b", b"", 8, ROOT),
        (errno.EINVAL, set_xattr, file, b"user.", b"", 0, ROOT),
        (errno.EOPNOTSUPP, set_xattr, file, b"system.posix_acl_access", b"", 0, ROOT),
        (errno.EOPNOTSUPP, get_xattr, file, b"plain", ROOT),
        (errno.ERANGE, set_xattr, file, b"user." + b"x" * 251, b"", 0, ROOT),
        (errno.E2BIG, set_xattr, file, b"user.b", bytes(65537), 0, ROOT),
        (errno.EPERM, set_xattr, fifo, b"user.a", b"", 0, ROOT),
        (errno.ENODATA, get_xattr, fifo, b"user.a", ROOT),
        (0, set_xattr, here, b"user.a", b"", 0, OWNER),
        (errno.EPERM, set_xattr, file, b"trusted.a", b"", 0, OWNER),
        (0, set_xattr, file, b"trusted.a", b"", 0, ROOT),
        (errno.ENODATA, get_xattr, file, b"trusted.a", OWNER),
        (errno.ENODATA, model_xattrs.remove_xattr, file, b"user.b", ROOT),
    ):
        assert code(call, store, *arguments) == wanted, arguments
    assert (get_xattr(store, file, b"user.a", ROOT), get_xattr(store, file, b"user.empty", ROOT)) == (b"\0\xff", b"")
    assert model_xattrs.list_xattrs(store, file, OWNER) == [b"user.a", b"user.empty"]
    model_xattrs.remove_xattr(store, file, b"user.a", ROOT)
    assert b"user.a" not in model_xattrs.list_xattrs(store, file, ROOT)


def test_who_may_not_write_hears_so_first(guarded: tuple[Store, Inode, Inode]) -> None:
    """Whether a name makes sense is none of the business of who may not set it, as on other file systems."""
    store, _, file = guarded
    for name in (b"user.", b"plain"):
        assert code(model_xattrs.set_xattr, store, file, name, b"", 0, OTHER) == errno.EACCES


def test_a_program_need_not_be_readable(guarded: tuple[Store, Inode, Inode]) -> None:
    """A program of mode 0711 would not start for others where the kernel leaves the check to us."""
    store, _, file = guarded
    set_attributes(store, file, ROOT, Changes(mode=0o711))
    require(store, file, OTHER, mask_of(FMODE_EXEC | os.O_RDONLY))
    assert code(require, store, file, OTHER, mask_of(os.O_RDONLY)) == errno.EACCES
