"""The vectors, the queries, and what is nearest to each: made once, the same for every system.

Owns how they are made and the exact search that recall is measured by; knows nothing of systems or clocks. Needs numpy.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

QUERIES, K = 100, 10
CLUSTERS, NOISE = 30, 0.1


@dataclass(frozen=True, slots=True)
class Data:
    """stored, queries: rows of 32-bit floats, of length 1 but for rounding. exact: numbers of the K nearest of each
    query.
    """

    stored: Any
    queries: Any
    exact: list[list[int]]


def make(directory: str, count: int, dimensions: int, seed: int) -> None:
    """Unit vectors in clusters, queries from the same, and the answers, as files of numpy."""
    import numpy as np

    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(CLUSTERS, dimensions))
    noise = NOISE * rng.normal(size=(count + QUERIES, dimensions))
    made = centres[rng.integers(CLUSTERS, size=count + QUERIES)] + noise
    made = (made / np.linalg.norm(made, axis=1)[:, None]).astype(np.float32)
    os.makedirs(directory, exist_ok=True)
    np.save(f"{directory}/stored.npy", made[:count])
    np.save(f"{directory}/queries.npy", made[count:])
    np.save(f"{directory}/exact.npy", nearest(made[:count], made[count:]))


def nearest(stored: Any, queries: Any) -> Any:
    """The numbers of the K nearest rows of each query by cosine similarity, best first, in 64 bit throughout."""
    import numpy as np

    wide, asked = (rows.astype(np.float64) for rows in (stored, queries))
    scores = (asked @ wide.T) / np.linalg.norm(wide, axis=1)  # a query's own length changes no order
    return np.argsort(-scores, axis=1, kind="stable")[:, :K]


def load(directory: str) -> Data:
    """What `make` has made, all of it in memory from now on, so that it is no part of what memory grows by."""
    import numpy as np

    stored, queries, exact = (np.load(f"{directory}/{name}.npy") for name in ("stored", "queries", "exact"))
    return Data(stored, queries, exact.tolist())


def recall(found: list[list[int]], exact: list[list[int]]) -> float:
    """The share of the exact nearest that were found, over all queries."""
    same = sum(len(set(got[:K]) & set(right)) for got, right in zip(found, exact, strict=True))
    return same / sum(map(len, exact))
