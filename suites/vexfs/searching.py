"""NAME.search: the exact nearest vectors of its directory, in NAME.search.results once it is closed."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Mapping, Sequence

from fsprobe.checks import Finding, Skip, mount_check
from fsprobe.checks.mount import Mount

SOURCE = "VexFS, the vector interface"
BAD_QUERIES = (
    "vector: 1,0,x\n", "vector: 1,nan,0\n", "vector: 1,inf,0\n", "vector:\n", "vector: 0,0,0\n", "vector: 1,0\n",
    "vector: " + ",".join(["1"] * 10_001) + "\n", "k: 3\n", "vector: 1,0,0\nk: 0\n", "vector: 1,0,0\nk: -1\n",
    "vector: 1,0,0\nk: many\n", "vector: 1,0,0\nk: 1.5\n", "vector: 1,0,0\nthreshold: high\n",
    "vector: 1,0,0\nthreshold: nan\n", "vector: 1,0,0\nthreshold: 2\n", "vector: 1,0,0\nvector: 0,1,0\n",
    "vector: 1,0,0\nlimit: 3\n", "vector: 1,0,0\nand a word\n",
)  # fmt: skip
AROUND = {
    "x": "1,0,0", "near": "0.9,0.1,0", "half": "1,1,0", "y": "0,1,0", "z": "0,0,1", "back": "-1,0,0", "far": "-1,-1,0",
}  # fmt: skip


def put(m: Mount, name: str, text: str) -> str:
    """Write a file and close it; its path. Part of the question, not set-up."""
    try:
        os.stat(os.path.join(m.root, "_vexfs"))
    except FileNotFoundError:
        raise Skip("there is no _vexfs: this file system has no vector interface") from None
    path = m.path(name)
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(fd, text.encode())
    m.close(fd)
    return path


def fill(m: Mount, vectors: Mapping[str, str]) -> None:
    """One file for each."""
    for name, text in vectors.items():
        put(m, f"{name}.vec", text)


def results(m: Mount, query: str) -> list[tuple[str, float]]:
    """The names and similarities in the results of a query."""
    found = []
    for line in m.read(query + ".results").decode("utf-8", "backslashreplace").splitlines():
        name, _, score = line.partition("\t")
        try:
            found.append((name.removesuffix(".vec"), float(score)))
        except ValueError:
            raise Finding("lines of a name, a tab and a number", repr(line)) from None
    return found


def search(m: Mount, text: str, name: str = "q.search") -> list[str]:
    """The names that a query finds, best first."""
    return [found for found, _ in results(m, put(m, name, text))]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The oracle, in its plainest words."""
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


@mount_check(
    "vexfs.search.nearest", op="FLUSH", also=("WRITE", "READ"), source=SOURCE, needs=("write",), quick=True,
    killers=("READ:flip", "FLUSH:errno=EIO", "WRITE:fake", "READ:errno=EIO"),
)
def nearest(m: Mount) -> None:
    """The results hold the nearest vectors by cosine similarity, best first, each with its similarity."""
    fill(m, AROUND)
    found = results(m, put(m, "q.search", "vector: 2, 0, 0\nk: 3\n"))
    m.expect_equal(["x", "near", "half"], [name for name, _ in found], "the names")
    for name, score in found:
        wanted = cosine((1, 0, 0), [float(number) for number in AROUND[name].split(",")])
        m.expect(abs(score - wanted) < 1e-6, f"similarity of {name} {wanted:.6f}", f"{score:.6f}")


@mount_check(
    "vexfs.search.k", op="READ", also=("FLUSH",), source=SOURCE, needs=("write",),
    killers=("READ:short", "READ:errno=EIO", "WRITE:fake"),
)
def how_many(m: Mount) -> None:
    """A query gets 5 results where it names no number, `k` where it does, and never more than there are vectors."""
    fill(m, AROUND)
    m.expect_equal(5, len(search(m, "vector: 1,2,3\n", "a.search")), "results without k")
    m.expect_equal(2, len(search(m, "k: 2\nvector: 1,2,3\n", "b.search")), "results with k: 2")
    m.expect_equal(len(AROUND), len(search(m, "vector: 1,2,3\nk: 100\n", "c.search")), "results with k: 100")


@mount_check(
    "vexfs.search.threshold", op="READ", also=("FLUSH",), source=SOURCE, needs=("write",),
    killers=("READ:flip", "WRITE:fake", "LOOKUP:errno=ENOENT,path=*.results"),
)
def threshold(m: Mount) -> None:
    """With a threshold no result is less similar than that."""
    fill(m, AROUND)
    m.expect_equal(["x", "near"], search(m, "vector: 1,0,0\nthreshold: 0.9\n", "a.search"), "the names above 0.9")
    m.expect_equal([], search(m, "vector: -1,-1,-5\nthreshold: 1\n", "b.search"), "the names above 1")


@mount_check(
    "vexfs.search.exact", op="READ", also=("FLUSH", "WRITE"), source=SOURCE, needs=("write",),
    killers=("READ:flip", "WRITE:fake", "READ:short"),
)
def exact(m: Mount) -> None:
    """Among crowded vectors the ten that are found are the ten nearest, in their order: nothing is approximated."""
    centre = [m.rng.gauss(0, 1) for _ in range(16)]
    crowd = {f"v{n:02}": [one + m.rng.gauss(0, 0.05) for one in centre] for n in range(60)}
    fill(m, {name: ",".join(map(repr, vector)) for name, vector in crowd.items()})
    wanted = sorted(crowd, key=lambda name: -cosine(crowd[name], centre))[:10]
    m.expect_equal(wanted, search(m, f"vector: {','.join(map(repr, centre))}\nk: 10\n"), "the names")


@mount_check(
    "vexfs.search.follows-names", op="RENAME", also=("UNLINK", "LINK"), source=SOURCE, needs=("write",),
    killers=("RENAME:fake", "UNLINK:fake", "RENAME:errno=EIO"),
)
def follows_names(m: Mount) -> None:
    """A vector is found under its new name, also one that was renamed to NAME.vec, and not when it is removed."""
    fill(m, {"a": "1,0,0", "b": "1,1,0", "c": "1,2,0"})
    put(m, "unfinished", "1,3,0")
    os.rename(m.path("a.vec"), m.path("first.vec"))
    os.rename(m.path("unfinished"), m.path("last.vec"))
    os.unlink(m.path("b.vec"))
    m.expect_equal(["first", "c", "last"], search(m, "vector: 1,0,0\n"), "the names")


@mount_check(
    "vexfs.search.bad-query", op="FLUSH", source=SOURCE, needs=("write",),
    killers=("FLUSH:fake", "FLUSH:errno=EIO", "WRITE:fake"),
)
def bad_query(m: Mount) -> None:
    """A query that cannot be answered is refused with EINVAL when closed, and leaves no results."""
    fill(m, AROUND)
    for number, text in enumerate(BAD_QUERIES):
        with m.raises(errno.EINVAL, what=f"close of the query {text[:40]!r}"):
            put(m, f"{number}.search", text)
        m.expect(not os.path.lexists(m.path(f"{number}.search.results")), "no results", f"results of {text[:40]!r}")


@mount_check(
    "vexfs.search.stale-results", op="FLUSH", also=("READ",), source=SOURCE, needs=("write",),
    killers=("FLUSH:fake", "FLUSH:errno=EIO"),
)
def stale_results(m: Mount) -> None:
    """When a query becomes a bad one, the results of the good one are gone."""
    fill(m, AROUND)
    path = put(m, "q.search", "vector: 1,0,0")
    m.expect_equal(5, len(results(m, path)), "results of the good query")
    fd = m.open(path, os.O_WRONLY)
    os.pwrite(fd, b"vector: 1,0,w", 0)
    with m.raises(errno.EINVAL, what="close of the bad query"):
        m.close(fd)
    m.expect_equal([], results(m, path), "results of the bad query")


@mount_check(
    "vexfs.search.prose-stays-a-file", op="FLUSH", source=SOURCE, needs=("write",),
    killers=("FLUSH:errno=EINVAL", "READ:flip", "LOOKUP:map=ENOENT>EIO,path=*.results"),
)
def prose_stays_a_file(m: Mount) -> None:
    """NAME.search with anything but a query in it is an ordinary file, and gets no results."""
    for number, text in enumerate(("", "lost: a cat\n", "no colon at all")):
        path = put(m, f"{number}.search", text)
        m.expect_equal(text.encode(), m.read(path), "the content")
        with m.raises(errno.ENOENT, what="stat of its results"):
            m.stat(path + ".results")


@mount_check(
    "vexfs.search.empty-collection", op="CREATE", also=("FLUSH", "GETATTR"), source=SOURCE, needs=("write",),
    killers=("LOOKUP:errno=ENOENT,path=*.results", "WRITE:fake", "GETATTR:attr.size=+1,path=*.results"),
)
def empty_collection(m: Mount) -> None:
    """Where there are no vectors the results are there, and empty, and belong to whom the query belongs to."""
    path = put(m, "q.search", "vector: 1,2\n")
    found = m.stat(path + ".results")
    m.expect_equal(0, found.size, "size of the results")
    m.expect_equal(m.stat(path).uid, found.uid, "owner of the results")
