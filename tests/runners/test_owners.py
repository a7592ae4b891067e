"""In a user namespace the kernel refuses what belongs to somebody else: that is not the target's fault."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fsprobe import wire
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Verdict
from fsprobe.runners.owners import excuse, foreign_owner
from fsprobe.wire import Attr, Opcode
from tests.command import Command, User
from tests.trace.recording import Recording

MINE, THEIRS = Attr(ino=2, uid=1000, gid=100), Attr(ino=2, uid=0, gid=100)


def reply(opcode: Opcode, attr: Attr) -> Any:
    entry = wire.EntryOut(nodeid=2, attr=attr)
    if opcode is Opcode.CREATE:
        return wire.CreateOut(entry=entry)
    return wire.AttrOut(attr=attr) if opcode in (Opcode.GETATTR, Opcode.SETATTR) else entry


ASKED = {
    Opcode.LOOKUP: wire.Lookup(name=b"f"), Opcode.CREATE: wire.Create(name=b"f"), Opcode.MKDIR: wire.Mkdir(name=b"f"),
    Opcode.GETATTR: wire.GetattrIn(), Opcode.SETATTR: wire.SetattrIn(),
}  # fmt: skip


def refused(**changes: Any) -> CheckResult:
    made = CheckResult("posix.x", "mount", "WRITE", "x", "MUST", Verdict.FAIL, errno="EACCES", observed="EACCES")
    return replace(made, **changes)


@pytest.mark.parametrize("opcode", ASKED)
def test_another_owner_is_seen_in_every_reply_that_has_one(opcode: Opcode) -> None:
    """The one reply that is not looked at makes the false alarm."""
    recording = Recording()
    mine = recording.exchange(opcode, 1, ASKED[opcode], reply(opcode, MINE))
    theirs = recording.exchange(opcode, 1, ASKED[opcode], reply(opcode, THEIRS))
    assert foreign_owner([mine], 1000, 100) is None
    assert foreign_owner([mine, theirs], 1000, 100) == (0, 100)
    assert foreign_owner([mine], 1000, 7) == (1000, 100), "an unmapped group counts as well"


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.WARN, Verdict.UNSUPPORTED])
@pytest.mark.parametrize("name", ["EACCES", "EPERM", "EOVERFLOW"])
def test_what_the_kernel_refused_is_skipped_with_the_reason(verdict: Verdict, name: str) -> None:
    """A sound target that shows root's files would fail a hundred checks."""
    theirs = Recording().exchange(Opcode.LOOKUP, 1, ASKED[Opcode.LOOKUP], reply(Opcode.LOOKUP, THEIRS))
    found = excuse(refused(verdict=verdict, errno=name), [theirs], 1000, 100)
    assert found.verdict is Verdict.SKIP and "0:100" in found.reason and name in found.reason


def test_what_the_daemon_refused_stays_a_failure() -> None:
    """A real defect would hide behind the namespace."""
    recording = Recording()
    theirs = recording.exchange(Opcode.LOOKUP, 1, ASKED[Opcode.LOOKUP], reply(Opcode.LOOKUP, THEIRS))
    no = recording.exchange(Opcode.MKDIR, 1, ASKED[Opcode.MKDIR], None, errno.EACCES)
    assert excuse(refused(), [theirs, no], 1000, 100).verdict is Verdict.FAIL


@pytest.mark.parametrize("result", [refused(errno="EIO"), refused(errno=""), refused(verdict=Verdict.PASS)])
def test_nothing_else_is_touched(result: CheckResult) -> None:
    """Another error has another cause, whoever owns the file."""
    theirs = Recording().exchange(Opcode.LOOKUP, 1, ASKED[Opcode.LOOKUP], reply(Opcode.LOOKUP, THEIRS))
    assert excuse(result, [theirs], 1000, 100) is result


def test_files_of_ones_own_are_no_excuse() -> None:
    """EACCES for the user's own file is a finding."""
    mine = Recording().exchange(Opcode.LOOKUP, 1, ASKED[Opcode.LOOKUP], reply(Opcode.LOOKUP, MINE))
    assert excuse(refused(), [mine], 1000, 100).verdict is Verdict.FAIL


def path_without_helper(place: Path) -> str:
    """A PATH with all but fusermount3, so that only the user namespace is left to mount in."""
    place.mkdir()
    for folder in ("/usr/bin", "/bin"):
        for program in Path(folder).iterdir():
            link = place / program.name
            if not program.name.startswith("fusermount") and not link.is_symlink():
                link.symlink_to(program)
    return str(place)


CHECKS = ("posix.create.*", "posix.read-only.*", "posix.setattr.chmod-bits", "shell.read-only.*", "shell.touch")
SELECT = [word for glob in CHECKS for word in ("--select", glob)]


@pytest.mark.mount
@pytest.mark.unprivileged
def test_a_target_that_shows_the_files_of_root(
    fsprobe: Command, unprivileged: User, bindfs: str, scratch: Path
) -> None:
    """As a user without fusermount3 nothing can be written there: SKIP, and not a word against the target."""
    if not unprivileged.device:
        pytest.skip("an ordinary user may not open /dev/fuse here")
    target = bindfs.replace("bindfs", f"{shutil.which('bindfs')} --no-allow-other --force-user=root", 1)
    path = path_without_helper(scratch / "path")
    result = fsprobe("run", *SELECT, target, user=unprivileged, env={"PATH": path})
    document = result.document
    assert document is not None, result
    assert document["environment"]["isolation"] == "user", result
    checks = {check["id"]: check for check in document["checks"]}
    assert {check["verdict"] for check in checks.values()} == {"SKIP"}, result
    assert "not mapped" in checks["posix.create.new-file"]["reason"]
    assert not document["environment"].get("read_only") and document["diagnoses"] == [], result


@pytest.mark.mount
@pytest.mark.unprivileged
def test_files_of_root_in_a_directory_of_ones_own(fsprobe: Command, unprivileged: User, scratch: Path) -> None:
    """Making a file works, and then it belongs to somebody else."""
    if not unprivileged.device:
        pytest.skip("an ordinary user may not open /dev/fuse here")
    path = path_without_helper(scratch / "path")
    rules = [f"{op}:attr.uid=0,path=/.fsprobe*/*" for op in ("CREATE", "LOOKUP", "GETATTR")]
    wrong = [word for rule in rules for word in ("--inject", rule)]
    select = ["--select", "posix.create.*", "--select", "posix.write.stores"]
    result = fsprobe("run", *select, *wrong, "vexfs:raw", user=unprivileged, env={"PATH": path})
    assert result.document is not None, result
    checks = result.document["checks"]
    assert {check["verdict"] for check in checks} <= {"SKIP", "PASS"}, result
    assert any("owner 0:65534" in check["reason"] for check in checks), result
    assert os.getuid() or result.document["environment"]["uid"] == 65534
