"""`fsprobe baseline`: an author accepts failures once, and the file stays theirs."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fsprobe.cli.main import main
from fsprobe.results import document
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause, Verdict


def write_result(path: Path, verdicts: dict[str, str], **more: Any) -> str:
    checks = [
        CheckResult(id, "mount", "LINK", "link(2) works.", "MUST", Verdict(verdict), observed=f"{id} was seen")
        for id, verdict in verdicts.items()
    ]
    diagnoses = [Diagnosis(Cause.WRONG_DATA, "LINK", "proven", "LINK is wrong", checks=("posix.b",))]
    made = document.build(target={"name": "myfs"}, environment={}, checks=checks, diagnoses=diagnoses, **more)
    path.write_text(json.dumps(made))
    return str(path)


def entries(path: Path) -> dict[str, dict[str, Any]]:
    return {one["check"]: one for one in tomllib.loads(path.read_text())["known"]}


def test_failures_are_written_with_a_reason_each(tmp_path: Path) -> None:
    """A baseline without reasons accepts what nobody has looked at."""
    seen = {"posix.a": "FAIL", "posix.b": "HANG", "posix.c": "PASS", "posix.d": "WARN", "posix.e": "UNSUPPORTED"}
    result = write_result(tmp_path / "r.json", seen)
    file = tmp_path / "known.toml"
    assert main(["baseline", result, "-o", str(file)]) == 0
    got = entries(file)
    assert {id: (one["verdict"], one["reason"]) for id, one in got.items()} == {
        "posix.a": ("FAIL", "posix.a was seen"), "posix.b": ("HANG", "LINK is wrong"),
    }  # fmt: skip
    assert main(["baseline", result, "-o", str(file), "--strict", "--reason", "FAT", "--expires", "2031-01-01"]) == 0
    got = entries(file)
    assert set(got) == {"posix.a", "posix.b", "posix.d", "posix.e"}
    assert got["posix.d"]["reason"] == "FAT" and str(got["posix.d"]["expires"]) == "2031-01-01"
    assert got["posix.a"]["reason"] == "posix.a was seen"


def test_an_update_keeps_what_a_person_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Comments, order and reasons would be lost at every update."""
    file = tmp_path / "known.toml"
    file.write_text("""# ours
schema = "fsprobe.baseline/1"

[[known]]
check = "posix.z"   # looked at by Ann
reason = "not asked this time"

# crashes on Tuesdays
[[known]]
check = "posix.a"
verdict = "FAIL"
reason = "hard"

[[known]]
check = "posix.passes"
reason = "was hard"

[[known]]
check = "posix.gone"
reason = "of old"
""")
    stale = {"file": "known.toml", "entries": 4, "stale": ["posix.gone"], "expired": []}
    seen = {"posix.a": "CRASH", "posix.passes": "PASS", "posix.new": "FAIL"}
    result = write_result(tmp_path / "r.json", seen, baseline=stale)
    assert main(["baseline", result, "-o", str(file)]) == 0
    text = file.read_text()
    assert "# ours" in text and "# looked at by Ann" in text and "# crashes on Tuesdays" in text
    assert list(entries(file)) == ["posix.z", "posix.a", "posix.new"]
    assert entries(file)["posix.a"] == {"check": "posix.a", "verdict": "CRASH", "reason": "hard"}
    told = capsys.readouterr().out
    assert all(line in told for line in ("+ posix.new", "~ posix.a", "- posix.passes", "- posix.gone", "1 kept"))


def test_what_is_xfail_already_is_not_added_twice(tmp_path: Path) -> None:
    """A run with --baseline could not be the source of the next baseline."""
    file = tmp_path / "known.toml"
    file.write_text('[[known]]\ncheck = "posix.*"\nreason = "all of it"\n')
    checks = [CheckResult("posix.a", "mount", "LINK", "t", "MUST", Verdict.XFAIL, seen="FAIL")]
    made = document.build(target={"name": "x"}, environment={}, checks=checks)
    (tmp_path / "r.json").write_text(json.dumps(made))
    before = file.read_text()
    assert main(["baseline", str(tmp_path / "r.json"), "-o", str(file)]) == 0
    assert file.read_text() == before


def test_it_can_be_looked_at_before_it_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`-o -` prints the file and nothing else."""
    result = write_result(tmp_path / "r.json", {"posix.a": "FAIL"})
    assert main(["baseline", result, "-o", "-"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["known"][0]["check"] == "posix.a"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.json"], "cannot be read"),
        (["r.json", "--expires", "soon"], "no date"),
        (["r.json", "--reason", " "], "--reason is empty"),
        (["r.json", "-o", "bad.toml"], "not TOML"),
        (["r.json", "-o", "none/known.toml"], "cannot be written"),
    ],
)
def test_a_mistake_is_told_and_nothing_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    """A slip would cost the file."""
    monkeypatch.chdir(tmp_path)
    write_result(tmp_path / "r.json", {"posix.a": "FAIL"})
    (tmp_path / "bad.toml").write_text("known = ")
    assert main(["baseline", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert (tmp_path / "bad.toml").read_text() == "known = "
