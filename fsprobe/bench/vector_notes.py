"""What a reader of the vectors' table must know: what is the same for all, what differs, what a figure means.

Owns the sentences, of which only those about what was measured are said; knows nothing of how it was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fsprobe.bench.vector_data import CLUSTERS, QUERIES, K
from fsprobe.bench.vector_databases import DATABASES
from fsprobe.bench.vector_work import ALONE, BATCH
from fsprobe.config.built_in import is_built_in

SAME = (
    f"Vectors: the same 32-bit unit vectors in {CLUSTERS} clusters and the same {QUERIES} queries for all, cosine "
    f"similarity, k = {K}, one caller, one system after the other; recall is against exact search in 64 bit."
)
TIMES = (
    f"vectors/s is of batches of {BATCH}; insert mean and p95 are of single vectors, the last {ALONE}, into what is "
    "there by then; the first query, which may build an index, is told by itself."
)
MOUNT = (
    "a file for each vector, of decimal text, through a kernel mount, and no batches: {batch} files one by one. The "
    "databases are called without a file system in between, in their own process, or over a network."
)
REFERENCE = (
    "{name} is the reference in Python: exact, as it compares with every vector. All is in its memory, text and "
    "numbers, and is saved within a second; ChromaDB and Qdrant save each insert."
)
MEMORY = (
    "Memory is what the resident memory of the process that holds the vectors grew by while it was used: the daemon, "
    "or the database's own process, its imports not counted. That of a server that was named is not known."
)
KEPT = "What is kept lies on {fs_type}{memory}."


def caveats(rows: Sequence[Mapping[str, Any]], fs_type: str) -> Iterator[str]:
    """Of the rows that have figures."""
    ran = {row["system"]: row for row in rows if row["status"] == "ok"}
    if not ran:
        return
    yield SAME
    yield TIMES
    mounted = [name for name, row in ran.items() if row["kind"] == "mount"]
    if mounted:
        yield f"{', '.join(mounted)}: {MOUNT.format(batch=BATCH)}"
    yield from (REFERENCE.format(name=name) for name in mounted if is_built_in(name))
    for name, row in ran.items():
        if row["kind"] == "database":
            database = DATABASES[name]
            yield f"{name} ({database.package} {row['version']}) searches: {database.searches}."
    yield MEMORY
    yield KEPT.format(fs_type=fs_type, memory=", so that no disk has a say" if fs_type == "tmpfs" else "")
