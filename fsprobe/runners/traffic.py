"""The exchanges of a whole run, as they come: paths of nodeids, counts and latencies, and one-line descriptions.

Owns feeding them, once each and in order; knows nothing of checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fsprobe.trace.describe import describe
from fsprobe.trace.exchange import Exchange
from fsprobe.trace.paths import NodePaths
from fsprobe.trace.stats import Stats
from fsprobe.wire import opcode_name


class Traffic:
    """Every start of the daemon has nodeids of its own; counts go on over all of them."""

    def __init__(self) -> None:
        self._paths = NodePaths()
        self._stats = Stats()

    def new_start(self) -> None:
        """Forget the nodeids of the daemon before."""
        self._paths = NodePaths()

    def feed(self, exchanges: Sequence[Exchange]) -> None:
        """Take in what was recorded since the last call."""
        for exchange in exchanges:
            self._paths.feed(exchange)
            self._stats.feed(exchange)

    def describe(self, exchange: Exchange) -> str:
        """One line of text, safe for any terminal."""
        return describe(exchange, self._paths)

    def summary(self) -> dict[str, dict[str, Any]]:
        """Counts and latencies by operation name."""
        return self._stats.summary()

    @staticmethod
    def unanswered(exchanges: Sequence[Exchange]) -> str:
        """The operation that was open when the daemon ended, else the last one; "" where nothing was seen."""
        for exchange in exchanges:
            if exchange.reply is None and exchange.note:
                return opcode_name(exchange.opcode)
        return opcode_name(exchanges[-1].opcode) if exchanges else ""
