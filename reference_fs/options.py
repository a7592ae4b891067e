"""Mount options: `-o` strings in, one record out.

Owns which options are VexFS's own and what is on unless said otherwise; knows nothing of how a front mounts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from reference_fs.model import DEFAULT_BYTES, DEFAULT_INODES

_SUFFIXES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True, slots=True)
class Options:
    """size, inodes: how much the file system holds. timeouts: seconds the kernel may believe a name or
    attributes.

    The timeouts are 0, so that every question reaches the file system and can be seen (and altered) on the
    way, and so that hard links agree under libfuse, which gives every path a node of its own. `rest` goes
    to the mount as it is. store: the directory that keeps the content, "" where memory does.
    """

    size: int = DEFAULT_BYTES
    inodes: int = DEFAULT_INODES
    default_permissions: bool = True
    allow_other: bool = False
    attr_timeout: float = 0.0
    entry_timeout: float = 0.0
    negative_timeout: float = 0.0
    fsname: str = "vexfs"
    subtype: str = "vexfs"
    store: str = ""
    rest: dict[str, str | bool] = field(default_factory=dict)


def parse_options(texts: Sequence[str]) -> Options:
    """The options of all `-o` arguments together, the last one winning.

    `no_default_permissions` lets VexFS check permissions itself, `no_allow_other` keeps other users out;
    both are on by default, the second only for root, since fusermount refuses it to others. Raises
    ValueError.
    """
    values: dict[str, int | float | str | bool] = {"allow_other": os.geteuid() == 0}
    rest: dict[str, str | bool] = {}
    for item in ",".join(texts).split(","):
        key, equals, value = item.partition("=")
        if not item:
            continue
        if key in ("size", "inodes"):
            values[key] = _count(key, value)
        elif key.endswith("_timeout") and key in Options.__slots__:
            values[key] = _seconds(key, value)
        elif key in ("fsname", "subtype"):
            values[key] = value
        elif key.removeprefix("no_") in ("default_permissions", "allow_other") and not equals:
            values[key.removeprefix("no_")] = not key.startswith("no_")
        else:
            rest[key] = value if equals else True
    return Options(**values, rest=rest)  # type: ignore[arg-type]


def _count(key: str, text: str) -> int:
    digits = text[:-1] if text[-1:].lower() in _SUFFIXES else text
    if not digits.isdecimal() or not int(digits):
        raise ValueError(f"option {key}={text}: expected a number such as 64m")
    return int(digits) * _SUFFIXES.get(text[-1:].lower(), 1)


def _seconds(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"option {key}={text}: expected seconds") from None
