"""What the tests read out of a result document, and whether it is a whole one.

Owns the questions; knows nothing of how the run was made.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from fsprobe.results.document import SCHEMA_FILE
from tests.command import Result

Document = dict[str, Any]
WORST = ("ERROR", "HANG", "CRASH", "NOTRUN")


def document_of(result: Result) -> Document:
    """The result's document. Fails where there is none, it breaks the schema, or it tells another exit code."""
    assert result.document is not None, f"no result was written: {result}"
    jsonschema.validate(result.document, json.loads(SCHEMA_FILE.read_text()))
    assert result.document["summary"]["exit_code"] == result.exit_code, str(result)
    return result.document


def verdicts(document: Document) -> dict[str, str]:
    """Verdict by check id."""
    return {check["id"]: check["verdict"] for check in document["checks"]}


def with_verdict(document: Document, *wanted: str) -> list[str]:
    """`ID: VERDICT, observed` of the checks with one of these verdicts."""
    return [
        f"{check['id']}: {check['verdict']}, {check['observed'] or check.get('reason', '')}"
        for check in document["checks"]
        if check["verdict"] in wanted
    ]


def asked(document: Document, layer: str = "") -> list[str]:
    """The ids of the checks that were not skipped."""
    return [
        check["id"]
        for check in document["checks"]
        if check["verdict"] != "SKIP" and layer in ("", check["layer"])
    ]


def operations(document: Document) -> dict[str, str]:
    """Verdict by operation."""
    return {name: row["verdict"] for name, row in document["operations"].items()}


def answered(document: Document) -> set[str]:
    """Operations that the daemon carried out at least once."""
    return {name for name, row in document["operations"].items() if row["replies"].get("ok")}


def diagnosis(document: Document, op: str) -> Document:
    """The first diagnosis of an operation; fails where there is none."""
    found = [one for one in document["diagnoses"] if one["op"] == op]
    told = [(one["cause"], one["op"]) for one in document["diagnoses"]]
    assert found, f"no diagnosis of {op}, only {told}"
    return found[0]


def leaked(document: Document) -> list[str]:
    """Everything that the run itself says it left behind."""
    return [str(item) for kind in document["processes"]["leaked"].values() for item in kind]
