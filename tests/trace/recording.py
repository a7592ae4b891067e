"""Exchanges as a relay would have recorded them, made of messages."""

from __future__ import annotations

from typing import Any

from fsprobe import wire
from fsprobe.trace.exchange import REPLY_HEAD, REQUEST_HEAD, Exchange
from fsprobe.wire import Opcode


class Recording:
    """Makes exchanges one after the other, cut as the relay cuts them."""

    def __init__(self, start: int = 1, minor: int = 45) -> None:
        self.start = start
        self.minor = minor
        self.seq = 0

    def exchange(
        self,
        opcode: Opcode,
        nodeid: int,
        asked: Any = None,
        answered: Any = None,
        error: int | None = 0,
        *,
        microseconds: float = 35,
        note: str = "",
    ) -> Exchange:
        """One request and its reply; error None: none came."""
        self.seq += 1
        request = wire.build_request(opcode, nodeid, asked, unique=self.seq, minor=self.minor)
        reply = None
        if error is not None:
            reply = wire.build_reply(self.seq, answered, error, opcode=opcode, minor=self.minor)
        return self.raw(opcode, nodeid, request, reply, error, microseconds=microseconds, note=note)

    def raw(
        self,
        opcode: int,
        nodeid: int,
        request: bytes,
        reply: bytes | None,
        error: int | None,
        *,
        microseconds: float = 35,
        note: str = "",
    ) -> Exchange:
        """The same out of bytes."""
        return Exchange(
            seq=self.seq,
            start=self.start,
            layer="mount",
            unique=self.seq,
            opcode=opcode,
            nodeid=nodeid,
            uid=0,
            gid=0,
            pid=1,
            request=request[:REQUEST_HEAD],
            request_len=len(request),
            reply=None if reply is None else reply[:REPLY_HEAD],
            reply_len=0 if reply is None else len(reply),
            error=error,
            sent_ns=1000,
            replied_ns=None if error is None else 1000 + int(microseconds * 1000),
            note=note,
        )

    def entry(self, opcode: Opcode, parent: int, asked: Any, nodeid: int, mode: int = 0o100644) -> Exchange:
        """A request that leads to a node."""
        found = wire.EntryOut(nodeid=nodeid, attr=wire.Attr(mode=mode, nlink=1))
        made = opcode in (Opcode.CREATE, Opcode.TMPFILE)
        return self.exchange(opcode, parent, asked, wire.CreateOut(entry=found) if made else found)
