"""Asking a worker one check while watching the target: a reply, a hang, a crash, and nothing unbounded.

Owns the waiting and when it is over; knows nothing of verdicts. The rules of a hang: a reply that the kernel
refuses is proven at once, an idle daemon that took the request and threads that cannot go on (`stuck`) are when that
stays so for a moment; all else waits for the timeout. What the daemon was at then is taken down (`scene`) before
anything is freed.
"""

from __future__ import annotations

import errno
import os
import select
import time
from collections import deque
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from fsprobe.checks.check import Check
from fsprobe.checks.outcome import Outcome
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.results.records import Incident
from fsprobe.results.verdicts import Cause
from fsprobe.runners import goroutines, scene, unrelayed
from fsprobe.runners.exits import describe_exit as describe_exit
from fsprobe.runners.progress import Progress, callers_sign
from fsprobe.runners.standing_scene import NOT_LOST
from fsprobe.runners.stuck import Stuck
from fsprobe.runners.suspicion import LOOKS, Suspicion
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import Opcode, opcode_name

TICK = 0.1
# Below this age a request is merely slow; above it the daemon's threads are looked at, in quick succession at first:
# what can be proven is proven then, and a slow daemon is not to be looked at all the time.
SUSPICIOUS = 0.07
QUICK, QUICK_UNTIL = 0.03, 0.4
CHECK_FACTOR = 4  # a check may make many slow requests; it is lost when none is open and it still does not come back
# One whose requests are all answered may take this much longer, then it is too slow to be asked here.
SLOW_FACTOR = 6
SLOW = "slow"
# The most that any check asks of a sound target is a tenth of this many requests.
ENDLESS = 30_000
FEW = 300  # requests a second: with more than that a daemon is not slow, and the caller asks without end
FREED_WAIT = 2.0
REFUSES = "refuse"  # stands in what the wire layer's worker says of a reply that no kernel takes
EIO = 5
# What is sent and has not been read, where no open request is that: it gets no answer, so it is not among those.
INTERRUPTING = {"unique": 0, "opcode": int(Opcode.INTERRUPT), "head": b"", "age": 0.0, "taken": False}
# What an application hears when the daemon has died: its end may be noticed a moment later than that.
GONE = ("ENOTCONN", "ECONNABORTED", os.strerror(errno.ENOTCONN), os.strerror(errno.ECONNABORTED))


class Surroundings(Protocol):
    """What holds the daemon and the workers: a `relay.client.Sandbox`, or `native.Native` where there is none."""

    channel: Channel
    events: deque[dict[str, Any]]
    device: bool
    mounter: str

    def worker(self, entry: str, setup: dict[str, Any]) -> tuple[Channel, int]:
        """Start a worker."""

    def next_event(self, timeout: float) -> dict[str, Any] | None:
        """The next event, None where none comes in time."""

    def call(self, name: str, timeout: float = ..., **args: Any) -> Any:
        """A call to the sandbox's first process."""

    def exchanges(self) -> list[Exchange]:
        """What was recorded since the last call."""

    def close(self) -> object:
        """End it and all in it."""


@dataclass(slots=True)
class Asking:
    """One worker of one start of the daemon. `timeout` is that of a single request."""

    sandbox: Surroundings
    channel: Channel
    pid: int
    timeout: float
    relayed: bool
    suspicion: Suspicion = field(default_factory=Suspicion)
    asked_before: int = 0
    progress: Progress = field(default_factory=lambda: Progress(object))
    suspect: dict[str, Any] | None = None
    looking: bool = False
    """Whether a request is old enough to be looked at, and young enough for that to be often."""

    def ask(self, check: Check) -> tuple[Outcome | None, Incident | None]:
        """The outcome, the incident that came in its way, or both."""
        return self.exchange({"run": check.id})

    def exchange(self, message: dict[str, Any]) -> tuple[Outcome | None, Incident | None]:
        """Send any message and wait for its outcome under the same watch."""
        answer, incident = self.converse(message)
        outcome = Outcome.from_wire(answer["outcome"]) if answer and "outcome" in answer else None
        if incident is not None and incident.kind == SLOW:
            return Outcome("skip", observed=incident.detail), incident
        if outcome is not None and incident is None:
            if outcome.kind == "lost":
                incident = self._after_lost(outcome)
                if incident is not None and incident.kind == SLOW:
                    outcome = Outcome("skip", observed=incident.detail)
            elif any(word in f"{outcome.observed} {outcome.call}" for word in GONE):
                incident = self._crashed()
        return outcome, incident

    def converse(self, message: dict[str, Any]) -> tuple[dict[str, Any] | None, Incident | None]:
        """Send a message; the worker's answer as it is, or the incident."""
        try:
            self.channel.send(message)
        except (ChannelClosed, TimeoutError):
            return None, Incident("worker", detail="fsprobe's own worker is gone")
        return self.wait()

    def part(self, patience: float) -> list[str] | None:
        """Have the worker tidy up, whatever it is at. What it could not remove; None where it does not come back."""
        deadline = time.monotonic() + patience
        try:
            self.channel.send({"close": True}, timeout=patience)
            while time.monotonic() < deadline:
                try:
                    message, _ = self.channel.receive(TICK)
                except TimeoutError:
                    stuck = [o["unique"] for o in self._open() if o["age"] >= SUSPICIOUS] if self.relayed else []
                    if stuck:
                        self.sandbox.call("answer", uniques=stuck, error=EIO)
                    continue
                if "closed" in message:
                    left: list[str] | None = message["closed"]
                    return left
        except (ChannelClosed, TimeoutError, OSError):
            pass
        return None

    def wait(self) -> tuple[dict[str, Any] | None, Incident | None]:
        """The worker's next message, or what came in its way."""
        began = time.monotonic()
        self.progress = Progress(self._sign)
        self.asked_before = self._asked() if self.relayed else 0
        self.suspicion.forget()
        self.suspect, self.looking = None, False
        while True:
            select.select([self.channel, self.sandbox.channel], [], [], min(QUICK, TICK) if self.looking else TICK)
            try:
                ready = self.channel.take_ready()
            except ChannelClosed:
                return None, self._crashed() or Incident("worker", detail="fsprobe's own worker ended by itself")
            incident = self._events()
            if ready is not None:
                return ready[0], incident
            incident = incident or self._look(time.monotonic() - began)
            if incident is not None:
                freed = self._free(incident)
                return freed, self._last_words(incident)

    def _events(self) -> Incident | None:
        while (event := self.sandbox.next_event(0)) is not None:
            if event["event"] == "malformed" and event["open"]:
                incident = self._malformed(event)
                if incident is not None:
                    return incident
            ended = event["event"] == "exit" and not self.relayed and self._ended(event)
            if event["event"] == "daemon-gone" or ended:
                self.sandbox.events.appendleft(event)
                return self._crashed()
        return None

    def _malformed(self, event: dict[str, Any]) -> Incident | None:
        """The request whose reply was refused. One that answers no open request may be a second reply: harmless."""
        opened = self._open()
        for request in opened:
            if request["unique"] == event["unique"]:
                return self._refused(event, request, proven=True)
        self.suspect = {**event, "then_open": {request["unique"] for request in opened}}
        return None

    def _refused(self, event: dict[str, Any], request: dict[str, Any], *, proven: bool) -> Incident:
        name = opcode_name(request["opcode"])
        return Incident(
            "hang", name, request["unique"], detail=f"the reply to {name} is refused: {event['reason']}",
            proven=proven, cause=Cause.MALFORMED_REPLY, evidence=(f"reply begins {event['head'].hex(' ')}",),
        )  # fmt: skip

    def _ended(self, event: dict[str, Any]) -> bool:
        """Whether an exit is the end of the daemon: not of its parent, a helper, or what a check had started."""
        if self.relayed:
            return bool(event["first"] and event["status"])
        return not self.sandbox.call("others")

    def _crashed(self, patience: float = 0.5) -> Incident | None:
        """The daemon's end closed or its processes ended: how, from the exits that come with it."""
        status: int | None = None
        gone = False
        words = b""
        deadline = time.monotonic() + patience
        while (event := self.sandbox.next_event(max(0.0, deadline - time.monotonic()))) is not None:
            if event["event"] == "malformed" and event["open"]:
                self._malformed(event)  # the worker may have heard of it first, and given up
            if event["event"] == "daemon-gone":
                gone = True
            if event["event"] == "exit":
                gone = gone or self._ended(event)
                status, words = event["status"], event["output"]
                if gone and (status or not self.relayed):
                    break
        if not gone:
            return None
        text = words.decode("utf-8", "backslashreplace").strip().splitlines()[-12:]
        return Incident("crash", detail=f"the daemon {describe_exit(status)}", proven=True, cause=Cause.CRASHED,
                        evidence=tuple(text))  # fmt: skip

    def _open(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sandbox.call("status")["open"]
        return found

    def _look(self, elapsed: float) -> Incident | None:
        self.looking = False
        if elapsed < SUSPICIOUS:
            return None
        found = self._look_at_requests() if self.relayed else self._look_at_caller(elapsed)
        return found or self._unending(elapsed, self.progress.quiet())

    def _look_at_requests(self) -> Incident | None:
        status = self.sandbox.call("status")
        opened = status["open"]
        # A lock that is waited for may well be open longer than what is lost.
        oldest = next((o for o in opened if o["opcode"] != Opcode.SETLKW), opened[0] if opened else None)
        if oldest is None or oldest["age"] < SUSPICIOUS:
            return None
        self.looking = oldest["age"] < QUICK_UNTIL
        waits_for_lock = oldest["opcode"] == Opcode.SETLKW  # answered late by a sound daemon, too
        processes = self.sandbox.call("evidence", light=True)
        may_be_lost = bool(oldest["taken"]) and not waits_for_lock
        known = [*opened, *([] if not status.get("unread") else [INTERRUPTING])]
        found = self.suspicion.look(oldest["unique"], processes, known, may_be_lost=may_be_lost)
        if self.suspect is not None and oldest["unique"] in self.suspect["then_open"]:
            return self._refused(self.suspect, oldest, proven=self.suspicion.idle_seen > 0)
        if found is not None and (not waits_for_lock or found.op):
            return self._hang(oldest, found)
        if oldest["age"] >= self.timeout:
            how = "it was taken and not answered" if oldest["taken"] else "the daemon does not read it"
            return self._hang(oldest, None, f"{how} within {self.timeout:g} s")
        return None

    def _look_at_caller(self, elapsed: float) -> Incident | None:
        """With no relay: which request a caller waits for is told by where it sleeps in the kernel."""
        processes = self.sandbox.call("evidence", light=True)
        told = self.sandbox.call("waiting", pid=self.pid)
        seen = unrelayed.look(told, [one["pid"] for one in processes], elapsed)
        if seen is None:
            self.suspicion.forget()
            return None
        self.looking = elapsed < QUICK_UNTIL
        found = self.suspicion.look(seen.about, processes, seen.opened, may_be_lost=seen.may_be_lost)
        waits_for_lock = seen.op in NOT_LOST and (found is None or found.cause is not Cause.DEADLOCK_OWN_MOUNT)
        return None if found is None or waits_for_lock else self._hang(seen.opened[0], found)

    def _unending(self, elapsed: float, quiet: float) -> Incident | None:
        """A check that takes long without a request that is open too long."""
        # With one unread that gets no answer (FORGET), those that wait behind it are still in the kernel.
        if quiet >= self.timeout and (not self.relayed or self.sandbox.call("status").get("unread")):
            return self._hang_unseen(f"no answer within {self.timeout:g} s", quiet)
        if quiet >= CHECK_FACTOR * self.timeout:
            detail = f"nothing happened for {CHECK_FACTOR * self.timeout:g} s, and no request is open"
            return Incident("stuck", detail=detail, evidence=self._caller())
        asked = self._asked() - self.asked_before if self.relayed else 0
        if elapsed >= self.timeout and asked > ENDLESS:
            detail = f"{asked} requests were answered, and the check does not come to an end"
            return Incident("stuck", detail=detail, evidence=self._caller())
        if elapsed >= SLOW_FACTOR * self.timeout:
            if not self.relayed:
                detail = f"the check did not end within {SLOW_FACTOR * self.timeout:g} s"
                return Incident("stuck", detail=detail, evidence=self._caller())
            return Incident(SLOW, detail=f"the target is too slow to ask this: its requests were answered, and after "
                            f"{elapsed:.0f} s there were still more of them")  # fmt: skip
        return None

    def _hang_unseen(self, how: str, quiet: float) -> Incident:
        """With no relay: the operation is told by where the caller sleeps, the cause by the daemon's threads."""
        told = self.sandbox.call("waiting", pid=self.pid)
        seen = unrelayed.look(told, [one["pid"] for one in self.sandbox.call("evidence", light=True)], quiet)
        if seen is not None and seen.op:
            return self._hang(seen.opened[0], None, how)
        nothing = {"unique": 0, "opcode": 0, "name": "", "head": b"", "age": quiet, "taken": True}
        return replace(self._hang(nothing, None, how), opcode="", detail=how)

    def _asked(self) -> int:
        """Requests since the run began."""
        return int(self.sandbox.call("status").get("asked", 0))

    def _sign(self) -> object:
        """What changes as long as a check gets on."""
        if self.relayed:
            return self._asked()
        return callers_sign(self.sandbox.call("caller", pid=self.pid))

    def _hang(self, oldest: dict[str, Any], found: Stuck | None, how: str = "") -> Incident:
        """A request that gets no answer. found: what proves it; else it is late, and the best guess is told beside."""
        opened = self._open() or [oldest]
        seen = scene.take(self.sandbox, self.pid, stacks=True)
        proven = found is not None
        # From what was read before a debugger came near: a system call that it interrupts shows another place.
        guess = found or self.suspicion.guess(seen["daemon"], opened)
        if guess is not None and guess.op:
            how = how.replace("read it", f"read {opcode_name(oldest['opcode'])}")
            oldest = next((one for one in opened if opcode_name(one["opcode"]) == guess.op), oldest)
        name = str(oldest.get("name") or opcode_name(oldest["opcode"]))
        told = scene.at(guess, seen) if guess is not None else ""
        facts = {**seen, "seconds": round(oldest["age"], 3)}
        detail = f"{name}: " + (told if proven else f"{how}; {told}" if told else how)
        cause = guess.cause if guess is not None else ""
        return Incident("hang", name, oldest["unique"], detail=detail, proven=proven, cause=cause,
                        evidence=scene.lines(seen), facts=facts)  # fmt: skip

    def _last_words(self, incident: Incident) -> Incident:
        """The incident with the goroutines of a Go daemon, which the asking kills: the last thing to do with it."""
        if incident.kind != "hang" or not any(one["language"] == "go" for one in incident.facts.get("stacks", ())):
            return incident
        self.sandbox.call("quit")
        output = self.sandbox.call("status")["output"]
        read = goroutines.parse(scene.words(output, len(output)))
        told = None if incident.proven else goroutines.why(read)
        facts = {**incident.facts, "goroutines": [asdict(one) for one in read]}
        lines = (*goroutines.lines(read), *incident.evidence)
        if told is None:
            return replace(incident, evidence=lines, facts=facts)
        detail = f"{incident.detail.partition('; ')[0]}; {told[1]}"
        return replace(incident, detail=detail, cause=told[0], evidence=lines, facts=facts)

    def _evidence(self) -> tuple[str, ...]:
        """One line a thread of the daemon, taken before anything is freed."""
        return scene.lines(scene.take(self.sandbox, self.pid, stacks=True))

    def _caller(self) -> tuple[str, ...]:
        caller = self.sandbox.call("caller", pid=self.pid)
        return tuple(f"worker: {t['state']} in {t['wchan']}, syscall {t['syscall']}" for t in caller["threads"])

    def _after_lost(self, outcome: Outcome) -> Incident | None:
        """The wire layer's worker gave up waiting by itself."""
        refused = REFUSES in outcome.observed  # so it lives
        if (crashed := self._crashed(0.05 if refused else 0.5)) is not None:
            return crashed
        opened = self._open()
        if not refused and self._is_slow(opened):
            return Incident(SLOW, detail=f"the target is too slow to ask this: {outcome.observed}")
        if not opened:  # the daemon answered all of it: the caller itself does not come to an end
            return Incident("stuck" if self.relayed else "hang", detail=outcome.observed, evidence=self._evidence())
        incident = self._given_up(opened, outcome.observed)
        self.sandbox.call("answer", uniques=[o["unique"] for o in opened], error=EIO)
        return incident

    def _is_slow(self, opened: list[dict[str, Any]]) -> bool:
        """Whether what a check waited for in vain was held up by answers that came, each late, and none too late."""
        asked = self._asked() - self.asked_before if self.relayed else 0
        age = max((one["age"] for one in opened), default=0.0)
        return 0 < asked < FEW * self.timeout and max(self.progress.quiet(), age) < self.timeout / 4

    def _given_up(self, opened: list[dict[str, Any]], how: str) -> Incident:
        """What a request that the worker no longer waits for comes of: a few looks prove it as they would have."""
        oldest, found = opened[0], None
        if REFUSES in how:  # it has seen the reply, as the kernel would have
            return self._hang(oldest, Stuck(Cause.MALFORMED_REPLY, True, how))
        for _ in range(LOOKS):
            processes = self.sandbox.call("evidence", light=True)
            found = self.suspicion.look(oldest["unique"], processes, opened, may_be_lost=bool(oldest["taken"]))
            if found is not None or not self.suspicion.idle_seen:
                break
            time.sleep(min(QUICK, TICK))
        if self.suspect is not None and oldest["unique"] in self.suspect["then_open"]:
            return self._refused(self.suspect, oldest, proven=self.suspicion.idle_seen > 0)
        return self._hang(oldest, found, how)

    def _free(self, incident: Incident) -> dict[str, Any] | None:
        """Answer what is open in the daemon's place until the worker comes back; kill it where it does not."""
        deadline = time.monotonic() + FREED_WAIT
        while time.monotonic() < deadline:
            if incident.kind != "crash" and self.relayed:
                opened = [o["unique"] for o in self._open()]
                if opened:
                    self.sandbox.call("answer", uniques=opened, error=EIO)
            try:
                answer: dict[str, Any] = self.channel.receive(0.05)[0]
            except TimeoutError:
                if incident.kind in ("stuck", SLOW) or not self.relayed:
                    break
                continue
            except ChannelClosed:
                break
            met = Outcome.from_wire(answer["outcome"]) if "outcome" in answer else None
            if incident.kind == "crash" and not self.relayed and unrelayed.met(met):
                return answer  # which call was under way
            return None  # what it says now is the consequence of our answer
        self.sandbox.call("kill_worker", pid=self.pid)
        return None
