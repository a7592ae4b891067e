"""Hypothesis strategies for any message body, made from the layouts themselves."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import strategies as st

from fsprobe import wire
from fsprobe.wire.layout import LAYOUTS, Counted, Field, Inline, Layout, Name, Records

LIMITS = {"H": (0, 2**16 - 1), "I": (0, 2**32 - 1), "Q": (0, 2**64 - 1), "i": (-(2**31), 2**31 - 1)}
LIMITS["q"] = (-(2**63), 2**63 - 1)
NAMES = st.binary(max_size=20).map(lambda raw: raw.replace(b"\0", b"/"))


def bodies(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Every value a body can have; counting fields are left to the class."""
    if cls is wire.DirentList:
        return st.lists(_dirents(), max_size=4).map(lambda found: wire.DirentList(tuple(found)))
    if cls is wire.DirentPlusList:
        one = st.builds(wire.DirentPlus, entry=bodies(wire.EntryOut), dirent=_dirents())
        return st.lists(one, max_size=3).map(lambda found: wire.DirentPlusList(tuple(found)))
    table = LAYOUTS[cls]
    counted = {tail.by for _, tail in table.tails if isinstance(tail, Counted | Records)}
    parts: dict[str, st.SearchStrategy[Any]] = {
        field.name: st.just(0) if field.name in counted else _fixed(field) for field in table.fields
    }
    for name, tail in table.tails:
        if isinstance(tail, Inline):
            parts[name] = bodies(tail.of)
        elif isinstance(tail, Records):
            parts[name] = st.lists(bodies(tail.of), max_size=4).map(tuple)
        else:
            parts[name] = NAMES if isinstance(tail, Name) else st.binary(max_size=40)
    return st.builds(cls, **parts)


def _fixed(field: Field) -> st.SearchStrategy[Any]:
    if field.nested is not None:
        return bodies(field.nested)
    if field.code.endswith("s"):
        size = int(field.code[:-1])
        return st.binary(min_size=size, max_size=size)
    low, high = LIMITS[field.code]
    return st.integers(low, high)


def _dirents() -> st.SearchStrategy[wire.Dirent]:
    return st.builds(
        wire.Dirent,
        ino=st.integers(0, 2**64 - 1),
        off=st.integers(0, 2**64 - 1),
        type=st.integers(0, 2**32 - 1),
        name=st.binary(max_size=30),
    )


def as_seen_by(body: Any, minor: int, fixed: int | None = None) -> Any:
    """What is left of a body in this minor: fields that it does not know are 0."""
    if isinstance(body, wire.DirentPlusList):
        return wire.DirentPlusList(
            tuple(dataclasses.replace(one, entry=as_seen_by(one.entry, minor)) for one in body.entries)
        )
    if isinstance(body, wire.DirentList) or body is None:
        return body
    table = LAYOUTS[type(body)]
    seen = _cut(table, body, table.size(minor) if fixed is None else fixed)
    inline = {name: as_seen_by(getattr(body, name), minor) for name, t in table.tails if isinstance(t, Inline)}
    return dataclasses.replace(seen, **inline)


def _cut(table: Layout, body: Any, size: int) -> Any:
    changes: dict[str, Any] = {}
    for field in table.fields:
        value = getattr(body, field.name)
        if field.nested is not None:
            changes[field.name] = _cut(LAYOUTS[field.nested], value, size - field.offset)
        elif field.offset >= size:
            changes[field.name] = bytes(len(value)) if isinstance(value, bytes) else 0
    return dataclasses.replace(body, **changes)
