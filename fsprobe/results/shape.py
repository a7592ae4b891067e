"""Whether a document is as its schema says, in the words of JSON Schema that our schemas use.

Owns that and the place of the first difference; knows nothing of files. A validator of all of JSON Schema would be one
more thing to install, for files that are nearly always right.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]

_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


@cache
def schema_of(name: str) -> Schema:
    """A schema of this package, by the name of its file."""
    found: Schema = json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return found


def difference(document: Any, schema: Schema) -> str | None:
    """The place of the first difference and what it is (`checks[3].op is missing`), or None."""
    return _differs(document, schema, schema, "")


def _differs(value: Any, rule: Schema, whole: Schema, place: str) -> str | None:
    if "$ref" in rule:
        rule = whole["$defs"][rule["$ref"].rpartition("/")[2]]
    where = place or "the document"
    if "anyOf" in rule and all(_differs(value, one, whole, place) for one in rule["anyOf"]):
        return f"{where} is of the wrong kind"
    kinds = rule.get("type", ())
    if kinds and not any(_KINDS[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return f"{where} is of the wrong kind"
    if not any(value == one and type(value) is type(one) for one in rule.get("enum", [rule.get("const", value)])):
        return f"{where} is {json.dumps(value)[:40]}, which it cannot be"
    if isinstance(value, dict):
        return _differs_within(value, rule, whole, place)
    return _differs_along(value, rule, whole, place) if isinstance(value, list) else None


def _differs_within(value: Mapping[str, Any], rule: Schema, whole: Schema, place: str) -> str | None:
    before = f"{place}." if place else ""
    missing = next((name for name in rule.get("required", ()) if name not in value), None)
    if missing is not None:
        return f"{before}{missing} is missing"
    named, others = rule.get("properties", {}), rule.get("additionalProperties", {})
    for name, item in value.items():
        inner = named.get(name, others)
        told = _differs(item, inner, whole, f"{before}{name}") if isinstance(inner, dict) and inner else None
        if told is not None:
            return told
    return None


def _differs_along(value: list[Any], rule: Schema, whole: Schema, place: str) -> str | None:
    if not rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", len(value)):
        return f"{place} has {len(value)} items"
    first = rule.get("prefixItems", ())
    for index, item in enumerate(value):
        inner = first[index] if index < len(first) else rule.get("items", {})
        told = _differs(item, inner, whole, f"{place}[{index}]") if isinstance(inner, dict) and inner else None
        if told is not None:
            return told
    return None
