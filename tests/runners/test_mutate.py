"""The score of fsprobe on a target: right where the checks are good, and honest where they are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fsprobe.config.target import resolve
from fsprobe.errors import UsageError
from fsprobe.results.mutation import SCHEMA_FILE, dumps
from fsprobe.runners.mutate import MutateOptions, run
from fsprobe.runners.mutate_score import document

pytestmark = pytest.mark.mount

SUITE = '''
import os
from fsprobe.checks import mount_check

@mount_check("mine.statfs", op="STATFS", source="me", killers=("STATFS:errno=EIO",))
def statfs(m):
    """statvfs answers."""
    os.statvfs(m.root)

@mount_check("mine.rename", op="RENAME", also=("UNLINK",), source="me", killers=("RENAME:errno=EIO",))
def rename(m):
    """A file can be moved and removed."""
    path = m.file("a", b"x")
    os.rename(path, m.path("b"))
    os.unlink(m.path("b"))
'''


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("suite") / "mine.py"
    path.write_text(SUITE)
    return str(path)


def score(**given: Any) -> dict[str, Any]:
    """The document of a run on the reference, valid by its schema."""
    made = document(run(MutateOptions(resolve("vexfs:raw"), timeout=2.0, **given), lambda *told: None))
    jsonschema.validate(json.loads(dumps(made)), json.loads(Path(SCHEMA_FILE).read_text()))
    return made


def test_faults_of_an_operation_are_all_caught_and_blamed_right() -> None:
    """The score is the promise that a green report means something."""
    made = score(ops=("STATFS", "RMDIR"), select=("*.statfs.*", "*.rmdir.*"))
    assert [f for f in made["faults"] if f["outcome"] != "caught"] == [], made["faults"]
    assert made["summary"]["exit_code"] == 0 and made["summary"]["faults"] >= 40
    assert {f["layer"] for f in made["faults"]} == {"wire", "mount"}
    assert {f["blamed"] for f in made["faults"]} == {"STATFS", "RMDIR"}
    assert {f["verdict"] for f in made["faults"]} >= {"FAIL", "HANG", "CRASH"}
    assert all(one["reason"] for one in made["excluded"])


def test_what_a_weak_check_misses_is_told(suite: str) -> None:
    """A score that is always full says nothing: a check that looks at no number cannot see a wrong one."""
    made = score(suites=(suite,), ops=("STATFS",), kinds=("statfs.blocks", "errno=EIO", "delay"))
    outcomes = {fault["rule"]: fault["outcome"] for fault in made["faults"]}
    assert outcomes.pop("STATFS:statfs.blocks=0") == "missed"
    assert set(outcomes.values()) == {"caught"} and len(outcomes) == 2
    assert made["summary"]["exit_code"] == 1
    missed = next(fault for fault in made["faults"] if fault["outcome"] == "missed")
    assert "stay green" in missed["reason"] and "--inject STATFS:statfs.blocks=0" in missed["reproduce"]


def test_what_is_blamed_on_another_operation_is_told(suite: str) -> None:
    """An author who is sent to the wrong handler is not helped by a red check."""
    made = score(suites=(suite,), ops=("UNLINK",), kinds=("fake", "errno=EIO", "crash"))
    found = {fault["rule"]: (fault["outcome"], fault["blamed"]) for fault in made["faults"]}
    assert found["UNLINK:errno=EIO"] == ("caught", "UNLINK")
    assert found["UNLINK:crash"] == ("caught", "UNLINK")
    assert found["UNLINK:fake"][0] == "missed", "nothing looks whether the name is gone"


def test_the_same_again(suite: str) -> None:
    """A score that changes from run to run cannot be compared with the last one."""
    given = {"suites": (suite,), "kinds": ("errno", "attr", "flip", "fake"), "seed": 3, "layers": ("mount",)}
    first, second = (score(**given, jobs=jobs)["faults"] for jobs in (1, 2))
    kept = ("rule", "layer", "outcome", "check", "verdict", "blamed")
    assert [[f[key] for key in kept] for f in first] == [[f[key] for key in kept] for f in second]
    assert len(first) > 20


def test_a_filter_that_leaves_nothing_is_an_error(suite: str) -> None:
    """A run of no faults would be a full score."""
    with pytest.raises(UsageError) as error:
        score(suites=(suite,), ops=("RENAME",), kinds=("entries",))
    assert "RENAME" in " ".join(error.value.causes)
