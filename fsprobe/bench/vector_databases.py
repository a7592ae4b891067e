"""The vector databases that VexFS is measured beside: each one's own Python package, and its few calls.

Owns those calls, and why a database is not to be had; knows nothing of what is timed. All of them are told to use
cosine similarity and otherwise run on their default settings.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fsprobe.bench.vector_data import K
from fsprobe.bench.vector_work import Insert, Query

NAME = "fsprobe-vectors"
EMBEDDED = "embedded"
"""In place of Weaviate's URL: start its binary, fetched by its own package where it is not there yet."""
INSTALL = "pip install 'fsprobe[bench]'"
NO_SERVER = (
    "no server was named and Weaviate's embedded binary is not on this machine: start a server and give --weaviate "
    f"http://HOST:8080, or let its package download the binary by --weaviate {EMBEDDED}"
)
_GRPC = 50051


class NotAvailable(Exception):
    """The database is not to be had here; says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A database that is ready. local: it runs in this process, or in one below it, whose memory can be measured."""

    insert: Insert
    query: Query
    local: bool = True


@contextmanager
def chromadb(place: str, dimensions: int, url: str) -> Iterator[Opened]:
    """ChromaDB in this process, kept in that directory."""
    from chromadb import PersistentClient
    from chromadb.config import Settings

    client = PersistentClient(path=place, settings=Settings(anonymized_telemetry=False))
    items = client.create_collection(NAME, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None)

    def insert(first: int, part: Any) -> None:
        items.add(ids=[str(first + n) for n in range(len(part))], embeddings=part)

    def query(vector: Any) -> list[int]:
        found = items.query(query_embeddings=[vector], n_results=K, include=["distances"])
        return [int(number) for number in found["ids"][0]]

    yield Opened(insert, query)
    if hasattr(client, "close"):  # not before 1.5
        client.close()


@contextmanager
def qdrant(place: str, dimensions: int, url: str) -> Iterator[Opened]:
    """Qdrant's local mode in this process, kept in that directory."""
    from qdrant_client import QdrantClient, models

    client = QdrantClient(path=place)
    config = models.VectorParams(size=dimensions, distance=models.Distance.COSINE)
    client.create_collection(NAME, vectors_config=config)

    def insert(first: int, part: Any) -> None:
        numbers: list[Any] = list(range(first, first + len(part)))
        client.upsert(NAME, models.Batch(ids=numbers, vectors=part.tolist()))

    def query(vector: Any) -> list[int]:
        return [int(point.id) for point in client.query_points(NAME, vector.tolist(), limit=K).points]

    yield Opened(insert, query)
    client.close()


@contextmanager
def weaviate(place: str, dimensions: int, url: str) -> Iterator[Opened]:
    """A Weaviate server, in a collection of ours that is removed afterwards. Raises NotAvailable."""
    from weaviate.classes.config import Configure, DataType, Property, VectorDistances
    from weaviate.classes.data import DataObject

    if not url and not _has_binary():
        raise NotAvailable(NO_SERVER)
    client = _weaviate_client(place, url)
    name = f"FsprobeVectors{os.getpid()}"
    try:
        index = Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE)
        items = client.collections.create(
            name, vector_config=Configure.Vectors.self_provided(vector_index_config=index),
            properties=[Property(name="n", data_type=DataType.INT)],
        )  # fmt: skip

        def insert(first: int, part: Any) -> None:
            objects = [DataObject({"n": first + n}, vector=vector.tolist()) for n, vector in enumerate(part)]
            answer = items.data.insert_many(objects)
            if answer.has_errors:
                raise RuntimeError(next(iter(answer.errors.values())).message)

        def query(vector: Any) -> list[int]:
            found = items.query.near_vector(vector.tolist(), limit=K).objects
            return [int(str(one.properties["n"])) for one in found]

        yield Opened(insert, query, local=url in ("", EMBEDDED))
    finally:
        with suppress(Exception):  # of a server that is gone: what it said first is what is told
            client.collections.delete(name)
        client.close()


def _weaviate_client(place: str, url: str) -> Any:
    import weaviate as library
    from weaviate.exceptions import WeaviateBaseError

    try:
        if url in ("", EMBEDDED):
            http, grpc = _free_port(), _free_port()
            return library.connect_to_embedded(port=http, grpc_port=grpc, persistence_data_path=place)
        at = urlsplit(url if "//" in url else f"//{url}")
        secure, host = at.scheme == "https", at.hostname or "localhost"
        grpc = int(parse_qs(at.query).get("grpc", [443 if secure else _GRPC])[0])
        return library.connect_to_custom(host, at.port or (443 if secure else 8080), secure, host, grpc, secure)
    except (WeaviateBaseError, OSError, ValueError) as error:
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        what = "its binary cannot be had or started" if url in ("", EMBEDDED) else f"no server answers at {url}"
        raise NotAvailable(f"{what}: {said[:200]}") from error


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Database:
    """module: what is imported. package: what pip calls it. searches: how, in words."""

    module: str
    package: str
    searches: str
    open: Callable[[str, int, str], AbstractContextManager[Opened]]


_HNSW = "approximate, by an HNSW index with its default settings"
_SCAN = "exact, as its local mode compares with every vector"
DATABASES = {
    "chromadb": Database("chromadb", "chromadb", _HNSW, chromadb),
    "qdrant": Database("qdrant_client", "qdrant-client", _SCAN, qdrant),
    "weaviate": Database("weaviate", "weaviate-client", _HNSW, weaviate),
}


def absent(name: str) -> str:
    """Why a database is not available here, as far as can be told without importing it; "" where it seems to be."""
    if name in DATABASES and find_spec(DATABASES[name].module) is None:
        return f"the Python package {DATABASES[name].package} is not installed: {INSTALL}"
    return ""


def _has_binary() -> bool:
    """Whether the binary that the package would start is there already, by the package's own rule for its name."""
    from weaviate.embedded import EmbeddedOptions

    options = EmbeddedOptions()
    version = f"v{options.version}"
    name = f"weaviate-{version}-{hashlib.sha256(version.encode()).hexdigest()}"
    return sys.platform == "linux" and Path(options.binary_path, name).is_file()
