"""Names: links, removal, listing and renaming, with the errors that POSIX gives each."""

from __future__ import annotations

import errno
import random
import stat

import pytest

from reference_fs import model_files
from reference_fs import model_names as names
from reference_fs.model import Store
from reference_fs.model_inode import ROOT, Caller, Inode
from reference_fs.model_rename import EXCHANGE, NOREPLACE, WHITEOUT, rename


@pytest.fixture
def store() -> Store:
    return Store()


def code(function: object, *arguments: object) -> int:
    """The errno that a call ends with, 0 where it succeeds."""
    try:
        function(*arguments)  # type: ignore[operator]
    except OSError as error:
        return error.errno or -1
    return 0


def tree(store: Store, *paths: str) -> list[Inode]:
    """Make files, and directories where a path ends with a slash."""
    made = []
    for path in paths:
        *above, name = path.rstrip("/").encode().split(b"/")
        parent = names.resolve(store, b"/".join(above), ROOT)
        maker = names.make_directory if path.endswith("/") else names.make
        made.append(maker(store, parent, name, ROOT, 0o755))
    return made


def listing(store: Store, directory: Inode) -> list[bytes]:
    return [name for name, _, _ in names.list_directory(store, directory, names.DOTDOT, 10**6)]


def test_an_open_file_outlives_its_last_name(store: Store) -> None:
    """Temporary files are removed at once and used on: their content must stay, and go with the last handle."""
    (file,) = tree(store, "f")
    names.link(store, file, store.root, b"g", ROOT)
    store.hold(file)
    model_files.write(store, file, 0, b"data")
    names.unlink(store, store.root, b"f", ROOT)
    names.unlink(store, store.root, b"g", ROOT)
    assert (file.nlink, model_files.read(store, file, 0, 9)) == (0, b"data")
    assert code(names.link, store, file, store.root, b"again", ROOT) == errno.ENOENT
    used = store.space()
    store.drop(file)
    assert store.space().blocks_free == used.blocks_free + 1
    assert store.space().inodes_free == used.inodes_free + 1
    assert code(store.get, file.ino) == errno.ESTALE


def test_a_file_made_without_a_name_can_get_one_once(store: Store) -> None:
    """O_TMPFILE and linkat: how a file appears complete or not at all."""
    file = names.make_unnamed(store, store.root, ROOT, 0o600, linkable=True)
    hidden = names.make_unnamed(store, store.root, ROOT, 0o600, linkable=False)
    assert listing(store, store.root) == []
    names.link(store, file, store.root, b"here", ROOT)
    assert (file.nlink, listing(store, store.root)) == (1, [b"here"])
    assert code(names.link, store, hidden, store.root, b"no", ROOT) == errno.ENOENT


def test_the_errors_of_names(store: Store) -> None:
    """Every refusal with its own errno: programs tell cases apart by it."""
    _, file, gone = tree(store, "d/", "d/f", "gone/")
    root, directory = store.root, names.resolve(store, b"/d", ROOT)
    store.hold(gone)
    names.remove_directory(store, root, b"gone", ROOT)
    for wanted, call, *arguments in (
        (errno.ENOENT, names.lookup, root, b"x", ROOT),
        (errno.ENAMETOOLONG, names.lookup, root, b"x" * 256, ROOT),
        (0, names.make, root, b"x" * 255, ROOT, 0o644),
        (errno.ENAMETOOLONG, names.make, root, b"x" * 256, ROOT, 0o644),
        (errno.ENOTDIR, names.lookup, file, b"x", ROOT),
        (errno.EEXIST, names.make_directory, root, b"d", ROOT, 0o755),
        (errno.EISDIR, names.unlink, root, b"d", ROOT),
        (errno.ENOTDIR, names.remove_directory, directory, b"f", ROOT),
        (errno.ENOTEMPTY, names.remove_directory, root, b"d", ROOT),
        (errno.EPERM, names.link, directory, root, b"x", ROOT),
        (errno.ENOENT, names.make, gone, b"x", ROOT, 0o644),
        (errno.ENAMETOOLONG, names.make_symlink, root, b"l", ROOT, b"x" * 4096),
        (0, names.make_symlink, root, b"l", ROOT, b"x" * 4095),
        (errno.EINVAL, names.read_link, file),
    ):
        assert code(call, store, *arguments) == wanted, (call, arguments)


def test_names_are_bytes(store: Store) -> None:
    """A file whose name is no text must be as good as any other."""
    odd = [b"\xff\xfe", b"a\nb", b" ", b"...", b"\xed\xa0\x80", b"A", b"a"]
    for name in odd:
        names.make(store, store.root, name, ROOT, 0o644)
    assert listing(store, store.root) == odd


def test_a_directory_counts_its_subdirectories(store: Store) -> None:
    """find(1) skips looking where nlink says that there are none."""
    top, *_ = tree(store, "d/", "d/e/", "d/f", "x/")
    assert top.nlink == 3
    rename(store, names.resolve(store, b"/d", ROOT), b"e", names.resolve(store, b"/x", ROOT), b"e", ROOT)
    assert (top.nlink, names.resolve(store, b"/x/e/..", ROOT)) == (2, names.resolve(store, b"/x", ROOT))


def test_a_setgid_directory_passes_on_its_group(store: Store) -> None:
    """Shared project folders depend on it, and the kernel leaves it to the file system."""
    shared = names.make_directory(store, store.root, b"shared", Caller(0, 50), 0o2775)
    someone = Caller(1000, 1000)
    inner = names.make_directory(store, shared, b"inner", someone, 0o755)
    file = names.make(store, shared, b"file", someone, stat.S_IFREG | 0o2755)
    assert (inner.gid, inner.mode & 0o7777) == (50, 0o2755)
    assert (file.gid, file.uid, file.mode & 0o7777) == (50, 1000, 0o755), "no S_ISGID for a stranger to the group"
    member = Caller(1000, 1000, lambda: frozenset({50}))
    assert names.make(store, shared, b"own", member, stat.S_IFREG | 0o2755).mode & 0o7777 == 0o2755


def test_a_listing_survives_churn(store: Store) -> None:
    """Who stays is listed exactly once, whatever comes and goes meanwhile: else `rm -r` and rsync miss files."""
    chance = random.Random(42)
    stay = {b"stay%d" % number for number in range(300)}
    for name in stay:
        names.make(store, store.root, name, ROOT, 0o644)
    seen: list[bytes] = []
    offset = fresh = 0
    while page := names.list_directory(store, store.root, offset, 7):
        seen += [name for name, _, _ in page]
        offset = page[-1][2]
        for _ in range(20):
            others = [name for name in listing(store, store.root) if name not in stay]
            if others and chance.random() < 0.7:
                names.unlink(store, store.root, chance.choice(others), ROOT)
            elif fresh < 200:
                fresh += 1
                names.make(store, store.root, b"new%d" % fresh, ROOT, 0o644)
    assert seen[:2] == [b".", b".."]
    assert sorted(name for name in seen if name in stay) == sorted(stay)
    assert len(set(seen)) == len(seen)


def test_offsets_resume_where_they_were_taken(store: Store) -> None:
    """seekdir(3) to any offset goes on with the entry that followed it, however many went before."""
    tree(store, *(f"f{number:03}" for number in range(200)))
    entries = names.list_directory(store, store.root, 0, 1000)
    for number in range(150):
        names.unlink(store, store.root, b"f%03d" % number, ROOT)
    for name, _, offset in entries[155:-1]:
        following = names.list_directory(store, store.root, offset, 1)[0][0]
        assert following == b"f%03d" % (int(name[1:]) + 1)


@pytest.mark.parametrize(("old", "new", "flags", "wanted"), [
    ("f", "g", 0, 0), ("f", "d", 0, errno.EISDIR), ("d", "f", 0, errno.ENOTDIR), ("e", "d", 0, errno.ENOTEMPTY),
    ("d", "e", 0, 0), ("d", "d/sub/x", 0, errno.EINVAL), ("d/sub", "d", 0, errno.ENOTEMPTY),
    ("no", "g", 0, errno.ENOENT),
    ("f", "h", NOREPLACE, errno.EEXIST), ("f", "g", NOREPLACE, 0), ("f", "d", EXCHANGE, 0),
    ("f", "no", EXCHANGE, errno.ENOENT), ("d", "d/sub", EXCHANGE, errno.EINVAL),
    ("d/sub", "d", EXCHANGE, errno.EINVAL), ("f", "h", NOREPLACE | EXCHANGE, errno.EINVAL),
    ("f", "h", 64, errno.EINVAL),
    ("f", "x" * 256, 0, errno.ENAMETOOLONG), ("f", "..", 0, errno.EBUSY), ("f", "same", 0, 0),
    ("f", "same", NOREPLACE, errno.EEXIST),
])  # fmt: skip
def test_the_cases_of_rename(store: Store, old: str, new: str, flags: int, wanted: int) -> None:
    """Each with its errno, and nothing changed where it is refused."""
    file, *_ = tree(store, "f", "h", "d/", "d/sub/", "d/sub/deep", "e/")
    names.link(store, file, store.root, b"same", ROOT)
    before = _shape(store, store.root)

    def place(path: str) -> tuple[Inode, bytes]:
        above, _, name = path.rpartition("/")
        return names.resolve(store, above.encode(), ROOT), name.encode()

    assert code(rename, store, *place(old), *place(new), ROOT, flags) == wanted
    changed = wanted == 0 and new != "same"
    assert (_shape(store, store.root) != before) == changed
    _require_tree(store)


def test_a_whiteout_stays_behind(store: Store) -> None:
    """What overlay file systems ask for when a file moves away."""
    tree(store, "f")
    rename(store, store.root, b"f", store.root, b"g", ROOT, WHITEOUT)
    left = names.resolve(store, b"/f", ROOT)
    assert (stat.S_ISCHR(left.mode), left.rdev) == (True, 0)


def test_a_whiteout_has_its_directorys_group(store: Store) -> None:
    """As everything has that is made under S_ISGID."""
    team, _ = tree(store, "team/", "team/f")
    team.gid, team.mode = 77, team.mode | stat.S_ISGID
    rename(store, team, b"f", team, b"g", ROOT, WHITEOUT)
    assert names.find(team, b"f").gid == 77


def test_a_refusal_tells_nothing_of_what_is_there() -> None:
    """Who may not change a directory hears EACCES, not whether another in it is empty."""
    store = Store(enforce=True)
    tree(store, "from/", "to/", "to/in")
    from_, to = (names.resolve(store, path, ROOT) for path in (b"/from", b"/to"))
    assert code(rename, store, store.root, b"from", store.root, b"to", Caller(1, 1)) == errno.EACCES
    assert code(rename, store, store.root, b"from", store.root, b"to", ROOT) == errno.ENOTEMPTY
    assert (from_.nlink, to.nlink) == (2, 2)


def test_what_a_rename_replaces_lives_on_for_its_readers(store: Store) -> None:
    """An editor's save must not pull the file from under who reads it."""
    old, new = tree(store, "old", "new")
    store.hold(old)
    model_files.write(store, old, 0, b"before")
    rename(store, store.root, b"new", store.root, b"old", ROOT)
    assert (old.nlink, model_files.read(store, old, 0, 9)) == (0, b"before")
    assert names.resolve(store, b"/old", ROOT) is new


def test_random_renames_keep_a_tree(store: Store) -> None:
    """A lost or doubled directory could never be removed again."""
    chance = random.Random(7)
    tree(store, "a/", "b/", "a/c/", "a/c/d/", "b/e/", "f")
    for _ in range(2000):
        places = [(inode, name) for inode in _directories(store.root) for name in (b"a", b"b", b"c", b"d", b"e", b"f")]
        flags = chance.choice((0, 0, NOREPLACE, EXCHANGE))
        code(rename, store, *chance.choice(places), *chance.choice(places), ROOT, flags)
    _require_tree(store)


def _directories(top: Inode) -> list[Inode]:
    found = [top]
    for inode, _ in names.entries_of(top).names.values():
        if inode.is_dir:
            found += _directories(inode)
    return found


def _shape(store: Store, directory: Inode) -> dict[bytes, object]:
    return {
        name: _shape(store, inode) if inode.is_dir else inode.ino
        for name, (inode, _) in names.entries_of(directory).names.items()
    }


def _require_tree(store: Store) -> None:
    """Every directory has one name, the right parent and the right link count; every inode can be reached."""
    directories = _directories(store.root)
    assert len({inode.ino for inode in directories}) == len(directories)
    reached = {inode.ino for inode in directories}
    for directory in directories:
        inodes = [inode for inode, _ in names.entries_of(directory).names.values()]
        reached |= {inode.ino for inode in inodes}
        assert directory.nlink == 2 + sum(inode.is_dir for inode in inodes)
        assert all(inode.parent is directory for inode in inodes if inode.is_dir)
    assert reached == set(store.inodes)
