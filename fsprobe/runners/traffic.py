"""The exchanges of a whole run, as they come: counts, latencies, and one-line descriptions.

Owns feeding them, once each and in order; knows nothing of checks.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fsprobe.trace.describe import Describer
from fsprobe.trace.exchange import Exchange
from fsprobe.trace.stats import Tally
from fsprobe.trace.timeline import Timeline
from fsprobe.wire import opcode_name

_OURS = "answered by fsprobe"  # how the relay's notes of such exchanges begin

_FLOOD = 1000
"""More requests of one kind than any check needs for anything but data: 64 MiB in pieces of 64 KiB."""


class Traffic:
    """What passed. Paths are learnt as late as possible: a line shows the names as they were at its time."""

    def __init__(self) -> None:
        self._describer = Describer()
        self._tally = Tally()
        self._timeline = Timeline()
        self._unlearnt: deque[Exchange] = deque()

    def feed(self, exchanges: Sequence[Exchange], check: str = "") -> None:
        """Take in what was recorded since the last call. check: the id of the check that caused it, if one did."""
        self._learn_until(None)
        for exchange in exchanges:
            self._tally.add(exchange)
            self._timeline.add(exchange, check)
        self._unlearnt.extend(exchanges)

    def describe(self, exchange: Exchange) -> str:
        """One line of text, safe for any terminal, for an exchange of the last call of `feed`, in order."""
        self._learn_until(exchange.seq)
        return self._describer.line(exchange)

    def _learn_until(self, seq: int | None) -> None:
        while self._unlearnt and (seq is None or self._unlearnt[0].seq < seq):
            self._describer.feed(self._unlearnt.popleft())

    @classmethod
    def concerned(cls, exchanges: Sequence[Exchange], kind: str) -> str:
        """The operation that an incident of this kind concerns, "" where the traffic does not tell."""
        found = cls.unanswered(exchanges, else_last=kind == "crash")
        return found or (cls.flood(exchanges) if kind == "stuck" else "")

    @staticmethod
    def flood(exchanges: Sequence[Exchange]) -> str:
        """The operation that makes up most of what was asked, "" where none does: a caller goes round in it."""
        (op, times), *_ = [*Counter(exchange.opcode for exchange in exchanges).most_common(1), (0, 0)]
        return opcode_name(op) if times > max(_FLOOD, len(exchanges) / 2) else ""

    def summary(self) -> dict[str, dict[str, Any]]:
        """Counts and latencies by operation name."""
        return {name: asdict(stats) for name, stats in self._tally.stats().items()}

    def timeline(self) -> dict[str, Any]:
        """Entries of the document: `timeline`, where anything passed at all."""
        return {"timeline": self._timeline.document()} if self._timeline.seen else {}

    @staticmethod
    def unanswered(exchanges: Sequence[Exchange], *, else_last: bool = True) -> str:
        """The operation that was open when the daemon ended, else the last one; "" where nothing was seen.

        Not one that fsprobe had answered in its place long before.
        """
        asked = [exchange for exchange in exchanges if not exchange.note.startswith(_OURS)]
        for exchange in asked:
            if exchange.reply is None and exchange.note:
                return opcode_name(exchange.opcode)
        return opcode_name(asked[-1].opcode) if asked and else_last else ""
