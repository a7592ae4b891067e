"""The texts of the vector interface: vectors, queries, control lines, and what is wrong with a bad one.

Owns their grammar and limits; knows nothing of files or of searching. Two kinds of error: `NotOurs`, a text that is
no vector or query at all and so stays an ordinary file, and `Bad`, one that is meant as such and cannot be taken.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, replace

DIMENSIONS_MAX = 10_000
K_MAX = 10_000
TEXT_MAX = 512 << 10
"""Bytes of a vector or a query: 10,000 numbers of 50 characters. Longer files are not looked into."""
MODEL_MAX = 255
KEYS = (b"vector", b"k", b"threshold")


class NotOurs(ValueError):
    """The text is no vector or no query: an ordinary file, whatever its name."""


class Bad(ValueError):
    """The text is meant for the vector interface, which cannot take it; says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What `_vexfs/control` holds. k, threshold: where a query names none. model: the xattr of new vectors."""

    k: int = 5
    threshold: float | None = None
    model: str = ""

    def text(self) -> bytes:
        """As lines of key=value, the way they can be written back."""
        threshold = "" if self.threshold is None else f"{self.threshold:g}"
        return f"k={self.k}\nthreshold={threshold}\nmodel={self.model}\n".encode()


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. vector: of length 1."""

    vector: array[float]
    k: int
    threshold: float | None


def parse_vector(text: bytes) -> array[float]:
    """One line of comma-separated numbers. Raises NotOurs where it is something else, Bad where it breaks a limit."""
    line = text.strip()
    if not line:
        raise NotOurs("empty")
    if b"\n" in line:
        raise NotOurs("more than one line")
    if b"_" in line:  # float() takes 1_000
        raise NotOurs("not comma-separated numbers")
    fields = line.split(b",")
    try:
        numbers = array("d", map(float, fields))
    except ValueError:
        raise NotOurs(_first_wrong(fields)) from None
    if len(numbers) > DIMENSIONS_MAX:
        raise Bad(f"{len(numbers)} dimensions, more than {DIMENSIONS_MAX}")
    for place, number in enumerate(numbers, 1):
        if not math.isfinite(number):
            raise Bad(f"value {place} is not finite: {_shown(fields[place - 1])}")
    return numbers


def _first_wrong(fields: list[bytes]) -> str:
    for place, one in enumerate(fields, 1):
        try:
            float(one)
        except ValueError:
            return f"value {place} is no number: {_shown(one)}"
    return "not comma-separated numbers"


def _shown(text: bytes) -> str:
    shown = text.strip()[:40].decode("ascii", "backslashreplace")
    return repr(shown) if shown else "nothing between the commas"


def unit(numbers: array[float]) -> array[float]:
    """The vector of length 1 in the same direction; zeros stay zeros.

    Scaled by the greatest number first, so that no square overflows.
    """
    greatest = max(map(abs, numbers))
    if not greatest:
        return numbers
    scaled = [number / greatest for number in numbers]
    length = math.sqrt(math.fsum([number * number for number in scaled]))
    return array("d", [number / length for number in scaled])


def direction(text: bytes) -> array[float]:
    """The unit vector of a query. Raises Bad whatever is wrong with it."""
    try:
        numbers = parse_vector(text)
    except NotOurs as error:
        raise Bad(f"vector: {error}") from None
    if not any(numbers):
        raise Bad("vector: all zeros, which point nowhere")
    return unit(numbers)


def parse_query(text: bytes, settings: Settings) -> Query:
    """Lines of `vector: …`, `k: …`, `threshold: …`. Raises NotOurs where no line begins so, Bad where one is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    keys = [line.partition(b":")[0].strip() if b":" in line else b"" for line in lines]
    if not set(keys) & set(KEYS):
        raise NotOurs("no line `vector: …`")
    found: dict[bytes, bytes] = {}
    for key, line in zip(keys, lines, strict=True):
        if key not in KEYS:
            raise Bad(f"a line that is none of vector:, k:, threshold: {_shown(line)}")
        if key in found:
            raise Bad(f"{key.decode()}: given twice")
        found[key] = line.partition(b":")[2].strip()
    if b"vector" not in found:
        raise Bad("no line `vector: …`")
    return Query(
        direction(found[b"vector"]),
        _count(found[b"k"]) if b"k" in found else settings.k,
        _cosine(found[b"threshold"]) if b"threshold" in found else settings.threshold,
    )


def _count(text: bytes) -> int:
    if not text.isdigit() or len(text) > 6 or not 1 <= int(text) <= K_MAX:
        raise Bad(f"k: expected a number from 1 to {K_MAX}, not {_shown(text)}")
    return int(text)


def _cosine(text: bytes) -> float:
    try:
        number = math.nan if b"_" in text else float(text)
    except ValueError:
        number = math.nan
    if not -1 <= number <= 1:
        raise Bad(f"threshold: expected a number from -1 to 1, not {_shown(text)}")
    return number


def control(line: bytes, settings: Settings) -> Settings:
    """The settings after one line of key=value. Raises Bad."""
    key, equals, value = (part.strip() for part in line.partition(b"="))
    if not equals:
        raise Bad(f"expected key=value, not {_shown(line)}")
    if key == b"k":
        return replace(settings, k=_count(value))
    if key == b"threshold":
        return replace(settings, threshold=_cosine(value) if value else None)
    if key == b"model":
        return replace(settings, model=_model(value))
    raise Bad(f"no setting {_shown(key)}; there are k, threshold, model")


def _model(value: bytes) -> str:
    try:
        model = value.decode()
    except UnicodeDecodeError:
        raise Bad("model: not UTF-8") from None
    if len(value) > MODEL_MAX or not model.isprintable():
        raise Bad(f"model: expected up to {MODEL_MAX} printable bytes")
    return model
