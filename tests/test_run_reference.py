"""The main job on the built-in reference: each historical mistake is told for what it is, and the sound one passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Command
from tests.leaks import LeakWatch
from tests.reading import WORST, answered, diagnosis, document_of, leaked, operations, verdicts, with_verdict

pytestmark = pytest.mark.mount

MISSING_BEFORE = ("SETATTR", "MKNOD", "MKDIR", "UNLINK", "RMDIR", "RENAME", "LINK", "SYMLINK")
KNOWN = Path(__file__).parent.parent / "reference_fs" / "baseline.toml"
WRITES = ("SETATTR", "MKDIR", "UNLINK", "RMDIR", "RENAME", "LINK", "SYMLINK", "CREATE", "WRITE")


def test_before_fix_is_explained(fsprobe: Command, leaks: LeakWatch) -> None:
    """The bug reported as "FUSE I/O hangs": SETATTR answers ENOSYS, nothing hangs, and the handler is named."""
    result = fsprobe("run", "vexfs:before-fix")
    document = document_of(result)
    assert result.exit_code == 1
    told = operations(document)
    assert {op: told[op] for op in MISSING_BEFORE} == dict.fromkeys(MISSING_BEFORE, "ENOSYS")
    assert not [op for op, verdict in told.items() if verdict in ("hang", "crash")]
    assert not with_verdict(document, *WORST)

    touch = next(check for check in document["checks"] if check["id"] == "shell.historic.touch")
    assert (touch["verdict"], touch["op"], touch["errno"]) == ("FAIL", "SETATTR", "ENOSYS")
    assert "Function not implemented" in touch["observed"]
    assert any("SETATTR" in line and "ENOSYS" in line for line in touch["trace"])

    cause = diagnosis(document, "SETATTR")
    assert (cause["cause"], cause["confidence"]) == ("not-implemented", "proven")
    assert "shell.historic.touch" in cause["checks"]
    handler = document["operations"]["SETATTR"]["handler"]
    assert handler and handler in cause["fix"] and handler in result.stdout
    assert {"touch", "chmod", "truncate"} <= set(document["operations"]["SETATTR"]["breaks"])
    assert leaks() == []


@pytest.mark.parametrize(("target", "options"), [("vexfs", ("--baseline", str(KNOWN))), ("vexfs:raw", ())])
def test_sound_reference_passes(target: str, options: tuple[str, ...], fsprobe: Command, leaks: LeakWatch) -> None:
    """A file system that does everything right is told so: exit 0, every operation that it implements is ok. What
    warns on the default front has a reason that is written down, and none that no longer holds."""
    result = fsprobe("run", target, *options)
    document = document_of(result)
    assert result.exit_code == 0, with_verdict(document, "FAIL", *WORST)
    assert with_verdict(document, "WARN", "XPASS") == []
    assert document["summary"]["counts"].get("XFAIL", 0) == document.get("baseline", {}).get("entries", 0)
    told = operations(document)
    assert {op: told[op] for op in answered(document)} == dict.fromkeys(answered(document), "ok")
    assert set(WRITES) <= answered(document)
    assert document["diagnoses"] == [] or all(one["confidence"] == "note" for one in document["diagnoses"])
    assert leaked(document) == []
    assert document["environment"]["protocol"].startswith("7.")
    assert verdicts(document)["shell.historic.touch"] == "PASS"
    assert leaks() == []


def test_after_fix_shows_what_is_still_missing(fsprobe: Command) -> None:
    """The eight operations of the fix work now; what it left out, and an rmdir that lies, are still found."""
    result = fsprobe("run", "vexfs:after-fix", "--quick")
    document = document_of(result)
    assert result.exit_code == 1
    told = operations(document)
    left_out = ("RENAME", "LINK", "SYMLINK", "SETXATTR", "GETXATTR")
    assert {op: told[op] for op in left_out} == dict.fromkeys(left_out, "ENOSYS")
    assert told["RMDIR"] == "wrong"
    assert {told[op] for op in ("SETATTR", "MKNOD", "MKDIR", "OPEN", "FLUSH", "RELEASE")} == {"ok"}
    assert diagnosis(document, "RMDIR")["cause"] == "silent-noop"
    assert verdicts(document)["shell.historic.touch"] == "PASS"
    assert not with_verdict(document, *WORST)


def test_missing_setattr_is_the_only_cause(fsprobe: Command) -> None:
    """One absent handler breaks forty checks; the report names one cause, not forty."""
    result = fsprobe("run", "vexfs:missing-setattr", "--quick")
    document = document_of(result)
    assert result.exit_code == 1
    told = operations(document)
    assert told["SETATTR"] == "ENOSYS"
    assert not {op for op, verdict in told.items() if verdict in ("wrong", "partial", "hang", "crash")}
    serious = [one for one in document["diagnoses"] if one["confidence"] != "note"]
    assert [(one["cause"], one["op"]) for one in serious] == [("not-implemented", "SETATTR")]
    failed = {line.partition(":")[0] for line in with_verdict(document, "FAIL")}
    assert failed == set(serious[0]["checks"]) & failed


def test_lost_reply_is_proven_and_the_run_goes_on(fsprobe: Command, leaks: LeakWatch) -> None:
    """A request that is never answered does not hang fsprobe: it is named, proven, and the other checks are made."""
    result = fsprobe("run", "vexfs:lost-reply")
    document = document_of(result)
    assert result.exit_code == 1
    assert operations(document)["SETATTR"] == "hang"
    assert [op for op, verdict in operations(document).items() if verdict == "hang"] == ["SETATTR"]
    cause = diagnosis(document, "SETATTR")
    assert (cause["cause"], cause["confidence"]) == ("lost-reply", "proven")
    hung = [check for check in document["checks"] if check["verdict"] == "HANG"]
    assert hung and all(check["seconds"] < 5 for check in hung)
    passed = {check["layer"] for check in document["checks"] if check["verdict"] == "PASS"}
    assert passed == {"wire", "mount", "shell"}
    assert verdicts(document)["shell.historic.cat"] == "PASS"
    assert leaks() == []


def test_crash_is_survived(fsprobe: Command, leaks: LeakWatch) -> None:
    """A daemon that dies is started again on a fresh mount, and its death is charged to the request that killed it."""
    result = fsprobe("run", "vexfs:crash-on-truncate", "--quick")
    document = document_of(result)
    assert result.exit_code == 1
    assert operations(document)["SETATTR"] == "crash"
    assert [op for op, verdict in operations(document).items() if verdict == "crash"] == ["SETATTR"]
    cause = diagnosis(document, "SETATTR")
    assert (cause["cause"], cause["confidence"]) == ("crashed", "proven")
    assert any("SIGABRT" in line for line in cause["evidence"])
    assert document["processes"]["restarts"] >= 1
    assert any("SIGABRT" in ended["how"] for ended in document["processes"]["daemon_exits"])
    assert verdicts(document)["shell.historic.cat"] == "PASS"
    assert not with_verdict(document, "ERROR", "NOTRUN")
    assert leaks() == []


def test_not_mounted_checks_nothing(fsprobe: Command, leaks: LeakWatch) -> None:
    """A mount that never comes is an error, and no check on the bare directory passes in its place."""
    result = fsprobe("run", "vexfs:not-mounted", "--start-timeout", "1.5")
    document = document_of(result)
    assert result.exit_code == 4
    assert 1.5 <= result.seconds < 8, str(result)
    assert document["checks"] == []
    assert document["diagnoses"][0]["cause"] == "never-mounted"
    assert "waiting for configuration" in result.stdout, str(result)
    assert leaks() == []
