"""The language of fault rules as one table: every kind, what its value may be, on which operations it acts.

Owns the table that rules are checked against and that `fsprobe list --rules` prints; knows nothing of when a rule
applies or of what a kind does to the bytes.
"""

from __future__ import annotations

import difflib
import errno
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fsprobe.errors import UsageError
from fsprobe.relay import fields
from fsprobe.wire import Opcode

FORM = "OP:KIND[=VALUE][,path=GLOB][,nth=N|,every=N][,p=0..1][,seed=N]"
TABLE_COMMAND = "fsprobe list --rules"

WITHHOLD = "withhold"
"""The kind by which the session keeps a hanging operation from the daemon."""

ENTRIES = ("lose", "double", "reorder", "slash", "offset", "type", "ino")
IGNORED = ("mode", "uid", "gid", "size", "atime", "mtime")

_NUMBER = re.compile(r"[+-]?(0x[0-9a-fA-F]+|0o[0-7]+|[1-9][0-9]*|0)")
_CREATING = frozenset({"SYMLINK", "MKNOD", "MKDIR", "LINK", "CREATE", "TMPFILE"})
_ENTRY = _CREATING | {"LOOKUP"}
_ATTR = _ENTRY | {"GETATTR", "SETATTR", "READDIRPLUS", "STATX"}
_LISTING = frozenset({"READDIR", "READDIRPLUS"})
_TEXT = frozenset({"READ", "READLINK", "GETXATTR", "LISTXATTR"})
# Success without the deed needs an answer that nobody but the relay has to make up: none of these carries a node.
_FAKED = frozenset({
    "SETATTR", "WRITE", "COPY_FILE_RANGE", "COPY_FILE_RANGE_64", "OPEN", "OPENDIR", "LSEEK", "UNLINK", "RMDIR",
    "RENAME", "RENAME2", "RELEASE", "RELEASEDIR", "FLUSH", "FSYNC", "FSYNCDIR", "SYNCFS", "SETXATTR", "REMOVEXATTR",
    "GETXATTR", "LISTXATTR", "ACCESS", "GETLK", "SETLK", "SETLKW", "FALLOCATE", "READ", "READDIR", "READDIRPLUS",
    "READLINK", "STATFS", "IOCTL", "POLL", "BMAP", "INTERRUPT", "FORGET", "BATCH_FORGET", "DESTROY",
})  # fmt: skip
_UNANSWERED = frozenset({"FORGET", "BATCH_FORGET"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    name: as it is typed, a family with its variable part in capitals. form: of its value, "" where it takes none.
    about: what it does, in a sentence. example: a whole rule. ops: operations it acts on, None for every one.
    """

    name: str
    form: str
    about: str
    example: str
    good: Callable[[str], bool] = lambda value: not value
    ops: frozenset[str] | None = None


def is_errno(name: str) -> bool:
    """Whether it is the name of an error of this system."""
    return isinstance(getattr(errno, name, None), int)


def _is_mapping(value: str) -> bool:
    old, _, new = value.partition(">")
    return is_errno(old) and is_errno(new)


def _is_number(value: str) -> bool:
    return bool(_NUMBER.fullmatch(value))


_KINDS = (
    Kind("errno", "NAME", "The relay answers with this error; the daemon never sees the request.",
         "SETATTR:errno=ENOSYS", is_errno),
    Kind("map", "OLD>NEW", "One error of the daemon becomes another.", "LOOKUP:map=ENOENT>EIO", _is_mapping),
    Kind("drop", "", "The request is lost: it is never answered.", "FSYNC:drop,nth=2"),
    Kind("delay", "SECONDS", "The request reaches the daemon so much later.", "READ:delay=0.5",
         lambda value: bool(re.fullmatch(r"\d+(\.\d+)?", value))),
    Kind("crash", "", "The daemon is killed when the request comes.", "RENAME:crash,nth=3"),
    Kind("fake", "", "Swallowed and answered as done: a WRITE with its full count, a SETATTR with the old attributes, "
         "what reads with nothing.", "WRITE:fake,every=3", ops=_FAKED),
    Kind("short", "", "Half of the data or of the count.", "READ:short", ops=_TEXT | {"WRITE"}),
    Kind("torn", "", "Only the first half is stored, and all of it is acknowledged.", "WRITE:torn",
         ops=frozenset({"WRITE"})),
    Kind("zero", "", "The middle third of the data is zeros.", "READ:zero", ops=frozenset({"READ", "WRITE"})),
    Kind("flip", "", "One bit of the data, value, target or name in the middle is another.", "READ:flip,path=*.db",
         ops=_TEXT | _LISTING | {"WRITE", "SETXATTR", "SYMLINK"}),
    Kind("stale", "", "Every answer of the same node and place is the first one again.", "GETXATTR:stale",
         ops=_TEXT | _LISTING | {"GETATTR", "STATFS"}),
    Kind("attr.FIELD", "N, +N or -N", f"An attribute in the reply is another. Fields: {' '.join(fields.ATTR)}.",
         "GETATTR:attr.size=+1", _is_number, _ATTR),
    Kind("ignore.FIELD", "", f"That field of a SETATTR is passed over. Fields: {' '.join(IGNORED)}.",
         "SETATTR:ignore.mtime", ops=frozenset({"SETATTR"})),
    Kind("neighbour", "", "The inode number in the reply is that of the node answered before.", "GETATTR:neighbour",
         ops=_ATTR - {"READDIRPLUS", "STATX"}),
    Kind("statfs.FIELD", "N, +N or -N", f"A number of STATFS is another. Fields: {' '.join(fields.STATFS)}.",
         "STATFS:statfs.bavail=0", _is_number, frozenset({"STATFS"})),
    Kind("entries", "|".join(ENTRIES), "Directory entries: the first name is lost, doubled or has a slash; all are in "
         "reverse order; the offset, type or inode number is wrong.", "READDIR:entries=lose",
         lambda value: value in ENTRIES, _LISTING),
    Kind("nodeid", "", "The reply names another node.", "LOOKUP:nodeid", ops=_ENTRY),
    Kind("generation", "", "The reply names another generation of the node.", "LOOKUP:generation", ops=_ENTRY),
    Kind("unique", "", "The reply answers a request that was not made.", "GETATTR:unique"),
    Kind("positive-errno", "", "EIO with the wrong sign, which the kernel refuses.", "MKDIR:positive-errno"),
    Kind("length", "", "The header's length is not that of the reply.", "GETATTR:length"),
    Kind("body", "", "The reply is 8 bytes too short for its operation, its header agrees.", "LOOKUP:body",
         ops=_ENTRY | {"GETATTR", "SETATTR", "OPEN", "OPENDIR", "WRITE", "STATFS", "LSEEK", "STATX", "GETLK"}),
    Kind(WITHHOLD, "", "The relay answers EIO in the daemon's place and notes so.", "IOCTL:withhold"),
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}

CONDITIONS: dict[str, tuple[str, str]] = {
    "path": ("GLOB", "only requests whose node or name has this path below the mount"),
    "nth": ("N", "only the Nth that fits"),
    "every": ("N", "only every Nth that fits"),
    "p": ("0..1", "each that fits with this probability"),
    "seed": ("N", "of the draws for p; else that of --seed, so that a run can be repeated"),
}
"""The words behind the commas: value, meaning."""

_FAMILIES = {"attr": tuple(fields.ATTR), "ignore": IGNORED, "statfs": tuple(fields.STATFS)}


def find(kind: str) -> Kind | None:
    """The kind of that name; None where there is none, a field that is unknown included."""
    family, dot, field = kind.partition(".")
    if dot:
        return KINDS[f"{family}.FIELD"] if field in _FAMILIES.get(family, ()) else None
    return KINDS.get(kind)


def spelled() -> list[str]:
    """Every kind as it can be typed."""
    plain = [name for name in KINDS if "." not in name]
    return [*plain, *(f"{family}.{field}" for family, names in _FAMILIES.items() for field in names)]


def validate(op: str, kind: str, value: str, text: str) -> None:
    """Raises UsageError unless the kind exists, the value fits it and it acts on the operation ("*": any)."""
    row = find(kind)
    if row is None:
        raise _refused(text, f"{kind!r} is no kind of fault", (near(kind, spelled()), f"kinds: {' '.join(KINDS)}"))
    if not row.good(value):
        form = f"{kind}={row.form}" if row.form else f"{kind} takes no value"
        wrong = f"{kind}{'=' if value else ''}{value} is no fault"
        raise _refused(text, wrong, (_near_value(kind, value), f"{form}, e.g. {row.example}"))
    if op != "*" and not acts_on(row, op):
        named = f"{kind} acts on {' '.join(sorted(row.ops or ()))}"
        why = "; the answer carries a node that only the daemon knows" if kind == "fake" and op in _ENTRY else ""
        raise _refused(text, f"{kind} does nothing to {op}{why}", (named,))


def acts_on(row: Kind, op: str) -> bool:
    """Whether a kind of fault does anything to an operation."""
    if op in _UNANSWERED and row.name not in ("drop", "delay", "crash", "fake", "errno", WITHHOLD):
        return False
    return row.ops is None or op in row.ops


def _near_value(kind: str, value: str) -> str:
    if kind in ("errno", "map"):
        parts = [part for part in value.split(">") if not is_errno(part)]
        return near(parts[0], filter(is_errno, dir(errno))) if parts else ""
    return near(value, ENTRIES) if kind == "entries" else ""


def near(word: str, known: Iterable[str]) -> str:
    """`did you mean X?`, or "" where nothing is like it."""
    typed = {name.upper(): name for name in known}
    close = [word.upper()] if word.upper() in typed else difflib.get_close_matches(word.upper(), typed, 2, 0.6)
    return f"did you mean {' or '.join(typed[name] for name in close)}?" if close else ""


def _refused(text: str, wrong: str, causes: tuple[str, ...]) -> UsageError:
    return UsageError(f"rule {text!r}: {wrong}", causes=tuple(filter(None, causes)), command=TABLE_COMMAND)


def as_data() -> dict[str, object]:
    """The same for a program."""
    rows = [
        {"kind": kind.name, "value": kind.form, "about": kind.about, "example": kind.example,
         "operations": None if kind.ops is None else sorted(kind.ops)}
        for kind in _KINDS
    ]  # fmt: skip
    conditions = {name: {"value": form, "about": about} for name, (form, about) in CONDITIONS.items()}
    return {"form": FORM, "kinds": rows, "conditions": conditions}


def lines() -> Iterable[str]:
    """The language, for a person: one line and one example for each kind."""
    yield f"A rule is {FORM}"
    some = ", ".join(op.name for op in list(Opcode)[:4])
    yield f"OP is a FUSE operation ({some}, …), or * for all of them but INIT, FORGET and the like."
    yield "Several rules may be given; they act one after the other."
    yield ""
    tab = "    "
    for kind in _KINDS:
        value = f"={kind.form}" if kind.form else ""
        yield f"{kind.name + value}"
        yield f"{tab}{kind.about}"
        if kind.ops is not None:
            names = f"On {' '.join(sorted(kind.ops))}."
            yield from textwrap.wrap(names, 110, initial_indent=tab, subsequent_indent=tab)
        yield f"    e.g. --inject '{kind.example}'"
    yield ""
    for name, (form, about) in CONDITIONS.items():
        yield f",{name}={form}"
        yield f"    {about}"
