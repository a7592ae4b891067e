"""Any names, any order: what a tree must be after random work is known, and compared."""

from __future__ import annotations

import os
from typing import Any

from fsprobe.checks import linux, mount_check
from fsprobe.checks.mount import Mount

STEPS = 200
NAMES = ("a", "b", "c", "d")
Tree = dict[str, Any]
"""A directory: names with another Tree for a directory, and bytes for a file."""


def at(tree: Tree, parts: tuple[str, ...]) -> Any:
    """What is at a path in the model, None where nothing is."""
    here: Any = tree
    for part in parts:
        if not isinstance(here, dict) or part not in here:
            return None
        here = here[part]
    return here


def found(m: Mount, top: str) -> Tree:
    """What is there."""
    tree: Tree = {}
    for entry in m.entries(top):
        if entry.name not in (b".", b".."):
            name = os.fsdecode(entry.name)
            path = f"{top}/{name}"
            tree[name] = found(m, path) if linux.type_name(os.lstat(path).st_mode) == "directory" else m.read(path)
    return tree


def expected_error(tree: Tree, what: str, path: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the errors that one step may end with; "success" where it has to succeed."""
    parent, here = at(tree, path[:-1]), at(tree, path)
    if parent is None or not isinstance(parent, dict):
        return ("ENOENT", "ENOTDIR")
    if what in ("create", "mkdir"):
        return ("success",) if here is None else ("EEXIST",)
    if here is None:
        return ("ENOENT", "ENOTDIR")
    if what == "unlink":
        return ("EISDIR", "EPERM") if isinstance(here, dict) else ("success",)
    if what == "rmdir":
        if not isinstance(here, dict):
            return ("ENOTDIR",)
        return ("ENOTEMPTY", "EEXIST") if here else ("success",)
    there, target = at(tree, other[:-1]), at(tree, other)
    if there is None or not isinstance(there, dict):
        return ("ENOENT", "ENOTDIR")
    if other[: len(path)] == path and len(other) > len(path):
        return ("EINVAL",)
    if path[: len(other)] == other and len(path) > len(other):
        return ("ENOTEMPTY", "EEXIST", "EISDIR")
    if target is None or path == other:
        return ("success",)
    if isinstance(here, dict):
        if not isinstance(target, dict):
            return ("ENOTDIR",)
        return ("ENOTEMPTY", "EEXIST") if target else ("success",)
    return ("EISDIR", "EEXIST", "ENOTEMPTY") if isinstance(target, dict) else ("success",)


def change(tree: Tree, what: str, path: tuple[str, ...], other: tuple[str, ...], data: bytes) -> None:
    """The same step in the model."""
    if what == "create":
        at(tree, path[:-1])[path[-1]] = data
    elif what == "mkdir":
        at(tree, path[:-1])[path[-1]] = {}
    elif what == "rename":
        if path != other:
            at(tree, other[:-1])[other[-1]] = at(tree, path[:-1]).pop(path[-1])
    else:
        del at(tree, path[:-1])[path[-1]]


def step(what: str, path: str, other: str, data: bytes) -> str:
    """The step itself; "success" or the name of the error."""
    try:
        if what == "create":
            fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            try:
                os.write(fd, data)
            finally:
                os.close(fd)
        elif what == "rename":
            os.rename(path, other)
        else:
            {"mkdir": os.mkdir, "unlink": os.unlink, "rmdir": os.rmdir}[what](path)
    except OSError as error:
        return linux.errno_name(error.errno or 0)
    return "success"


@mount_check(
    "posix.random-tree.names", op="RENAME", source="catalogue 3.36 stateful; POSIX rename, unlink, rmdir",
    quick=True, needs=("write",), also=("CREATE", "MKDIR", "UNLINK", "RMDIR", "LOOKUP", "READDIR"),
    killers=("RENAME:fake", "UNLINK:fake", "RMDIR:fake", "*:entries=lose", "READ:flip", "RENAME:errno=EIO"),
)
def random_names(m: Mount) -> None:
    """After 200 random steps of making, removing and renaming, each ends as it must and the tree is what it must be."""
    top = m.subdir("tree")
    tree: Tree = {}
    declined = 0
    for number in range(STEPS):
        what = m.rng.choice(("create", "create", "mkdir", "mkdir", "unlink", "rmdir", "rename", "rename", "rename"))
        path, other = (tuple(m.rng.choice(NAMES) for _ in range(m.rng.choice((1, 2, 2, 3)))) for _ in range(2))
        data = b"made in step %d" % number
        allowed = expected_error(tree, what, path, other)
        came = step(what, "/".join((top, *path)), "/".join((top, *other)), data)
        told = f"{what} {'/'.join(path)}" + (f" to {'/'.join(other)}" if what == "rename" else "")
        if what == "rename" and came == "EXDEV":  # a union of directories may decline; mv then copies
            declined += 1
            continue
        m.expect(came in allowed, f"{' or '.join(allowed)} from step {number}, {told}", came)
        if came == "success":
            change(tree, what, path, other, data)
        if number % 50 == 49:
            m.expect_equal(tree, found(m, top), f"the tree after step {number}", show=lambda t: repr(t)[:300])
    if declined:
        m.info(f"{declined} renames were declined with EXDEV")
