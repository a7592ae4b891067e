"""What is told of a check where the daemon keeps its device: by its callers' places in the kernel, and by fusectl.

Owns making of these what the relay would tell, the open requests and the operation that a daemon died in; draws no
other conclusions. What cannot be told stays "".
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fsprobe.checks.outcome import Outcome
from fsprobe.results.records import Incident
from fsprobe.runners import standing_scene
from fsprobe.sandbox import callers
from fsprobe.sandbox.waiting import Caller


@dataclass(frozen=True, slots=True)
class Seen:
    """about: what identifies the wait. opened: open requests as the relay would tell them, the check's own first."""

    about: object
    op: str
    opened: tuple[dict[str, Any], ...]
    may_be_lost: bool


def look(told: Mapping[str, Any], daemons: Sequence[int], age: float) -> Seen | None:
    """None where nobody waits for the daemon.

    told: the sandbox's answer to `waiting`: the threads of the check and of the daemon that wait at a FUSE mount, and
    how many requests of this one are open (None where nobody says so). daemons: the daemon's processes.
    """
    waiting = [Caller(**one) for one in told["callers"]]
    mine = [one for one in waiting if one.pid not in daemons and one.connection in (told["connection"], -1)]
    if not mine:
        return None
    own = [one for one in waiting if one.pid in daemons and one.connection == told["connection"]]
    unsure = [one for one in waiting if one.pid in daemons and one.connection < 0]
    # Nobody else sees this mount, so a request more than the check's processes wait for is the daemon's own.
    if unsure and not own and (told["waiting"] or 0) > len(mine):
        own = unsure
    first = next((one for one in mine if one.op not in standing_scene.NOT_LOST), mine[0])
    rest = [one for one in (*mine, *own) if one is not first]
    opened = standing_scene.opened([first, *rest], None)
    opened[0] |= {"unique": 0, "name": first.op, "age": age}
    lost = first.op not in ("", *standing_scene.NOT_LOST) and first.sure
    return Seen((first.tid, first.switches, first.op), first.op, tuple(opened), lost)


def met(outcome: Outcome | None) -> str:
    """The operation that was under way when the daemon died: that of the call which was aborted.

    The kernel gives ECONNABORTED to what is open then, and ENOTCONN to what comes later (fs/fuse/dev.c).
    """
    if outcome is None or outcome.errno != errno.ECONNABORTED:
        return ""
    return callers.BY_CALL.get(outcome.call.partition("(")[0].strip(), "")


def named(incident: Incident, outcome: Outcome | None, op: str, *, seen: bool) -> Incident:
    """The incident with its operation: this one, but for a death that nobody saw the requests of.

    seen: whether the relay did. What a check is about says little then: most die in what only prepares them.
    """
    if seen or incident.kind != "crash":
        return replace(incident, opcode=op)
    name = met(outcome)
    how = f"told by the call that was aborted, {outcome.call}" if name and outcome else "not known"
    line = f"the operation is {how}: without the relay requests are not seen"
    return replace(incident, opcode=name, proven=False, evidence=(*incident.evidence, line))
