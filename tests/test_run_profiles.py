"""The main job on the defects that hang and on those that mix files up: the verdict of each, with its cause."""

from __future__ import annotations

import pytest

from tests.command import Command
from tests.leaks import LeakWatch
from tests.reading import diagnosis, document_of, leaked, operations, verdicts, with_verdict

pytestmark = pytest.mark.mount

HANGS = [
    ("search-relock", "WRITE", "deadlock-lock", ("--suite", "vexfs"), "no thread is left to free it"),
    ("own-mount", "STATFS", "deadlock-own-mount", ("--select", "posix.statfs.*"), "its own STATFS"),
    ("stderr-pipe", "WRITE", "blocked-output", ("--no-mount",), "standard error, a full pipe"),
    ("raw:search-relock", "WRITE", "deadlock-lock", ("--select", "vexfs.search-all.*"), "waits for a lock"),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "op", "cause", "options", "told"), HANGS, ids=[row[0] for row in HANGS])
def test_a_hang_is_proven_by_what_the_daemon_waits_for(
    profile: str, op: str, cause: str, options: tuple[str, ...], told: str, fsprobe: Command, leaks: LeakWatch
) -> None:
    """ "It hangs" is all that an author knows; the lock, the mount or the pipe is named, and long before a timeout."""
    document = document_of(fsprobe("run", f"vexfs:{profile}", *options, "--timeout", "20"))
    assert document["summary"]["exit_code"] == 1
    assert [name for name, verdict in operations(document).items() if verdict == "hang"] == [op]
    found = diagnosis(document, op)
    assert (found["cause"], found["confidence"]) == (cause, "proven")
    hung = [check for check in document["checks"] if check["verdict"] == "HANG"]
    assert hung and all(told in check["observed"] and check["seconds"] < 15 for check in hung)
    assert not with_verdict(document, "FAIL", "CRASH", "ERROR")
    assert leaked(document) == [] and leaks() == []


def test_flat_names(fsprobe: Command) -> None:
    """Data of one file in another, in a directory apart: CREATE is at fault, and the data is called wrong."""
    document = document_of(fsprobe("run", "vexfs:flat-names", "--op", "CREATE", "--no-mount"))
    assert verdicts(document)["protocol.create.same-name-twice"] == "FAIL"
    assert [check["op"] for check in document["checks"] if check["verdict"] == "FAIL"] == ["CREATE"]
    assert diagnosis(document, "CREATE")["cause"] == "wrong-data"


def test_unlink_drops_inode(fsprobe: Command) -> None:
    """Temporary files are unlinked while open everywhere: what is read from them is gone."""
    document = document_of(fsprobe("run", "vexfs:unlink-drops-inode", "--op", "UNLINK"))
    failed = {check["id"]: check["op"] for check in document["checks"] if check["verdict"] == "FAIL"}
    assert failed.keys() >= {"protocol.unlink.open-file", "posix.unlink.open-file"}
    told = [(one["op"], one["cause"]) for one in document["diagnoses"] if one["confidence"] != "note"]
    assert told == [("UNLINK", "wrong-data")], "whatever operation meets the missing file, UNLINK is to be mended"
    assert not with_verdict(document, "HANG", "CRASH", "ERROR", "NOTRUN")
