"""Proof that checks can fail: each is asked under one seeded fault at a time, and has to turn red.

Owns what counts as red and the proof of a pair; how a check is asked with and without a fault is `proving`'s. Knows
nothing of which targets are sound, that is the caller's word.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fsprobe.checks.check import Check, Level
from fsprobe.config.target import Target
from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Verdict
from fsprobe.runners.proving import SOUND, Bench

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
                    proof = _proof(bench, pair)
                    if pair not in last or proof.verdict is not None:
                        last[pair] = proof
    return [last[pair] for pair in todo]


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


def _proof(bench: Bench, pair: Pair) -> Proof:
    """Ask the check as the target is, then under the fault."""
    began = time.monotonic()
    sound = bench.ask_sound(pair.check)
    if sound.verdict not in SOUND:
        words = sound.reason or sound.observed
        return Proof(pair, bench.target.name, sound.verdict, None, words, False, time.monotonic() - began)
    hurt = bench.ask_hurt(pair.check, pair.killer)
    if hurt.verdict is Verdict.SKIP:  # the fault hit what only prepares the question
        hurt = bench.ask_from_start(pair.check, pair.killer)
    red = is_red(pair.check, pair.killer, sound, hurt)
    words = hurt.observed or hurt.reason
    return Proof(pair, bench.target.name, sound.verdict, hurt.verdict, words, red, time.monotonic() - began)
