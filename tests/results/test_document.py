"""The result file: every report, comparison and baseline is made from it alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fsprobe.diagnose.diagnose import Evidence, StartFailure, diagnose
from fsprobe.diagnose.library import Library
from fsprobe.diagnose.matrix import summarise
from fsprobe.errors import UsageError
from fsprobe.results.document import SCHEMA_FILE, build, dumps, load, save
from fsprobe.results.verdicts import Cause, OpVerdict, Verdict
from tests.diagnose.made import before_fix, check

SCHEMA = json.loads(SCHEMA_FILE.read_text())
TARGET = {"name": "vexfs", "argv": ["vexfs", "/mnt", "-f"]}
ENVIRONMENT = {"fsprobe": "0.1", "kernel": "6.18", "uid": 0, "protocol": "7.31"}


def validate(document: Any) -> None:
    """Raises where the packaged schema does not allow the document as a reader would get it."""
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(dumps(document)))


def whole() -> dict[str, Any]:
    """A run of the historic daemon."""
    checks, stats = before_fix()
    library = Library("fuse (Rust)", "0.3", family="fuse-rs")
    operations = summarise(checks, stats, library)
    causes = diagnose(Evidence(checks, operations, library))
    return build(target={**TARGET, "library": library.label}, environment=ENVIRONMENT, checks=checks,
                 operations=operations, diagnoses=causes, seconds=1.5, remark="added by another part")


def test_a_whole_run_is_valid_and_has_the_fixed_names() -> None:
    """Scripts that read the file keep working: the names of the contract are there."""
    document = whole()
    validate(document)
    assert list(document)[:8] == [
        "schema", "target", "environment", "operations", "checks", "diagnoses", "processes", "summary",
    ]
    assert document["operations"]["SETATTR"]["verdict"] == "ENOSYS"
    assert document["operations"]["SETATTR"]["replies"] == {"ENOSYS": 9, "ENOENT": 1}
    assert document["summary"]["exit_code"] == 1
    assert document["summary"]["counts"]["SKIP"] == 30
    assert document["diagnoses"][0]["op"] == "SETATTR" and document["remark"]


def test_a_target_that_never_started_is_a_result_too() -> None:
    """Continuous integration gets a file with the daemon's last words, not none."""
    causes = diagnose(Evidence(start_failure=StartFailure("exited", exit_status=1, last_words=("no config",))))
    document = build(target=TARGET, environment=ENVIRONMENT, diagnoses=causes, exit_code=4)
    validate(document)
    assert document["summary"] == {"counts": {}, "seconds": 0.0, "exit_code": 4}
    assert any("no config" in line for line in document["diagnoses"][0]["evidence"])


def test_an_interrupted_run_is_valid() -> None:
    """What was found before Ctrl-C is kept."""
    document = build(target=TARGET, environment=ENVIRONMENT, checks=[check("a", "READ", "PASS")], exit_code=130)
    validate(document)
    assert document["summary"]["exit_code"] == 130


def test_text_of_a_daemon_may_be_any_bytes(tmp_path: Path) -> None:
    """A file name that is no UTF-8 must not make a file that no other program can read."""
    name = b"caf\xe9\n\x00\xff".decode("utf-8", "surrogateescape")
    found = check("a", "READ", "FAIL", observed=name, trace=(name,), notes=("\ud800",))
    document = build(target={"name": b"\xff", "argv": [name]}, environment=ENVIRONMENT, checks=[found])
    validate(document)
    save(document, tmp_path / "r.json")
    again = load(tmp_path / "r.json")
    json.dumps(again, ensure_ascii=False).encode()  # raises where half a character is left
    assert again["checks"][0]["observed"] == "caf\\xe9\n\x00\\xff"
    assert again["checks"][0]["notes"] == ["\\ud800"] and again["target"]["name"] == "\\xff"


def test_written_and_read_again_it_is_the_same(tmp_path: Path) -> None:
    """`fsprobe report` shows what the run showed."""
    document = whole()
    save(document, tmp_path / "r.json")
    assert load(tmp_path / "r.json") == document


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "it has no schema"),
        ('{"schema": "other/1"}', "'other/1'"),
        ('{"schema": "fsprobe.result/1"}', "target is missing"),
        ("\x00\xff", "is not"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_bad_file_is_refused_in_words(tmp_path: Path, content: str | None, says: str) -> None:
    """A mistyped path or a half-written file is told as such, not as a Python error."""
    path = tmp_path / "r.json"
    if content is not None:
        path.write_text(content, encoding="latin-1")
    with pytest.raises(UsageError) as error:
        load(path)
    assert says in str(error.value) and str(path) in str(error.value)


def test_a_result_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """`--json /no/such/place` is the user's mistake, not a crash at the end of a run."""
    with pytest.raises(UsageError, match="cannot be written"):
        save(whole(), tmp_path / "none" / "r.json")


def test_the_schema_knows_every_word() -> None:
    """A new verdict or cause cannot be forgotten in the schema."""
    definitions = SCHEMA["$defs"]
    assert definitions["verdict"]["enum"] == [verdict.value for verdict in Verdict]
    assert definitions["op_verdict"]["enum"] == [verdict.value for verdict in OpVerdict]
    assert definitions["diagnosis"]["properties"]["cause"]["enum"] == [cause.value for cause in Cause]


@pytest.mark.parametrize("spoil", ["verdict", "cause", "exit_code"])
def test_the_schema_can_fail(spoil: str) -> None:
    """A schema that allows everything protects nobody."""
    document = whole()
    if spoil == "verdict":
        document["checks"][0]["verdict"] = "pass"
    elif spoil == "cause":
        document["diagnoses"][0]["cause"] = "bad luck"
    else:
        document["summary"]["exit_code"] = 7
    with pytest.raises(jsonschema.ValidationError):
        validate(document)
