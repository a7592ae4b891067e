"""Failures that follow from another: thirty lines of symptoms hide the one that is to be mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsprobe.diagnose.derived import absorb, charge, works_alone
from fsprobe.diagnose.diagnose import diagnose
from fsprobe.diagnose.evidence import Evidence
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
