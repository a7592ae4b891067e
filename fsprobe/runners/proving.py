"""Asking one check with and without a fault, on a daemon that is kept as long as nothing has harmed it.

Owns one layer of one target in a sandbox of its own, and when the daemon has to be started anew; knows nothing of
what counts as red. A fault is a rule of the relay, or the name of a built-in target that shows a defect.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

from fsprobe.checks.check import Check
from fsprobe.config.built_in import is_built_in
from fsprobe.config.target import Target, resolve
from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.relay.client import Sandbox
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Verdict
from fsprobe.runners.options import RunOptions
from fsprobe.runners.target_run import StartError, TargetRun, Unready
from fsprobe.runners.traffic import Traffic
from fsprobe.runners.verdict import judge
from fsprobe.trace.exchange import Exchange

# Kinds after which a request stays open.
_LEAVE_OPEN = frozenset({"drop", "unique", "positive-errno", "length"})

SOUND = frozenset({Verdict.PASS, Verdict.INFO})


def leaves_traces(killer: str) -> bool:
    """Whether the kernel remembers this fault for the whole connection: an ENOSYS that is never asked again."""
    op, _, fault = killer.partition(":")
    return "=ENOSYS" in fault and (op not in OPERATIONS or OPERATIONS[op].enosys.sticky)


def may_poison(killer: str) -> bool:
    """Whether the kernel may hold more than the check's own files against the daemon afterwards: an inode whose type
    has changed is bad for good (fs/fuse/inode.c fuse_stale_inode)."""
    kind = killer.partition(":")[2]
    return kind.startswith(("attr.", "nodeid", "generation", "stale", "neighbour"))


class Bench:
    """One layer of one target, started and kept. Leaving the `with` ends everything.

    hardy: a worker that came back from a hang, because the relay answered in the daemon's place, is asked on; else
    all is started anew. exchanges: those of the last question.
    """

    def __init__(
        self, target: Target, layer: str, suites: tuple[str, ...], timeout: float, cpu: int, *, hardy: bool = False,
        start_timeout: float = 10.0,
    ) -> None:  # fmt: skip
        self.target, self.layer, self.suites, self.cpu, self.hardy = target, layer, suites, cpu, hardy
        self.options = RunOptions(target=target, timeout=timeout, start_timeout=start_timeout)
        self.exchanges: list[Exchange] = []
        self._sound: dict[str, CheckResult] = {}
        self._fresh = False
        self._suspect = False

    def __enter__(self) -> Self:
        sandbox = Sandbox.open([os.getcwd(), *self.target.argv])
        self.life = TargetRun(self.options, self.target, sandbox, uuid.uuid4().hex[:8])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.life.part_worker()
            self.life.stop()
        finally:
            self.life.sandbox.close()

    def know(self, sound: Mapping[str, CheckResult]) -> None:
        """Results without a fault that were found before, on another daemon of this target."""
        self._sound |= sound

    def ask(self, check: Check) -> CheckResult:
        """One question as the target is, whatever it comes to."""
        self._start_if_needed()
        return self._ask(check)

    def ask_sound(self, check: Check) -> CheckResult:
        """The result without a fault, asked once, and again where an earlier fault may have poisoned the mount: what
        that left in the kernel is no excuse, so then on a fresh one."""
        self._start_if_needed()
        before = self._sound.get(check.id)
        if before is not None and (before.verdict not in SOUND or not self._suspect):
            return before
        result = self._ask(check)
        if result.verdict not in SOUND and not self._fresh:
            self._restart()
            result = self._ask(check)
        self._start_if_needed()
        self._sound[check.id] = result
        self._suspect = False
        return result

    def ask_hurt(self, check: Check, killer: str, patience: float | None = None) -> CheckResult:
        """The result with the fault, which comes only now where it can.

        patience: seconds after which a request counts as unanswered here, where that is another time than usually.
        """
        if is_built_in(killer) or killer.startswith("INIT:"):
            return self.ask_from_start(check, killer)
        self._start_if_needed()
        self._fresh = False
        self._suspect = self._suspect or may_poison(killer)
        self.life.sandbox.call("rules", rules=[killer])
        if patience is not None and self.life.asking is not None:
            self.life.asking.timeout = patience
        result = self._ask(check)
        if self.life.asking is not None:
            self.life.asking.timeout = self.options.timeout
            self.life.sandbox.call("rules", rules=[])
            self._answer_what_is_open(killer)
        if leaves_traces(killer):
            self.life.stop()
        return result

    def _answer_what_is_open(self, killer: str) -> None:
        """A reply that was spoilt may leave its request open though its caller went on: the next check would be told
        of that one."""
        if self.hardy and killer.partition(":")[2].split(",")[0] in _LEAVE_OPEN:
            opened = [request["unique"] for request in self.life.sandbox.call("status")["open"]]
            if opened:
                self.life.sandbox.call("answer", uniques=opened, error=errno.EIO)

    def ask_from_start(self, check: Check, killer: str) -> CheckResult:
        """The result with a fault that is there before the first request, as with `--inject`: where the place of
        the checks cannot be made because of it, they do without."""
        self.life.stop()
        defective = is_built_in(killer)
        self.life.target = resolve(killer) if defective else self.target
        try:
            self._open([] if defective else [killer])
            return self._ask(check)
        except Unready as unready:
            return judge(check, None, [], unready.incident, reproduce="")
        except StartError as error:
            return replace(judge(check, None, [], None, reproduce=""), verdict=Verdict.FAIL, observed=str(error))
        finally:
            self.life.target = self.target
            self.life.stop()

    def _ask(self, check: Check) -> CheckResult:
        """One question; after an incident, or the end of the connection, the daemon is stopped."""
        asking = self.life.asking
        assert asking is not None
        self.life.sandbox.exchanges()
        outcome, incident = asking.ask(check)
        self.exchanges = self.life.sandbox.exchanges()
        if incident is not None and not incident.opcode:
            incident = replace(incident, opcode=Traffic.unanswered(self.exchanges))
        if incident is not None and incident.kind == "hang" and self.hardy:
            self._suspect, self._fresh = True, False  # where the worker is lost, the next question says so
        elif incident is not None or check.op == "DESTROY":
            self.life.stop()
        return judge(check, outcome, self.exchanges, incident, reproduce="")

    def _start_if_needed(self) -> None:
        if self.life.asking is None:
            self._restart()

    def _restart(self) -> None:
        self.life.stop()
        self._open([])

    def _open(self, rules: list[str]) -> None:
        self.life.options = replace(self.options, inject=tuple(rules))
        self.life.start(self.layer)
        self.life.open_worker(self.layer, self.suites, 1, ())
        cpus = sorted(os.sched_getaffinity(0))
        self.life.sandbox.call("affinity", cpus=[cpus[self.cpu % len(cpus)]])
        self._fresh, self._suspect = True, False
