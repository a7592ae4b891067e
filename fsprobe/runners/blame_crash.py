"""Which operation a crash is the fault of.

Owns the rules for the death of a daemon in the middle of a check; knows nothing of how it was noticed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fsprobe.checks.outcome import Outcome
from fsprobe.diagnose.operations import OPERATIONS, operation_name
from fsprobe.results.records import Incident
from fsprobe.trace.exchange import Exchange

# Their replies begin with the nodeid of what they found or made.
_NAMING = frozenset({"LOOKUP", "SYMLINK", "MKNOD", "MKDIR", "LINK", "CREATE", "TMPFILE"})

# What is asked while a check's nodes are given back and its files removed.
_TIDYING = frozenset({
    "", "FORGET", "BATCH_FORGET", "RELEASE", "RELEASEDIR", "UNLINK", "RMDIR", "LOOKUP", "GETATTR", "OPENDIR", "READDIR",
})  # fmt: skip


def found_before(outcome: Outcome | None, open_op: str) -> bool:
    """Whether a check had found what it looked for when the daemon died in tidying up.

    What a check meets of the death itself comes as an error of a call, or as a reply that never comes.
    """
    return outcome is not None and outcome.kind == "finding" and open_op in _TIDYING


def crash_blame(declared: str, incident: Incident, exchanges: Sequence[Exchange]) -> str:
    """The operation that a daemon died of.

    A node that the daemon itself does not know is the fault of the reply that named it, where its library says so. A
    request that is due no answer (FORGET, INTERRUPT) is never open: in a check about it, it has the blame where
    nothing sent after it was answered.
    """
    culprit = _who_named(_unknown_node(incident.evidence), exchanges)
    if culprit:
        return culprit
    row = OPERATIONS.get(declared)
    places = [place for place, exchange in enumerate(exchanges) if operation_name(exchange.opcode) == declared]
    if row is not None and not row.replies and places:
        after = exchanges[places[-1] + 1 :]
        if all(exchange.reply is None for exchange in after):
            return declared
    return incident.opcode or declared


# lib/fuse.c of libfuse 2 and 3, before it aborts.
_NOT_FOUND = re.compile(r"fuse internal error: node (\d+) not found")


def _unknown_node(words: Sequence[str]) -> int:
    """The nodeid that libfuse says it never gave out, 0 where it says no such thing."""
    found = [match for line in words if (match := _NOT_FOUND.search(line))]
    return int(found[-1][1]) if found else 0


def _who_named(nodeid: int, exchanges: Sequence[Exchange]) -> str:
    """The operation whose reply first named a node, "" where none did."""
    for exchange in exchanges if nodeid else ():
        names = operation_name(exchange.opcode) in _NAMING and exchange.error == 0 and exchange.reply
        if names and int.from_bytes((exchange.reply or b"")[16:24], "little") == nodeid:
            return operation_name(exchange.opcode)
    return ""
