"""Proof that checks can fail: each is asked under one seeded fault at a time, and has to turn red.

Owns the order of asking (as it is, then with the fault) and what counts as red; knows nothing of which targets
are sound, that is the caller's word. A fault is a rule of the relay, or the name of a built-in target that shows
a defect. One daemon serves many faults: it is started anew only where one has left traces.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from fsprobe.checks.check import Check, Level
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

SOUND = frozenset({Verdict.PASS, Verdict.INFO})
RED = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.HANG, Verdict.CRASH})

@dataclass(frozen=True, slots=True)
class Pair:
    """A check and one of its killers."""

    check: Check
    killer: str

    def __str__(self) -> str:
        return f"{self.check.id} under {self.killer}"


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of a pair on one target.

    sound: the verdict without the fault. verdict: the one with it, None where it was not asked, because the
    check does not pass here. words: what was observed, or why it was not asked. red: the fault was seen.
    """

    pair: Pair
    target: str
    sound: Verdict
    verdict: Verdict | None
    words: str
    red: bool
    seconds: float

    def __str__(self) -> str:
        came_to = self.verdict or f"not asked, {self.sound}"
        return f"{self.pair}: {came_to} on {self.target}: {self.words}"


def pairs(checks: Sequence[Check]) -> list[Pair]:
    """Every check with each of its killers."""
    return [Pair(check, killer) for check in checks for killer in check.killers]


def prove(todo: Sequence[Pair], targets: Sequence[Target], timeout: float = 3.0, cpu: int = -1) -> list[Proof]:
    """One proof of each pair: the first that is red, on the first target that gives one, else the last.

    targets: sound ones; that no single one can be asked everything is why there are several. timeout: seconds
    after which a request counts as unanswered. cpu: the processor that all of it runs on, by its place among
    those allowed.
    """
    last: dict[Pair, Proof] = {}
    for target in targets:
        missing = [pair for pair in todo if pair not in last or not last[pair].red]
        for layer in dict.fromkeys(pair.check.layer for pair in missing):
            mine = [pair for pair in missing if pair.check.layer == layer]
            suites = tuple(dict.fromkeys(pair.check.path for pair in mine))
            with Bench(target, layer, suites, timeout, cpu) as bench:
                for pair in mine:
                    proof = bench.prove(pair)
                    if pair not in last or proof.verdict is not None:
                        last[pair] = proof
    return [last[pair] for pair in todo]


def leaves_traces(killer: str) -> bool:
    """Whether the kernel remembers this fault for the whole connection: an ENOSYS that is never asked again."""
    op, _, fault = killer.partition(":")
    return "=ENOSYS" in fault and (op not in OPERATIONS or OPERATIONS[op].enosys.sticky)


def may_poison(killer: str) -> bool:
    """Whether the kernel may hold more than the check's own files against the daemon afterwards: an inode whose type
    has changed is bad for good (fs/fuse/inode.c fuse_stale_inode)."""
    kind = killer.partition(":")[2]
    return kind.startswith(("attr.", "nodeid"))


def declines(killer: str) -> bool:
    """Whether the fault answers as a file system does that declines an optional operation."""
    op, _, fault = killer.partition(":")
    kind, _, value = fault.partition(",")[0].partition("=")
    return kind == "errno" and op in OPERATIONS and value in OPERATIONS[op].declines


def is_red(check: Check, killer: str, sound: CheckResult, hurt: CheckResult) -> bool:
    """Whether a result differs from the sound one in the way that the fault has to show."""
    if hurt.verdict is Verdict.UNSUPPORTED:
        return check.level is Level.OPTIONAL and declines(killer)
    if check.level is Level.INFO:
        return hurt.verdict in RED or hurt.observed != sound.observed
    return hurt.verdict in RED


class Bench:
    """One layer of one target, started and kept. `prove` asks; leaving the `with` ends everything."""

    def __init__(self, target: Target, layer: str, suites: tuple[str, ...], timeout: float, cpu: int) -> None:
        self.target, self.layer, self.suites, self.cpu = target, layer, suites, cpu
        self.options = RunOptions(target=target, timeout=timeout)
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
            self.life.stop()
        finally:
            self.life.sandbox.close()

    def prove(self, pair: Pair) -> Proof:
        """Ask the check as the target is, then under the fault."""
        began = time.monotonic()
        sound = self._ask_sound(pair.check)
        if sound.verdict not in SOUND:
            return self._proof(pair, sound, None, sound.reason or sound.observed, False, began)
        hurt = self._ask_hurt(pair)
        if hurt.verdict is Verdict.SKIP:  # the fault hit what only prepares the question
            hurt = self._ask_from_start(pair)
        red = is_red(pair.check, pair.killer, sound, hurt)
        return self._proof(pair, sound, hurt.verdict, hurt.observed or hurt.reason, red, began)

    def _proof(
        self, pair: Pair, sound: CheckResult, verdict: Verdict | None, words: str, red: bool, began: float
    ) -> Proof:
        return Proof(pair, self.target.name, sound.verdict, verdict, words, red, time.monotonic() - began)

    def _ask_sound(self, check: Check) -> CheckResult:
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

    def _ask_hurt(self, pair: Pair) -> CheckResult:
        """The result with the fault, which comes only now where it can."""
        if is_built_in(pair.killer) or pair.killer.startswith("INIT:"):
            return self._ask_from_start(pair)
        self._fresh = False
        self._suspect = may_poison(pair.killer)
        self.life.sandbox.call("rules", rules=[pair.killer])
        result = self._ask(pair.check)
        if self.life.asking is not None:
            self.life.sandbox.call("rules", rules=[])
        if leaves_traces(pair.killer):
            self.life.stop()
        return result

    def _ask_from_start(self, pair: Pair) -> CheckResult:
        """The result with a fault that is there before the first request, as with `--inject`: where the place of
        the checks cannot be made because of it, they do without."""
        self.life.stop()
        defective = is_built_in(pair.killer)
        self.life.target = resolve(pair.killer) if defective else self.target
        try:
            self._open([] if defective else [pair.killer])
            return self._ask(pair.check)
        except Unready as unready:
            return judge(pair.check, None, [], unready.incident, reproduce="")
        except StartError as error:
            return replace(judge(pair.check, None, [], None, reproduce=""), verdict=Verdict.FAIL, observed=str(error))
        finally:
            self.life.target = self.target
            self.life.stop()

    def _ask(self, check: Check) -> CheckResult:
        """One question; after an incident, or the end of the connection, the daemon is stopped."""
        asking = self.life.asking
        assert asking is not None
        self.life.sandbox.exchanges()
        outcome, incident = asking.ask(check)
        exchanges = self.life.sandbox.exchanges()
        if incident is not None and not incident.opcode:
            incident = replace(incident, opcode=Traffic.unanswered(exchanges))
        if incident is not None or check.op == "DESTROY":
            self.life.stop()
        return judge(check, outcome, exchanges, incident, reproduce="")

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
