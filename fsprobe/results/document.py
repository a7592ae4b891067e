"""The result of a run as one JSON document, `fsprobe.result/1`: built, written, read.

Owns the document's shape (`result.schema.json` beside this file says the same); knows nothing of how anything in it
was found. A document of a run that was interrupted, or whose target never started, has the same shape.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fsprobe.errors import UsageError
from fsprobe.results.exit_code import exit_code as code_of
from fsprobe.results.plain import plain
from fsprobe.results.records import CheckResult, Diagnosis, OpSummary
from fsprobe.results.shape import difference, schema_of
from fsprobe.results.verdicts import Verdict

SCHEMA, BENCH = "fsprobe.result/1", "fsprobe.bench/1"
SCHEMA_FILE = Path(__file__).with_name("result.schema.json")

_TARGET: dict[str, Any] = {
    "name": "", "argv": [], "fs_type": "", "pid": None, "library": "", "binary_sha256": "",
}  # fmt: skip
_ENVIRONMENT: dict[str, Any] = {
    "fsprobe": "", "kernel": "", "uid": 0, "protocol": "", "init_flags": [], "capabilities": [], "degraded": [],
}  # fmt: skip
_PROCESSES: dict[str, Any] = {
    "daemon_exits": [], "restarts": 0, "leaked": {"mounts": [], "processes": [], "files": []},
}  # fmt: skip


def build(
    *,
    target: Mapping[str, Any],
    environment: Mapping[str, Any],
    checks: Sequence[CheckResult] = (),
    operations: Mapping[str, OpSummary] | None = None,
    diagnoses: Sequence[Diagnosis] = (),
    processes: Mapping[str, Any] | None = None,
    seconds: float = 0.0,
    strict: bool = False,
    exit_code: int | None = None,
    baseline: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The document, of plain values only.

    target, environment, processes: what is known of them; fields left out get an empty value. exit_code: given
    where it is not made of verdicts (4 the target did not start, 130 interrupted). baseline: what `Baseline.report`
    says, where there is one. more: additional top-level entries, named by who adds them.
    """
    counts = count(checks)
    outdated = bool(baseline and (baseline["stale"] or baseline["expired"]))
    leaked = {**_PROCESSES["leaked"], **(processes or {}).get("leaked", {})}
    document = {
        "schema": SCHEMA,
        "target": {**_TARGET, **target},
        "environment": {**_ENVIRONMENT, **environment},
        "operations": operations or {},
        "checks": list(checks),
        "diagnoses": list(diagnoses),
        "processes": {**_PROCESSES, **(processes or {}), "leaked": leaked},
        "summary": {
            "counts": counts,
            "seconds": seconds,
            "exit_code": code_of(counts, strict, outdated) if exit_code is None else exit_code,
        },
        **({"baseline": baseline} if baseline is not None else {}),
        **more,
    }
    made: dict[str, Any] = plain(document)
    return made


def count(checks: Sequence[CheckResult]) -> dict[str, int]:
    """How many checks have each verdict, in the order of the list of verdicts; none that is zero."""
    seen = Counter(result.verdict for result in checks)
    return {verdict.value: seen[verdict] for verdict in Verdict if seen[verdict]}


def dumps(document: Mapping[str, Any]) -> str:
    """The document as text: keys in their order, one entry a line where that helps reading; ends in a newline."""
    entries = (f" {json.dumps(key)}: {_entry(value)}" for key, value in document.items())
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _entry(value: Any) -> str:
    """Indented; rows of the timeline, thousands of numbers, are a line each."""
    rows = value.get("exchanges") if isinstance(value, Mapping) else None
    if not rows:
        return json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False).replace("\n", "\n ")
    head = json.dumps({key: item for key, item in value.items() if key != "exchanges"}, allow_nan=False)
    lines = ",\n".join("   " + json.dumps(row, separators=(",", ":"), allow_nan=False) for row in rows)
    return f'{head[:-1]}, "exchanges": [\n{lines}\n ]}}'


def save(document: Mapping[str, Any], path: str | Path) -> None:
    """Write the document to a file. Raises UsageError where that is not possible."""
    try:
        Path(path).write_text(dumps(document), encoding="ascii")
    except OSError as error:
        raise UsageError(f"the result cannot be written to {path}: {error.strerror}") from error


def load(path: str | Path) -> dict[str, Any]:
    """Read a document. Raises UsageError for a file that cannot be read or is not a result."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a result file: it is not text") from error
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise UsageError(f"{path} is not a result file: it is nested too deep") from error
    except ValueError as error:
        raise UsageError(
            f"{path} is not a result file: it is not JSON ({error})",
            causes=("the run that wrote it was killed while writing",),
            command="fsprobe run TARGET --json RESULT.json",
        ) from error
    return verified(document, str(path))


def verified(document: Any, name: str) -> dict[str, Any]:
    """The document itself. Raises UsageError where it is not a `fsprobe.result/1`, naming what is wrong."""
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        told = f"its schema is {schema!r}" if schema else "it has no schema"
        if schema == BENCH:
            raise UsageError(f"{name} is a benchmark, not the result of fsprobe run", command=f"fsprobe summary {name}")
        raise UsageError(
            f"{name} is not a result file: {told}, not {SCHEMA!r}",
            causes=("another program's file", "a result of a newer fsprobe"),
        )
    wrong = difference(document, schema_of(SCHEMA_FILE.name))
    if wrong is not None:
        raise UsageError(
            f"{name} is not a whole result file: {wrong}",
            causes=("it was changed by hand or by another program",),
            command="fsprobe run TARGET --json RESULT.json",
        )
    assert isinstance(document, dict)
    return document
