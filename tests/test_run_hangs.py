"""C daemons on libfuse 2 and 3 that hang, die or run out in one handler: the cause of each, and the line of code."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command
from tests.leaks import LeakWatch
from tests.reading import diagnosis, document_of, with_verdict

pytestmark = pytest.mark.mount

VERSIONS = {"2": ("fuse", "26"), "3": ("fuse3", "31")}
READING = ("--select", "posix.existing.read-twice")
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
ENDS = [
    ("segv", "crashed", "SIGSEGV"), ("abort", "crashed", "SIGABRT"), ("exit", "crashed", "exited with status 1"),
    ("memory", "crashed", "SIGABRT"), ("descriptors", "out-of-files", "EMFILE"),
]  # fmt: skip


def built(version: str, shared: Path) -> Path:
    """The program, compiled once for all test processes."""
    package, number = VERSIONS[version]
    binary = shared / "bin" / f"hangs{version}"
    with open(shared / "lock-hangs", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            if shutil.which("gcc") is None or shutil.which("pkg-config") is None:
                pytest.skip("gcc and pkg-config are not installed")
            flags = subprocess.run(["pkg-config", "--cflags", "--libs", package], capture_output=True, text=True)
            if flags.returncode:
                pytest.skip(f"the development files of {package} are not installed")
            source = shared / "programs" / "hangs.c"
            command = ["gcc", "-g", "-O1", "-w", f"-DFUSE_USE_VERSION={number}", "-D_FILE_OFFSET_BITS=64", str(source)]
            subprocess.run([*command, "-o", str(binary), "-lpthread", *flags.stdout.split()], check=True)
    return binary


def command(fault: str, version: str, options: str, shared: Path) -> str:
    return f"{built(version, shared)} {fault} {{mountpoint}} -f {options}".strip()


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
    ("fault", "cause", "proven"), [("relock", "deadlock-lock", True), ("sleep", "blocked-io", False)]
)
def test_the_same_without_the_relay(
    fault: str, cause: str, proven: bool, fsprobe: Command, leaks: LeakWatch, shared: Path
) -> None:
    """Where the daemon keeps its device, the caller's kernel stack tells the operation and the threads the cause."""
    program = command(fault, "2", "-s", shared)
    document = document_of(fsprobe("run", program, *READING, "--no-relay", "--timeout", "20" if proven else "1"))
    found = diagnosis(document, "READ")
    assert (found["cause"], found["confidence"]) == (cause, "proven" if proven else "likely")
    assert leaks() == []


def test_a_slow_daemon_is_not_a_hanging_one(fsprobe: Command, leaks: LeakWatch, shared: Path) -> None:
    """Whoever waits a second for a server would be told that he has a deadlock."""
    for options in ("", "-s"):
        document = document_of(fsprobe("run", command("slow", "3", options, shared), *READING))
        assert not with_verdict(document, "HANG", "CRASH", "ERROR", "FAIL"), document["diagnoses"]
    assert leaks() == []
