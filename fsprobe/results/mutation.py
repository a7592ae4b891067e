"""The score of a target as one JSON document, `fsprobe.mutate/1`: which faults were seen, and on whom blamed.

Owns the document's shape (`mutate.schema.json` beside this file says the same); knows nothing of how faults are tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fsprobe.results.plain import plain

SCHEMA = "fsprobe.mutate/1"
SCHEMA_FILE = Path(__file__).with_name("mutate.schema.json")
OUTCOMES = ("caught", "misblamed", "missed")


def build(
    *,
    target: Mapping[str, Any],
    environment: Mapping[str, Any],
    baseline: Mapping[str, Any],
    faults: Sequence[Mapping[str, Any]],
    excluded: Sequence[Mapping[str, Any]],
    summary: Mapping[str, Any],
) -> dict[str, Any]:
    """The document, of plain values only. baseline: the checks without a fault, and the operations served, by layer."""
    made = {
        "schema": SCHEMA, "target": target, "environment": environment, "baseline": baseline, "faults": list(faults),
        "excluded": list(excluded), "summary": summary,
    }  # fmt: skip
    found: dict[str, Any] = plain(made)
    return found


def dumps(document: Mapping[str, Any]) -> str:
    """The document as text, one that ends with a newline."""
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"
