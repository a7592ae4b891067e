"""When a question is over: an outcome, a hang and how it is known, a crash, a worker that is lost. No daemon here."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from fsprobe.checks.outcome import Outcome
from fsprobe.posix.channel import Channel
from fsprobe.results.verdicts import Cause
from fsprobe.runners import ask as module
from fsprobe.runners.ask import Asking
from fsprobe.runners.exits import describe_exit
from fsprobe.wire import Opcode

IDLE = {"tid": 1, "name": "d", "state": "S", "wchan": "__skb_wait_for_more_packets", "syscall": "0 0x3", "stack": ""}
BUSY = {**IDLE, "wchan": "futex_wait_queue"}


def request(opcode: Opcode, unique: int = 2, *, age: float = 1.0, taken: bool = True) -> dict[str, Any]:
    return {"unique": unique, "opcode": int(opcode), "head": b"", "length": 56, "age": age, "seq": 1, "taken": taken}


class Fake:
    """A sandbox that says what the test wants, and notes what was asked of it."""

    device, mounter = True, "DirectMounter"

    def __init__(self) -> None:
        self.channel, self.other_end = Channel.pair()
        self.events: deque[dict[str, Any]] = deque()
        self.open: list[dict[str, Any]] = []
        self.threads = [[BUSY]]
        self.alive: list[int] = [7]
        self.asked = self.asked_each_time = 0
        self.answered: list[int] = []
        self.killed: list[int] = []
        self.waiting: list[dict[str, Any]] = []
        self.when_answered = lambda: None

    def next_event(self, timeout: float) -> dict[str, Any] | None:
        if not self.events and timeout:
            time.sleep(min(timeout, 0.02))
        return self.events.popleft() if self.events else None

    def call(self, name: str, timeout: float = 0, **args: Any) -> Any:
        if name == "status":
            self.asked += self.asked_each_time
            return {"open": self.open, "output": b"panic: oh no\n", "exits": {}, "asked": self.asked}
        if name == "evidence":
            return [{"pid": 7, "threads": threads} for threads in self.threads]
        if name == "others":
            return self.alive
        if name == "waiting":
            return {"callers": self.waiting, "connection": 7, "waiting": None}
        if name == "caller":
            return {"threads": [BUSY]}
        if name == "answer":
            self.answered += args["uniques"]
            self.open = []
            self.when_answered()
        if name == "kill_worker":
            self.killed.append(args["pid"])
        return None

    def tell(self, event: str, **more: Any) -> None:
        self.events.append({"event": event, **more})


class Asked:
    """One worker of a fake sandbox; the test plays the worker, too."""

    def __init__(self, *, relayed: bool = True, timeout: float = 0.2) -> None:
        self.sandbox = Fake()
        ours, self.worker = Channel.pair()
        self.asking = Asking(self.sandbox, ours, 99, timeout, relayed)  # type: ignore[arg-type]

    def says(self, outcome: Outcome) -> None:
        self.worker.send({"outcome": outcome.to_wire()})

    def freed(self) -> None:
        """The worker comes back once its request is answered."""
        self.sandbox.when_answered = lambda: self.says(Outcome("oserror", errno=5))

    def run(self) -> Any:
        return self.asking.exchange({"run": "x"})

    def close(self) -> None:
        for channel in (self.sandbox.channel, self.sandbox.other_end, self.worker, self.asking.channel):
            channel.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TICK": 0.005, "SUSPICIOUS": 0.02, "FREED_WAIT": 0.2}.items():
        monkeypatch.setattr(module, name, value)


@pytest.fixture
def asked() -> Iterator[Asked]:
    found = Asked()
    yield found
    found.close()


@pytest.fixture
def direct() -> Iterator[Asked]:
    """With no relay: nothing is known but exits and time."""
    found = Asked(relayed=False)
    yield found
    found.close()


def test_an_outcome_is_the_end_of_it(asked: Asked) -> None:
    """The daily case."""
    asked.says(Outcome("finding", "a", "b", notes=("seen",)))
    assert asked.run() == (Outcome("finding", "a", "b", notes=("seen",)), None)
    assert not asked.sandbox.answered and not asked.sandbox.killed


def test_no_answer_in_time_is_a_hang_and_its_caller_is_freed(asked: Asked) -> None:
    """Without the request's name nobody knows which handler to look at."""
    asked.sandbox.open = [request(Opcode.MKDIR)]
    asked.freed()
    outcome, incident = asked.run()
    assert outcome is None, "what the worker says then is made by our own answer"
    assert (incident.kind, incident.opcode, incident.unique, incident.proven) == ("hang", "MKDIR", 2, False)
    assert "taken and not answered within 0.2 s" in incident.detail
    assert any("futex_wait_queue" in line for line in incident.evidence)
    assert any("panic: oh no" in line for line in incident.evidence)
    assert asked.sandbox.answered == [2] and asked.sandbox.killed == []


def test_a_daemon_that_does_not_read(asked: Asked) -> None:
    """It is looked for elsewhere than in the handler of that operation."""
    asked.sandbox.open = [request(Opcode.MKDIR, taken=False)]
    asked.sandbox.threads = [[IDLE]]
    asked.freed()
    _, incident = asked.run()
    assert "does not read it" in incident.detail and incident.cause != Cause.LOST_REPLY


def test_a_request_younger_than_the_timeout_is_only_slow(asked: Asked) -> None:
    """A slow daemon is no hung one."""
    asked.asking.timeout = 30
    asked.sandbox.open = [request(Opcode.READ, age=0.5)]
    began = time.monotonic()
    seen = 0

    def look(name: str, timeout: float = 0, **args: Any) -> Any:
        nonlocal seen
        seen += name == "status"
        if seen == 20:
            asked.says(Outcome("ok"))
        return Fake.call(asked.sandbox, name, timeout, **args)

    asked.sandbox.call = look  # type: ignore[method-assign]
    assert asked.run() == (Outcome("ok"), None) and time.monotonic() - began < 5


def test_an_idle_daemon_has_lost_its_reply(asked: Asked) -> None:
    """Proven in a fraction of a second, where others wait out a timeout of ten."""
    asked.asking.timeout = 30
    asked.sandbox.open = [request(Opcode.SETATTR)]
    asked.sandbox.threads = [[IDLE, IDLE]]
    asked.freed()
    began = time.monotonic()
    _, incident = asked.run()
    assert (incident.kind, incident.opcode, incident.proven) == ("hang", "SETATTR", True)
    assert incident.cause == Cause.LOST_REPLY
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("threads", "opened"),
    [
        ([[IDLE, BUSY]], request(Opcode.SETATTR)),
        ([[IDLE], [IDLE]], request(Opcode.SETATTR)),
        ([[]], request(Opcode.SETATTR)),
        ([[IDLE]], request(Opcode.SETLKW)),
    ],
    ids=["a busy thread", "a second process", "nothing to be seen", "a lock"],
)
def test_what_is_no_proof(asked: Asked, threads: list[list[dict[str, Any]]], opened: dict[str, Any]) -> None:
    """A sound daemon that answers later, by another thread or process or for a lock, would be called broken."""
    asked.sandbox.open = [opened]
    asked.sandbox.threads = threads
    asked.freed()
    _, incident = asked.run()
    assert (incident.kind, incident.proven) == ("hang", False) and incident.cause != Cause.LOST_REPLY


def test_a_waiting_lock_does_not_hide_what_is_lost(asked: Asked) -> None:
    """The operation that is blamed would be the wrong one."""
    asked.asking.timeout = 30
    asked.sandbox.open = [request(Opcode.SETLKW, 2, age=9), request(Opcode.READ, 4)]
    asked.sandbox.threads = [[IDLE]]
    asked.freed()
    _, incident = asked.run()
    assert (incident.opcode, incident.cause) == ("READ", Cause.LOST_REPLY)


def malformed(asked: Asked, unique: int, *, is_open: bool = True) -> None:
    asked.sandbox.tell("malformed", unique=unique, reason="positive errno", head=b"\1\2", open=is_open)


def test_a_refused_reply_is_a_hang_at_once(asked: Asked) -> None:
    """The kernel tells nobody, and the application hangs for ever."""
    asked.asking.timeout = 30
    asked.sandbox.open = [request(Opcode.READ, 4, age=0.0), request(Opcode.WRITE, 6, age=0.0)]
    malformed(asked, 6)
    asked.freed()
    _, incident = asked.run()
    assert (incident.opcode, incident.unique, incident.proven) == ("WRITE", 6, True)
    assert incident.cause == Cause.MALFORMED_REPLY and "01 02" in incident.evidence[0]
    assert set(asked.sandbox.answered) == {4, 6}


def test_a_reply_with_a_wrong_unique_leaves_its_request_open(asked: Asked) -> None:
    """The request whose answer went to nobody is the one that hangs."""
    asked.asking.timeout = 30
    asked.sandbox.open = [request(Opcode.MKDIR, 8)]
    malformed(asked, 4711)
    asked.freed()
    _, incident = asked.run()
    assert (incident.kind, incident.opcode, incident.cause) == ("hang", "MKDIR", Cause.MALFORMED_REPLY)


def test_a_second_reply_is_no_hang(asked: Asked) -> None:
    """Refused by the kernel, harmless to everybody: the check goes on."""
    malformed(asked, 4711)
    malformed(asked, 4713, is_open=False)
    asked.says(Outcome("ok"))
    assert asked.run() == (Outcome("ok"), None)


def test_a_crash_tells_how_and_the_last_words(asked: Asked) -> None:
    """`Transport endpoint is not connected` says nothing."""
    asked.sandbox.tell("daemon-gone")
    asked.sandbox.tell("exit", pid=7, status=-11, first=True, output=b"one\nSegmentation fault\n")
    outcome, incident = asked.run()
    assert outcome is None
    assert (incident.kind, incident.detail) == ("crash", "the daemon was killed by SIGSEGV")
    assert incident.evidence == ("one", "Segmentation fault") and incident.proven
    assert asked.sandbox.answered == []


def test_an_exit_alone_is_no_crash(asked: Asked) -> None:
    """A daemon that goes to the background ends its first process; so do helpers and what a check has started."""
    asked.sandbox.tell("exit", pid=7, status=0, first=True, output=b"")
    asked.sandbox.tell("exit", pid=8, status=1, first=False, output=b"")
    asked.says(Outcome("ok"))
    assert asked.run() == (Outcome("ok"), None)


def test_a_lost_outcome_after_the_parents_exit_is_a_hang(asked: Asked) -> None:
    """The wire layer's worker gave up waiting for a daemon that lives in the background."""
    asked.sandbox.open = [request(Opcode.FSYNC)]
    asked.says(Outcome("lost", observed="no reply within 10 s"))

    def slowly(timeout: float, first: list[int] = [0]) -> dict[str, Any] | None:  # noqa: B006
        first[0] += 1  # the exit comes while the death is being looked for
        return {"event": "exit", "pid": 7, "status": 0, "first": True, "output": b""} if first[0] == 2 else None

    asked.sandbox.next_event = slowly  # type: ignore[method-assign]
    outcome, incident = asked.run()
    assert outcome.kind == "lost"
    assert (incident.kind, incident.opcode, incident.proven) == ("hang", "FSYNC", False)
    assert incident.detail.startswith("FSYNC: no reply within 10 s; thread 1 of the daemon waits for a lock")
    assert asked.sandbox.answered == [2]


def test_a_lost_outcome_of_a_dead_daemon_is_a_crash(asked: Asked) -> None:
    """The wire's end closes before the relay has told of the death."""
    asked.says(Outcome("lost", observed="the daemon's end closed"))
    asked.sandbox.tell("worker-exit", pid=1, status=0)
    asked.sandbox.tell("daemon-gone")
    outcome, incident = asked.run()
    assert outcome.kind == "lost" and incident.kind == "crash"


def test_a_worker_that_does_not_come_back_is_killed(asked: Asked) -> None:
    """No request is open, nobody to blame: but the run goes on."""
    outcome, incident = asked.run()
    assert outcome is None and incident.kind == "stuck"
    assert asked.sandbox.killed == [99]
    assert any("futex_wait_queue" in line for line in incident.evidence)


def test_a_reply_that_is_refused_is_no_slowness(asked: Asked) -> None:
    """Answers that come all the while, each to a request that there is not, would be SKIP and their fault untold."""
    asked.sandbox.asked_each_time = 3
    asked.says(Outcome("lost", observed="a reply to request 99 while RENAME as 8 is open; the kernel refuses it"))
    _, incident = asked.run()
    assert incident is not None and incident.kind != "slow"


def test_who_gave_up_on_a_slow_target_saw_no_hang(asked: Asked) -> None:
    """A process of a check that waits ten seconds for twenty writes of half a second each is not stuck."""
    lost = Outcome("lost", observed="the process did not finish within 10 s")
    asked.sandbox.asked_each_time = 3
    asked.says(lost)
    outcome, incident = asked.run()
    assert (outcome.kind, incident.kind) == ("skip", "slow") and "did not finish within 10 s" in outcome.observed
    asked.sandbox.asked_each_time = 0
    asked.says(lost)
    outcome, incident = asked.run()
    assert incident.kind == "stuck", "nothing was asked any more"


def test_a_slow_target_is_too_slow_and_does_not_hang(asked: Asked) -> None:
    """An author of a network file system is not told of a hang where every request was answered."""
    asked.sandbox.asked_each_time = 3
    outcome, incident = asked.run()
    assert outcome.kind == "skip" and "too slow" in outcome.observed and incident.kind == "slow"
    assert asked.sandbox.killed == [99]


def test_a_worker_that_ends_by_itself(asked: Asked) -> None:
    """That is our own fault, and is not put on the target."""
    asked.worker.close()
    _, incident = asked.run()
    assert incident.kind == "worker"


# -- with no relay


def test_without_a_relay_time_alone_tells_of_a_hang(direct: Asked) -> None:
    """A hung daemon must not hang the run."""
    _, incident = direct.run()
    assert incident.kind == "hang" and incident.opcode == "" and direct.sandbox.killed == [99]


def test_without_a_relay_the_last_exit_is_the_crash(direct: Asked) -> None:
    """It is all that there is to tell a crash by."""
    direct.sandbox.alive = []
    direct.sandbox.tell("exit", pid=7, status=3, first=True, output=b"bye")
    _, incident = direct.run()
    assert (incident.kind, incident.detail) == ("crash", "the daemon exited with status 3")


def test_without_a_relay_an_exit_of_another_process_is_no_crash(direct: Asked) -> None:
    """A shell's child that a check left behind would count as the daemon's death."""
    direct.sandbox.tell("exit", pid=55, status=1, first=False, output=b"")
    direct.says(Outcome("ok"))
    assert direct.run() == (Outcome("ok"), None)


@pytest.mark.parametrize(
    ("status", "told"),
    [(None, "closed its end"), (0, "status 0"), (2, "status 2"), (-6, "SIGABRT"), (-99, "signal 99")],
)
def test_how_a_process_ended(status: int | None, told: str) -> None:
    """A number with a minus is not for people."""
    assert told in describe_exit(status)
