"""Vectors: the same work on every system, recall as computed, and of a system that is lost a mark and nothing else."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import random
import signal
import subprocess
import sys
import time
from array import array
from operator import mul
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fsprobe.bench import document, vector_databases
from fsprobe.bench.calls import Clock
from fsprobe.bench.vector_data import Data, K, load, make, recall
from fsprobe.bench.vector_notes import caveats
from fsprobe.bench.vector_work import measure, text
from fsprobe.config.built_in import is_built_in
from tests.command import Command, Result, Running
from tests.leaks import LeakWatch, settled
from tests.targets import Missing, command_of

np = pytest.importorskip("numpy")
SCHEMA = json.loads(document.SCHEMA_FILE.read_text())
SERVER = Path(__file__).parents[1] / "programs" / "weaviate_server.py"
FIGURES = ("recall", "insert_ms_mean", "insert_per_s", "query_ms_mean", "memory_mb")

FAKE = """
import os, subprocess, sys, threading, time
DOES = {does!r}
if DOES == "no import":
    raise ImportError("a library of its own is missing")

class models:
    class Distance:
        COSINE = "cosine"
    def VectorParams(size, distance):
        return None
    class Batch:
        def __init__(self, ids, vectors):
            self.ids = ids

class QdrantClient:
    def __init__(self, path):
        open(path + "/kept", "wb").write(bytes(1 << 20))
    def create_collection(self, name, vectors_config):
        pass
    def upsert(self, name, batch):
        if batch.ids[0] < 100:
            return
        if DOES == "crash":
            print("it is all over", file=sys.stderr, flush=True)
            os.abort()
        if DOES == "raise":
            raise RuntimeError("no space left in the index")
        if DOES == "hang":
            subprocess.Popen(["sleep", "300"], start_new_session=True)
            time.sleep(300)
        if DOES == "talk":
            while True:
                print("still here " * 1000, file=sys.stderr, flush=True)
                time.sleep(0.01)
    def query_points(self, name, vector, limit):
        if DOES == "few":
            limit = 3
        point = lambda n: type("Point", (), {{"id": n}})
        return type("Found", (), {{"points": [point(n) for n in range(limit)]}})
    def close(self):
        pass
"""


@pytest.fixture
def database(scratch: Path) -> Any:
    """A database in the place of Qdrant's that does what it is told; gives the environment in which it is found."""

    def made(does: str) -> dict[str, str]:
        package = scratch / "fake" / "qdrant_client"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(FAKE.format(does=does))
        return {"PYTHONPATH": str(package.parent)}

    return made


def _document(result: Result, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    jsonschema.validate(found, SCHEMA)
    assert found["left"] == [], result
    return found


def _rows(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["system"].partition(":")[0]: row for row in found["vectors"]}


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def test_the_nearest_are_the_nearest(tmp_path: Path) -> None:
    """Recall would be measured against something that is wrong itself."""
    make(str(tmp_path), 60, 8, seed=3)
    data = load(str(tmp_path))
    for query, exact in zip(data.queries[:5].tolist(), data.exact, strict=False):
        cosine = [sum(map(mul, row, query)) / math.hypot(*row) for row in data.stored.tolist()]
        assert exact == sorted(range(60), key=cosine.__getitem__, reverse=True)[:K]
    again = tmp_path / "again"
    make(str(again), 60, 8, seed=3)
    assert (load(str(again)).stored == data.stored).all()


def test_recall_is_computed() -> None:
    """A hard-coded 0.95 was what the first attempt had."""
    exact = [list(range(K)), list(range(K, 2 * K))]
    assert recall(exact, exact) == 1.0
    assert recall([list(range(K)), [*range(K, 2 * K - 3), 0, 1, 2]], exact) == pytest.approx(17 / 20)
    assert recall([[], [99] * K], exact) == 0.0


def test_a_vector_as_text_is_the_same_vector() -> None:
    """VexFS would be given other vectors than the databases, and its recall would suffer for it."""
    numbers = np.array([random.Random(n).uniform(-1, 1) * 10.0**-n for n in range(40)], np.float32)
    parsed = array("f", map(float, text(numbers).split(b",")))
    assert parsed.tolist() == numbers.tolist()


def test_every_vector_is_inserted_once_and_every_query_asked() -> None:
    """A system that was given less would be the quicker one."""
    stored, queries = np.zeros((430, 4), np.float32), np.zeros((7, 4), np.float32)
    given: list[tuple[int, int]] = []
    asked: list[Any] = []

    def query(vector: Any) -> list[int]:
        asked.append(vector)
        return [1, 2]

    found = measure(lambda first, part: given.append((first, len(part))), query, Data(stored, queries, [[1, 3]] * 7),
                    Clock())  # fmt: skip
    numbers = [number for first, many in given for number in range(first, first + many)]
    assert numbers == list(range(430))
    assert [many for _, many in given] == [100, 100, 100, 30] + [1] * 100
    assert len(asked) == 8  # the first one twice
    assert found["recall"] == 0.5


def test_vexfs_and_the_databases_that_are_here(fsprobe: Command, scratch: Path) -> None:
    """There would be no table."""
    result = fsprobe("bench", "vectors", "--quick", "--json", "v.json", timeout=120)
    assert result.exit_code == 0, result
    found = _document(result, scratch / "v.json")
    rows = _rows(found)
    assert set(rows) == {"vexfs", "chromadb", "qdrant", "weaviate"}
    assert rows["vexfs"]["recall"] == 1.0
    assert rows["weaviate"]["status"] == "not available here"
    for name, module in (("chromadb", "chromadb"), ("qdrant", "qdrant_client")):
        assert rows[name]["status"] == ("ok" if _installed(module) else "not available here"), rows[name]
    for row in rows.values():
        if row["status"] == "ok":
            assert row["recall"] > 0.9
            assert row["memory_mb"] > 0 and row["disk_mb"] > 0.1  # 400 vectors of 64 numbers of 4 bytes
            assert row["insert_ms_p50"] <= row["insert_ms_p95"] <= row["insert_ms_p99"]
            assert row["query_ms_p50"] <= row["query_ms_p95"] <= row["query_ms_p99"]
    page = fsprobe("summary", "v.json", "--format", "markdown")
    assert page.exit_code == 0 and "400 × 64" in page.stdout and "not available here" in page.stdout, page
    assert all(note in page.stdout for note in ("single vectors", "compares with every vector")), page
    assert "weaviate has no figures for 400 × 64" in page.stdout and "single insert, p95" in page.stdout, page
    assert f"| {rows['vexfs']['query_per_s']:,.0f} |" in page.stdout.replace("\\", ""), page


@pytest.mark.parametrize(("does", "mark", "told"), [
    ("hang", "hang", "no sign of life for 1.5 s in inserting"),
    ("talk", "hang", "no sign of life for 1.5 s in inserting"),
    ("crash", "crash", "was killed by SIGABRT in inserting: it is all over"),
    ("raise", "failed", "RuntimeError in inserting: no space left in the index"),
    ("no import", "not available here", "a library of its own is missing"),
])  # fmt: skip
def test_a_lost_database_gets_a_mark_and_no_figure(
    fsprobe: Command, leaks: LeakWatch, scratch: Path, database: Any, does: str, mark: str, told: str
) -> None:
    """One database that hangs would take the whole table with it, or be shown as quick."""
    result = fsprobe("bench", "vectors", "qdrant", "vexfs", "--quick", "--timeout", "1.5", "--json", "v.json",
                     env=database(does))  # fmt: skip
    rows = _rows(_document(result, scratch / "v.json"))
    assert rows["qdrant"]["status"] == mark
    assert told in rows["qdrant"]["detail"]
    assert not set(FIGURES) & set(rows["qdrant"])
    assert rows["vexfs"]["status"] == "ok"
    assert result.exit_code == 0
    assert leaks(5.0) == []


def test_few_or_wrong_answers_are_seen_in_the_recall(fsprobe: Command, scratch: Path, database: Any) -> None:
    """A database that answers quickly and wrongly would look like the best."""
    result = fsprobe("bench", "vectors", "qdrant", "--quick", "--json", "v.json", env=database("few"))
    row = _rows(_document(result, scratch / "v.json"))["qdrant"]
    assert row["status"] == "ok" and row["recall"] < 0.3


@pytest.mark.parametrize(("target", "mark", "told"), [
    ("vexfs:stderr-pipe", "hang", "no answer within 1.5 s in inserting"),
    ("vexfs:before-fix", "ENOSYS", "Function not implemented"),
    ("vexfs:not-mounted", "did not start", ""),
    ("bindfs", "no vectors", "no vector interface"),
])  # fmt: skip
def test_a_target_that_is_lost_gets_a_mark(
    fsprobe: Command, leaks: LeakWatch, scratch: Path, shared: Path, target: str, mark: str, told: str
) -> None:
    """A file system that hangs in the middle would be shown with the figures until then."""
    try:
        command = target if is_built_in(target) else command_of(target, shared)
    except Missing as missing:
        pytest.skip(str(missing))
    result = fsprobe("bench", "vectors", command, "--quick", "--timeout", "1.5", "--json", "v.json")
    (row,) = _document(result, scratch / "v.json")["vectors"]
    assert (row["status"], result.exit_code) == (mark, 5), result
    assert told in row["detail"]
    assert not set(FIGURES) & set(row)
    assert leaks(5.0) == []


def _begun(running: Running, word: str) -> None:
    deadline = time.monotonic() + 30
    while word not in running.stderr_now():
        assert time.monotonic() < deadline, running.stderr_now()
        time.sleep(0.05)
    time.sleep(1.5)  # its process is up, and hangs


def test_what_was_measured_before_an_interrupt_is_kept(
    fsprobe: Command, leaks: LeakWatch, scratch: Path, database: Any
) -> None:
    """Minutes of work would be lost, or a half measured system shown as whole."""
    running = fsprobe.start("bench", "vectors", "vexfs", "qdrant", "--quick", "--json", "v.json", env=database("hang"))
    _begun(running, "qdrant")
    running.signal(signal.SIGTERM)
    result = running.wait(20)
    found = _document(result, scratch / "v.json")
    rows = _rows(found)
    assert (result.exit_code, found["interrupted"]) == (130, True), result
    assert rows["vexfs"]["status"] == "ok"
    assert (rows["qdrant"]["status"], rows["qdrant"]["detail"]) == ("not run", "interrupted")
    assert leaks(5.0) == []


@pytest.mark.parametrize("system", ["qdrant", "vexfs:raw:lost-reply=FLUSH"])
def test_a_kill_leaves_nothing(fsprobe: Command, leaks: LeakWatch, scratch: Path, database: Any, system: str) -> None:
    """Databases, daemons and mounts would pile up on a CI machine whose jobs are killed."""
    place = scratch / "native"
    place.mkdir()
    running = fsprobe.start("bench", "vectors", system, "--quick", "--native", str(place), env=database("hang"))
    _begun(running, system)
    assert list(place.iterdir())
    running.signal(signal.SIGKILL)
    assert running.wait(5).exit_code == -signal.SIGKILL
    assert leaks(15.0) == []
    assert settled(lambda: [str(path) for path in place.iterdir()], 20.0) == []


@pytest.mark.parametrize(("words", "said"), [
    (["--only", "data"], "--only has no meaning with vectors"),
    (["--rounds", "3"], "--rounds has no meaning with vectors"),
    (["--inject", "WRITE:delay=1"], "--inject has no meaning with vectors"),
    (["qdrant", "--weaviate", "http://localhost"], "weaviate is not among what is to be measured"),
    (["qdrannt"], "did you mean qdrant?"),
])  # fmt: skip
def test_words_that_do_not_fit_are_told(fsprobe: Command, words: list[str], said: str) -> None:
    """An option that is passed over makes a user believe in it."""
    result = fsprobe("bench", "vectors", "--quick", *words)
    assert result.exit_code == 2 and said in result.stderr, result


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would know what to install."""
    monkeypatch.setattr(vector_databases, "find_spec", lambda name: None)
    told = vector_databases.absent("qdrant")
    assert "qdrant-client" in told and "pip install" in told


@pytest.mark.skipif(not _installed("weaviate"), reason="weaviate-client is not installed")
def test_a_server_that_does_not_answer_is_told(fsprobe: Command, scratch: Path) -> None:
    """A wrong URL would look like a fault of the database."""
    result = fsprobe("bench", "vectors", "weaviate", "--quick", "--weaviate", "http://127.0.0.1:9", "--json", "v.json")
    row = _rows(_document(result, scratch / "v.json"))["weaviate"]
    assert (row["status"], result.exit_code) == ("not available here", 5), result
    assert "no server answers at http://127.0.0.1:9" in row["detail"]


@pytest.mark.skipif(not _installed("weaviate"), reason="weaviate-client is not installed")
def test_a_weaviate_server_is_measured_and_left_as_it_was(fsprobe: Command, scratch: Path) -> None:
    """A server would be filled with collections of ours, or not be understood at all."""
    server = subprocess.Popen([sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        http, grpc = server.stdout.readline().split()
        url = f"http://127.0.0.1:{http}?grpc={grpc}"
        result = fsprobe("bench", "vectors", "weaviate", "--quick", "--weaviate", url, "--json", "v.json")
        row = _rows(_document(result, scratch / "v.json"))["weaviate"]
        assert (row["status"], result.exit_code) == ("ok", 0), row
        assert row["recall"] > 0.99
        assert "memory_mb" not in row and "disk_mb" not in row  # those of the server are not known
        left, _ = server.communicate(timeout=10)
        assert json.loads(left) == []
    finally:
        server.kill()
        server.wait(5)


@pytest.mark.skipif(not _installed("weaviate"), reason="weaviate-client is not installed")
def test_the_binary_that_is_here_is_started_measured_and_ended(
    fsprobe: Command, leaks: LeakWatch, scratch: Path
) -> None:
    """Who has fetched Weaviate's binary once would be told that there is none, or be left with a server."""
    from weaviate.embedded import WEAVIATE_VERSION

    version = f"v{WEAVIATE_VERSION}"
    cache = scratch / "cache"
    cache.mkdir()
    binary = cache / f"weaviate-{version}-{hashlib.sha256(version.encode()).hexdigest()}"
    binary.write_text(f'#!/bin/sh\nexec {sys.executable} {SERVER} "$@"\n')
    binary.chmod(0o755)
    result = fsprobe("bench", "vectors", "weaviate", "--quick", "--json", "v.json",
                     env={"XDG_CACHE_HOME": str(cache)})  # fmt: skip
    row = _rows(_document(result, scratch / "v.json"))["weaviate"]
    assert row["status"] == "ok", row
    assert row["memory_mb"] > 20  # the server's process is counted: it has imported numpy and grpc
    assert row["disk_mb"] > 1
    assert leaks(5.0) == []


def test_notes_are_about_what_has_figures() -> None:
    """A page would explain the index of a database that was not measured."""
    rows = [{"system": "qdrant", "status": "ok", "kind": "database", "version": "1"},
            {"system": "chromadb", "status": "hang", "kind": "database"}]  # fmt: skip
    told = "\n".join(caveats(rows, "ext4"))
    assert "qdrant-client 1" in told and "ext4" in told
    assert "chromadb (" not in told and "kernel mount" not in told
