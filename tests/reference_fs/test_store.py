"""What is kept by --store: everything that stat shows, through every end that a daemon can have."""

from __future__ import annotations

import errno
import json
import os
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reference_fs import model_attributes, model_files, model_names, model_rename, model_xattrs
from reference_fs.model import Store, StoreError
from reference_fs.model_attributes import Changes
from reference_fs.model_inode import ROOT, Inode
from reference_fs.model_journal import JournaledStore
from tests.reference_fs.mounted import ROOT as CLONE
from tests.reference_fs.mounted import on_mount
from tests.reference_fs.store_check import wrong_in
from tests.reference_fs.test_fronts import FRONTS
from tests.reference_fs.test_fronts import pytestmark as needs_a_mount

KILLS = 10


def tree(store: Store) -> dict[bytes, tuple[Any, ...]]:
    """Every path with all there is to know of its inode."""

    def walk(path: bytes, inode: Inode) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
        content = tuple(sorted(inode.data.chunks)) if inode.data else ()
        small = inode.data.read(0, min(inode.size, 1 << 20)) if inode.data else inode.target
        times = (inode.atime, inode.mtime, inode.ctime, inode.btime)
        yield path, (inode.ino, inode.mode, inode.uid, inode.gid, inode.rdev, inode.nlink, inode.size, times,
                     dict(inode.xattrs), content, small)  # fmt: skip
        for name, below, _ in inode.entries.after(0) if inode.entries else ():
            yield from walk(path + b"/" + name, below)

    return dict(walk(b"", store.root))


def filled(store: Store) -> None:
    """A bit of everything."""
    top = store.root
    file = model_names.make(store, top, b"file", ROOT, stat.S_IFREG | 0o4751)
    model_files.write(store, file, 4000, b"over the edge of a block" * 300)
    model_files.write(store, file, 5 << 30, b"far away")
    inner = model_names.make_directory(store, top, b"\xff\n", ROOT, 0o1777)
    model_names.link(store, file, inner, b"again", ROOT)
    model_names.make_symlink(store, inner, b"link", ROOT, b"../file")
    model_names.make(store, inner, b"device", ROOT, stat.S_IFCHR | 0o600, 0x0501)
    model_xattrs.set_xattr(store, file, b"user.k", b"\0v", 0, ROOT)
    model_attributes.set_attributes(store, file, ROOT, Changes(uid=1, gid=2, atime=-1, mtime=1 << 70))
    model_files.allocate(store, model_names.make(store, top, b"reserved", ROOT, 0o644), model_files.KEEP_SIZE, 0, 9000)


def test_everything_survives(tmp_path: Path) -> None:
    """Content, holes, names, owners, modes, attributes, times to the nanosecond, inode numbers and free space."""
    store = JournaledStore(str(tmp_path))
    filled(store)
    before, space = tree(store), store.space()
    store.close()
    again = JournaledStore(str(tmp_path))
    assert (tree(again), again.space()) == (before, space)
    again.close()
    assert wrong_in(tmp_path) == []


def test_changes_of_what_was_loaded_survive(tmp_path: Path) -> None:
    """The second mount's changes are kept like the first's: removed, renamed, cut, punched, taken away."""
    store = JournaledStore(str(tmp_path))
    filled(store)
    store.close()
    store = JournaledStore(str(tmp_path))
    top, file = store.root, model_names.find(store.root, b"file")
    model_files.truncate(store, file, 5000)
    model_files.allocate(store, file, model_files.PUNCH_HOLE | model_files.KEEP_SIZE, 0, 4096)
    model_xattrs.remove_xattr(store, file, b"user.k", ROOT)
    model_names.unlink(store, top, b"reserved", ROOT)
    inner = model_names.find(top, b"\xff\n")
    model_rename.rename(store, inner, b"link", top, b"link", ROOT)
    model_rename.rename(store, inner, b"device", top, b"file", ROOT)
    before, last = tree(store), max(store.inodes)
    store.close()
    assert wrong_in(tmp_path) == []
    store = JournaledStore(str(tmp_path))
    assert tree(store) == before
    assert model_names.make(store, store.root, b"new", ROOT, 0o644).ino > last
    store.close()


def test_what_has_no_name_is_not_kept_until_it_gets_one(tmp_path: Path) -> None:
    """An open file that was removed would be lost space for ever; one made by O_TMPFILE may still be linked."""
    store = JournaledStore(str(tmp_path))
    for name in (b"kept", b"lost"):
        inode = model_names.make_unnamed(store, store.root, ROOT, 0o600, linkable=True)
        store.hold(inode)
        model_files.write(store, inode, 0, name * 2000)
        store.sync()
        if name == b"kept":
            model_names.link(store, inode, store.root, name, ROOT)
    store.close()
    assert wrong_in(tmp_path) == []
    store = JournaledStore(str(tmp_path))
    assert list(tree(store)) == [b"", b"/kept"]
    assert model_files.read(store, model_names.find(store.root, b"kept"), 0, 8000) == b"kept" * 2000
    store.close()


def test_changes_are_saved_after_a_while(tmp_path: Path) -> None:
    """Programs that never fsync lose no more than moments."""
    store = JournaledStore(str(tmp_path), seconds=0.05)
    model_names.make(store, store.root, b"f", ROOT, 0o644)
    timer = store._timer
    assert timer is not None
    timer.join(10)
    with sqlite3.connect(tmp_path / "vexfs.sqlite") as reader:
        assert reader.execute("SELECT name FROM entry").fetchall() == [(b"f",)]
    reader.close()
    store.close()


def test_a_refused_save_is_told_and_made_up_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """fsync says EIO where the disk does, and nothing is forgotten: the next one saves it all."""
    store = JournaledStore(str(tmp_path), seconds=0)
    model_names.make(store, store.root, b"f", ROOT, 0o644)
    blocker = sqlite3.connect(tmp_path / "vexfs.sqlite")
    blocker.execute("BEGIN IMMEDIATE")
    store._database._open().execute("PRAGMA busy_timeout = 0")
    with pytest.raises(OSError) as failed:
        store.sync()
    assert failed.value.errno == errno.EIO and "locked" in capsys.readouterr().err
    blocker.close()
    store.close()
    store = JournaledStore(str(tmp_path))
    assert list(tree(store)) == [b"", b"/f"]
    store.close()


def newer(path: Path) -> None:
    connection = sqlite3.connect(path / "vexfs.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def foreign(path: Path) -> None:
    (path / "vexfs.sqlite").unlink()
    connection = sqlite3.connect(path / "vexfs.sqlite")
    connection.execute("CREATE TABLE t (x)")
    connection.close()


def overwritten(path: Path) -> None:
    (path / "vexfs.sqlite").write_bytes(b"no database at all" * 1000)


def torn(path: Path) -> None:
    with open(path / "vexfs.sqlite", "r+b") as file:
        for page in range(1, os.path.getsize(file.fileno()) // 4096):
            file.seek(page * 4096)
            file.write(b"\xa5" * 64)


def rootless(path: Path) -> None:
    with sqlite3.connect(path / "vexfs.sqlite") as connection:
        connection.execute("DELETE FROM inode WHERE ino = 1")
    connection.close()


def dangling(path: Path) -> None:
    with sqlite3.connect(path / "vexfs.sqlite") as connection:
        connection.execute("UPDATE entry SET ino = 77")
    connection.close()


@pytest.mark.parametrize(("damage", "says"), [
    (newer, "newer"), (foreign, "another program"), (overwritten, "damaged"), (torn, "damaged"), (rootless, "root"),
    (dangling, "leads nowhere"),
])  # fmt: skip
def test_an_unusable_store_is_refused(damage: Any, says: str, tmp_path: Path) -> None:
    """Better no mount than an empty or a mangled one; nobody wants to read a traceback."""
    store = JournaledStore(str(tmp_path))
    filled(store)
    store.close()
    damage(tmp_path)
    before = (tmp_path / "vexfs.sqlite").read_bytes()
    with pytest.raises(StoreError, match=says) as refused:
        JournaledStore(str(tmp_path))
    assert "\n" not in str(refused.value) and str(tmp_path) in str(refused.value)
    assert (tmp_path / "vexfs.sqlite").read_bytes() == before


def test_a_store_in_use_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two daemons on one store would destroy it; a smaller limit than what is kept would lose some of it."""
    monkeypatch.setattr("reference_fs.model_database.PATIENCE", 0.1)
    store = JournaledStore(str(tmp_path))
    filled(store)
    with pytest.raises(StoreError, match="in use"):
        JournaledStore(str(tmp_path))
    store.close()
    with pytest.raises(StoreError, match="inodes="):
        JournaledStore(str(tmp_path), inodes=3)
    with pytest.raises(StoreError, match="size="):
        JournaledStore(str(tmp_path), size=4096)
    JournaledStore(str(tmp_path)).close()


def test_the_command_says_so_in_one_line(tmp_path: Path) -> None:
    """Exit status 3 is for the store, and its line names the store."""
    overwritten_store = tmp_path / "store"
    overwritten_store.mkdir()
    (overwritten_store / "vexfs.sqlite").write_bytes(b"x" * 5000)
    command = [sys.executable, "-m", "reference_fs", str(tmp_path), "-f", "--store", str(overwritten_store)]
    done = subprocess.run(command, cwd=CLONE, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert str(overwritten_store) in done.stderr


REMOUNT = r"""
if test -e f; then
    stat -c '%n %h %a %s %b %.9Y' f d/g big; readlink l; getfattr --only-values -n user.k f; echo; cat d/g
else
    echo hi > f; mkdir -m 2755 d; ln f d/g; ln -s f l; truncate -s 5G big; setfattr -n user.k -v v f; chmod 4711 f
    touch -d @5.000000007 f; touch -d @6 big
fi
"""


@pytest.mark.parametrize("front", [pytest.param(name, marks=needs_a_mount) for name in FRONTS])
def test_a_remount_shows_the_same(front: str, tmp_path: Path) -> None:
    """Every front keeps what it was given, and gives it to the next."""
    if front == "mfusepy":
        pytest.importorskip("mfusepy")
    arguments = ("--store", str(tmp_path / "store"))
    assert on_mount(tmp_path / "mnt", REMOUNT, "--front", front, *arguments).status == 0
    done = on_mount(tmp_path / "mnt", REMOUNT, *arguments)
    assert done.lines == [
        "f 2 4711 3 8 5.000000007", "d/g 2 4711 3 8 5.000000007", "big 1 644 5368709120 0 6.000000000", "f", "v", "hi",
    ]  # fmt: skip


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
@pytest.mark.parametrize("mark", [pytest.param(None, marks=needs_a_mount)])
def test_a_background_daemon_keeps_its_store(mark: None, signal: str, tmp_path: Path) -> None:
    """Going to the background is a fork, which a database connection or a thread would not survive."""
    work = f"""for front in raw fusepy; do
        mkdir {tmp_path}/at-$front
        "$PYTHON" -m reference_fs {tmp_path}/at-$front --front $front --store {tmp_path}/$front || echo failed
        echo kept > {tmp_path}/at-$front/f; sync {tmp_path}/at-$front/f
        pid=$(pgrep -f -- "--store {tmp_path}/$front"); kill -{signal} $pid
        while kill -0 $pid 2>/dev/null; do sleep 0.01; done
    done"""
    assert on_mount(tmp_path / "mnt", work).lines == []
    for front in ("raw", "fusepy"):
        store = JournaledStore(str(tmp_path / front))
        assert model_files.read(store, model_names.find(store.root, b"f"), 0, 9) == b"kept\n"
        store.close()


@pytest.mark.parametrize("round_", [pytest.param(number, marks=needs_a_mount) for number in range(KILLS)])
def test_what_was_fsynced_survives_sigkill(round_: int, tmp_path: Path) -> None:
    """At whatever moment the daemon is killed: the acknowledged is there, and the tree is consistent."""
    store, log = tmp_path / "store", tmp_path / "log"
    log.touch()
    delay = 0.02 + random.Random(round_).random() * 0.4
    program = CLONE / "tests" / "programs" / "fsync_workload.py"
    work = (
        f'"$PYTHON" {program} "$MOUNT" {log} {round_} 2>&1 & until test -s {log}; do sleep 0.01; done;'
        f"sleep {delay:.3f}; kill -KILL $DAEMON; wait"
    )
    front = ("raw", "fusepy")[round_ % 2]
    done = on_mount(tmp_path / "mnt", work, "--front", front, "--store", str(store))
    assert done.status == 137 and any(line.startswith("ended: ") for line in done.lines), done.lines
    kept = JournaledStore(str(store))
    paths = tree(kept)
    kept.close()
    assert wrong_in(store) == []
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert records
    for name, content in records:
        found = paths.get(b"/" + name.encode())
        if name == "replaced":
            assert found is not None
        elif content is None:
            assert found is None, name
        else:
            assert found is not None and found[-1] == content.encode(), name
    if b"/replaced" in paths:
        number, *others = set(paths[b"/replaced"][-1].split())
        assert number and not others, "a mixture of two versions"
