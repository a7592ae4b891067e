"""How each FUSE library names the handler of an operation, and what it answers where that handler is missing.

Owns looking things up by library; the rows themselves lie in `handlers_c`, `handlers_rust`, `handlers_rust_async`,
`handlers_go`, `handlers_gofuse` and `handlers_python`. Knows nothing of how a library is recognised.
"""

from __future__ import annotations

from collections.abc import Mapping

from fsprobe.diagnose.handlers_c import LIBFUSE2, LIBFUSE2_LOW, LIBFUSE3, LIBFUSE_LOW
from fsprobe.diagnose.handlers_go import BAZIL, BAZIL_MISSING, CGOFUSE, JACOBSA
from fsprobe.diagnose.handlers_gofuse import (
    GO_FUSE,
    GO_FUSE_MISSING,
    GO_NODEFS,
    GO_PATHFS,
    GO_RAW,
    GO_RAW_MISSING,
    NODEFS_MISSING,
    PATHFS_MISSING,
)
from fsprobe.diagnose.handlers_python import (
    FUSE_PYTHON,
    FUSEPY,
    FUSEPY_MISSING,
    LLFUSE,
    MFUSEPY,
    MFUSEPY_MISSING,
    PYFUSE3,
    REFERENCE_RAW,
)
from fsprobe.diagnose.handlers_rust import FUSE_RS, FUSER, FUSER_MISSING, FUSER_TYPED
from fsprobe.diagnose.handlers_rust_async import BACKEND, BACKEND_MISSING, FUSE3, FUSE3_MISSING, POLYFUSE
from fsprobe.diagnose.rows import Handler, Rows

FAMILIES: Mapping[str, Rows] = {
    "libfuse2": LIBFUSE2,
    "libfuse3": LIBFUSE3,
    "libfuse-low": LIBFUSE_LOW,
    "libfuse2-low": LIBFUSE2_LOW,
    "fuser": FUSER,
    "fuser-0.17": FUSER_TYPED,
    "fuse-rs": FUSE_RS,
    "fuse3-rs": FUSE3,
    "polyfuse": POLYFUSE,
    "fuse-backend-rs": BACKEND,
    "go-fuse": GO_FUSE,
    "go-fuse-raw": GO_RAW,
    "go-fuse-nodefs": GO_NODEFS,
    "go-fuse-pathfs": GO_PATHFS,
    "bazil": BAZIL,
    "jacobsa": JACOBSA,
    "cgofuse": CGOFUSE,
    "pyfuse3": PYFUSE3,
    "llfuse": LLFUSE,
    "fusepy": FUSEPY,
    "mfusepy": MFUSEPY,
    "fuse-python": FUSE_PYTHON,
    "reference-raw": REFERENCE_RAW,
}
"""The rows of every library, by the key that `Library.family` holds."""

TITLES: Mapping[str, str] = {
    "libfuse2": "libfuse 2, high level",
    "libfuse3": "libfuse 3, high level",
    "libfuse2-low": "libfuse 2, low level",
    "libfuse-low": "libfuse 3, low level",
    "fuser": "fuser (Rust) to 0.16",
    "fuser-0.17": "fuser (Rust) from 0.17",
    "fuse-rs": "fuse (Rust)",
    "fuse3-rs": "fuse3 (Rust)",
    "polyfuse": "polyfuse (Rust)",
    "fuse-backend-rs": "fuse-backend-rs (Rust)",
    "go-fuse": "go-fuse, package fs",
    "go-fuse-raw": "go-fuse, RawFileSystem",
    "go-fuse-nodefs": "go-fuse, package nodefs",
    "go-fuse-pathfs": "go-fuse, package pathfs",
    "bazil": "bazil.org/fuse",
    "jacobsa": "jacobsa/fuse",
    "cgofuse": "cgofuse",
    "pyfuse3": "pyfuse3",
    "llfuse": "llfuse",
    "fusepy": "fusepy, refuse",
    "mfusepy": "mfusepy",
    "fuse-python": "fuse-python",
}
"""What a person calls each library that anybody can build on."""

_BEST_KNOWN = (("libfuse", "libfuse3"), ("fuser", "fuser"), ("go-fuse", "go-fuse"))

# Both levels of libfuse answer 0 for these by themselves (lib/fuse.c, fuse_fs_open and its like; lib/fuse_lowlevel.c,
# do_open and its like).
_EMPTY_SUCCESS = ("OPEN", "RELEASE", "OPENDIR", "RELEASEDIR", "STATFS")
_LIBFUSE_MISSING = dict.fromkeys(_EMPTY_SUCCESS, ("ok",))
# libfuse 2 answers success, and ENOSYS in the result that comes with it (fuse_lib_ioctl).
_LIBFUSE2_MISSING = {**_LIBFUSE_MISSING, "IOCTL": ("ENOSYS", "ok")}
_RUST_OK = dict.fromkeys(_EMPTY_SUCCESS, ("ok",))

_MISSING: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "libfuse2": _LIBFUSE2_MISSING,
    "libfuse3": _LIBFUSE_MISSING,
    "libfuse-low": _LIBFUSE_MISSING,
    "libfuse2-low": _LIBFUSE_MISSING,
    "fuser": {**_RUST_OK, **FUSER_MISSING},
    "fuser-0.17": {**_RUST_OK, **FUSER_MISSING},
    "fuse-rs": _RUST_OK,
    "fuse3-rs": FUSE3_MISSING,
    "fuse-backend-rs": BACKEND_MISSING,
    "go-fuse": GO_FUSE_MISSING,
    "go-fuse-raw": GO_RAW_MISSING,
    "go-fuse-nodefs": NODEFS_MISSING,
    "go-fuse-pathfs": PATHFS_MISSING,
    "bazil": BAZIL_MISSING,
    "fuse-python": _LIBFUSE2_MISSING,
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
