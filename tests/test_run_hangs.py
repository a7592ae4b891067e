"""C daemons on libfuse 2 and 3 that hang, die or run out in one handler: the cause of each, and the line of code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command, Result
from tests.hanging import READING, TABLE, Hanging, Missing, built
from tests.hanging import command as command_of
from tests.leaks import LeakWatch
from tests.reading import diagnosis, document_of, leaked, operations, with_verdict

pytestmark = pytest.mark.mount

# fault, libfuse, options of the daemon, cause, proven, what the check says
ROWS = [
    ("relock", "2", "-s", "deadlock-lock", True, "holds itself"),
    ("relock", "3", "", "deadlock-lock", True, "holds itself"),
    ("abba", "3", "", "deadlock-lock", True, "in a ring"),
    ("own-mount", "2", "-s", "deadlock-own-mount", True, "its own LOOKUP"),
    ("stderr", "3", "", "blocked-output", True, "standard error, a full pipe that nobody reads"),
    ("stop", "2", "", "stopped", True, "state T"),
    ("busy", "3", "", "busy-loop", False, "computes without end"),
    ("sleep", "3", "", "blocked-io", False, "sleeps"),
    ("pipe", "2", "-s", "blocked-io", False, "pipe"),
    ("fifo", "3", "", "blocked-io", False, "FIFO"),
    ("socket", "3", "", "blocked-io", False, "socket"),
    ("file-lock", "2", "", "blocked-io", False, "lock on a file"),
]  # fmt: skip
# 1 s and 0.3 s in each request, 3 s in the first one only.
SLOW = [("slow", ""), ("slow", "-s"), ("slow-each", ""), ("slow-each", "-s"), ("slow-once", ""), ("slow-once", "-s")]
LONGEST = 30.0
CLONE = Path(__file__).parent.parent
ENDS = [
    ("segv", "crashed", "SIGSEGV"), ("abort", "crashed", "SIGABRT"), ("exit", "crashed", "exited with status 1"),
    ("memory", "crashed", "SIGABRT"), ("descriptors", "out-of-files", "EMFILE"),
]  # fmt: skip


def command(fault: str, version: str, options: str, shared: Path) -> str:
    try:
        return f"{built('hangs', version, shared)} {fault} {{mountpoint}} -f {options}".strip()
    except Missing as missing:
        pytest.skip(str(missing))


def incident(document: dict[str, Any]) -> dict[str, Any]:
    """What was taken down of the first hang, which its check links."""
    (hung,) = [check for check in document["checks"] if check["verdict"] == "HANG"]
    (found,) = [one for one in document["incidents"] if one["id"] == hung["incident"]]
    return dict(found)


@pytest.mark.parametrize(("fault", "version", "options", "cause", "proven", "told"), ROWS, ids=lambda v: str(v) or "mt")
def test_why_it_hangs(
    fault: str, version: str, options: str, cause: str, proven: bool, told: str, fsprobe: Command, leaks: LeakWatch,
    shared: Path,
) -> None:  # fmt: skip
    """ "It hangs" becomes a cause and a line; what can be proven does not wait for the timeout."""
    program = command(fault, version, options, shared)
    document = document_of(fsprobe("run", program, *READING, "--timeout", "20" if proven else "1"))
    found = diagnosis(document, "READ")
    assert (found["cause"], found["confidence"]) == (cause, "proven" if proven else "likely")
    assert [one["op"] for one in document["diagnoses"] if one["confidence"] != "note"] == ["READ"]
    seen = incident(document)
    assert told in seen["detail"] and seen["path"] == "/data"
    assert seen["open"][0]["request"].startswith("READ /data ")
    assert not proven or seen["seconds"] < 5, "it waited for the timeout"
    assert seen["callers"][0]["call"] and seen["limits"] and seen["exchanges"]
    if any(one["tool"] for one in seen["stacks"]):
        assert "hangs.c:" in seen["detail"]
    assert not with_verdict(document, "ERROR", "CRASH") and leaks() == []


@pytest.mark.parametrize(("fault", "cause", "told"), ENDS, ids=[row[0] for row in ENDS])
def test_how_it_ends(
    fault: str, cause: str, told: str, fsprobe: Command, leaks: LeakWatch, shared: Path
) -> None:  # fmt: skip
    """A crash is told by its signal or status, spent descriptors by their number."""
    document = document_of(fsprobe("run", command(fault, "3", "", shared), *READING))
    found = diagnosis(document, "READ")
    assert (found["cause"], found["confidence"]) == (cause, "proven")
    assert told in " ".join([found["summary"], *found["evidence"]])
    if cause == "out-of-files":
        assert any("of 64 descriptors" in line for line in found["evidence"])
    assert leaks() == []


@pytest.mark.parametrize(
    ("fault", "cause", "proven"),
    [("relock", "deadlock-lock", True), ("own-mount", "deadlock-own-mount", True), ("sleep", "blocked-io", False)],
)
def test_the_same_without_the_relay(
    fault: str, cause: str, proven: bool, fsprobe: Command, leaks: LeakWatch, shared: Path
) -> None:
    """Where the daemon keeps its device, the caller's kernel stack tells the operation and the threads the cause."""
    program = command(fault, "2", "-s", shared)
    document = document_of(fsprobe("run", program, *READING, "--no-relay", "--timeout", "20" if proven else "1"))
    found = diagnosis(document, "READ")
    assert (found["cause"], found["confidence"]) == (cause, "proven" if proven else "likely")
    assert [one["op"] for one in document["diagnoses"] if one["confidence"] != "note"] == ["READ"]
    if fault == "own-mount":
        assert "its own LOOKUP" in incident(document)["detail"]
    assert leaks() == []


def test_without_the_relay_one_crash_is_one_diagnosis(fsprobe: Command, leaks: LeakWatch, shared: Path) -> None:
    """Checks about six operations prepare themselves by mkdir: a daemon that dies of it has one fault, not six."""
    target = f"{sys.executable} {shared}/programs/vexfs_variant.py mkdir-aborts {{mountpoint}}"
    only = ("--op", "MKDIR", "--select", "posix.*", "--no-relay")
    document = document_of(fsprobe("run", target, *only, env={"PYTHONPATH": str(CLONE)}))
    crashed = [check for check in document["checks"] if check["verdict"] == "CRASH"]
    assert len({op for check in crashed for op in check["ops"]}) > 3
    told = [one for one in document["diagnoses"] if one["confidence"] != "note"]
    assert [(one["cause"], one["op"], one["confidence"]) for one in told] == [("crashed", "MKDIR", "likely")]
    assert any("requests are not seen" in line for line in told[0]["evidence"])
    assert leaks() == []


def check_hang(one: Hanging, result: Result) -> None:
    """It ended by itself, in time, and told what is wrong first."""
    document = document_of(result)
    assert result.exit_code == one.exit_code and result.seconds < LONGEST, str(result)
    first = document["diagnoses"][0]
    assert (first["cause"], first["confidence"]) == (one.cause, "proven" if one.proven else "likely"), first
    assert first["op"] in one.ops, first
    assert leaked(document) == []


PROVEN = [one for one in TABLE if one.proven]
GUESSED = [one for one in TABLE if not one.proven and one.name != "busy, libfuse 2s"]  # it would take a processor


@pytest.mark.parametrize("one", PROVEN, ids=lambda one: one.name)
def test_whatever_hangs_the_run_ends_with_the_cause(
    one: Hanging, fsprobe: Command, leaks: LeakWatch, shared: Path
) -> None:
    """A run that hangs on what it is there to find, or leaves something in D, would be the last thing to install."""
    try:
        target = command_of(one.target, shared)
    except Missing as missing:
        pytest.skip(str(missing))
    check_hang(one, fsprobe("run", target, *one.narrow))
    assert leaks() == []


@pytest.mark.timeout(180)
def test_what_cannot_be_proven_waits_for_the_time_out_and_no_longer(
    fsprobe: Command, leaks: LeakWatch, shared: Path
) -> None:
    """Side by side, as all of it is waiting: a daemon that sleeps for ever costs one timeout, not the evening."""
    try:
        started = [(one, fsprobe.start("run", command_of(one.target, shared), *one.narrow)) for one in GUESSED]
    except Missing as missing:
        pytest.skip(str(missing))
    for one, running in started:
        check_hang(one, running.wait(60))
    assert leaks() == []


def test_a_hang_at_an_extreme_costs_no_other_check(fsprobe: Command, leaks: LeakWatch, shared: Path) -> None:
    """A daemon that chokes on a file of 2^63 bytes would leave hundreds of checks of SETATTR unasked."""
    target = f"{sys.executable} {shared}/programs/vexfs_variant.py huge-hangs {{mountpoint}}"
    document = document_of(fsprobe("run", target, "--op", "SETATTR", env={"PYTHONPATH": str(CLONE)}))
    hung = {check["id"] for check in document["checks"] if check["verdict"] == "HANG"}
    assert hung == {"protocol.setattr.huge-size", "posix.setattr.truncate-huge"}
    assert not with_verdict(document, "NOTRUN", "FAIL", "CRASH", "ERROR")
    assert operations(document)["SETATTR"] == "hang" and diagnosis(document, "SETATTR")["cause"] == "deadlock-lock"
    assert document["processes"]["restarts"] <= 2 and leaked(document) == [] and leaks() == []


def test_a_slow_daemon_is_not_a_hanging_one(fsprobe: Command, leaks: LeakWatch, shared: Path) -> None:
    """Whoever waits a second for a server would be told that he has a deadlock."""
    for fault, options in SLOW:
        document = document_of(fsprobe("run", command(fault, "3", options, shared), *READING))
        assert not with_verdict(document, "HANG", "CRASH", "ERROR", "FAIL"), document["diagnoses"]
    assert leaks() == []
