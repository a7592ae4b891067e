"""One line for an exchange, as strace has one for a system call.

Owns how a line is put together; what is shown of a body is in `arguments` and `answers`. Only printable
characters come out, whatever the names hold.
"""

from __future__ import annotations

from collections.abc import Iterable

from fsprobe import wire
from fsprobe.results.errnos import errno_name
from fsprobe.trace.answers import answer
from fsprobe.trace.arguments import arguments
from fsprobe.trace.exchange import Exchange
from fsprobe.trace.paths import NodePaths
from fsprobe.trace.text import duration, quote, safe
from fsprobe.wire import Opcode, PeerError, opcode_name

# Requests about no node: the kernel puts 0 or the root there.
_NO_NODE = frozenset(
    {Opcode.INIT, Opcode.DESTROY, Opcode.INTERRUPT, Opcode.BATCH_FORGET, Opcode.CUSE_INIT}
)
# INTERRUPT is answered only by a daemon that does not know it, or wants it again.
_OFTEN_UNANSWERED = wire.NO_REPLY | {Opcode.INTERRUPT}
_IN_DIRECTORY = frozenset(
    {
        Opcode.LOOKUP,
        Opcode.SYMLINK,
        Opcode.MKNOD,
        Opcode.MKDIR,
        Opcode.UNLINK,
        Opcode.RMDIR,
        Opcode.RENAME,
        Opcode.RENAME2,
        Opcode.LINK,
        Opcode.CREATE,
        Opcode.TMPFILE,
    }
)


class Describer:
    """Lines for a recording. It must see the exchanges in order to know paths and what INIT agreed on."""

    def __init__(self) -> None:
        self.paths = NodePaths()
        self._start: int | None = None
        self._minor = wire.PROTOCOL_MINOR
        self._setxattr_ext = False

    def feed(self, exchange: Exchange) -> None:
        """Learn from an exchange, after it was described."""
        if exchange.start != self._start:
            self._start = exchange.start
            self._minor, self._setxattr_ext = wire.PROTOCOL_MINOR, False
        self.paths.feed(exchange)
        if exchange.opcode == Opcode.INIT and exchange.error == 0 and exchange.reply:
            try:
                asked = wire.decode_request(exchange.request, partial=True).body
                agreed = wire.negotiate(asked, wire.decode_reply(exchange.reply, Opcode.INIT, partial=True).body)
            except PeerError:
                return
            self._minor, self._setxattr_ext = agreed.minor, agreed.setxattr_ext

    def line(self, exchange: Exchange) -> str:
        """`LOOKUP /dir/ "name" → ENOENT 35 µs`."""
        return describe(exchange, self.paths, self._minor, self._setxattr_ext)

    def request(self, exchange: Exchange) -> str:
        """The part of `line` before the arrow."""
        return describe_request(exchange, self.paths, self._minor, self._setxattr_ext)

    def reply(self, exchange: Exchange) -> str:
        """The part of `line` from the arrow on, without the time it took; "" where no reply is due."""
        return describe_reply(exchange, self._minor, self._setxattr_ext)

    def subjects(self, exchange: Exchange) -> tuple[bytes | None, bytes | None]:
        """The path that a request is about, and that of its second name (RENAME, LINK) where it has one.

        None where it is not known, or the request is about no node.
        """
        if exchange.opcode in _NO_NODE:
            return None, None
        here = self.paths.path(exchange.nodeid)
        try:
            body = wire.decode_request(exchange.request, self._minor, self._setxattr_ext, partial=True).body
        except PeerError:
            return here, None
        if isinstance(body, wire.Rename | wire.Rename2):
            return _below(here, body.oldname), _below(self.paths.path(body.newdir), body.newname)
        if isinstance(body, wire.Link):
            return _below(here, body.newname), self.paths.path(body.oldnodeid)
        if exchange.opcode in _IN_DIRECTORY:
            return _below(here, getattr(body, "name", b"")), None
        return here, None

    def lines(self, exchanges: Iterable[Exchange]) -> list[str]:
        """A line for each of the exchanges, which are learnt from on the way."""
        found = []
        for exchange in exchanges:
            found.append(self.line(exchange))
            self.feed(exchange)
        return found


def _below(directory: bytes | None, name: bytes) -> bytes | None:
    return None if directory is None else directory.rstrip(b"/") + b"/" + name


def describe(
    exchange: Exchange,
    paths: NodePaths | None = None,
    minor: int = wire.PROTOCOL_MINOR,
    setxattr_ext: bool = False,
) -> str:
    """One line for one exchange; without paths nodes are shown by number."""
    words = [describe_request(exchange, paths, minor, setxattr_ext)]
    words.append(describe_reply(exchange, minor, setxattr_ext))
    latency = exchange.latency_us
    if latency is not None and exchange.opcode not in wire.NO_REPLY:
        words.append(duration(latency))
    if exchange.note:
        words.append(f"[{safe(exchange.note.encode('utf-8', 'surrogateescape'))}]")
    return " ".join(word for word in words if word)


def describe_request(
    exchange: Exchange,
    paths: NodePaths | None = None,
    minor: int = wire.PROTOCOL_MINOR,
    setxattr_ext: bool = False,
) -> str:
    """The operation, where, and its arguments: `WRITE /a fh=3 offset=0 size=5 "hello"`."""
    paths = paths or NodePaths()
    words = [opcode_name(exchange.opcode)]
    try:
        body = wire.decode_request(exchange.request, minor, setxattr_ext, partial=True).body
    except PeerError as error:
        return " ".join([*words, where(exchange.nodeid, paths), f"(malformed: {error})"])
    if exchange.opcode not in _NO_NODE:
        words.append(where(exchange.nodeid, paths, directory=exchange.opcode in _IN_DIRECTORY))
    if isinstance(body, wire.Link):
        words += [quote(body.newname), f"to={where(body.oldnodeid, paths)}"]
    else:
        words += arguments(body)
    if isinstance(body, wire.Rename | wire.Rename2):
        words.insert(3, f"to {where(body.newdir, paths, directory=True)} {quote(body.newname)}")
    if isinstance(body, wire.CopyFileRangeIn):
        words.append(f"to={where(body.nodeid_out, paths)}")
    return " ".join(words)


def describe_reply(
    exchange: Exchange, minor: int = wire.PROTOCOL_MINOR, setxattr_ext: bool = False
) -> str:
    """What came back: `→ ENOENT`, `→ fh=3`, `→ no reply`; nothing where no reply is due."""
    if exchange.reply is None or exchange.error is None:
        return "" if exchange.opcode in _OFTEN_UNANSWERED else "→ no reply"
    if exchange.error:
        return f"→ {errno_name(exchange.error)}"
    try:
        asked = wire.decode_request(exchange.request, minor, setxattr_ext, partial=True).body
        body = wire.decode_reply(exchange.reply, exchange.opcode, minor, request=asked, partial=True).body
    except PeerError as error:
        return f"→ malformed: {error}"
    head = len(exchange.reply) - wire.OUT_HEADER
    return "→ " + answer(body, max(exchange.reply_len - wire.OUT_HEADER, head), head)


def where(nodeid: int, paths: NodePaths, *, directory: bool = False) -> str:
    """A node's path in printable characters, or its number where no path is known.

    A path with a space is quoted, so that no name can pass for the rest of the line.
    """
    path = paths.path(nodeid)
    if path is None:
        return f"node {nodeid}"
    if directory and path != b"/":
        path += b"/"
    text = quote(path, shown=len(path)) if b" " in path else safe(path)
    return text + (" (deleted)" if paths.deleted(nodeid) else "")
