"""Faults as authors make them, each on an otherwise sound daemon: seen, and blamed on the operation that has it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command
from tests.leaks import LeakWatch
from tests.reading import document_of, leaked, with_verdict

pytestmark = pytest.mark.mount

pytest.importorskip("mfusepy")


def faulty(fault: str) -> str:
    """The command of the daemon with that fault."""
    return f"{sys.executable} {{programs}}/faulty_memfs.py {{mountpoint}} {fault}"


def checks_of(document: dict[str, Any], op: str, cause: str) -> int:
    """How many failed checks the diagnosis of that cause and operation explains; 0 where there is none."""
    found = [one for one in document["diagnoses"] if (one["op"], one["cause"]) == (op, cause)]
    return len(found[0]["checks"]) if found else 0


@pytest.mark.parametrize(
    ("fault", "op", "cause", "least", "select"),
    [
        ("stores-nothing", "WRITE", "wrong-data", 20, ("--quick",)),
        ("size-zero", "GETATTR", "wrong-metadata", 20, ("--quick",)),
        ("keeps-no-xattr", "SETXATTR", "silent-noop", 10, ("--select", "*xattr*")),
        ("one-inode", "GETATTR", "wrong-metadata", 1, ("--select", "posix.getattr.*")),
        ("lists-one-page", "READDIR", "wrong-data", 1, ("--select", "posix.readdir.*")),
        ("lists-without-end", "READDIR", "wrong-data", 5, ("--op", "READDIR", "--timeout", "1")),
        ("uses-own-mount", "READ", "deadlock-own-mount", 1, ("--select", "posix.read.*", "--timeout", "1")),
    ],
)
def test_fault_is_blamed(
    fault: str, op: str, cause: str, least: int, select: tuple[str, ...], fsprobe: Command, leaks: LeakWatch,
    shared: Path,
) -> None:  # fmt: skip
    """An author is sent to the operation that is wrong, not to one of the dozens that fail because of it."""
    result = fsprobe("run", faulty(fault).replace("{programs}", str(shared / "programs")), *select)
    document = document_of(result)
    assert result.exit_code == 1, str(result)
    assert checks_of(document, op, cause) >= least, document["diagnoses"]
    first = document["diagnoses"][0]
    assert (first["op"], first["cause"]) == (op, cause)
    assert with_verdict(document, "ERROR") == []
    # What a listing without end holds cannot be found again to be removed: it is named instead.
    assert bool(leaked(document)) is (fault == "lists-without-end")
    assert leaks() == []


def test_full_disk_is_no_fault(fsprobe: Command, leaks: LeakWatch, shared: Path) -> None:
    """A small file system would be covered in failures that are none of its making."""
    command = faulty("small-disk").replace("{programs}", str(shared / "programs"))
    document = document_of(fsprobe("run", command, "--op", "WRITE", "--op", "READ"))
    assert with_verdict(document, "ERROR", "HANG", "CRASH") == []
    assert [text for text in with_verdict(document, "FAIL") if "ENOSPC" in text or "No space" in text] == []
    assert leaks() == []


def test_launcher_that_fails_after_the_mount(fsprobe: Command, leaks: LeakWatch, shared: Path) -> None:
    """A start script's own last error would be told as the death of a daemon that lives."""
    programs = shared / "programs"
    command = f"{programs}/launcher_fails {faulty('none').replace('{programs}', str(programs))}"
    document = document_of(fsprobe("run", command, "--select", "*.getattr.root"))
    assert document["summary"]["exit_code"] == 0, document["diagnoses"]
    assert leaks() == []
