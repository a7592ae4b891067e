"""One fault is one line, of the operation that has it, where a handler or a file is shared by several."""

from __future__ import annotations

from fsprobe.diagnose.library import Library
from fsprobe.results.records import Incident
from fsprobe.results.verdicts import Cause
from tests.diagnose.made import check, enosys, stat
from tests.diagnose.test_diagnose import FUSE_RS, FUSEPY, find


def test_a_listing_that_is_missing_is_one_line() -> None:
    """libfuse makes both operations of one handler: two lines would have the author look for a second one."""
    checks = [enosys("wire.readdir.works", "READDIR", main=True), enosys("shell.ls", "READDIRPLUS", main=True)]
    found = find(checks, {"READDIR": stat(ENOSYS=2), "READDIRPLUS": stat(ENOSYS=40)})
    assert [(one.op, one.ops) for one in found] == [("READDIR", ("READDIR", "READDIRPLUS"))]
    assert set(found[0].checks) == {"wire.readdir.works", "shell.ls"}
    works = [check("wire.readdir.works", "READDIR", "PASS", main=True), checks[1]]
    assert find(works, {"READDIR": stat(ok=2), "READDIRPLUS": stat(ENOSYS=40)})[0].op == "READDIRPLUS"


def test_a_program_that_goes_on_after_an_enosys_is_one_line_with_it() -> None:
    """`cp -a` without chmod leaves wrong modes: that is the missing handler, no second fault of SETATTR."""
    left = check("shell.cp-a", "SETATTR", "FAIL", expected="mode 640", observed="mode 600",
                 trace=("SETATTR /f mode=0640 \u2192 ENOSYS 3 \u00b5s",))  # fmt: skip
    wrong = check("shell.touch-m", "SETATTR", "FAIL", expected="mtime 1", observed="mtime 2")
    works = check("wire.setattr.time", "SETATTR", "PASS")
    stats = {"SETATTR": stat(ok=9, ENOSYS=2)}
    found = find([works, enosys("posix.setattr.chmod", "SETATTR"), left, wrong], stats)
    assert {one.cause: one.checks for one in found} == {
        Cause.NOT_IMPLEMENTED: ("posix.setattr.chmod", "shell.cp-a"),
        Cause.WRONG_METADATA: ("shell.touch-m",),
    }


def test_a_crash_in_a_handler_that_several_operations_end_in_is_one_line() -> None:
    """libfuse hides an open file by renaming it: who dies in rename dies in UNLINK too, and has one bug to mend."""
    ops = ("UNLINK", "RENAME2", "RENAME")
    checks = [check(f"posix.{op}", op, "CRASH") for op in ops]
    dead = tuple(Incident("crash", op, detail="killed by SIGSEGV") for op in (*ops, "LOOKUP"))
    checks.append(check("posix.lookup", "LOOKUP", "CRASH"))
    libfuse = Library("libfuse", "3.14", "high", "libfuse3")
    found = {one.op: one for one in find(checks, library=libfuse, incidents=dead)}
    assert set(found) == {"RENAME", "LOOKUP"} and set(found["RENAME"].ops) == set(ops)
    assert set(found["RENAME"].checks) == {f"posix.{op}" for op in ops}
    assert "Look at .rename (libfuse 3.14)" in found["RENAME"].fix
    assert any("UNLINK" in line and "handler of RENAME" in line for line in found["RENAME"].evidence)
    assert {one.op for one in find(checks, library=FUSE_RS, incidents=dead)} == {"UNLINK", "RENAME", "LOOKUP"}


def test_what_one_handler_answers_wrong_is_one_line() -> None:
    """An attribute named `lock` in a class of fusepy breaks three operations, and is one line to mend."""
    ops = ("GETLK", "SETLK", "SETLKW")
    checks = [check(f"wire.{op}", op, "FAIL", errno="EINVAL", main=True) for op in ops]
    checks.append(check("posix.lock", "SETLK", "FAIL", errno="EINVAL"))
    stats = {op: stat(EINVAL=3) for op in ops}
    (one,) = find(checks, stats, FUSEPY)
    assert one.op == "SETLK" and set(one.checks) == {each.id for each in checks}
    other = [*checks[:1], check("wire.SETLK", "SETLK", "FAIL", errno="EIO", main=True)]
    assert len(find(other, {"GETLK": stat(EINVAL=1), "SETLK": stat(EIO=1)}, FUSEPY)) == 2


def test_a_rename_that_does_nothing_is_one_line() -> None:
    """RENAME2 is the same handler, and libfuse hides open files by it: three lines for one empty function."""
    checks = [
        check("wire.rename", "RENAME", "FAIL", expected="ENOENT", observed="success", main=True),
        check("wire.rename2", "RENAME2", "FAIL", expected="EEXIST", observed="success", main=True),
        check("posix.unlink.open", "UNLINK", "FAIL", errno="ENOENT",
              trace=("SETATTR /victim (deleted) mode=0600 \u2192 ENOENT 21 \u00b5s",)),
    ]  # fmt: skip
    found = find(checks, library=Library("libfuse", "3.14", "high", "libfuse3"))
    assert [(one.cause, one.op) for one in found] == [(Cause.SILENT_NOOP, "RENAME")]
    assert {"UNLINK"} <= {one.op for one in find(checks, library=FUSE_RS)}, "no such library hides them"


def test_a_write_that_loses_its_tail_is_not_what_reads_back() -> None:
    """READ, and whoever else looks at the file, give what is there: one line, for WRITE."""
    made = 'CREATE /w/ "f" mode=0644 \u2192 node 7 file 0644 size=0 nlink=1 uid=0 gid=0 fh=0x1 26 \u00b5s'
    wrote = 'WRITE /w/f fh=0x1 offset=0 size=6 "abcdef" \u2192 6 bytes 30 \u00b5s'
    told = "GETATTR /w/f \u2192 file 0644 size=5 nlink=1 uid=0 gid=0 23 \u00b5s"
    checks = [
        check("wire.read", "READ", "FAIL", main=True, expected="content b'abcdef'", observed="b'abcde'",
              trace=(made, wrote), sent=("CREATE", "WRITE", "READ")),
        check("wire.forget", "BATCH_FORGET", "FAIL", expected="size 6", observed="5", trace=(made, wrote, told)),
    ]  # fmt: skip
    (one,) = find(checks)
    assert (one.cause, one.op) == (Cause.WRONG_DATA, "WRITE") and len(one.checks) == 2
    assert {each.op for each in find(checks[:1])} == {"READ"}, "nothing else tells that WRITE is at fault"


def test_locks_that_were_promised_are_one_line() -> None:
    """Three operations answer ENOSYS for one flag too many in INIT."""
    ops = ("GETLK", "SETLK", "SETLKW")
    checks = [enosys(f"wire.{op}", op, main=True) for op in ops]
    (one,) = find(checks, {op: stat(ENOSYS=2) for op in ops})
    assert one.op == "SETLK" and set(one.ops) == set(ops) and any("INIT" in line for line in one.evidence)


def test_the_crash_that_was_seen_most_comes_first() -> None:
    """A daemon that dies in FORGET, which has no reply, is now and then seen to die in what came next."""
    checks = [check("a", "MKDIR", "CRASH"), *(check(f"f{n}", "FORGET", "CRASH") for n in range(3))]
    checks.append(check("b", "BATCH_FORGET", "CRASH"))
    dead = tuple(Incident("crash", each.op, detail="killed by SIGABRT") for each in checks)
    assert [one.op for one in find(checks, incidents=dead)] == ["FORGET", "MKDIR"]


def test_a_count_of_no_links_is_not_the_fault_of_link() -> None:
    """A getattr that leaves st_nlink out: the kernel refuses to link, and LINK, which is right, would be mended."""
    checks = [
        check("posix.getattr.root", "GETATTR", "FAIL", expected="at least 1 link of the root", observed="0"),
        check("wire.link", "LINK", "FAIL", main=True, expected="nlink 2", observed="0"),
        check("posix.link", "LINK", "FAIL", main=True, errno="ENOENT", observed="os.link(a, b): ENOENT"),
    ]
    (one,) = find(checks, {"LINK": stat(ok=2), "GETATTR": stat(ok=9)})
    assert one.op == "GETATTR" and len(one.checks) == 3
