"""Two nodes for one file: a dozen surprises that one option mends must not be a dozen accusations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsprobe.diagnose.diagnose import diagnose
from fsprobe.diagnose.evidence import Evidence
from fsprobe.diagnose.library import Library
from fsprobe.diagnose.names import two_nodes
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Cause, Verdict

HIGH, OWN = Library("libfuse", "2.9", "high", "libfuse2"), Library("unknown")


def check(id: str, expected: str, observed: str, verdict: Verdict = Verdict.WARN, op: str = "LINK") -> CheckResult:
    layer = {"protocol": "wire", "posix": "mount"}.get(id.split(".")[0], "shell")
    made = CheckResult(id, layer, op, "", "MUST", verdict, ops=(op, "LINK"), declared=op, reproduce=f"again {id}")
    return replace(made, expected=expected, observed=observed)


NODE = check("protocol.link.same-node", "nodeid 96", "nodeid 97: the kernel takes the two names for two files")
CACHED = check("posix.link.shares-mode", "mode 0o604", "0o640: the kernel takes the two names for two files, and …")
FIFO = check("posix.link.of-fifo", "one FIFO under both names", "two: nobody reads the second")
NUMBER = check("posix.link.adds-name", "one inode number 1109", "1110")
GIT = check("apps.git.clone", "exit 0", "exit 128: fatal: hardlink different from source at 'x'", Verdict.FAIL, "MKDIR")


def test_what_only_surprises_is_one_note_that_says_what_to_set() -> None:
    """An author who runs libfuse's own example would look for a fault in it."""
    (found,) = two_nodes(Evidence((NODE, CACHED, FIFO), library=HIGH))
    assert (found.op, found.cause, found.confidence) == ("LINK", Cause.WRONG_METADATA, "note")
    assert set(found.checks) == {NODE.id, CACHED.id, FIFO.id}
    assert "attr_timeout=0" in found.fix
    assert "use_ino" not in found.fix, "the numbers agree already"


def test_a_program_that_fails_of_it_makes_it_a_cause() -> None:
    """`git clone` failing by CREATE would send the author to the wrong handler."""
    (found,) = diagnose(Evidence((NODE, NUMBER, GIT), library=HIGH))
    assert (found.op, found.confidence) == ("LINK", "proven")
    assert "use_ino" in found.fix
    assert GIT.id in found.checks


def test_a_daemon_that_deals_in_nodes_is_told_to_answer_with_the_same_one() -> None:
    """libfuse's options are of no use to somebody who does not use it."""
    (found,) = two_nodes(Evidence((NODE, NUMBER), library=OWN))
    assert "same" not in found.summary
    assert "nodeid" in found.fix
    assert "attr_timeout" not in found.fix


@pytest.mark.parametrize("checks", [(NUMBER, GIT), (replace(NODE, verdict=Verdict.PASS, observed=""),)])
def test_one_node_is_no_matter_of_this_rule(checks: tuple[CheckResult, ...]) -> None:
    """Attributes that LINK answers wrong would pass for a matter of options."""
    assert two_nodes(Evidence(checks, library=HIGH)) == []
