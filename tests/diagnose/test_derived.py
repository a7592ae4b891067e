"""Failures that follow from another: thirty lines of symptoms hide the one that is to be mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsprobe.diagnose.derived import absorb, charge, works_alone
from fsprobe.diagnose.diagnose import diagnose
from fsprobe.diagnose.evidence import Evidence
from fsprobe.diagnose.library import Library
from fsprobe.results.records import CheckResult, Diagnosis, OpSummary
from fsprobe.results.verdicts import Cause, OpVerdict, Verdict


def check(id: str, op: str, verdict: Verdict = Verdict.FAIL, **more: object) -> CheckResult:
    layer = {"protocol": "wire", "posix": "mount"}.get(id.split(".")[0], "shell")
    made = CheckResult(id, layer, op, "", "MUST", verdict, ops=(op,), declared=op, reproduce=f"again {id}")
    return replace(made, **more)  # type: ignore[arg-type]


def evidence(*checks: CheckResult, **requests: int) -> Evidence:
    operations = {op: OpSummary(OpVerdict.OK, n, {"ok": n}) for op, n in requests.items()}
    return Evidence(checks=checks, operations=operations)


SOUND = check("protocol.mkdir.made", "MKDIR", Verdict.PASS, main=True)
TREE = check("shell.cp-r", "MKDIR", sent=("LOOKUP", "MKDIR", "READDIR", "RENAME"))


def test_an_operation_that_works_alone_is_charged_to_the_root_that_took_part() -> None:
    """Whoever reads "MKDIR is wrong" looks at a handler that is right."""
    seen = evidence(SOUND, TREE, READDIR=40, LOOKUP=900)
    assert works_alone("MKDIR", seen)
    assert charge(TREE, ["READDIR", "LOOKUP", "UNLINK"], seen) == "READDIR", "what takes part in all tells nothing"
    assert charge(TREE, ["UNLINK"], seen) == ""


def test_what_answered_strangely_comes_first() -> None:
    """An EIO in the trace is a better witness than the number of requests."""
    told = replace(TREE, trace=('LOOKUP /a/ "b" → EIO 3 µs',))
    assert charge(told, ["READDIR", "LOOKUP"], evidence(SOUND, READDIR=40, LOOKUP=900)) == "LOOKUP"


@pytest.mark.parametrize(
    "mine",
    [
        check("protocol.mkdir.made", "MKDIR", main=True),  # it is broken itself
        check("protocol.mkdir.made", "MKDIR", Verdict.SKIP, main=True),  # nothing says that it works
    ],
)
def test_an_operation_that_is_not_known_to_work_keeps_the_blame(mine: CheckResult) -> None:
    """A second fault would hide behind the first."""
    assert charge(TREE, ["READDIR"], evidence(mine, TREE, READDIR=40)) == ""


def test_what_the_daemon_answered_itself_is_proven() -> None:
    """EIO from MKDIR is MKDIR's, whatever else is broken."""
    seen = Evidence((SOUND, TREE), {"MKDIR": OpSummary(OpVerdict.OK, 9, {"ok": 8, "EIO": 1})})
    assert charge(replace(TREE, errno="EIO"), ["READDIR"], seen) == ""


def test_consequences_of_a_missing_handler_are_its_own() -> None:
    """`touch` that fails by SETATTR is no second line about WRITE."""
    missing = Diagnosis(
        Cause.NOT_IMPLEMENTED, "RENAME", "proven", "", checks=("protocol.rename.moves",), ops=("RENAME",)
    )
    (found,) = absorb([missing], evidence(SOUND, TREE, RENAME=3))
    assert found.checks == ("protocol.rename.moves", "shell.cp-r")
    note = replace(missing, confidence="note")
    assert absorb([note], evidence(SOUND, TREE, RENAME=3)) == [note]


def test_a_file_that_goes_with_its_name_is_one_cause() -> None:
    """Eight operations answer ESTALE; the one to mend is UNLINK, which answers success."""
    trace = ('UNLINK /d/ "f" → OK 3 µs', "GETATTR /d/f (deleted) fh=1 → ESTALE 3 µs")
    seen = [
        check("posix.getattr.unlinked-open", "GETATTR", errno="ESTALE", trace=trace),
        check(
            "posix.setattr.fchmod-unlinked", "SETATTR", errno="ESTALE", trace=(trace[0], trace[1].replace("GET", "SET"))
        ),
        check("posix.forget.open", "FORGET", Verdict.SKIP, blocked_by="GETATTR", errno="ESTALE", trace=trace),
    ]
    (found,) = diagnose(evidence(*seen, GETATTR=9))
    assert (found.cause, found.op) == (Cause.WRONG_DATA, "UNLINK")
    assert set(found.checks) == {one.id for one in seen} and found.ops == ("UNLINK", "GETATTR", "SETATTR")


LISTED = check("protocol.readdir.rewind", "READDIR")
LINKED = check("posix.link.shares-mode", "LINK", sent=("LOOKUP", "LINK", "READDIR"), observed="0o640")
LINKS = check("protocol.link.created", "LINK", Verdict.PASS, main=True)


def test_a_corner_of_an_operation_explains_nothing_else() -> None:
    """A listing that is old after rewinddir would be blamed for everything that lists a directory when it tidies up."""
    found = {one.op: one.checks for one in diagnose(evidence(LISTED, LINKED, LINKS, READDIR=40, LINK=9))}
    assert found == {"READDIR": (LISTED.id,), "LINK": (LINKED.id,)}


def test_a_main_check_that_fails_still_explains_what_it_took_part_in() -> None:
    """What follows from a listing that is wrong altogether would be a cause of its own."""
    broken = replace(LISTED, main=True, expected="names [b'a']", observed="[]")
    found = {one.op: one.checks for one in diagnose(evidence(broken, LINKED, LINKS, READDIR=40, LINK=9))}
    assert found == {"READDIR": (LISTED.id, LINKED.id)}


def test_a_wrong_error_explains_errors_only() -> None:
    """EIO for an extended attribute makes no link count wrong."""
    refused = check("protocol.getxattr.missing", "GETXATTR", main=True, errno="EIO", expected="ENODATA")
    asked = replace(LINKED, sent=("GETXATTR", "LINK"))
    found = {one.op: one.checks for one in diagnose(evidence(refused, asked, LINKS, GETXATTR=9, LINK=9))}
    assert found["LINK"] == (LINKED.id,)


def test_a_crash_is_charged_with_what_got_no_reply_only() -> None:
    """Thirty failures would pass for thirty consequences of one crash, and be found again after it is mended."""
    mine = ("posix.setattr.huge",)
    crash = Diagnosis(Cause.CRASHED, "SETATTR", "proven", "the daemon dies", checks=mine, ops=("SETATTR",))
    seen = evidence(LINKS, replace(LINKED, sent=("SETATTR", "LINK")), SETATTR=9)
    assert absorb([crash], seen) == [crash]


@pytest.mark.parametrize(("family", "told"), [("libfuse2", True), ("mfusepy", True), ("libfuse3", False)])
def test_a_time_that_libfuse_2_drops_is_told_with_the_flag_to_set(family: str, told: bool) -> None:
    """The author's utimens is never called: looking at it finds nothing."""
    lost = check("posix.setattr.times-omit", "SETATTR", expected="mtime 1500000000", observed="1000000000")
    (found,) = diagnose(replace(evidence(lost, SETATTR=9), library=Library("libfuse", "2.9", "high", family)))
    assert ("flag_utime_omit_ok" in found.fix) is told
