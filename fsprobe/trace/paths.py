"""Which path a nodeid stands for, learnt from the traffic.

Owns names and places; knows nothing of what the daemon keeps. It is fed every exchange in order; a new
start of the daemon has new nodeids. What was never seen passing (a mount traced from the middle, entries
behind the recorded head of a READDIRPLUS) is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fsprobe import wire
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import Opcode, PeerError

RENAME_EXCHANGE = 2
_TMPFILE_NAME = b"(unnamed)"

# Operations that change what is known; a failed LOOKUP does too.
_ENTRIES = frozenset(
    {Opcode.LOOKUP, Opcode.SYMLINK, Opcode.MKNOD, Opcode.MKDIR, Opcode.LINK, Opcode.CREATE, Opcode.TMPFILE}
)
_FOLLOWED = frozenset(
    {
        *_ENTRIES,
        Opcode.INIT,
        Opcode.READDIRPLUS,
        Opcode.UNLINK,
        Opcode.RMDIR,
        Opcode.RENAME,
        Opcode.RENAME2,
        Opcode.FORGET,
        Opcode.BATCH_FORGET,
    }
)


@dataclass(slots=True)
class _Node:
    """What is known of a node: the names that lead to it (the latest last), the last one that did, lookups."""

    places: dict[tuple[int, bytes], None] = field(default_factory=dict)
    last: tuple[int, bytes] | None = None
    lookups: int = 0


class NodePaths:
    """Paths of nodeids, from the mount's root."""

    def __init__(self) -> None:
        self._start: int | None = None
        self._reset()

    def _reset(self) -> None:
        self._nodes: dict[int, _Node] = {}
        self._names: dict[tuple[int, bytes], int] = {}
        self._minor = wire.PROTOCOL_MINOR

    def path(self, nodeid: int) -> bytes | None:
        """`b"/dir/name"`, `b"/"` for the root, None where it is not known. Of an unlinked node, its last."""
        parts: list[bytes] = []
        seen: set[int] = set()
        while nodeid != wire.ROOT_ID:
            node = self._nodes.get(nodeid)
            if node is None or nodeid in seen:
                return None
            seen.add(nodeid)
            place = next(reversed(node.places), node.last)
            if place is None:
                return None
            nodeid, name = place
            parts.append(name)
        return b"/" + b"/".join(reversed(parts))

    def deleted(self, nodeid: int) -> bool:
        """Whether the node has no name any more (but is still open or known to the kernel)."""
        node = self._nodes.get(nodeid)
        return node is not None and not node.places

    def child(self, parent: int, name: bytes) -> int | None:
        """The nodeid that a name leads to, None where that is not known."""
        return self._names.get((parent, name))

    def feed(self, exchange: Exchange) -> None:
        """Learn from one exchange. One that makes no sense is passed over."""
        if exchange.start != self._start:
            self._start = exchange.start
            self._reset()
        if exchange.opcode not in _FOLLOWED:
            return
        try:
            self._learn(exchange)
        except PeerError:
            return

    def _learn(self, exchange: Exchange) -> None:
        opcode = exchange.opcode
        if opcode == Opcode.INIT:
            self._init(exchange)
            return
        body = wire.decode_request(exchange.request, self._minor, partial=True).body
        if opcode in wire.NO_REPLY:
            for nodeid, count in forgotten(exchange.nodeid, body):
                self._forget(nodeid, count)
            return
        parent = exchange.nodeid
        if opcode == Opcode.LOOKUP and exchange.error == 2:  # ENOENT
            self._drop((parent, body.name))
        if exchange.error != 0 or exchange.reply is None:
            return
        if opcode in (Opcode.UNLINK, Opcode.RMDIR):
            self._drop((parent, body.name))
        elif opcode in (Opcode.RENAME, Opcode.RENAME2):
            exchanged = bool(getattr(body, "flags", 0) & RENAME_EXCHANGE)
            self._rename((parent, body.oldname), (body.newdir, body.newname), exchanged)
        else:
            reply = wire.decode_reply(exchange.reply, opcode, self._minor, partial=True)
            self._entries(exchange, body, reply.body)

    def _entries(self, exchange: Exchange, body: object, answer: object) -> None:
        parent = exchange.nodeid
        if isinstance(answer, wire.DirentPlusList):
            for one in answer.entries:
                if one.entry.nodeid and one.dirent.name not in (b".", b".."):
                    self._found((parent, one.dirent.name), one.entry.nodeid)
            return
        entry = answer.entry if isinstance(answer, wire.CreateOut) else answer
        if not isinstance(entry, wire.EntryOut):
            return
        if exchange.opcode == Opcode.TMPFILE:
            node = self._nodes.setdefault(entry.nodeid, _Node())
            node.last = (parent, _TMPFILE_NAME)
            node.lookups += 1
            return
        name = bytes(body.newname if isinstance(body, wire.Link) else getattr(body, "name", b""))
        if entry.nodeid == 0:
            self._drop((parent, name))
        elif name not in (b".", b".."):
            self._found((parent, name), entry.nodeid)

    def _init(self, exchange: Exchange) -> None:
        if exchange.reply is None or exchange.error:
            return
        reply = wire.decode_reply(exchange.reply, Opcode.INIT, partial=True).body
        self._reset()
        self._minor = min(int(reply.minor), wire.PROTOCOL_MINOR)

    def _found(self, place: tuple[int, bytes], nodeid: int) -> None:
        if nodeid == wire.ROOT_ID:
            return
        if self._names.get(place) != nodeid:
            self._drop(place)
        node = self._nodes.setdefault(nodeid, _Node())
        node.lookups += 1
        self._put(place, nodeid, node)

    def _put(self, place: tuple[int, bytes], nodeid: int, node: _Node) -> None:
        self._names[place] = nodeid
        node.places.pop(place, None)
        node.places[place] = None
        node.last = place

    def _drop(self, place: tuple[int, bytes]) -> int | None:
        nodeid = self._names.pop(place, None)
        if nodeid is not None:
            self._nodes[nodeid].places.pop(place, None)
        return nodeid

    def _rename(self, old: tuple[int, bytes], new: tuple[int, bytes], exchange: bool) -> None:
        if old == new or (self._names.get(old) is not None and self._names.get(old) == self._names.get(new)):
            return  # two names of one file: rename(2) does nothing
        moved = self._drop(old)
        replaced = self._drop(new)
        if moved is not None:
            self._put(new, moved, self._nodes[moved])
        if exchange and replaced is not None:
            self._put(old, replaced, self._nodes[replaced])

    def _forget(self, nodeid: int, count: int) -> None:
        node = self._nodes.get(nodeid)
        if node is None:
            return
        node.lookups -= count
        if node.lookups <= 0:
            for place in node.places:
                self._names.pop(place, None)
            del self._nodes[nodeid]


def forgotten(nodeid: int, body: object) -> list[tuple[int, int]]:
    """The nodes that a FORGET or BATCH_FORGET gives back, and how many lookups of each."""
    if isinstance(body, wire.ForgetIn):
        return [(nodeid, body.nlookup)]
    if isinstance(body, wire.BatchForgetIn):
        return [(one.nodeid, one.nlookup) for one in body.forgets]
    return []
