"""Vectors: the reference VexFS through its mount beside vector databases, on the same data and queries.

Owns who is measured and in what process; the work of one is `vector_work`'s. Each runs in a process of its own, so that
the memory measured is its own; where one is not to be had the row says why.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from fsprobe.bench import document
from fsprobe.bench.place import Marked, MountedPlace
from fsprobe.bench.turns import machine
from fsprobe.config.target import resolve
from fsprobe.sandbox import process

SIZES = ((1_000, 384), (5_000, 768), (10_000, 1_536))
QUICK = ((200, 32),)
SEED, QUERIES, K = 42, 100, 10
PACKAGES = {"chromadb": "chromadb", "qdrant": "qdrant_client", "weaviate": "weaviate"}
LONGEST = 300.0
NOT_INSTALLED = "not installed"
CAVEATS = (
    "VexFS takes one vector in each file; the databases are given batches of 100, of which a vector's share is told.",
    "VexFS and qdrant_client's local mode search exactly; ChromaDB searches an HNSW index with its default settings.",
    "Memory is the growth of the resident memory of the process that holds the vectors: the daemon for VexFS.",
)


def run(*, quick: bool, weaviate: str, told: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Measure all, and return the document."""
    sizes = QUICK if quick else SIZES
    systems = ("vexfs", *PACKAGES)
    rows: list[dict[str, Any]] = []
    for count, dimensions in sizes:
        for system in systems:
            told(f"{system} {count} × {dimensions}", len(rows), len(sizes) * len(systems))
            rows.append({"system": system, "count": count, "dimensions": dimensions,
                         **_measured(system, count, dimensions, weaviate)})  # fmt: skip
    settings = {"quick": quick, "seed": SEED, "queries": QUERIES, "k": K, "caveats": CAVEATS}
    return document.plain_of(document.build(machine=machine(), options=settings, vectors=rows))


def _measured(system: str, count: int, dimensions: int, weaviate: str) -> dict[str, Any]:
    absent = _absent(system, weaviate)
    if absent:
        return absent
    try:
        if system == "vexfs":
            return {"status": "ok", "detail": "", **_vexfs(count, dimensions)}
        return {"status": "ok", "detail": "", **_database(system, count, dimensions, weaviate)}
    except Marked as marked:
        return {"status": marked.mark, "detail": marked.detail}


def _absent(system: str, weaviate: str) -> dict[str, Any]:
    needed = ("numpy", *([PACKAGES[system]] if system in PACKAGES else []))
    if any(find_spec(name) is None for name in needed):
        return {"status": NOT_INSTALLED, "detail": "pip install fsprobe[bench]"}
    if system == "weaviate" and not weaviate:
        return {"status": "not available here", "detail": "no server: give one by --weaviate URL"}
    return {}


def _vexfs(count: int, dimensions: int) -> dict[str, Any]:
    place = MountedPlace(resolve("vexfs:raw"), LONGEST)
    try:
        place.open()
        before = place.usage().get("rss", 0)
        found = place.told({"vectors": {"count": count, "dimensions": dimensions}}, LONGEST)["found"]
        return {**found, "memory_mb": (place.usage().get("rss", 0) - before) / 1e6}
    finally:
        place.close()


def _database(system: str, count: int, dimensions: int, url: str) -> dict[str, Any]:
    command = [*process.python_command("fsprobe.bench.vector_work"), system, str(count), str(dimensions), url]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST,
                              check=False)  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Marked("hang", f"no end within {LONGEST:g} s") from None
    try:
        found: dict[str, Any] = json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError:
        last = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
        raise Marked("failed", last[:300] or f"it ended with status {done.returncode}") from None
    return found
