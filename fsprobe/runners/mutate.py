"""The toolkit's own score on a target: faults injected one by one, which were seen, and on whom they were blamed.

Owns the run without faults, the choice of the checks that can notice a fault, and the trials; which faults there are
is `mutations`', how a check is asked `proving`'s.
"""

from __future__ import annotations

import fnmatch
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from fsprobe.checks.check import Check, Level
from fsprobe.config.target import Target
from fsprobe.errors import NothingChecked, UsageError
from fsprobe.relay.rules import seeded
from fsprobe.results.errnos import errno_name
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Verdict
from fsprobe.runners import mutations, plan
from fsprobe.runners.killers import is_red
from fsprobe.runners.mutations import LAYERS, Excluded, Fault, Seen, Served
from fsprobe.runners.options import RunOptions
from fsprobe.runners.proving import SOUND, Bench
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import NO_REPLY, opcode_name

# Checks asked about one fault: all that are about its operation, then so many others that it takes part in.
MOST_OTHERS = 40
# After so many a fault by which no answer comes at all counts as missed: each may cost a timeout.
MOST_HANGS = 4
MOST_FROM_START = 3
# A request that is held back for good is given up after this many seconds: no daemon works on it meanwhile.
PATIENCE = 0.5
# A fault may come back blamed on the other name of the same handler.
SAME = ({"READDIR", "READDIRPLUS"}, {"RENAME", "RENAME2"}, {"COPY_FILE_RANGE", "COPY_FILE_RANGE_64"})


Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class MutateOptions:
    """What `fsprobe mutate` can be told.

    quick: only the checks marked so. select: globs over check ids, any of which keeps a check. ops, kinds, layers:
    only faults of these, all where empty. seed: of faults that come by chance. timeout: seconds after which one
    request counts as unanswered. jobs: daemons side by side.
    """

    target: Target
    quick: bool = False
    select: tuple[str, ...] = ()
    ops: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    seed: int = 1
    timeout: float = 3.0
    start_timeout: float = 10.0
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one fault.

    outcome: "caught", "misblamed" or "missed". check: the first that turned red, with its verdict, the operation
    that it blames and what it observed; empty where none did. asked: how many checks were.
    """

    fault: Fault
    outcome: str
    check: str = ""
    verdict: str = ""
    blamed: str = ""
    observed: str = ""
    asked: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Known:
    """One layer without a fault: the results, and by check the operations that answered it, with their errors."""

    checks: list[Check]
    results: dict[str, CheckResult] = field(default_factory=dict)
    answered: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    cached: set[str] = field(default_factory=set)

    def sound(self) -> list[Check]:
        """The checks that pass here, those that only tell left out."""
        return [c for c in self.checks if c.level is not Level.INFO and self.results[c.id].verdict in SOUND]


@dataclass(frozen=True, slots=True)
class Score:
    """The whole outcome."""

    options: MutateOptions
    counts: dict[str, Counter[str]]
    seen: Seen
    trials: list[Trial]
    excluded: list[Excluded]
    seconds: float


Tell = Callable[[str, int, int], None]
"""Progress: what is done, how much of it, of how many."""


def run(options: MutateOptions, tell: Tell) -> Score:
    """The run without faults, then every fault.

    Raises UsageError where a filter matches nothing, StartError where the target does not start.
    """
    began = time.monotonic()
    layers = options.layers or LAYERS
    chosen = plan.make(
        RunOptions(
            options.target, suites=options.suites, select=options.select, ops=options.ops, quick=options.quick
        )
    )
    todo = {layer: chosen.layers[layer] for layer in layers if layer in chosen.layers}
    if not todo:
        raise NothingChecked("no check of the layers wire and mount is left by these options")
    suites = {layer: chosen.suites[layer] for layer in todo}
    known = _baseline(options, todo, suites, tell)
    seen = _seen(known)
    faults, excluded = mutations.faults(seen)
    faults = [fault for fault in faults if _wanted(fault, options)]
    excluded = [one for one in excluded if _wanted(one.fault, options)]
    if not faults:
        raise _no_fault(options, seen)
    trials = _trials(options, faults, known, suites, tell)
    counts = {layer: Counter(str(r.verdict) for r in one.results.values()) for layer, one in known.items()}
    return Score(options, counts, seen, trials, excluded, time.monotonic() - began)


def _wanted(fault: Fault, options: MutateOptions) -> bool:
    kind = fault.rule.partition(":")[2]
    return (not options.ops or fault.op in options.ops) and (
        not options.kinds or any(fnmatch.fnmatchcase(kind, f"{glob}*") for glob in options.kinds)
    )


def _no_fault(options: MutateOptions, seen: Seen) -> Exception:
    served = sorted({op for ops in seen.served.values() for op in ops})
    causes = (f"operations that answer here in a check that passes: {' '.join(served) or 'none'}",)
    if options.ops or options.kinds:
        return UsageError("no fault is left by --op and --kind", causes=causes, command="fsprobe list --rules")
    return NothingChecked("there is nothing to break: no check passes without a fault", causes=causes)


# -- without a fault


def _baseline(
    options: MutateOptions, todo: dict[str, list[Check]], suites: dict[str, tuple[str, ...]], tell: Tell
) -> dict[str, Known]:
    total = sum(map(len, todo.values()))
    counter = _Counter("without a fault", total, tell)

    def learn(place: int, layer: str) -> Known:
        known = Known(todo[layer])
        with _bench(options, layer, suites[layer], place) as bench:
            for check in known.checks:
                known.results[check.id] = bench.ask(check)
                _note(known, check.id, bench.exchanges)
                counter.step()
        return known

    found = _side_by_side([partial(learn, place, layer) for place, layer in enumerate(todo)], options.jobs, counter)
    return dict(zip(todo, found, strict=True))


def _bench(options: MutateOptions, layer: str, suites: tuple[str, ...], place: int) -> Bench:
    return Bench(
        options.target, layer, suites, options.timeout, place, hardy=True, start_timeout=options.start_timeout
    )


# Where a reply says for how long its name may be kept: seconds and nanoseconds (struct fuse_entry_out).
_ENTRY_VALID = (16 + 16, 16 + 32)
_OPENED = frozenset({"CREATE", "TMPFILE"})
_NEW_NAMES = frozenset({"MKDIR", "MKNOD", "SYMLINK", "LINK", "READDIRPLUS"})


def _note(known: Known, check: str, exchanges: Sequence[Exchange]) -> None:
    answered = known.answered.setdefault(check, {})
    for exchange in exchanges:
        op = opcode_name(exchange.opcode)
        if exchange.error is None and exchange.opcode not in NO_REPLY:
            continue
        answered.setdefault(op, set()).add(errno_name(exchange.error or 0))
        if exchange.error == 0 and exchange.reply and op not in known.cached and _is_kept(op, exchange.reply):
            known.cached.add(op)


def _is_kept(op: str, reply: bytes) -> bool:
    """Whether what a reply says of a node can be seen.

    AT_STATX_DONT_SYNC shows the attributes of a descriptor, or of the name just looked up, whatever their timeout; of
    another name only while that is kept; and of what was just made and opened only while they are, as the kernel asks
    for the permissions anew.
    """
    if op in _OPENED:
        return any(reply[40:48]) or any(reply[52:56])
    if op not in _NEW_NAMES:
        return True
    if op == "READDIRPLUS":
        return any(map(any, _plus_validities(reply)))
    seconds, nanoseconds = _ENTRY_VALID
    return any(reply[seconds : seconds + 8]) or any(reply[nanoseconds : nanoseconds + 4])


def _plus_validities(reply: bytes) -> Iterator[bytes]:
    """For each entry of a READDIRPLUS, for how long its name may be kept."""
    at = 16
    while at + 152 <= len(reply):  # struct fuse_direntplus before the name
        yield reply[at + 16 : at + 24] + reply[at + 32 : at + 36]
        at += (152 + int.from_bytes(reply[at + 144 : at + 148], "little") + 7) // 8 * 8


def _seen(known: dict[str, Known]) -> Seen:
    served: dict[str, dict[str, Served]] = {}
    for layer, one in known.items():
        found: dict[str, tuple[int, set[str]]] = {}
        for check in one.sound():
            for op, errors in one.answered[check.id].items():
                count, before = found.get(op, (0, set()))
                found[op] = (count + ("" in errors), before | (errors - {""} if op == check.op else set()))
        served[layer] = {
            op: Served(frozenset(errors), layer == "wire" or op in one.cached, count)
            for op, (count, errors) in sorted(found.items()) if count
        }  # fmt: skip
    return Seen(served)


# -- with faults


def _trials(
    options: MutateOptions, faults: list[Fault], known: dict[str, Known], suites: dict[str, tuple[str, ...]],
    tell: Tell,
) -> list[Trial]:  # fmt: skip
    """One trial of each fault. An operation's faults are tried on one daemon, whichever is free."""
    counter = _Counter("faults", len(faults), tell)
    groups: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.layer, fault.op), []).append(fault)
    shares: list[list[tuple[str, str]]] = [[] for _ in range(options.jobs)]
    for key in sorted(groups, key=lambda key: (-len(groups[key]), key)):
        min(shares, key=lambda share: sum(len(groups[one]) for one in share)).append(key)

    def work(place: int) -> dict[Fault, Trial]:
        done: dict[Fault, Trial] = {}
        for layer in dict.fromkeys(layer for layer, _ in sorted(shares[place], reverse=True)):
            with _bench(options, layer, suites[layer], place) as bench:
                bench.know(known[layer].results)
                for key in (key for key in shares[place] if key[0] == layer):
                    for fault in groups[key]:
                        done[fault] = try_fault(bench, fault, known[layer], options.seed)
                        counter.step()
        return done

    shared = _side_by_side([partial(work, place) for place in range(options.jobs)], options.jobs, counter)
    found = {fault: trial for done in shared for fault, trial in done.items()}
    return [found[fault] for fault in faults]


def _side_by_side(tasks: Sequence[Callable[[], Made]], jobs: int, counter: _Counter) -> list[Made]:
    """What each makes, in their order. Where one fails, or the person interrupts, all end at their next step."""
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()  # raises what one of them failed of
            return [future.result() for future in futures]
        except BaseException:
            counter.stop()
            raise


def try_fault(bench: Bench, fault: Fault, known: Known, seed: int) -> Trial:
    """Ask the checks that can notice a fault, until one does."""
    began = time.monotonic()
    rule = seeded(fault.rule, seed)
    patience = PATIENCE if fault.kind == "delay" else None
    asked = 0
    blocked: list[Check] = []
    for check in candidates(fault, known):
        sound = bench.ask_sound(check)
        if sound.verdict not in SOUND:
            continue
        asked += 1
        hurt = bench.ask_hurt(check, rule, patience)
        if _notices(check, fault, sound, hurt):
            return _trial(fault, check, hurt, asked, began)
        if hurt.verdict is Verdict.SKIP and check.op == fault.op:
            blocked.append(check)
        if asked >= MOST_HANGS and fault.kind in mutations.HANGS:
            break
    # What makes the place of the checks is asked as in a run that has the fault from its start, where they do without.
    for check in blocked[:MOST_FROM_START]:
        hurt = bench.ask_from_start(check, rule)
        if _notices(check, fault, known.results[check.id], hurt):
            return _trial(fault, check, hurt, asked, began)
    return Trial(fault, "missed", asked=asked, seconds=time.monotonic() - began)


def _notices(check: Check, fault: Fault, sound: CheckResult, hurt: CheckResult) -> bool:
    return hurt.verdict is not Verdict.ERROR and is_red(check, fault.rule, sound, hurt)


def _trial(fault: Fault, check: Check, hurt: CheckResult, asked: int, began: float) -> Trial:
    outcome = "caught" if _is_same(hurt.op, fault.op) else "misblamed"
    seconds = time.monotonic() - began
    words = hurt.observed or hurt.reason
    return Trial(fault, outcome, check.id, str(hurt.verdict), hurt.op, words, asked, seconds)


def _is_same(one: str, other: str) -> bool:
    return one == other or any({one, other} <= names for names in SAME)


def candidates(fault: Fault, known: Known) -> list[Check]:
    """The checks that pass and were answered by the operation, the likeliest to notice first: its own, and of these
    the ones that name such a fault."""
    error = fault.rule.partition("=")[2].partition(">")[0] if fault.kind == "map" else ""
    mine = [c for c in known.sound() if error in known.answered[c.id].get(fault.op, ())]
    prefix = fault.rule.partition("=")[0]
    anywhere = f"*:{prefix.partition(':')[2]}"

    def rank(check: Check) -> tuple[bool, bool, float, str]:
        names_it = any(killer.startswith((prefix, anywhere)) for killer in check.killers)
        # In tenths, lest two runs differ by noise; what is slow comes last.
        return (not _is_same(check.op, fault.op), not names_it, round(known.results[check.id].seconds, 1), check.id)

    ranked = sorted(mine, key=rank)
    own = [check for check in ranked if _is_same(check.op, fault.op)]
    return [*own, *ranked[len(own) : len(own) + MOST_OTHERS]]


class Stopped(Exception):
    """Another thread failed, or the person interrupted."""


class _Counter:
    """Counts steps from several threads, and tells of them."""

    def __init__(self, what: str, total: int, tell: Tell) -> None:
        self._what, self._total, self._tell, self._done = what, total, tell, 0
        self._lock = threading.Lock()
        self._stopped = False

    def stop(self) -> None:
        """No step after this one."""
        self._stopped = True

    def step(self) -> None:
        """One more is done. Raises Stopped where it was the last."""
        if self._stopped:
            raise Stopped
        with self._lock:
            self._done += 1
            self._tell(self._what, self._done, self._total)


def jobs_for(target: Target) -> int:
    """How many daemons may work side by side: those with a place of their own each."""
    own_place = any("{source}" in word for word in target.argv) or target.name.startswith("vexfs")
    return min(2, len(os.sched_getaffinity(0))) if own_place else 1
