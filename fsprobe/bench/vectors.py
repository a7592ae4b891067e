"""Vectors: VexFS through its mount beside vector databases, on the same data and queries, one after the other.

Owns who is measured, in what order, and the document; the work is `vector_work`'s. Each runs in a process of its own,
which can be lost and whose memory is its own; where one is not to be had the row says why.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from fsprobe.bench import document
from fsprobe.bench.ground import Ground
from fsprobe.bench.options import Told
from fsprobe.bench.place import Marked, MountedPlace
from fsprobe.bench.priority import raised
from fsprobe.bench.turns import machine
from fsprobe.bench.vector_data import CLUSTERS, NOISE, QUERIES, K
from fsprobe.bench.vector_databases import DATABASES, EMBEDDED, INSTALL, absent
from fsprobe.bench.vector_notes import caveats
from fsprobe.bench.vector_places import Jobs
from fsprobe.bench.vector_work import BATCH
from fsprobe.bench.vector_worker import NOT_AVAILABLE
from fsprobe.config.target import Target, resolve
from fsprobe.errors import FsprobeError

SIZES = ((1_000, 384), (5_000, 768), (10_000, 1_536))
QUICK = ((400, 64),)
_LEAST, _PER_NUMBER = 60.0, 2e-5
"""Seconds that one system may take at one size: so many, and so many more for each number. The slowest, the reference
in Python on a busy machine, takes a third of it."""
FETCHING = 300.0
"""Seconds without a sign of life where a package downloads a server first, of which it says nothing."""
VEXFS = "vexfs"


@dataclass(frozen=True, slots=True)
class VectorOptions:
    """systems: names of databases, and targets with VexFS's vector interface. native: the directory below which the
    databases keep their files, "" for a fresh one in memory. weaviate: a URL, "embedded" or "". timeout: seconds
    without a sign of life.
    """

    systems: tuple[str | Target, ...] = ()
    quick: bool = False
    native: str = ""
    weaviate: str = ""
    seed: int = 42
    timeout: float = 30.0

    @property
    def all_systems(self) -> tuple[str | Target, ...]:
        """Those that were asked for, or VexFS and every database."""
        return self.systems or (reference(), *DATABASES)


def reference() -> Target:
    """VexFS by its quicker front, keeping its content as the databases do."""
    return resolve("vexfs:raw", ("--store", "{source}"))


def run(options: VectorOptions, told: Told) -> dict[str, Any]:
    """Measure all, and return the document; after an interrupt that of what was measured until then."""
    began = time.monotonic()
    planned = [_Row(size, system) for size in (QUICK if options.quick else SIZES) for system in options.all_systems]
    left: list[str] = []
    interrupted = False
    with raised() as nice:
        ground = Ground.open(options.native)
        fs_type = ground.fs_type
        try:
            _measure(options, planned, ground, told, left)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            if not ground.close():
                left.append(ground.path)
    rows = [row.told() for row in planned]
    settings = {
        "quick": options.quick, "seed": options.seed, "timeout": options.timeout, "queries": QUERIES, "k": K,
        "clusters": CLUSTERS, "noise": NOISE, "batch": BATCH, "kept_on": fs_type, "nice": nice,
        "caveats": list(caveats(rows, fs_type)),
    }  # fmt: skip
    made = document.build(machine=machine(), options=settings, vectors=rows)
    told("done", 1, 1)
    seconds = time.monotonic() - began
    return document.plain_of({**made, "interrupted": interrupted, "seconds": seconds, "left": left})


@dataclass(slots=True)
class _Row:
    size: tuple[int, int]
    system: str | Target
    found: dict[str, Any] | None = None
    marked: Marked | None = None
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return self.system if isinstance(self.system, str) else self.system.name

    @property
    def limit(self) -> float:
        return _LEAST + _PER_NUMBER * self.size[0] * self.size[1]

    def told(self) -> dict[str, Any]:
        """For the result file: figures or a mark, never both."""
        kind = "database" if isinstance(self.system, str) else "mount"
        same = {"system": self.name, "kind": kind, "count": self.size[0], "dimensions": self.size[1]}
        if self.found is not None:
            return {**same, "status": "ok", "detail": "", "seconds": self.seconds, **self.found}
        marked = self.marked or Marked("not run", "interrupted")
        return {**same, "status": marked.mark, "detail": marked.detail}


def _measure(options: VectorOptions, planned: list[_Row], ground: Ground, told: Told, left: list[str]) -> None:
    """Fill the rows, size by size."""
    jobs = Jobs(ground, options.timeout)
    made: dict[tuple[int, int], Marked | str] = {}
    try:
        jobs.open()
        for done, row in enumerate(planned):
            count, dimensions = row.size
            told(f"{count:,} × {dimensions:,}, {row.name}", done, len(planned))
            began = time.monotonic()
            try:
                _require(row)
                if row.size not in made:
                    made[row.size] = _data(options, jobs, row)
                data = made[row.size]
                if isinstance(data, Marked):
                    raise data
                if isinstance(row.system, str):
                    row.found = _database(options, jobs, row, data)
                else:
                    row.found = _mounted(options, row, row.system, ground, data, left)
            except Marked as marked:
                row.marked = marked
            except FsprobeError as error:
                row.marked = Marked("failed", error.fact)
            row.seconds = time.monotonic() - began
    finally:
        jobs.close()


def _require(row: _Row) -> None:
    if find_spec("numpy") is None:
        raise Marked(NOT_AVAILABLE, f"the Python package numpy, which makes the vectors, is not installed: {INSTALL}")
    why = absent(row.system) if isinstance(row.system, str) else ""
    if why:
        raise Marked(NOT_AVAILABLE, why)


def _data(options: VectorOptions, jobs: Jobs, row: _Row) -> Marked | str:
    """The directory of the vectors of a size, or why there is none."""
    count, dimensions = row.size
    place = f"{jobs.ground.path}/vectors-{count}-{dimensions}"
    try:
        jobs.done({"data": place, "count": count, "dimensions": dimensions, "seed": options.seed, "limit": row.limit})
    except Marked as marked:
        return Marked(marked.mark, f"the vectors could not be made: {marked.detail}")
    return place


def _database(options: VectorOptions, jobs: Jobs, row: _Row, data: str) -> dict[str, Any]:
    name = f"{row.name}-{row.size[0]}-{row.size[1]}"
    job = {"system": row.system, "data": data, "dimensions": row.size[1], "weaviate": options.weaviate,
           "place": f"{jobs.ground.path}/{name}", "limit": row.limit}  # fmt: skip
    fetches = row.system == "weaviate" and options.weaviate == EMBEDDED
    try:
        return jobs.done(job, FETCHING if fetches else 0.0)
    finally:
        jobs.ground.remove(name)


def _mounted(
    options: VectorOptions, row: _Row, target: Target, ground: Ground, data: str, left: list[str]
) -> dict[str, Any]:  # fmt: skip
    place = MountedPlace(target, options.timeout, ground=ground)
    try:
        place.open()
        before = place.usage().get("rss")
        kept = f"{ground.path}/source-{ground.sources}" if target.wants_source else ""
        asked = {"data": data, "kept": kept, "limit": row.limit}
        found: dict[str, Any] = place.told({"vectors": asked}, options.timeout)["found"]
        after = place.usage().get("rss")
        if before and after:
            found |= {"memory_mb": (after - before) / 1e6, "process_mb": after / 1e6}
        return found
    except Marked as marked:
        if marked.mark == "ENOENT" and marked.phase == "asking":
            raise Marked("no vectors", "no NAME.search.results came of NAME.search: no vector interface") from None
        raise
    finally:
        place.close()
        left += place.left
