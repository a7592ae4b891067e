"""Operations that end in the handler of another one: who dies or hangs in several of them has one fault.

Owns the table of what libraries make of one operation; knows nothing of incidents or of checks.
"""

from __future__ import annotations

from collections.abc import Collection

from fsprobe.diagnose.handlers import handlers

_EVERYWHERE = {
    "RENAME2": ("RENAME",), "COPY_FILE_RANGE_64": ("COPY_FILE_RANGE",), "BATCH_FORGET": ("FORGET",),
}  # fmt: skip

# What libfuse's high-level interface calls besides the handler of the operation itself (lib/fuse.c): getattr for every
# reply that carries attributes (lookup_path), create for a regular file (fuse_lib_mknod), rename for an open file that
# is unlinked (hide_node), unlink when such a file is closed, lock for what is given back at close (fuse_flush_common).
_HIGH_LEVEL = {
    **dict.fromkeys(("LOOKUP", "CREATE", "MKNOD", "MKDIR", "SYMLINK", "LINK", "SETATTR", "READDIRPLUS"), ("GETATTR",)),
    "MKNOD": ("CREATE", "GETATTR"),
    "UNLINK": ("RENAME",),
    "RELEASE": ("UNLINK", "RENAME", "SETLK"),
    **dict.fromkeys(("SETLKW", "GETLK", "FLUSH"), ("SETLK",)),
}
_HIGH_LEVEL_FAMILIES = ("libfuse2", "libfuse3", "fusepy", "mfusepy", "fuse-python", "cgofuse")


def handler_of(op: str, among: Collection[str], family: str) -> str:
    """The operation whose handler an operation ends in as well, where that one is among those given; else itself."""
    table = {**_EVERYWHERE, **_HIGH_LEVEL} if family in _HIGH_LEVEL_FAMILIES else _EVERYWHERE
    return next((other for other in table.get(op, ()) if other in among), op)


def one_handler(op: str, other: str, family: str) -> bool:
    """Whether all that one of two operations calls is called by the other one too (GETLK and SETLK: `lock`)."""
    mine, theirs = ({handler.name for handler in handlers(family, name)} for name in (op, other))
    return bool(mine and theirs) and (mine <= theirs or theirs <= mine)
