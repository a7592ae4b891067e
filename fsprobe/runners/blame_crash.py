"""Which operation a crash is the fault of.

Owns the rules for the death of a daemon in the middle of a check; knows nothing of how it was noticed.
"""

from __future__ import annotations

from collections.abc import Sequence

from fsprobe.checks.outcome import Outcome
from fsprobe.diagnose.operations import OPERATIONS, operation_name
from fsprobe.trace.exchange import Exchange


def found_before(outcome: Outcome | None) -> bool:
    """Whether a check had found what it looked for when the daemon died: then that happened in tidying up.

    What a check meets of the death itself comes as an error of a call, or as a reply that never comes.
    """
    return outcome is not None and outcome.kind == "finding"


def crash_blame(declared: str, open_op: str, exchanges: Sequence[Exchange]) -> str:
    """The operation that a daemon died of.

    open_op: what it had not answered, "" where that is not known. A request that is due no answer (FORGET, INTERRUPT)
    is never open: in a check about it, it has the blame where nothing sent after it was answered.
    """
    row = OPERATIONS.get(declared)
    places = [place for place, exchange in enumerate(exchanges) if operation_name(exchange.opcode) == declared]
    if row is not None and not row.replies and places:
        after = exchanges[places[-1] + 1 :]
        if all(exchange.reply is None for exchange in after):
            return declared
    return open_op or declared
