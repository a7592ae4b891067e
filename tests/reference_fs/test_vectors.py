"""Vectors without a mount: what is taken, what is refused and why, and that a search is exact."""

from __future__ import annotations

import math
import random
import threading
import time
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_fs import model_files, model_names, model_rename, vector_collection
from reference_fs.model import Store
from reference_fs.model_inode import ROOT, Inode
from reference_fs.vector_collection import Collection
from reference_fs.vector_index import DIMENSION
from reference_fs.vector_interface import VectorInterface
from reference_fs.vectors import Bad, NotOurs, Settings, control, parse_query, parse_vector, unit

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        (b"", NotOurs, "empty"), (b"words", NotOurs, "value 1 is no number: 'words'"), (b"1,,2", NotOurs, "value 2"),
        (b"1,2\n3,4", NotOurs, "more than one line"), (b"1_0,2", NotOurs, "not comma-separated"),
        (b"\xff,1", NotOurs, "value 1"), ("\u0661,2".encode(), NotOurs, "value 1"), (b"\0" * 50, NotOurs, "value 1"),
        (b"1,nan", Bad, "value 2 is not finite"), (b"-inf", Bad, "value 1"), (b"1e999,1", Bad, "'1e999'"),
        (b"1," * 10_000 + b"1", Bad, "10001 dimensions"),
    ],
)  # fmt: skip
def test_what_is_no_vector(text: bytes, error: type[ValueError], told: str) -> None:
    """Prose in a .vec file is nobody's error, a vector that cannot be searched is, and is told where."""
    with pytest.raises(error, match=told):
        parse_vector(text)


@given(st.lists(FINITE, min_size=1, max_size=40))
def test_a_vector_is_read_as_it_was_written(numbers: list[float]) -> None:
    """A search would be off by what is lost here; the unit vector must not overflow or vanish either."""
    parsed = parse_vector(",".join(map(repr, numbers)).encode() + b"\n")
    assert list(parsed) == numbers
    length = math.hypot(*unit(parsed))
    assert length == pytest.approx(1) if any(numbers) else length == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [(b"speed=1", "no setting"), (b"k", "key=value"), (b"k=0", "from 1"), (b"k=x", "'x'"), (b"k=99999999999", "10000"),
     (b"threshold=1.5", "-1 to 1"), (b"threshold=nan", "'nan'"), (b"model=\x01", "printable"),
     (b"model=\xff", "UTF-8")],
)  # fmt: skip
def test_bad_settings(text: bytes, told: str) -> None:
    """A mistyped setting that is ignored is found a week later."""
    with pytest.raises(Bad, match=told):
        control(text, Settings())


def test_settings_can_be_written_back() -> None:
    """What `cat control` shows is what `cat > control` takes."""
    wanted = Settings(7, 0.25, "a model")
    found = Settings()
    for line in wanted.text().splitlines():
        found = control(line, found)
    assert found == wanted
    assert control(b"threshold=", found).threshold is None


def test_a_query_takes_its_own_words_before_the_settings() -> None:
    """Otherwise a setting would overrule who asks."""
    query = parse_query(b" k : 3\r\n\nvector: 3, 4\n", Settings(9, 0.5))
    assert (query.k, query.threshold, list(query.vector)) == (3, 0.5, [0.6, 0.8])
    with pytest.raises(NotOurs):
        parse_query(b"notes: none\n", Settings())


def collection(vectors: dict[bytes, list[float]]) -> Collection:
    made = Collection()
    for name, vector in vectors.items():
        made.put(name, unit(array("d", vector)))
    return made


def crowd(count: int, dimension: int, seed: int = 42) -> dict[bytes, list[float]]:
    """Vectors in few clusters, close to each other and some the same, as embeddings are."""
    rng = random.Random(seed)
    centres = [[rng.gauss(0, 1) for _ in range(dimension)] for _ in range(5)]
    made = {b"%04d" % n: [x + rng.gauss(0, 1e-4) for x in centres[n % 5]] for n in range(count)}
    made |= {b"same-%d" % n: centres[n % 5] for n in range(20)}
    return made


def by_hand(vectors: dict[bytes, list[float]], query: list[float], k: int) -> list[bytes]:
    """Every product summed exactly, every pair compared."""
    target = unit(array("d", query))
    scored = [(-math.fsum(a * b for a, b in zip(unit(array("d", vector)), target, strict=True)), name)
              for name, vector in vectors.items()]  # fmt: skip
    return [name for _, name in sorted(scored)[:k]]


@pytest.mark.parametrize("with_numpy", [False, True])
def test_search_is_exact_however_crowded(with_numpy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding to 32 bits must not decide who is among the ten; both ways give the same, also after changes."""
    if with_numpy:
        pytest.importorskip("numpy")
        monkeypatch.setattr(vector_collection, "SMALL", 0)
    else:
        monkeypatch.setattr(vector_collection, "numpy", lambda: None)
    vectors = crowd(400, 24)
    made = collection(vectors)
    rng = random.Random(1)
    for turn in range(30):
        query = vectors[rng.choice(list(vectors))] if turn % 2 else [rng.gauss(0, 1) for _ in range(24)]
        snapshot = made.snapshot()
        assert (snapshot.matrix is not None) == with_numpy
        k = (1, 10, 100, 1000)[turn % 4]
        found = snapshot.nearest(unit(array("d", query)), k)
        assert [hit.name for hit in found] == by_hand(vectors, query, k)
        for name in rng.sample(list(vectors), 12):
            made.discard(name)
            del vectors[name]
        vectors[b"new-%d" % turn] = query
        made.put(b"new-%d" % turn, unit(array("d", query)))
    assert len(made) == len(vectors)


@settings(deadline=None)
@given(st.lists(st.lists(FINITE, min_size=3, max_size=3), min_size=1, max_size=8), st.integers(1, 9))
def test_any_numbers_give_a_cosine(vectors: list[list[float]], k: int) -> None:
    """The greatest and the smallest floats, and zeros, have to be ranked as well."""
    named = {b"%d" % number: vector for number, vector in enumerate(vectors)}
    found = collection(named).snapshot().nearest(unit(array("d", [1, 2, 3])), k)
    assert len(found) == min(k, len(vectors))
    assert all(-1 <= hit.score <= 1 for hit in found)
    assert [hit.rank for hit in found] == sorted(hit.rank for hit in found)


class Place:
    """A store with the interface, and files in it as a front would write them."""

    def __init__(self) -> None:
        self.store = Store()
        self.vectors = VectorInterface(self.store)

    def write(self, name: bytes, text: bytes, *, close: bool = True) -> Inode:
        inode = model_names.open_or_make(self.store, self.store.root, name, ROOT, 0o644, exclusive=False)
        model_files.truncate(self.store, inode, 0)
        model_files.write(self.store, inode, 0, text)
        if close:
            self.vectors.closing(inode)
        return inode

    def read(self, name: bytes) -> bytes:
        inode = model_names.find(self.store.root, name)
        return model_files.read(self.store, inode, 0, 1 << 20)

    def fixed(self, name: bytes) -> Inode:
        return model_names.find(model_names.find(self.store.root, b"_vexfs"), name)

    def stats(self) -> dict[str, str]:
        lines = self.vectors.read(self.fixed(b"stats"), 0, 1 << 16).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)


def test_the_names_of_a_file_decide_what_it_is() -> None:
    """Renaming, linking, exchanging and removing must leave the collection as the directory is."""
    place = Place()
    one, two = place.write(b"one.vec", b"1,0"), place.write(b"two", b"0,1")
    root, store = place.store.root, place.store

    def found() -> list[bytes]:
        place.vectors.settle()
        place.write(b"q.search", b"vector: 1,0\nk: 100")
        return [line.partition(b"\t")[0] for line in place.read(b"q.search.results").splitlines()]

    assert found() == [b"one.vec"]
    model_names.link(store, two, root, b"three.vec", ROOT)
    assert found() == [b"one.vec", b"three.vec"]
    model_rename.rename(store, root, b"one.vec", root, b"three.vec", ROOT, model_rename.EXCHANGE)
    assert found() == [b"three.vec", b"one.vec"]
    model_rename.rename(store, root, b"one.vec", root, b"three.vec", ROOT)
    assert found() == [b"three.vec"], "over the other"
    model_rename.rename(store, root, b"three.vec", root, b"plain", ROOT)
    assert found() == []
    assert one.nlink == 0 and place.stats()["vectors"] == "0"


def test_half_a_vector_is_nobodys_business() -> None:
    """Parsed per chunk, every vector of more than one write would be refused."""
    place = Place()
    inode = place.write(b"a.vec", b"1,2,", close=False)
    assert place.stats()["vectors"] == "0" and DIMENSION not in inode.xattrs
    model_files.write(place.store, inode, 4, b"3")
    place.vectors.closing(inode)
    assert inode.xattrs[DIMENSION] == b"3"


def test_closing_changes_no_time() -> None:
    """`make` and `rsync` go by times, and a close is no change."""
    place = Place()
    inode = place.write(b"a.vec", b"1,2,3", close=False)
    before = (inode.atime, inode.mtime, inode.ctime)
    place.vectors.closing(inode)
    assert DIMENSION in inode.xattrs and (inode.atime, inode.mtime, inode.ctime) == before


def test_a_file_of_zeros_that_is_huge_is_not_read() -> None:
    """`truncate -s 5G a.vec` must not cost 5 GiB of memory at close."""
    place = Place()
    inode = place.write(b"a.vec", b"", close=False)
    model_files.truncate(place.store, inode, 5 << 30)
    began = time.monotonic()
    place.vectors.closing(inode)
    assert time.monotonic() - began < 1 and place.stats()["ordinary"] == "1"


def test_somebody_elses_results_are_not_overwritten() -> None:
    """Whoever may make a query in a shared directory could empty any file that is called like its results."""
    place = Place()
    theirs = place.write(b"q.search.results", b"precious")
    theirs.uid = 1000
    with pytest.raises(PermissionError):
        place.write(b"q.search", b"vector: 1,2")
    assert place.read(b"q.search.results") == b"precious"
    mine = place.write(b"p.search.results", b"mine")
    place.write(b"p.search", b"prose")
    assert place.read(b"p.search.results") == b"mine" and mine.size == 4


def test_no_lock_is_held_while_searching(monkeypatch: pytest.MonkeyPatch) -> None:
    """One long search would stop the whole file system."""
    place = Place()
    place.write(b"a.vec", b"1,2")
    inside, go_on = threading.Event(), threading.Event()
    nearest = vector_collection.Snapshot.nearest

    def slow(*arguments: object, **more: object) -> object:
        inside.set()
        assert go_on.wait(5)
        return nearest(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(vector_collection.Snapshot, "nearest", slow)
    searcher = threading.Thread(target=place.write, args=(b"q.search", b"vector: 1,2"), daemon=True)
    searcher.start()
    try:
        assert inside.wait(5)
        other = threading.Thread(target=place.write, args=(b"b.vec", b"2,1"), daemon=True)
        other.start()
        other.join(5)
        assert not other.is_alive() and place.stats()["vectors"] == "2"
    finally:
        go_on.set()
        searcher.join(5)
    assert place.read(b"q.search.results") == b"a.vec\t1.000000000\n"


def test_errors_are_kept_within_bounds_and_on_one_line() -> None:
    """A name with a line feed could fake a counter, a million bad files fill the memory."""
    place = Place()
    for number in range(100):
        place.write(b"odd\nvectors=9%d.vec" % number, b"words")
    assert place.stats()["vectors"] == "0" and place.stats()["ordinary"] == "100"
    assert len(place.vectors.read(place.fixed(b"stats"), 0, 1 << 20).splitlines()) < 20
