"""What a request says, as the model wants it: who asks, what is to change, how long an answer may be.

Owns the turn from the fields of requests to the model's records; knows nothing of operations.
"""

from __future__ import annotations

import errno

from fsprobe.wire import DataOut, GetxattrOut, Request, SetattrIn, SetattrValid
from reference_fs.callers import caller_of
from reference_fs.model_attributes import Changes, Time
from reference_fs.model_inode import Caller, fail


def caller(request: Request) -> Caller:
    """Who sent the request."""
    return caller_of(request.header.uid, request.header.gid, request.header.pid)


def changes_of(body: SetattrIn) -> Changes:
    """What a SETATTR wants: `valid` says which of its fields count."""
    valid = body.valid
    return Changes(
        mode=body.mode if valid & SetattrValid.MODE else None,
        uid=body.uid if valid & SetattrValid.UID else None,
        gid=body.gid if valid & SetattrValid.GID else None,
        size=body.size if valid & SetattrValid.SIZE else None,
        atime=_time(valid & SetattrValid.ATIME, valid & SetattrValid.ATIME_NOW, body.atime, body.atimensec),
        mtime=_time(valid & SetattrValid.MTIME, valid & SetattrValid.MTIME_NOW, body.mtime, body.mtimensec),
    )


def _time(wanted: int, now: int, seconds: int, nanoseconds: int) -> Time:
    if not wanted:
        return None
    if now:
        return "now"
    if seconds >> 63:
        seconds -= 1 << 64
    return seconds * 10**9 + nanoseconds


def sized(value: bytes, size: int) -> DataOut | GetxattrOut:
    """Size 0 asks how much there is (getxattr(2))."""
    if not size:
        return GetxattrOut(len(value))
    if len(value) > size:
        raise fail(errno.ERANGE)
    return DataOut(value)
