"""The work on vectors in one system: insert all, ask all queries, compare with exact search.

Owns the data, the clock and each system's few calls; knows nothing of the others' processes. Needs numpy.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

CLUSTERS, NOISE, SEED, QUERIES, K, BATCH = 30, 0.1, 42, 100, 10, 100

Insert = Callable[[int, Any], None]
Query = Callable[[Any], list[int]]


def data(count: int, dimensions: int) -> tuple[Any, Any]:
    """Unit vectors in clusters, and queries from the same."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    centres = rng.normal(size=(CLUSTERS, dimensions))
    noise = NOISE * rng.normal(size=(count + QUERIES, dimensions))
    made = centres[rng.integers(CLUSTERS, size=count + QUERIES)] + noise
    made /= np.linalg.norm(made, axis=1)[:, None]
    return made[:count], made[count:]


def measure(insert: Insert, query: Query, stored: Any, queries: Any, batch: int) -> dict[str, Any]:
    """The figures of one system. insert gets the first number and vectors; query gives numbers, best first."""
    from fsprobe.bench.statistics import times

    inserts, asked, found = [], [], []
    for first in range(0, len(stored), batch):
        part = stored[first : first + batch]
        began = time.perf_counter()
        insert(first, part)
        inserts += [(time.perf_counter() - began) / len(part) * 1e3] * len(part)
    query(queries[0])  # warm-up: indexes and matrices are made now
    for one in queries:
        began = time.perf_counter()
        got = query(one)
        asked.append((time.perf_counter() - began) * 1e3)
        found.append(got)
    insertion, asking = times(inserts), times(asked)
    return {
        "insert_ms_mean": insertion["mean"], "insert_ms_p95": insertion["p95"], "insert_per_s": 1e3 / insertion["mean"],
        "query_ms_mean": asking["mean"], "query_ms_p95": asking["p95"], "query_ms_p99": asking["p99"],
        "query_per_s": 1e3 / asking["mean"], "recall": recall(found, stored, queries),
    }  # fmt: skip


def recall(found: list[list[int]], stored: Any, queries: Any) -> float:
    """The share of the exact K nearest (by cosine) that were found, over all queries."""
    import numpy as np

    same = 0
    for got, query in zip(found, queries, strict=True):
        exact = np.argsort(-(stored @ query), kind="stable")[:K].tolist()
        same += len(set(got[:K]) & set(exact))
    return same / (K * len(queries))


def through_mount(directory: str, count: int, dimensions: int) -> dict[str, Any]:
    """VexFS: a file for each vector, a query file and its results."""
    stored, queries = data(count, dimensions)
    os.mkdir(directory)

    def insert(first: int, part: Any) -> None:
        for number, vector in enumerate(part, first):
            with open(f"{directory}/{number}.vec", "wb", buffering=0) as file:
                file.write(",".join(map(repr, vector.tolist())).encode())

    def query(vector: Any) -> list[int]:
        with open(f"{directory}/q.search", "wb", buffering=0) as file:
            file.write(f"vector: {','.join(map(repr, vector.tolist()))}\nk: {K}\n".encode())
        with open(f"{directory}/q.search.results", "rb", buffering=0) as file:
            return [int(line.partition(b".vec")[0]) for line in file.read().splitlines()]

    return measure(insert, query, stored, queries, 1)


@contextmanager
def chromadb(place: str, dimensions: int, url: str) -> Iterator[tuple[Insert, Query]]:
    """ChromaDB in this process, on disk."""
    from chromadb import PersistentClient
    from chromadb.config import Settings

    client = PersistentClient(path=place, settings=Settings(anonymized_telemetry=False))
    items = client.create_collection("bench", metadata={"hnsw:space": "cosine"}, embedding_function=None)

    def insert(first: int, part: Any) -> None:
        items.add(ids=[str(first + n) for n in range(len(part))], embeddings=part.tolist())

    yield insert, lambda vector: [int(i) for i in items.query(query_embeddings=[vector.tolist()], n_results=K,
                                                              include=["distances"])["ids"][0]]  # fmt: skip


@contextmanager
def qdrant(place: str, dimensions: int, url: str) -> Iterator[tuple[Insert, Query]]:
    """Qdrant's local mode in this process, on disk."""
    from qdrant_client import QdrantClient, models

    client = QdrantClient(path=place)
    config = models.VectorParams(size=dimensions, distance=models.Distance.COSINE)
    client.create_collection("bench", vectors_config=config)

    def insert(first: int, part: Any) -> None:
        points = [models.PointStruct(id=first + n, vector=v.tolist()) for n, v in enumerate(part)]
        client.upsert("bench", points)

    yield insert, lambda vector: [int(p.id) for p in client.query_points("bench", vector.tolist(), limit=K).points]
    client.close()


@contextmanager
def weaviate(place: str, dimensions: int, url: str) -> Iterator[tuple[Insert, Query]]:
    """A Weaviate server, in a collection that is removed afterwards."""
    from urllib.parse import urlsplit

    import weaviate as library
    from weaviate.classes.config import Configure, DataType, Property

    at = urlsplit(url)
    client = library.connect_to_local(host=at.hostname or "localhost", port=at.port or 8080)
    name = f"FsprobeBench{os.getpid()}"
    try:
        items = client.collections.create(name, vectorizer_config=Configure.Vectorizer.none(),
                                          properties=[Property(name="n", data_type=DataType.INT)])  # fmt: skip

        def insert(first: int, part: Any) -> None:
            from weaviate.classes.data import DataObject

            items.data.insert_many([DataObject({"n": first + n}, vector=v.tolist()) for n, v in enumerate(part)])

        def query(vector: Any) -> list[int]:
            found = items.query.near_vector(vector.tolist(), limit=K).objects
            return [int(str(one.properties["n"])) for one in found]

        yield insert, query
    finally:
        client.collections.delete(name)
        client.close()


SYSTEMS = {"chromadb": chromadb, "qdrant": qdrant, "weaviate": weaviate}


def main() -> None:
    """`python -m fsprobe.bench.vector_work SYSTEM COUNT DIMENSIONS URL`: prints one JSON object as its last line."""
    import psutil

    system, count, dimensions, url = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    stored, queries = data(count, dimensions)
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="fsprobe-vectors-"))
        before = psutil.Process().memory_info().rss
        insert, query = stack.enter_context(SYSTEMS[system](place, dimensions, url))
        found = measure(insert, query, stored, queries, BATCH)
        if system != "weaviate":  # a server's memory is not this process's
            found["memory_mb"] = (psutil.Process().memory_info().rss - before) / 1e6
    print("\n" + json.dumps(found))
