"""Known failures and a project's configuration, on real runs."""

from __future__ import annotations

import pytest

from tests.command import Command
from tests.reading import document_of

pytestmark = pytest.mark.mount

SELECT = ("--select", "shell.chmod", "--select", "posix.setattr.times", "--select", "shell.touch")
CONFIGURED = """
default = "old"
[targets.old]
profile = "missing-setattr"
select = ["shell.chmod", "posix.setattr.times", "shell.touch"]
baseline = "known.toml"
[targets.new]
profile = "lost-reply=STATFS"
select = "shell.chmod"
"""


def test_failures_are_accepted_until_they_are_mended(fsprobe: Command) -> None:
    """A CI run stays green on what is known, and turns red on what is new and on what is mended."""
    result, known = fsprobe.scratch / "r.json", fsprobe.scratch / "known.toml"
    fsprobe("run", "vexfs:missing-setattr", *SELECT, "--json", str(result))
    assert fsprobe("baseline", str(result), "-o", str(known), "--reason", "next year").exit_code == 0

    accepted = fsprobe("run", "vexfs:missing-setattr", *SELECT, "--baseline", str(known))
    document = document_of(accepted)
    assert accepted.exit_code == 0 and document["summary"]["counts"] == {"XFAIL": 3}
    assert {(check["seen"], check["reason"]) for check in document["checks"]} == {("FAIL", "next year")}
    assert "next year" in accepted.stdout and "3 known failures" in accepted.stdout
    assert [one["known"] for one in document["diagnoses"] if one["op"] == "SETATTR"] == [True]

    mended = fsprobe("run", "vexfs", *SELECT, "--baseline", str(known))
    assert mended.exit_code == 1 and document_of(mended)["summary"]["counts"] == {"XPASS": 3}
    assert "3 checks pass that" in mended.stdout

    known.write_text(known.read_text().replace('check = "shell.touch"', 'check = "shell.gone"'))
    stale = fsprobe("run", "vexfs:missing-setattr", *SELECT, "--baseline", str(known))
    assert stale.exit_code == 1 and "names no check: shell.gone" in stale.stdout
    assert document_of(stale)["summary"]["counts"] == {"FAIL": 1, "XFAIL": 2}


def test_a_configured_target_is_run_by_its_name(fsprobe: Command) -> None:
    """`fsprobe run` in a project does what the project wants, from anywhere in it."""
    (fsprobe.scratch / "fsprobe.toml").write_text(CONFIGURED)
    (fsprobe.scratch / "known.toml").write_text('[[known]]\ncheck = "*"\nreason = "all known"\n')
    (fsprobe.scratch / "deep").mkdir()
    run = fsprobe("run", cwd=fsprobe.scratch / "deep")
    assert run.exit_code == 0 and document_of(run)["summary"]["counts"] == {"XFAIL": 3}
    assert document_of(run)["target"]["name"] == "old"
    assert document_of(fsprobe("run", "new", cwd=fsprobe.scratch))["summary"]["counts"] == {"PASS": 1}
