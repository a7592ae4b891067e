"""What is no whole result is refused with the place, as the whole of JSON Schema would."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest

from fsprobe.results.document import build
from fsprobe.results.shape import difference, schema_of

SCHEMA = schema_of("result.schema.json")
WHOLE: dict[str, Any] = build(target={"name": "x"}, environment={"uid": 0})
DELETE = object()
BREAKS: tuple[tuple[tuple[Any, ...], Any, str], ...] = (
    (("target", "name"), DELETE, "target.name is missing"),
    (("target", "argv"), [5], "target.argv[0] is of the wrong kind"),
    (("summary",), DELETE, "summary is missing"),
    (("summary", "exit_code"), "0", "summary.exit_code is"),
    (("summary", "exit_code"), True, "summary.exit_code is"),
    (("checks",), {}, "checks is of the wrong kind"),
    (("checks",), [{}], "checks[0].id is missing"),
    (("processes", "leaked"), {}, "processes.leaked.mounts is missing"),
    (("schema",), "fsprobe.result/2", 'schema is "fsprobe.result/2"'),
)


def test_a_whole_document_has_no_difference() -> None:
    """What fsprobe writes it can read."""
    assert difference(WHOLE, SCHEMA) is None


@pytest.mark.parametrize(("path", "value", "says"), BREAKS, ids=lambda item: item if isinstance(item, str) else "")
def test_each_break_is_found_and_named(path: tuple[Any, ...], value: Any, says: str) -> None:
    """A file that was edited by hand is refused with the place, not with a KeyError; a real validator agrees."""
    document = copy.deepcopy(WHOLE)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    if value is DELETE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    assert (difference(document, SCHEMA) or "").startswith(says)
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
