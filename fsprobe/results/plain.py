"""Values made fit for JSON: text from a daemon may be any bytes.

Owns the conversion; knows nothing of the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from math import isfinite
from typing import Any


def plain_text(text: str | bytes) -> str:
    r"""Text that every JSON reader takes: bytes that are no UTF-8, and lone surrogates, are shown as `\xff`.

    os.fsdecode turns a byte 0xff into the surrogate U+DCFF; JSON could carry it only as half a character.
    """
    if isinstance(text, bytes):
        return text.decode("utf-8", "backslashreplace")
    if text.isascii():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if 0xD800 <= code <= 0xDFFF else char


def plain(value: Any) -> Any:
    """Dataclasses, enums, tuples, sets and bytes as what JSON knows; a number that is not finite as null."""
    if value is None or (isinstance(value, bool | int) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, str | bytes):
        return plain_text(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {plain_text(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    return plain_text(str(value))
