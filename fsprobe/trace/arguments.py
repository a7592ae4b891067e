"""A request's arguments as words, for each kind of body.

Owns what is shown of a request and how; knows nothing of paths, replies or times. Bodies may come from the
head of a message: names and data that are cut end in `…`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntFlag
from typing import Any

from fsprobe import wire
from fsprobe.trace import words
from fsprobe.trace.text import CUT, DATA_SHOWN, number, quote

Shown = tuple[str, Callable[[Any], str], bool]
"""A field, how it is shown, and whether also when it is 0."""


def _flags(enum: type[IntFlag]) -> Callable[[int], str]:
    return lambda value: "|".join(wire.flag_names(enum, value)) or "0"


def always(field: str, show: Callable[[Any], str] = number) -> Shown:
    """A field that is always shown."""
    return field, show, True


def unless_0(field: str, show: Callable[[Any], str] = number) -> Shown:
    """A field that is shown where it is not 0."""
    return field, show, False


_FH = always("fh")
_OWNER = unless_0("lock_owner", hex)
_MODE = always("mode", words.permissions)
_UMASK = unless_0("umask", words.permissions)
_KILL = unless_0("open_flags", _flags(wire.OpenInFlag))
_READ_FLAGS = unless_0("read_flags", _flags(wire.ReadFlag))

ARGUMENTS: dict[type[Any], tuple[Shown, ...]] = {
    wire.ForgetIn: (always("nlookup"),),
    wire.BatchForgetIn: (always("count"),),
    wire.GetattrIn: (unless_0("fh"),),
    wire.Mknod: (always("mode", lambda mode: f"{words.file_type(mode)} {words.permissions(mode)}"),
                 unless_0("rdev", hex), _UMASK),
    wire.Mkdir: (_MODE, _UMASK),
    wire.Rename2: (always("flags", words.rename_flags),),
    wire.OpenIn: (always("flags", words.open_flags), _KILL),
    wire.Create: (always("flags", words.open_flags), _MODE, _UMASK, _KILL),
    wire.ReadIn: (_FH, always("offset", str), always("size"), _READ_FLAGS),
    wire.WriteIn: (_FH, always("offset", str), always("size"), unless_0("write_flags", _flags(wire.WriteFlag))),
    wire.ReleaseIn: (_FH, unless_0("release_flags", _flags(wire.ReleaseFlag)), _OWNER),
    wire.FsyncIn: (_FH, unless_0("fsync_flags", _flags(wire.FsyncFlag))),
    wire.FlushIn: (_FH, _OWNER),
    wire.Setxattr: (always("size"), unless_0("flags", words.xattr_flags),
                    unless_0("setxattr_flags", _flags(wire.SetxattrFlag))),
    wire.Getxattr: (always("size"),),
    wire.GetxattrIn: (always("size"),),
    wire.InitIn: (always("major"), always("minor"), always("max_readahead")),
    wire.LkIn: (_FH, always("owner", hex), unless_0("lk_flags", _flags(wire.LkFlag))),
    wire.AccessIn: (always("mask", words.access_mask),),
    wire.InterruptIn: (always("unique", str),),
    wire.BmapIn: (always("block"), always("blocksize")),
    wire.IoctlIn: (_FH, always("cmd", hex), unless_0("flags", _flags(wire.IoctlFlag)), always("arg", hex),
                   unless_0("in_size"), unless_0("out_size")),
    wire.PollIn: (_FH, always("events", words.poll_events), unless_0("flags", _flags(wire.PollFlag)),
                  unless_0("kh")),
    wire.NotifyRetrieveIn: (always("offset", str), always("size")),
    wire.FallocateIn: (_FH, always("offset", str), always("length", str),
                       always("mode", words.fallocate_mode)),
    wire.LseekIn: (_FH, always("offset", str), always("whence", words.whence)),
    wire.CopyFileRangeIn: (always("fh_in"), always("off_in", str), always("fh_out"),
                           always("off_out", str), always("len", str), unless_0("flags", hex)),
    wire.SetupmappingIn: (_FH, always("foffset", str), always("len", str),
                          always("flags", _flags(wire.SetupmappingFlag)), always("moffset", str)),
    wire.RemovemappingIn: (always("count"),),
    wire.StatxIn: (unless_0("fh"), always("sx_mask", hex), unless_0("sx_flags", hex)),
    wire.CuseInitIn: (always("major"), always("minor"), unless_0("flags", _flags(wire.CuseInitFlag))),
}  # fmt: skip
"""What is shown of each request's numbers, in this order; bodies that are not here have none."""

# What a SETATTR changes: the bit of `valid`, the word, the field and how it is shown.
_SETATTR: tuple[tuple[wire.SetattrValid, str, str, Callable[[int], str]], ...] = (
    (wire.SetattrValid.MODE, "mode", "mode", words.permissions),
    (wire.SetattrValid.UID, "uid", "uid", str),
    (wire.SetattrValid.GID, "gid", "gid", str),
    (wire.SetattrValid.SIZE, "size", "size", str),
    (wire.SetattrValid.FH, "fh", "fh", number),
    (wire.SetattrValid.LOCKOWNER, "lock_owner", "lock_owner", hex),
)
_TIMES = (
    (wire.SetattrValid.ATIME, wire.SetattrValid.ATIME_NOW, "atime"),
    (wire.SetattrValid.MTIME, wire.SetattrValid.MTIME_NOW, "mtime"),
    (wire.SetattrValid.CTIME, wire.SetattrValid(0), "ctime"),
)


def arguments(body: object) -> list[str]:
    """The words after the path: `fh=3`, `mode=0644`, names in quotes, data in part."""
    if isinstance(body, bytes):
        return [f"{len(body)} bytes {quote(body, shown=DATA_SHOWN)}"] if body else []
    if isinstance(body, wire.SetattrIn):
        return _setattr(body)
    found = _names(body)
    for field, show, with_0 in ARGUMENTS.get(type(body), ()):
        value = getattr(body, field)
        if value or with_0:
            found.append(f"{field}={show(value)}")
    return found + _more(body)


def _names(body: object) -> list[str]:
    if isinstance(body, wire.Symlink):
        return [quote(body.name), f"target={quote(body.target)}"]
    names = [getattr(body, field, None) for field in ("name", "oldname")]
    return [quote(name) for name in names if name is not None]


def _more(body: object) -> list[str]:
    if isinstance(body, wire.InitIn):
        return ["|".join(wire.flag_names(wire.InitFlag, int(wire.init_flags(body)))) or "0"]
    if isinstance(body, wire.LkIn):
        return [lock(body.lk)]
    if isinstance(body, wire.WriteIn | wire.IoctlIn | wire.NotifyRetrieveIn) and body.data:
        size = body.in_size if isinstance(body, wire.IoctlIn) else body.size
        return [quote(body.data, shown=DATA_SHOWN, cut=len(body.data) < size)]
    if isinstance(body, wire.Setxattr):
        return [f"value={quote(body.value, shown=DATA_SHOWN, cut=len(body.value) < body.size)}"]
    if isinstance(body, wire.BatchForgetIn):
        text = " ".join(f"{one.nodeid}*{one.nlookup}" for one in body.forgets[:8])
        return [text + (f" {CUT}" if body.count > 8 else "")]
    return []


def _setattr(body: wire.SetattrIn) -> list[str]:
    found = [f"{word}={show(getattr(body, field))}" for bit, word, field, show in _SETATTR if body.valid & bit]
    for bit, now, word in _TIMES:
        if body.valid & now:
            found.append(f"{word}=now")
        elif body.valid & bit:
            found.append(f"{word}={seconds(getattr(body, word), getattr(body, word + 'nsec'))}")
    known = wire.SetattrValid.KILL_SUIDGID
    for bit, _, _, _ in _SETATTR:
        known |= bit
    for bit, now, _ in _TIMES:
        known |= bit | now
    if body.valid & wire.SetattrValid.KILL_SUIDGID:
        found.append("KILL_SUIDGID")
    if body.valid & ~int(known):
        found.append(f"valid={hex(body.valid & ~int(known))}")
    return found or ["nothing"]


def seconds(whole: int, nanoseconds: int) -> str:
    """A time since 1970, whose seconds are signed though the field is not."""
    whole = whole - (1 << 64) if whole >= 1 << 63 else whole
    return f"{whole}.{nanoseconds:09d}"


def lock(lk: wire.FileLock) -> str:
    """`F_WRLCK 0-99 pid=5`; `end` where the range has none."""
    end = "end" if lk.end >= (1 << 63) - 1 else str(lk.end)
    return f"{words.lock_type(lk.type)} {lk.start}-{end} pid={lk.pid}"
