"""Every check can fail: each of its killers, a seeded fault, turns it red on a file system that is sound without."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from fsprobe.checks.check import Check
from fsprobe.checks.suite import BUILT_IN, load_suite, unique_ids
from fsprobe.config.target import Target, resolve
from fsprobe.relay.client import Sandbox
from fsprobe.runners.killers import RED, Pair, Proof, declines, pairs, prove
from fsprobe.runners.proving import leaves_traces

CLONE = Path(__file__).parent.parent
CHECKS = unique_ids([check for suite in (*BUILT_IN, "vexfs") for check in load_suite(suite)])
MOST_PAIRS = 80
"""How many checks times killers make one test: few enough to share the work, enough to pay for a daemon's start."""

pytestmark = [pytest.mark.mount, pytest.mark.timeout(300)]


def variant(kind: str) -> Target:
    program = str(CLONE / "tests" / "programs" / "vexfs_variant.py")
    return Target(f"vexfs {kind}", (sys.executable, program, kind, "{mountpoint}"), env={"PYTHONPATH": str(CLONE)})


# Sound file systems beside the reference, in the order in which they are tried: none is asked every operation.
VARIANTS = {
    "wire": ("block-device", "read-only"),
    "mount": ("older", "read-only"),
    "shell": ("older", "read-only"),
}
VEXFS_WITH_ACLS = Target(
    "vexfs with ACLs", (sys.executable, str(CLONE / "tests" / "programs" / "vexfs_acl.py"), "{mountpoint}"),
    env={"PYTHONPATH": str(CLONE)},
)  # fmt: skip
# Sound file systems for what neither the reference nor those can be asked, by the beginnings of checks' ids.
SPECIAL: dict[str, Target] = {
    "posix.acl.": VEXFS_WITH_ACLS,
    "shell.setfacl": VEXFS_WITH_ACLS,
    "posix.full.": resolve("vexfs:raw", ("-o", "size=24m")),
    "protocol.lookup.dots": resolve("vexfs"),
}
# Checks that nothing worse than an observation or a decline can come of, each with the reason.
ONLY_TELLS = {
    "protocol.lookup.case": "INFO: either answer is right",
    "posix.lookup.unicode-forms": "INFO: either answer is right",
    "posix.getattr.granularity": "INFO: whole seconds are allowed",
    "posix.setattr.truncate-same-mtime": "INFO: XFS and Btrfs do otherwise",
    "posix.rename2.ctime": "INFO: XFS does otherwise",
    "posix.setlk.both-names": "INFO: to a library that knows files by their paths two names are two files",
}


def lacks_machine(proof: Proof) -> bool:
    """Whether the question cannot be asked here: who runs the tests is not root, or a program is not installed."""
    needs = proof.pair.check.needs
    wanting = [need for need in needs if need in ("root", "allow_other") or need.startswith("program:")]
    return proof.verdict is None and proof.sound == "SKIP" and bool(wanting) and not here(wanting)


def here(needs: list[str]) -> bool:
    """Whether this machine offers all of them."""
    programs = [need.partition(":")[2] for need in needs if ":" in need]
    return all(shutil.which(program) for program in programs) and (os.geteuid() == 0 or len(programs) == len(needs))


def shards() -> list[list[Check]]:
    """The checks of a layer in their order, in parts."""
    parts: list[list[Check]] = []
    for check in CHECKS:
        last = parts[-1] if parts else []
        if not last or last[0].layer != check.layer or len(pairs([*last, check])) > MOST_PAIRS:
            parts.append([])
        parts[-1].append(check)
    return parts


@pytest.fixture(scope="module")
def cpu() -> int:
    """Parallel test processes do not share a processor."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw"))


@pytest.fixture(scope="module", autouse=True)
def mountable() -> None:
    """Nothing can be proven of mounts where there are none."""
    sandbox = Sandbox.open([os.getcwd()])
    can = sandbox.mounter
    sandbox.close()
    if not can:
        pytest.skip("nothing can be mounted here")


@pytest.mark.parametrize("checks", shards(), ids=lambda checks: f"{checks[0].id}-and-on")
def test_every_killer_turns_its_check_red(checks: list[Check], cpu: int) -> None:
    """A check that no fault can fail says nothing, and is green on the file system that has the fault."""
    targets = [resolve("vexfs:raw"), *map(variant, VARIANTS[checks[0].layer])]
    if checks[0].layer == "mount":
        targets.append(resolve("vexfs:raw", ("-o", "attr_timeout=60,entry_timeout=60")))
    targets += [target for start, target in SPECIAL.items() if any(check.id.startswith(start) for check in checks)]
    proofs = [proof for proof in prove(pairs(checks), targets, cpu=cpu) if not lacks_machine(proof)]
    assert [str(proof) for proof in proofs if not proof.red] == []
    failed = {proof.pair.check.id for proof in proofs if proof.verdict in RED}
    asked = {proof.pair.check.id for proof in proofs}
    assert asked - failed - set(ONLY_TELLS) == set(), "each can be worse than declined"
    assert asked, "this machine can ask none of them"


def test_every_check_has_a_killer() -> None:
    """A check would be called proven because nobody said how to break it."""
    assert [check.id for check in CHECKS if not check.killers] == []


def test_the_profiles_that_no_rule_can_show_are_killers() -> None:
    """A rule of the relay can spoil a reply, but not mix up two files: only a daemon that does proves the check."""
    used = {killer for check in CHECKS for killer in check.killers if killer.startswith("vexfs:")}
    assert used >= {"vexfs:flat-names", "vexfs:unlink-drops-inode", "vexfs:crash-on-truncate"}


def prove_one(id: str, killer: str, target: str, cpu: int) -> Proof:
    check = next(check for check in CHECKS if check.id == id)
    (proof,) = prove([Pair(check, killer)], [resolve(target)], cpu=cpu)
    return proof


def test_a_fault_that_does_nothing_proves_nothing(cpu: int) -> None:
    """The proof itself would be decoration: it must say when a check stays green."""
    proof = prove_one("posix.statfs.sane", "POLL:errno=EIO", "vexfs:raw", cpu)
    assert not proof.red and proof.verdict == proof.sound == "PASS"
    assert str(proof).startswith("posix.statfs.sane under POLL:errno=EIO: PASS on vexfs:raw")


def test_a_check_that_is_red_without_the_fault_is_not_proven(cpu: int) -> None:
    """A check that fails on everything would look like one that finds faults."""
    proof = prove_one("posix.setattr.times", "SETATTR:fake", "vexfs:raw:missing-setattr", cpu)
    assert not proof.red and proof.verdict is None and proof.sound == "FAIL"


def test_a_fault_that_poisons_the_mount_spares_the_next_check(cpu: int) -> None:
    """A root whose type has changed is dead for good: what follows would be red whatever its killer does."""
    check = next(check for check in CHECKS if check.id == "posix.getattr.root")
    todo = [Pair(check, "GETATTR:attr.mode=0o100644"), Pair(check, "POLL:errno=EIO")]
    assert [proof.red for proof in prove(todo, [resolve("vexfs:raw")], cpu=cpu)] == [True, False]


def test_what_the_kernel_remembers_and_what_declines() -> None:
    """The next check would be asked on a mount where the kernel no longer asks the daemon."""
    assert leaves_traces("FSYNC:errno=ENOSYS") and not leaves_traces("FSYNC:errno=EIO")
    assert not leaves_traces("SETATTR:errno=ENOSYS")
    assert declines("FALLOCATE:errno=EOPNOTSUPP,nth=1") and not declines("FALLOCATE:errno=EIO")
