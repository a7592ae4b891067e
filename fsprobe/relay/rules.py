"""Rules that alter the traffic on its way: seeded faults, by operation, path and occurrence.

Owns the grammar `OP:KIND[=VALUE][,path=GLOB][,nth=N]` and when a rule applies; what each kind does to the
bytes is in `relay.faults`. Knows nothing of sockets.
"""

from __future__ import annotations

import difflib
import errno
import fnmatch
from dataclasses import dataclass

from fsprobe import wire
from fsprobe.errors import UsageError
from fsprobe.relay import faults
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
    """One parsed rule. `seen` counts the requests that it could have applied to."""

    text: str
    opcode: int | None
    kind: str
    value: str
    path: str | None = None
    nth: int = 0
    seen: int = 0


def parse(text: str) -> Rule:
    """A rule from its text. Raises UsageError naming the part that is wrong."""
    head, *conditions = text.split(",")
    op, colon, what = head.partition(":")
    kind, _, value = what.partition("=")
    if not colon or not kind:
        form = "OP:KIND[=VALUE][,path=GLOB][,nth=N]"
        raise UsageError(f"rule {text!r} is not {form}", causes=("e.g. SETATTR:errno=ENOSYS",))
    rule = Rule(text, _opcode(op, text), kind, value)
    faults.validate(rule.kind, rule.value, text)
    for condition in conditions:
        key, _, val = condition.partition("=")
        if key == "path" and val:
            rule.path = val
        elif key == "nth" and val.isdigit() and int(val) > 0:
            rule.nth = int(val)
        else:
            raise UsageError(f"rule {text!r}: {condition!r} is no condition", causes=("conditions: path=GLOB, nth=N",))
    return rule


def _opcode(name: str, text: str) -> int | None:
    if name == "*":
        return None
    try:
        return int(wire.Opcode[name])
    except KeyError:
        near = difflib.get_close_matches(name.upper(), [o.name for o in wire.Opcode], 1)
        hint = (f"did you mean {near[0]}?",) if near else ()
        raise UsageError(f"rule {text!r}: {name!r} is no FUSE operation", causes=hint) from None


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
        for rule in chosen:
            action = self._early(rule, opcode, unique, message)
            if action is not None:
                return action
        return None

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
        rule.seen += 1
        return not rule.nth or rule.seen == rule.nth

    def _on_path(self, glob: str, nodeid: int, message: memoryview) -> bool:
        path = (self._paths.path(nodeid) or b"").decode("utf-8", "surrogateescape")
        names = [path, *(f"{path.rstrip('/')}/{name}" for name in faults.names(bytes(message)))]
        return any(fnmatch.fnmatchcase(name, glob) for name in names)

    @staticmethod
    def _early(rule: Rule, opcode: int, unique: int, message: memoryview) -> Action | None:
        if rule.kind == "drop":
            return Action()
        if rule.kind == "crash":
            return Action(kill=True)
        if rule.kind == faults.WITHHOLD:
            return Action(withhold=True)
        if rule.kind == "delay":
            return Action(request=bytes(message), delay=float(rule.value))
        if rule.kind == "errno":
            return Action(reply=faults.error_reply(unique, getattr(errno, rule.value)))
        if rule.kind == "fake":
            reply, request = faults.fake(opcode, unique, bytes(message))
            return Action(reply=reply, request=request)
        changed = faults.alter_request(rule.kind, opcode, bytes(message))
        return None if changed is None else Action(request=changed)

    def _learn(self, opcode: int, request: bytes, reply: bytes) -> None:
        _, error, unique = int.from_bytes(reply[:4], "little"), int.from_bytes(reply[4:8], "little", signed=True), 0
        nodeid = int.from_bytes(request[16:24], "little")
        self._paths.feed(
            Exchange(0, 0, "", unique, opcode, nodeid, 0, 0, 0, request, len(request), reply, len(reply), -error, 0, 0)
        )
