"""When which operation was asked, and how long its answer took: a bounded picture of all traffic of a run.

Owns which exchanges stay in the picture; knows nothing of drawing. A run has from thousands to millions of them, so
it keeps, in this order: the first ones that got no answer, or one that the relay had to say something about; the
slowest; and of the others every n-th, n doubling whenever the picture is full. The same traffic gives the same
picture.
"""

from __future__ import annotations

import heapq
from typing import Any

from fsprobe import wire
from fsprobe.results.errnos import errno_name
from fsprobe.trace.exchange import Exchange
from fsprobe.trace.stats import OK
from fsprobe.wire import Opcode, opcode_name

TELLING, SLOWEST, OTHERS = 1000, 500, 3500
"""At most this many of each kind: 5,000 together, about 200 KiB of JSON."""

COLUMNS = ("at_us", "layer", "op", "reply", "us", "check")
RULE = "all without an answer or with a note, the slowest, and every n-th of the others"

_SILENT = wire.NO_REPLY | {Opcode.INTERRUPT}

Row = tuple[int, str, str, str | None, float | None, int | None]
"""Of COLUMNS. at_us: since the first request. reply: "ok", the errno's name, None where none came. us: latency, None
where there was no reply. check: index into the list of checks, None between checks."""


class Timeline:
    """Takes in exchanges as they come, and forgets most of them."""

    def __init__(self) -> None:
        self.seen = 0
        self.every = 1
        self._first_ns = 0
        self._checks: dict[str, int] = {}
        self._telling: dict[int, Row] = {}
        self._slow: list[tuple[float, int, Row]] = []
        self._others: list[tuple[int, Row]] = []

    def add(self, exchange: Exchange, check: str = "") -> None:
        """Take one exchange in. check: the id of the check that caused it, "" between checks."""
        if not self.seen:
            self._first_ns = exchange.sent_ns
        number, self.seen = self.seen, self.seen + 1
        telling = bool(exchange.note) or (exchange.reply is None and exchange.opcode not in _SILENT)
        if telling and len(self._telling) < TELLING:
            self._telling[exchange.seq] = self._row(exchange, check)
            return
        latency = exchange.latency_us
        if latency is not None and (len(self._slow) < SLOWEST or latency > self._slow[0][0]):
            entry = (latency, exchange.seq, self._row(exchange, check))
            heapq.heappush(self._slow, entry)
            if len(self._slow) > SLOWEST:
                heapq.heappop(self._slow)
        if number % self.every == 0:
            self._others.append((exchange.seq, self._row(exchange, check)))
            if len(self._others) > OTHERS:
                self.every *= 2
                self._others = [(seq, row) for index, (seq, row) in enumerate(self._others) if index % 2 == 0]

    def document(self) -> dict[str, Any]:
        """The entry `timeline` of the result: rows of `columns`, in the order in which the requests were read."""
        kept = {**dict(self._others), **{seq: row for _, seq, row in self._slow}, **self._telling}
        rows = [kept[seq] for seq in sorted(kept)]
        return {
            "rule": RULE, "seen": self.seen, "kept": len(rows), "every": self.every, "columns": COLUMNS,
            "checks": list(self._checks), "exchanges": rows,
        }  # fmt: skip

    def _row(self, exchange: Exchange, check: str) -> Row:
        at = max(0, (exchange.sent_ns - self._first_ns) // 1000)
        reply = None if exchange.error is None else errno_name(exchange.error) or OK
        latency = exchange.latency_us
        number = self._checks.setdefault(check, len(self._checks)) if check else None
        us = None if latency is None else round(latency, 1)
        return (at, exchange.layer, opcode_name(exchange.opcode), reply, us, number)
