"""A successful reply as words, for each kind of body.

Owns what is shown of a reply and how; knows nothing of requests or times.
"""

from __future__ import annotations

from typing import Any

from fsprobe import wire
from fsprobe.trace import words
from fsprobe.trace.arguments import lock
from fsprobe.trace.text import CUT, DATA_SHOWN, number, quote

NAMES_SHOWN = 6


def answer(body: Any, whole: int, head: int) -> str:
    """The words after the arrow. whole, head: bytes of the body on the wire, and of those recorded."""
    cut = head < whole
    match body:
        case None:
            return "OK"
        case bytes():
            return f"{whole} bytes {quote(body, shown=DATA_SHOWN, cut=cut)}" if whole else "OK"
        case wire.EntryOut():
            return entry(body)
        case wire.CreateOut():
            return f"{entry(body.entry)} {_open(body.open)}"
        case wire.AttrOut():
            return attributes(body.attr)
        case wire.OpenOut():
            return _open(body)
        case wire.DataOut():
            data = f" {quote(body.data, shown=DATA_SHOWN, cut=cut)}" if whole else ""
            return f"{whole} bytes{data}"
        case wire.ReadlinkOut():
            return quote(body.target, cut=cut)
        case wire.DirentList() | wire.DirentPlusList():
            return _entries(body, cut)
        case wire.IoctlOut():
            flags = "|".join(wire.flag_names(wire.IoctlFlag, body.flags))
            return f"result={body.result}" + (f" {flags}" if flags else "") + _data(body.data, whole - 16)
        case wire.InitOut():
            return _init(body)
        case wire.StatfsOut():
            return _statfs(body.st)
        case wire.StatxOut():
            return _statx(body.stat)
        case wire.LkOut():
            return lock(body.lk)
    return _number(body)


def _number(body: Any) -> str:
    match body:
        case wire.WriteOut():
            return f"{body.size} bytes"
        case wire.CopyFileRangeOut():
            return f"{body.bytes_copied} bytes"
        case wire.GetxattrOut():
            return f"size={body.size}"
        case wire.LseekOut():
            return f"offset={body.offset}"
        case wire.PollOut():
            return words.poll_events(body.revents)
        case wire.BmapOut():
            return f"block={body.block}"
        case wire.CuseInitOut():
            return f"7.{body.minor} {quote(body.info)}"
    return type(body).__name__


def entry(body: wire.EntryOut) -> str:
    """What a name led to."""
    if body.nodeid == 0:
        return f"no entry, for {body.entry_valid}.{body.entry_valid_nsec // 100_000_000} s"
    generation = f" generation={body.generation}" if body.generation else ""
    return f"node {number(body.nodeid)}{generation} {attributes(body.attr)}"


def attributes(attr: wire.Attr) -> str:
    """What stat would show, in short."""
    text = f"{words.file_type(attr.mode)} {words.permissions(attr.mode)} size={attr.size} nlink={attr.nlink}"
    text += f" uid={attr.uid} gid={attr.gid}"
    flags = "|".join(wire.flag_names(wire.AttrFlag, attr.flags))
    return text + (f" {flags}" if flags else "")


def _statfs(st: wire.Kstatfs) -> str:
    return (
        f"blocks={st.blocks} bfree={st.bfree} bavail={st.bavail} files={st.files} ffree={st.ffree} "
        f"bsize={st.bsize} namelen={st.namelen} frsize={st.frsize}"
    )


def _statx(st: wire.Statx) -> str:
    kind = f"{words.file_type(st.mode)} {words.permissions(st.mode)}"
    return f"mask={st.mask:#x} {kind} size={st.size} nlink={st.nlink} uid={st.uid} gid={st.gid}"


def _open(body: wire.OpenOut) -> str:
    flags = "|".join(wire.flag_names(wire.OpenFlag, body.open_flags))
    return f"fh={number(body.fh)}" + (f" {flags}" if flags else "")


def _data(data: bytes, whole: int) -> str:
    return f" {quote(data, shown=DATA_SHOWN, cut=len(data) < whole)}" if data else ""


def _entries(body: wire.DirentList | wire.DirentPlusList, cut: bool) -> str:
    names = [one.name if isinstance(one, wire.Dirent) else one.dirent.name for one in body.entries]
    if not names and not cut:
        return "end of directory"
    shown = " ".join(quote(name) for name in names[:NAMES_SHOWN])
    more = f" {CUT}" if cut or len(names) > NAMES_SHOWN else ""
    count = f"{len(names)}{'+' if cut else ''}"
    return f"{count} entries {shown}{more}".replace("  ", " ")


def _init(body: wire.InitOut) -> str:
    flags = "|".join(wire.flag_names(wire.InitFlag, int(wire.init_flags(body)))) or "0"
    return f"{body.major}.{body.minor} max_write={body.max_write} max_readahead={body.max_readahead} {flags}"
