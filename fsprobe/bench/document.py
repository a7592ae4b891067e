"""The result of a benchmark as one JSON document, `fsprobe.bench/1`.

Owns the document's shape (`bench.schema.json` beside this file says the same), reading and writing it; knows nothing of
how it was measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fsprobe.errors import UsageError
from fsprobe.results.plain import plain

SCHEMA = "fsprobe.bench/1"
SCHEMA_FILE = Path(__file__).with_name("bench.schema.json")


def build(
    *, machine: Mapping[str, Any], options: Mapping[str, Any], fio: str = "",
    targets: Sequence[Mapping[str, Any]] = (), rows: Sequence[Mapping[str, Any]] = (),
    vectors: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """The document. fio: its version, "" where fsprobe's own loops did the work."""
    return {
        "schema": SCHEMA, "machine": machine, "options": options, "fio": fio, "targets": list(targets),
        "rows": list(rows), "start": {}, "latency": {}, "vectors": list(vectors),
    }  # fmt: skip


def plain_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of plain values only."""
    found: dict[str, Any] = plain(document)
    return found


def dumps(document: Mapping[str, Any]) -> str:
    """The document as text, one that ends with a newline."""
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def load(path: str) -> dict[str, Any]:
    """Read one. Raises UsageError for a file that is none."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is no benchmark result: it is not JSON ({error})",
                         command="fsprobe bench TARGET --json RESULT.json") from error  # fmt: skip
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA or not isinstance(document.get("rows"), list):
        raise UsageError(f"{path} is no benchmark result: its schema is {schema!r}, not {SCHEMA!r}",
                         command="fsprobe bench TARGET --json RESULT.json")  # fmt: skip
    assert isinstance(document, dict)
    return document
