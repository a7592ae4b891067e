"""How each FUSE library names the handler of an operation, and what it answers where that handler is missing.

Owns looking things up by library; the rows themselves lie in `handlers_c`, `handlers_rust`, `handlers_go` and
`handlers_python`. Knows nothing of how a library is recognised.
"""

from __future__ import annotations

from collections.abc import Mapping

from fsprobe.diagnose.handlers_c import LIBFUSE2, LIBFUSE3, LIBFUSE_LOW
from fsprobe.diagnose.handlers_go import BAZIL, BAZIL_MISSING, GO_FUSE, GO_FUSE_MISSING, JACOBSA
from fsprobe.diagnose.handlers_python import FUSEPY, FUSEPY_MISSING, MFUSEPY, MFUSEPY_MISSING, PYFUSE3, REFERENCE_RAW
from fsprobe.diagnose.handlers_rust import FUSE_RS, FUSER, FUSER_MISSING
from fsprobe.diagnose.rows import Handler, Rows

FAMILIES: Mapping[str, Rows] = {
    "libfuse2": LIBFUSE2,
    "libfuse3": LIBFUSE3,
    "libfuse-low": LIBFUSE_LOW,
    "fuser": FUSER,
    "fuse-rs": FUSE_RS,
    "go-fuse": GO_FUSE,
    "bazil": BAZIL,
    "jacobsa": JACOBSA,
    "pyfuse3": PYFUSE3,
    "fusepy": FUSEPY,
    "mfusepy": MFUSEPY,
    "reference-raw": REFERENCE_RAW,
}
"""The rows of every library, by the key that `Library.family` holds."""

TITLES: Mapping[str, str] = {
    "libfuse2": "libfuse 2, high level",
    "libfuse3": "libfuse 3, high level",
    "libfuse-low": "libfuse, low level",
    "fuser": "fuser (Rust)",
    "fuse-rs": "fuse (Rust)",
    "go-fuse": "go-fuse, package fs",
    "bazil": "bazil.org/fuse",
    "jacobsa": "jacobsa/fuse",
    "pyfuse3": "pyfuse3",
    "fusepy": "fusepy",
    "mfusepy": "mfusepy",
}
"""What a person calls each library that anybody can build on."""

_BEST_KNOWN = (("libfuse", "libfuse3"), ("fuser", "fuser"), ("go-fuse", "go-fuse"))

# libfuse's high level answers 0 for these by itself (lib/fuse.c, fuse_fs_open and its like).
_EMPTY_SUCCESS = ("OPEN", "RELEASE", "OPENDIR", "RELEASEDIR", "STATFS")
_LIBFUSE_MISSING = dict.fromkeys(_EMPTY_SUCCESS, ("ok",))
_RUST_OK = dict.fromkeys(_EMPTY_SUCCESS, ("ok",))

_MISSING: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "libfuse2": _LIBFUSE_MISSING,
    "libfuse3": _LIBFUSE_MISSING,
    "fuser": {**_RUST_OK, **FUSER_MISSING},
    "fuse-rs": _RUST_OK,
    "go-fuse": GO_FUSE_MISSING,
    "bazil": BAZIL_MISSING,
    "fusepy": FUSEPY_MISSING,
    "mfusepy": MFUSEPY_MISSING,
    "reference-raw": _LIBFUSE_MISSING,
}


def handlers(family: str, op: str) -> tuple[Handler, ...]:
    """What to implement for an operation, the most likely first; empty for an unknown library."""
    return FAMILIES.get(family, {}).get(op, ())


def handler_names(family: str, op: str) -> str:
    """The same as one phrase: `.chmod .chown .truncate .utimens`."""
    return " ".join(handler.name for handler in handlers(family, op))


def missing_answers(family: str, op: str) -> tuple[str, ...]:
    """What a library answers by itself without a handler: errno names, or "ok" for an empty success."""
    return _MISSING.get(family, {}).get(op, ("ENOSYS",))


def in_every_library(op: str) -> list[tuple[str, tuple[Handler, ...]]]:
    """The handlers of an operation for each library that has one, with the library's title."""
    return [(title, FAMILIES[family][op]) for family, title in TITLES.items() if op in FAMILIES[family]]


def in_the_best_known(op: str) -> str:
    """`libfuse .unlink, fuser unlink, go-fuse NodeUnlinker`, for a library that is not known; "" where none has it.

    A Rust name is the bare method: which trait it belongs to is the same for all.
    """
    named = ((title, handler_names(family, op).replace("Filesystem::", "")) for title, family in _BEST_KNOWN)
    return ", ".join(f"{title} {names}" for title, names in named if names)
