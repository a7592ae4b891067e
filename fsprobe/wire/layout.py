"""How a dataclass lies on the wire: a table per class, and the small interpreter of that table.

Owns packing and unpacking; knows nothing of which message is which. A class is a fixed part (numbers,
byte arrays, nested structs, in the kernel's order) and then tails: names ending in NUL, data or records
counted by a field, or all the rest. Older minors know a shorter fixed part: what they cut is read as 0.
Byte order is the machine's own, as between a kernel and its daemon.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from operator import attrgetter
from typing import Annotated, Any, TypeVar, get_type_hints

from fsprobe.wire.errors import LocalError, PeerError
from fsprobe.wire.opcodes import PROTOCOL_MINOR

NEVER = 1 << 32  # a minor that will not come
T = TypeVar("T")
Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Code:
    """A fixed field, by its letter in the `struct` module."""

    code: str


@dataclass(frozen=True, slots=True)
class Name:
    """A tail of bytes that ends in NUL."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A tail of bytes whose number the named field holds."""

    by: str


@dataclass(frozen=True, slots=True)
class Records:
    """A tail of structs whose number the named field holds."""

    by: str
    of: type[Any]


@dataclass(frozen=True, slots=True)
class Inline:
    """A tail that is a struct of its own, with its own sizes by minor."""

    of: type[Any]


@dataclass(frozen=True, slots=True)
class Rest:
    """A tail of all bytes that are left."""


Tail = Name | Counted | Records | Inline | Rest

U16 = Annotated[int, Code("H")]
U32 = Annotated[int, Code("I")]
U64 = Annotated[int, Code("Q")]
I32 = Annotated[int, Code("i")]
I64 = Annotated[int, Code("q")]
Str = Annotated[bytes, Name()]
Tailing = Annotated[bytes, Rest()]


@dataclass(frozen=True, slots=True)
class Field:
    """One fixed field: its offset, and either a struct letter or the nested class."""

    name: str
    offset: int
    code: str
    nested: type[Any] | None


@dataclass(frozen=True, slots=True)
class Layout:
    """A class on the wire. `sizes` are (from this minor, size of the fixed part), oldest first.

    any_size: the fixed part may be cut anywhere, as INIT's, whose minor is not known before it is read.
    values: all fixed values of a body in the order of the wire, nested ones too; None where one is a byte array.
    names: of the fixed fields, where none is nested; else (). whole: the minor from which on the fixed part is as
    long as the codec, where that is certain.
    """

    cls: type[Any]
    c_name: str
    codec: struct.Struct
    fields: tuple[Field, ...]
    tails: tuple[tuple[str, Tail], ...]
    sizes: tuple[tuple[int, int], ...]
    any_size: bool
    values: Callable[[Any], tuple[Any, ...]] | None
    names: tuple[str, ...]
    whole: int

    def size(self, minor: int) -> int:
        """Bytes of the fixed part in this minor."""
        found = self.sizes[0][1]
        for since, size in self.sizes:
            if minor >= since:
                found = size
        return found


LAYOUTS: dict[type[Any], Layout] = {}
"""Every class that can be put on the wire; filled as the tables of structs are loaded."""


def layout(
    c_name: str = "", *, sizes: dict[int, int] | None = None, any_size: bool = False
) -> Callable[[type[T]], type[T]]:
    """Read a dataclass's annotations into its Layout. `c_name` is the kernel's struct of the fixed part."""

    def register(cls: type[T]) -> type[T]:
        LAYOUTS[cls] = _read(cls, c_name, sizes, any_size)
        return cls

    return register


def _read(cls: type[Any], c_name: str, sizes: dict[int, int] | None, any_size: bool) -> Layout:
    hints = get_type_hints(cls, include_extras=True)
    fixed: list[Field] = []
    tails: list[tuple[str, Tail]] = []
    letters = "="
    for item in fields(cls):
        hint = hints[item.name]
        mark = getattr(hint, "__metadata__", (None,))[0]
        if isinstance(mark, Name | Counted | Records | Inline | Rest):
            tails.append((item.name, mark))
            continue
        if tails:
            raise TypeError(f"{cls.__name__}.{item.name}: a fixed field after a tail")
        nested = None if isinstance(mark, Code) else hint
        code = mark.code if isinstance(mark, Code) else LAYOUTS[hint].codec.format[1:]
        fixed.append(Field(item.name, struct.calcsize(letters), code, nested))
        letters += code
    codec = struct.Struct(letters)
    table = tuple(sorted((sizes or {0: codec.size}).items()))
    names = () if any(item.nested for item in fixed) else tuple(item.name for item in fixed)
    newest, size = table[-1]
    whole = NEVER if any_size or size != codec.size else newest
    return Layout(cls, c_name, codec, tuple(fixed), tuple(tails), table, any_size, _getter(fixed), names, whole)


def _getter(fixed: list[Field]) -> Callable[[Any], tuple[Any, ...]] | None:
    """What makes Layout.values: one call in place of a walk, because every message of a relay passes here."""
    paths = list(_paths(fixed))
    if None in paths or len(paths) < 2:  # attrgetter gives no tuple for one
        return None
    return attrgetter(*paths)  # type: ignore[arg-type]


def _paths(fixed: Iterable[Field]) -> Iterator[str | None]:
    for item in fixed:
        if item.nested is None:
            yield None if item.code.endswith("s") else item.name
        else:
            for path in _paths(LAYOUTS[item.nested].fields):
                yield None if path is None else f"{item.name}.{path}"


def size_of(cls: type[Any], minor: int = PROTOCOL_MINOR) -> int:
    """Bytes of a class's fixed part, structs that follow it included, tails of open length not."""
    table = LAYOUTS[cls]
    return table.size(minor) + sum(size_of(t.of, minor) for _, t in table.tails if isinstance(t, Inline))


def codec_of(cls: type[Any]) -> struct.Struct:
    """The `struct` of a class's fixed part in the newest minor, for a peer that packs by itself."""
    return LAYOUTS[cls].codec


def field_offset(cls: type[Any], path: str, minor: int = PROTOCOL_MINOR) -> tuple[int, str]:
    """Where a fixed field lies in the body and its `struct` letter: `field_offset(AttrOut, "attr.size")`.

    Raises LocalError for a field that is not there.
    """
    head, _, rest = path.partition(".")
    table = LAYOUTS[cls]
    for item in table.fields:
        if item.name == head:
            if not rest:
                return item.offset, item.code
            if item.nested is not None:
                inner, code = field_offset(item.nested, rest, minor)
                return item.offset + inner, code
    start = table.size(minor)
    for name, tail in table.tails:
        if isinstance(tail, Inline):
            if name == head and rest:
                inner, code = field_offset(tail.of, rest, minor)
                return start + inner, code
            start += size_of(tail.of, minor)
    raise LocalError(f"{cls.__name__} has no fixed field {path!r}")


def pack(body: object, minor: int = PROTOCOL_MINOR, *, fixed: int | None = None) -> bytes:
    """A body's bytes as this minor lays them out. `fixed` forces the size of the fixed part.

    Raises LocalError where a value does not fit its field.
    """
    table = LAYOUTS.get(type(body))
    if table is None:
        raise LocalError(f"{type(body).__name__} is not a message body")
    try:
        out = table.codec.pack(*_values(table, body))
    except struct.error as error:
        raise LocalError(f"{body!r} does not fit the wire: {error}") from None
    if minor < table.whole or fixed is not None:
        out = out[: table.size(minor) if fixed is None else fixed]
    for name, tail in table.tails:
        out += _pack_tail(name, tail, getattr(body, name), minor)
    return out


def _values(table: Layout, body: object) -> Sequence[Any]:
    if table.values is not None:
        try:
            return table.values(body)
        except AttributeError:  # something else where a nested struct belongs: `_flat` says what
            pass
    return _flat(table, body)


def _flat(table: Layout, body: object) -> list[Any]:
    values: list[Any] = []
    for item in table.fields:
        value = getattr(body, item.name)
        if item.nested is not None:
            if type(value) is not item.nested:
                raise LocalError(f"{item.name} must be {item.nested.__name__}, not {type(value).__name__}")
            values += _flat(LAYOUTS[item.nested], value)
            continue
        # struct cuts and pads byte arrays without a word
        if item.code.endswith("s") and len(value) != int(item.code[:-1]):
            raise LocalError(f"{item.name} must be {item.code[:-1]} bytes, not {len(value)}")
        values.append(value)
    return values


def _pack_tail(name: str, tail: Tail, value: Any, minor: int) -> bytes:
    if isinstance(tail, Inline):
        if type(value) is not tail.of:
            raise LocalError(f"{name} must be {tail.of.__name__}, not {type(value).__name__}")
        return pack(value, minor)
    if isinstance(tail, Records):
        return b"".join(pack(one, minor) for one in value)
    if not isinstance(value, bytes | bytearray | memoryview):
        raise LocalError(f"{name} must be bytes, not {type(value).__name__}")
    if isinstance(tail, Name):
        if b"\0" in bytes(value):
            raise LocalError(f"{name} {bytes(value)!r} holds a NUL, which ends a name")
        return bytes(value) + b"\0"
    return bytes(value)


def unpack(
    cls: type[T],
    data: bytes,
    offset: int = 0,
    minor: int = PROTOCOL_MINOR,
    *,
    fixed: int | None = None,
    longer: bool = False,
    partial: bool = False,
) -> tuple[T, int]:
    """A body out of bytes, and the offset behind it.

    longer: take a newer minor's longer fixed part where it is there (kernels send it whatever the minor).
    partial: the bytes are only the head of a message, so tails may be cut. Raises PeerError.
    """
    table = LAYOUTS[cls]
    left = len(data) - offset
    size = full = table.codec.size
    if minor < table.whole or fixed is not None:
        size = table.size(minor) if fixed is None else fixed
        if table.any_size:
            size = max(table.sizes[0][1], min(left, full))
        elif longer and not table.tails:
            size = max([size, *(known for _, known in table.sizes if known <= left)])
    if left < size:
        raise PeerError(f"{cls.__name__} needs {size} bytes, {left} are there")
    if size == full:
        values: tuple[Any, ...] = table.codec.unpack_from(data, offset)
    else:
        values = table.codec.unpack(data[offset : offset + size].ljust(full, b"\0"))
    offset += size
    if table.names and not table.tails:
        return cls(*values), offset
    found = dict(zip(table.names, values, strict=True)) if table.names else _nest(table, values, 0)[0]
    for name, tail in table.tails:
        found[name], offset = _unpack_tail(cls, tail, found, data, offset, minor, partial)
    return cls(**found), offset


def _nest(table: Layout, values: tuple[Any, ...], at: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    for item in table.fields:
        if item.nested is None:
            found[item.name] = values[at]
            at += 1
        else:
            inner, at = _nest(LAYOUTS[item.nested], values, at)
            found[item.name] = item.nested(**inner)
    return found, at


def _unpack_tail(
    cls: type[Any],
    tail: Tail,
    found: dict[str, Any],
    data: bytes,
    offset: int,
    minor: int,
    partial: bool,
) -> tuple[Any, int]:
    end = len(data)
    if isinstance(tail, Rest):
        return data[offset:], end
    if isinstance(tail, Inline):
        return unpack(tail.of, data, offset, minor, partial=partial)
    if isinstance(tail, Name):
        stop = data.find(b"\0", offset)
        if stop >= 0:
            return data[offset:stop], stop + 1
        if not partial:
            raise PeerError(f"{cls.__name__}: a name without its terminator")
        return data[offset:], end
    count = int(found[tail.by])
    width = LAYOUTS[tail.of].codec.size if isinstance(tail, Records) else 1
    if offset + count * width > end:
        if not partial:
            raise PeerError(f"{cls.__name__}.{tail.by} is {count}, but only {end - offset} bytes follow")
        count = (end - offset) // width
    if isinstance(tail, Counted):
        return data[offset : offset + count], offset + count
    stop = offset + count * width
    return tuple(unpack(tail.of, data, at, minor)[0] for at in range(offset, stop, width)), stop


def is_body(value: object) -> bool:
    """Whether a value can be packed."""
    return is_dataclass(value) and type(value) in LAYOUTS
