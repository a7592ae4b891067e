"""Bytes, times and sizes as text that is safe on a terminal.

Owns escaping; knows nothing of what is shown. A file's name may hold anything: escape sequences, newlines,
characters that reverse the direction of the text. Only printable characters come out.
"""

from __future__ import annotations

CUT = "…"
NAME_SHOWN = 255
DATA_SHOWN = 32

_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def safe(raw: bytes) -> str:
    r"""Bytes as printable text: UTF-8 as it is, all else as `\n`, `\x1b` or `\u202e`; `"` and `\` escaped."""
    text = raw.decode("utf-8", "surrogateescape")
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(_escape(char) for char in text)


def _escape(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape's mark for a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quote(raw: bytes, *, shown: int = NAME_SHOWN, cut: bool = False) -> str:
    """The same in quotes, at most `shown` bytes of it; `…` follows where there is more (or cut says so)."""
    return f'"{safe(raw[:shown])}"' + (CUT if cut or len(raw) > shown else "")


def duration(microseconds: float) -> str:
    """`35 µs`, `1.20 ms`, `3.40 s`."""
    if microseconds < 1000:
        return f"{microseconds:.0f} µs"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.2f} ms"
    return f"{microseconds / 1_000_000:.2f} s"


def number(value: int) -> str:
    """Decimal, but hex for what is likelier an address than a count."""
    return hex(value) if value >= 1 << 32 else str(value)
