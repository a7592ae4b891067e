"""Rules that alter the traffic on its way: seeded faults, by operation, path, occurrence and probability.

Owns the grammar `OP:KIND[=VALUE][,CONDITION]…` and when a rule applies; which kinds there are is `relay.kinds`', what
each does to the bytes `relay.faults`'. Knows nothing of sockets.
"""

from __future__ import annotations

import errno
import fnmatch
import math
from dataclasses import dataclass, field
from random import Random

from fsprobe import wire
from fsprobe.errors import UsageError
from fsprobe.relay import faults, kinds
from fsprobe.trace.exchange import Exchange
from fsprobe.trace.paths import NodePaths


@dataclass(frozen=True, slots=True)
class Action:
    """What becomes of a request instead of being passed on; nothing set: it is lost on the way.

    withhold: the relay answers in the daemon's place, which never sees it.
    """

    reply: bytes | None = None
    request: bytes | None = None
    delay: float = 0.0
    kill: bool = False
    withhold: bool = False


@dataclass(slots=True)
class Rule:
    """One parsed rule. `seen` counts the requests that it could have applied to.

    p: None where it applies for certain. draws: where the chances come from, the same for the same seed.
    """

    text: str
    opcode: int | None
    kind: str
    value: str
    path: str | None = None
    nth: int = 0
    every: int = 0
    p: float | None = None
    seed: int | None = None
    seen: int = 0
    draws: Random = field(default_factory=lambda: Random(0))

    def is_due(self) -> bool:
        """Count one more request that fits, and say whether it is this one's turn."""
        self.seen += 1
        if self.nth and self.seen != self.nth:
            return False
        if self.every and self.seen % self.every:
            return False
        return self.p is None or self.draws.random() < self.p


def parse(text: str) -> Rule:
    """A rule from its text. Raises UsageError naming the part that is wrong, and what is allowed there."""
    head, *conditions = text.split(",")
    op, colon, what = head.partition(":")
    kind, _, value = what.partition("=")
    if not colon or not kind:
        causes = ("e.g. SETATTR:errno=ENOSYS",)
        raise UsageError(f"rule {text!r} is not {kinds.FORM}", causes=causes, command=kinds.TABLE_COMMAND)
    rule = Rule(text, _opcode(op, text), kind, value)
    kinds.validate(op, kind, value, text)
    given = [condition.partition("=")[0] for condition in conditions]
    for condition in conditions:
        _condition(rule, condition, given)
    if rule.seed is not None and rule.p is None:
        raise _bad_condition(text, "seed", "there is nothing to draw without p=", ())
    rule.draws = Random(rule.seed or 0)
    return rule


def _condition(rule: Rule, condition: str, given: list[str]) -> None:
    key, _, value = condition.partition("=")
    if key not in kinds.CONDITIONS:
        allowed = ", ".join(f"{name}={form}" for name, (form, _) in kinds.CONDITIONS.items())
        comma = "a comma ends the GLOB of path=" if "path" in given else ""
        causes = tuple(cause for cause in (kinds.near(key, kinds.CONDITIONS), comma, f"conditions: {allowed}") if cause)
        raise _bad_condition(rule.text, condition, "this is no condition", causes)
    if given.count(key) > 1:
        raise _bad_condition(rule.text, condition, f"{key}= is given twice", ())
    if key == "every" and "nth" in given:
        raise _bad_condition(rule.text, condition, "nth= and every= exclude each other", ())
    form, about = kinds.CONDITIONS[key]
    if not _set(rule, key, value):
        raise _bad_condition(rule.text, condition, f"{key}={form}: {about}", ())


def _bad_condition(text: str, condition: str, wrong: str, causes: tuple[str, ...]) -> UsageError:
    fact = f"rule {text!r}: in {condition!r}, {wrong}"
    return UsageError(fact, causes=causes or (f"the form is {kinds.FORM}",), command=kinds.TABLE_COMMAND)


def _set(rule: Rule, key: str, value: str) -> bool:
    """Take a condition over; False where its value is no good."""
    if key == "path":
        rule.path = value
        return bool(value)
    if key == "p":
        try:
            rule.p = float(value)
        except ValueError:
            return False
        return math.isfinite(rule.p) and 0 <= rule.p <= 1
    if not (value.isascii() and value.isdigit()) or (key != "seed" and int(value) == 0):
        return False
    setattr(rule, key, int(value))
    return True


def seeded(text: str, seed: int) -> str:
    """The rule with that seed, where it draws and names none of its own."""
    rule = parse(text)
    return text if rule.p is None or rule.seed is not None else f"{text},seed={seed & 0xFFFFFFFFFFFFFFFF}"


def _opcode(name: str, text: str) -> int | None:
    if name == "*":
        return None
    try:
        return int(wire.Opcode[name])
    except KeyError:
        hint = kinds.near(name, [op.name for op in wire.Opcode])
        causes = (hint,) if hint else ("an operation in capitals, e.g. SETATTR, or * for all",)
        fact = f"rule {text!r}: {name!r} is no FUSE operation"
        raise UsageError(fact, causes=causes, command=kinds.TABLE_COMMAND) from None


class RuleSet:
    """The rules of a connection, asked for every request and every reply."""

    def __init__(self, texts: list[str] | None = None) -> None:
        self._paths = NodePaths()
        self._chosen: dict[int, list[Rule]] = {}
        self.replace(texts or [])

    def replace(self, texts: list[str]) -> None:
        """Other rules from now on; what is known of paths stays."""
        self.rules = [parse(text) for text in texts]
        self.active = bool(self.rules)
        self._follow = any(rule.path for rule in self.rules)
        self._replies = faults.Memory()

    def request(self, opcode: int, unique: int, nodeid: int, message: memoryview) -> Action | None:
        """What to do with a request instead of passing it on as it is; None passes it."""
        chosen = [rule for rule in self.rules if self._applies(rule, opcode, nodeid, message)]
        if not chosen:
            return None
        self._chosen[unique] = chosen
        altered: bytes | None = None
        delay = 0.0
        for rule in chosen:
            if rule.kind == "delay":
                delay += float(rule.value)
                continue
            current = bytes(message) if altered is None else altered
            action = self._instead(rule, opcode, unique, current)
            if action is not None:
                return action
            altered = self._altered(rule, opcode, unique, current) or altered
        if altered is None and not delay:
            return None
        return Action(request=bytes(message) if altered is None else altered, delay=delay)

    def reply(self, opcode: int, request_head: bytes, reply: bytes) -> bytes | None:
        """The reply to pass on instead; None passes it as it is."""
        unique = int.from_bytes(request_head[8:16], "little")
        changed = reply
        for rule in self._chosen.pop(unique, []):
            changed = faults.alter_reply(rule.kind, rule.value, opcode, request_head, changed, self._replies)
        if self._follow:
            self._learn(opcode, request_head, reply)
        return changed if changed is not reply else None

    def _applies(self, rule: Rule, opcode: int, nodeid: int, message: memoryview) -> bool:
        if rule.opcode is not None and rule.opcode != opcode:
            return False
        if rule.opcode is None and opcode in faults.NEVER_BY_STAR:
            return False
        if rule.path is not None and not self._on_path(rule.path, nodeid, message):
            return False
        return rule.is_due()

    def _on_path(self, glob: str, nodeid: int, message: memoryview) -> bool:
        path = (self._paths.path(nodeid) or b"").decode("utf-8", "surrogateescape")
        names = [path, *(f"{path.rstrip('/')}/{name}" for name in faults.names(bytes(message)))]
        return any(fnmatch.fnmatchcase(name, glob) for name in names)

    @staticmethod
    def _instead(rule: Rule, opcode: int, unique: int, message: bytes) -> Action | None:
        """What keeps the request from the daemon."""
        if rule.kind == "drop":
            return Action()
        if rule.kind == "crash":
            return Action(kill=True)
        if rule.kind == kinds.WITHHOLD:
            return Action(withhold=True)
        if rule.kind == "errno":
            return Action(reply=faults.error_reply(unique, getattr(errno, rule.value)))
        if rule.kind == "fake":
            reply, _ = faults.fake(opcode, unique, message)
            return None if reply is None else Action(reply=reply)
        return None

    @staticmethod
    def _altered(rule: Rule, opcode: int, unique: int, message: bytes) -> bytes | None:
        """The request that the daemon gets in its place."""
        if rule.kind == "fake":
            return faults.fake(opcode, unique, message)[1]
        return faults.alter_request(rule.kind, opcode, message)

    def _learn(self, opcode: int, request: bytes, reply: bytes) -> None:
        _, error, unique = int.from_bytes(reply[:4], "little"), int.from_bytes(reply[4:8], "little", signed=True), 0
        nodeid = int.from_bytes(request[16:24], "little")
        self._paths.feed(
            Exchange(0, 0, "", unique, opcode, nodeid, 0, 0, 0, request, len(request), reply, len(reply), -error, 0, 0)
        )
