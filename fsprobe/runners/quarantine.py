"""Operations that came to grief: how often, from when on they are kept from the daemon, and what was not asked then.

Owns the counting and the reasons; knows nothing of how the relay keeps them. From that time on it answers in the
daemon's place, so no verdict may be made of what a check met there, neither a good nor a bad one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from fsprobe.checks.check import Check
from fsprobe.checks.outcome import Outcome
from fsprobe.relay.pump import WITHHELD
from fsprobe.results.records import Incident
from fsprobe.runners.blame import stood_in_the_way
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import opcode_name

# After this many an operation is kept from the daemon: a hang is likely to come again, a crash may be of one kind only.
LIMITS = {"hang": 2, "stuck": 2, "crash": 6, "worker": 6}


@dataclass(slots=True)
class Quarantine:
    """withheld: operations that the daemon is not asked any more. avoided: those that no extreme check asks any more.

    A daemon that chokes on a file of 2^63 bytes only hangs in SETATTR, but not whenever it is asked that: what extreme
    checks meet is counted apart, else it would cost every other check of the operation.
    """

    withheld: set[str] = field(default_factory=set)
    avoided: set[str] = field(default_factory=set)
    _troubles: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def count(self, check: Check, incident: Incident, op: str) -> None:
        """Take note of an incident, of which this operation has the blame."""
        self._troubles[op, check.extreme] += 1
        if self._troubles[op, check.extreme] >= LIMITS[incident.kind]:
            (self.avoided if check.extreme else self.withheld).add(op)

    def refuses(self, check: Check, *, relayed: bool) -> str:
        """Why a check is not asked, "" where it is. Without the relay nobody answers in the daemon's place."""
        kept = self.withheld | self.avoided if check.extreme else self.withheld
        asked = {check.op} if relayed else {check.op, *check.also}
        return f"{min(asked & kept)} hung or crashed before" if asked & kept else ""

    @staticmethod
    def spoilt(check: Check, outcome: Outcome, exchanges: Sequence[Exchange]) -> str:
        """Why a check's outcome says nothing: the relay has answered what it needs. "" where that is not so.

        A success that was reached without it stands: the kernel asks GETXATTR by itself at every write, and goes on
        whatever it gets; and files are removed when everything has been asked.
        """
        asked = exchanges
        if outcome.kind == "ok" and "GETXATTR" not in check.also:
            asked = [one for one in exchanges if opcode_name(one.opcode) != "GETXATTR"]
        needed = stood_in_the_way(outcome, asked, WITHHELD)
        return f"it needs {needed}, which hung before" if needed else ""
