"""Vectors written to a mounted VexFS and searched there, beside numpy alone on the same numbers.

Owns the work and its clock; knows nothing of mounting. Run as `vector_work.py DIRECTORY` it prints one JSON object:
seconds by kind, the median of all queries, and recall@k against numpy's own exact answer.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

COUNT, DIMENSIONS, QUERIES, K, SEED = 10_000, 384, 100, 10, 42
CLUSTERS, NOISE = 30, 0.1


def vectors(np: Any) -> tuple[Any, Any]:
    """Unit vectors in clusters, and as many queries as are asked, near to some of them."""
    rng = np.random.default_rng(SEED)
    centres = rng.normal(size=(CLUSTERS, DIMENSIONS))
    noise = NOISE * rng.normal(size=(COUNT + QUERIES, DIMENSIONS))
    made = centres[rng.integers(CLUSTERS, size=COUNT + QUERIES)] + noise
    made /= np.linalg.norm(made, axis=1)[:, None]
    return made[:COUNT], made[COUNT:]


def median(call: Callable[[Any], object], queries: Any) -> float:
    """Seconds of one call."""
    taken = []
    for query in queries:
        began = time.perf_counter()
        call(query)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def text(vector: Any) -> bytes:
    """As it stands in a file."""
    return ",".join(map(repr, vector.tolist())).encode()


def measure(directory: str) -> dict[str, float]:
    """Seconds per call by kind, and the recall."""
    import numpy as np

    stored, queries = vectors(np)
    place = os.path.join(directory, "collection")
    os.mkdir(place)
    texts = [text(vector) for vector in stored]
    began = time.perf_counter()
    for number, content in enumerate(texts):
        with open(f"{place}/{number}.vec", "wb", buffering=0) as file:
            file.write(content)
    seconds = {"insert": (time.perf_counter() - began) / COUNT}
    found: list[list[int]] = []

    def by_query_file(query: bytes) -> None:
        with open(f"{place}/q.search", "wb", buffering=0) as file:
            file.write(b"vector: %s\nk: %d\n" % (query, K))
        with open(f"{place}/q.search.results", "rb", buffering=0) as file:
            found.append([int(line.partition(b".vec")[0]) for line in file.read().splitlines()])

    asked = [text(query) for query in queries]
    by_query_file(asked[0])  # imports numpy and makes the matrix
    found.clear()
    seconds["search"] = median(by_query_file, asked)
    single = stored.astype(np.float32)

    def alone(matrix: Any) -> Callable[[Any], object]:
        def nearest(query: Any) -> list[int]:
            scores = matrix @ query.astype(matrix.dtype)
            best = np.argpartition(-scores, K)[:K]
            return best[np.argsort(-scores[best])].tolist()

        return nearest

    seconds["numpy, 64 bits"] = median(alone(stored), queries)
    seconds["numpy, 32 bits"] = median(alone(single), queries)
    right = [alone(stored)(query) for query in queries]
    same = sum(len(set(one) & set(other)) for one, other in zip(found, right, strict=True))
    return {**seconds, "recall": same / (K * QUERIES)}


if __name__ == "__main__":
    json.dump(measure(sys.argv[1]), sys.stdout)
