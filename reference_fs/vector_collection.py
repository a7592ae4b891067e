"""The vectors of one directory, and which of them are nearest to another by cosine similarity: exactly.

Owns the arithmetic; knows nothing of files or texts, and takes no lock: `Collection` belongs to whoever holds its
owner's, a `Snapshot` of it to anybody. Where numpy is installed, a matrix of 32-bit floats (half the memory to go
through) finds the few that can be among the nearest, and they alone are measured exactly, by the same code as
without numpy: the answers are the same.
"""

from __future__ import annotations

import heapq
import importlib
import math
import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import mul
from typing import Any

from reference_fs.vectors import Bad

SMALL = 50_000
"""Numbers up to which Python alone is as quick: numpy is not even imported (a tenth of a second)."""
_sum_of_products = getattr(math, "sumprod", None) or (lambda one, other: sum(map(mul, one, other)))


@dataclass(frozen=True, slots=True)
class Hit:
    """A vector that was found."""

    score: float
    name: bytes

    @property
    def rank(self) -> tuple[float, bytes]:
        """Best first, those alike by name."""
        return (-self.score, self.name)


@cache
def numpy() -> Any:
    """The module, None where it is not installed. One product has no use for threads: they wait for each other."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        return importlib.import_module("numpy")
    except ImportError:
        return None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A collection as it was. Rows are never changed, only added, so the matrix may be shared. dead: rows no longer
    in use, whose names are None."""

    dimension: int
    names: Sequence[bytes | None]
    units: Sequence[array[float]]
    dead: Sequence[int]
    matrix: Any

    def nearest(self, vector: array[float], k: int, threshold: float | None = None) -> list[Hit]:
        """The k best by cosine similarity of at least `threshold`, best first. vector: of length 1."""
        hits = [Hit(_exact(self.units[row], vector), name) for row, name in self._candidates(vector, k)]
        best = heapq.nsmallest(k, hits, key=lambda hit: hit.rank)
        return [hit for hit in best if threshold is None or hit.score >= threshold]

    def _candidates(self, vector: array[float], k: int) -> list[tuple[int, bytes]]:
        """Rows that may be among the k best: all whose rough score is not below the k-th best by more than the
        rounding of both can explain (n times the unit roundoff: Higham, Accuracy and Stability, 3.1)."""
        rows: Sequence[int] = range(len(self.names))
        if k >= len(self.names) - len(self.dead):
            pass
        elif self.matrix is not None:
            np, rough = numpy(), self._matrix_scores(vector)
            least = float(np.partition(rough, -k)[-k]) - (self.dimension + 8) * 2.0**-23
            rows = np.flatnonzero(rough >= least).tolist()
        else:
            scores = self._scores(vector)
            least = heapq.nlargest(k, scores)[-1] - (self.dimension + 8) * 2.0**-52
            rows = [row for row in rows if scores[row] >= least]
        return [(row, name) for row in rows if (name := self.names[row]) is not None]

    def _scores(self, vector: array[float]) -> list[float]:
        named = zip(self.names, self.units, strict=True)
        return [-2.0 if name is None else _sum_of_products(one, vector) for name, one in named]

    def _matrix_scores(self, vector: array[float]) -> Any:
        np = numpy()
        scores = self.matrix @ np.frombuffer(vector).astype(np.float32)
        scores[list(self.dead)] = -2  # less than any cosine
        return scores


def _exact(one: array[float], other: array[float]) -> float:
    return max(-1.0, min(1.0, math.fsum(map(mul, one, other))))


class Collection:
    """Vectors by name, all of one dimension, which is free again when the last is gone."""

    def __init__(self) -> None:
        self.dimension = 0
        self._rows: dict[bytes, int] = {}
        self._names: list[bytes | None] = []
        self._units: list[array[float]] = []
        self._dead: list[int] = []
        self._matrix: Any = None
        self._filled = 0

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, name: bytes, vector: array[float]) -> None:
        """Add or replace one, of length 1. Raises Bad, and then has none of that name, where its dimension differs."""
        self.discard(name)
        if self._rows and len(vector) != self.dimension:
            raise Bad(f"{len(vector)} dimensions, where the collection has {self.dimension}")
        self.dimension = len(vector)
        self._rows[name] = len(self._names)
        self._names.append(name)
        self._units.append(vector)

    def discard(self, name: bytes) -> None:
        """Forget one, if it is there. Its row stays until half of them are empty."""
        row = self._rows.pop(name, None)
        if row is None:
            return
        self._names[row] = None
        self._dead.append(row)
        if not self._rows:
            self.__init__()  # type: ignore[misc]
        elif len(self._names) > 32 and len(self._names) > 2 * len(self._rows):
            self._compact()

    def _compact(self) -> None:
        living = [(name, vector) for name, vector in zip(self._names, self._units, strict=True) if name is not None]
        self._names = [name for name, _ in living]
        self._units = [vector for _, vector in living]
        self._dead = []
        self._rows = {name: row for row, (name, _) in enumerate(living)}
        self._matrix, self._filled = None, 0

    def snapshot(self) -> Snapshot:
        """What it holds now; the matrix is brought up to date by the rows that were added since."""
        count = len(self._names)
        large = count * self.dimension > SMALL and numpy() is not None
        if large and self._filled < count:
            self._fill(count)
        matrix = self._matrix[:count] if large else None
        return Snapshot(self.dimension, tuple(self._names), tuple(self._units), tuple(self._dead), matrix)

    def _fill(self, count: int) -> None:
        np = numpy()
        if self._matrix is None or len(self._matrix) < count:
            grown = np.empty((count + count // 2, self.dimension), np.float32)
            if self._filled:
                grown[: self._filled] = self._matrix[: self._filled]
            self._matrix = grown
        for start in range(self._filled, count, 256):
            rows = self._units[start : min(start + 256, count)]
            block = np.frombuffer(b"".join(map(bytes, rows)))
            self._matrix[start : start + len(rows)] = block.reshape(len(rows), self.dimension)
        self._filled = count
