"""Looking again and again at a daemon that owes an answer, until what it waits for is proven or time is up.

Owns what has to be remembered between two looks; the rules themselves are those of `stuck`. Knows nothing of sandboxes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsprobe.results.verdicts import Cause
from fsprobe.runners import stuck
from fsprobe.runners.stuck import Stuck

LOOKS = 3
"""So often a daemon has to be seen idle: a reply may be on its way when it is seen the first time."""
LOST = "the daemon took it and waits for the next one: its reply is lost"
_HERTZ = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Suspicion:
    """About one request at a time: the oldest that is open, or what a caller waits for.

    resting: where the daemon's threads wait when nothing is asked of it.
    """

    resting: frozenset[str] = frozenset()
    idle_seen: int = 0
    _about: object = None
    _found: Stuck | None = None
    _found_at: float = 0.0
    _since: float = 0.0
    _ticks: dict[int, int] = field(default_factory=dict)
    _ran: dict[int, float] = field(default_factory=dict)

    def forget(self) -> None:
        """The next look is the first."""
        self._about, self._found, self.idle_seen = None, None, 0

    def look(
        self, about: object, processes: Sequence[Mapping[str, Any]], opened: Sequence[Mapping[str, Any]],
        *, may_be_lost: bool,
    ) -> Stuck | None:  # fmt: skip
        """What proves that no answer can come, once it has stayed so long enough; None as long as there is hope.

        about: what identifies the request. may_be_lost: whether an idle daemon tells that it is lost.
        """
        now = time.monotonic()
        ticks = {one["tid"]: int(one.get("ticks", 0)) for process in processes for one in process["threads"]}
        if about != self._about:
            self.forget()
            self._about, self._since, self._ticks = about, now, ticks
        elapsed = max(now - self._since, 1.0 / _HERTZ)
        self._ran = {tid: (n - self._ticks.get(tid, n)) / _HERTZ / elapsed for tid, n in ticks.items()}
        self.idle_seen = self.idle_seen + 1 if may_be_lost and stuck.is_idle(processes) else 0
        if self.idle_seen >= LOOKS:
            return Stuck(Cause.LOST_REPLY, True, LOST)
        found = stuck.why(processes, opened, self.resting)
        if found != self._found:
            self._found, self._found_at = found, now
        steady = now - self._found_at >= stuck.STEADY
        return found if found is not None and found.proven and steady else None

    def guess(
        self, processes: Sequence[Mapping[str, Any]], opened: Sequence[Mapping[str, Any]]
    ) -> Stuck | None:
        """The best explanation when time is up, proven or not."""
        return stuck.why(processes, opened, self.resting, self._ran)
