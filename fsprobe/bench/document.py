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
from fsprobe.results.shape import difference

SCHEMA, RESULT = "fsprobe.bench/1", "fsprobe.result/1"
SCHEMA_FILE = Path(__file__).with_name("bench.schema.json")


def build(
    *, machine: Mapping[str, Any], options: Mapping[str, Any], fio: str = "",
    targets: Sequence[Mapping[str, Any]] = (), rows: Sequence[Mapping[str, Any]] = (),
    vectors: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """The document. fio: its version, "" where fsprobe's own loops did the work. Whoever measures adds what there is
    beside: interrupted, seconds, left, against.
    """
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
    except (ValueError, RecursionError) as error:
        raise _none(path, f"it is not JSON ({error})") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        other = " (fsprobe run writes this one)" if schema == RESULT else ""
        raise _none(path, f"its schema is {schema!r}{other}, not {SCHEMA!r}")
    assert isinstance(document, dict)
    wrong = _wrong(document)
    if wrong:
        raise _none(path, wrong)
    return document


def _none(path: str, why: str) -> UsageError:
    return UsageError(f"{path} is no benchmark result: {why}", command="fsprobe bench TARGET --json RESULT.json")


def _wrong(document: Mapping[str, Any]) -> str:
    """What of the shape that everything relies on is not as the schema says, "" where all of it is."""
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    wrong = difference(document, schema)
    if wrong is not None:
        return wrong
    names = {target["name"] for target in document["targets"]}
    for row in document["rows"]:
        if set(row["cells"]) != names:
            return f"its row {row['id']!r} has not one cell for each target"
        if not all(_is_cell(cell) for cell in row["cells"].values()):
            return f"a cell of its row {row['id']!r} has neither a figure nor a mark, or both"
    return ""


def _is_cell(cell: Mapping[str, Any]) -> bool:
    return "median" not in cell if "mark" in cell else "median" in cell and bool(cell.get("samples"))
