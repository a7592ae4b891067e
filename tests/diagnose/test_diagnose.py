"""Root causes: what the author of a daemon is told to do, and in which order."""

from __future__ import annotations

from fsprobe.diagnose.diagnose import Evidence, StartFailure, diagnose
from fsprobe.diagnose.library import UNKNOWN, Library
from fsprobe.diagnose.matrix import summarise
from fsprobe.results.records import CheckResult, Diagnosis, Incident
from fsprobe.results.verdicts import Cause
from tests.diagnose.made import before_fix, check, enosys, stat

FUSE_RS = Library("fuse (Rust)", "0.3", family="fuse-rs")
FUSEPY = Library("fusepy", family="fusepy")
BAZIL = Library("bazil", family="bazil")


def find(
    checks: list[CheckResult] | tuple[CheckResult, ...],
    stats: dict[str, dict[str, object]] | None = None,
    library: Library = UNKNOWN,
    **more: object,
) -> list[Diagnosis]:
    """The diagnoses for some results."""
    operations = summarise(checks, stats or {}, library)
    return diagnose(Evidence(tuple(checks), operations, library, **more))  # type: ignore[arg-type]


def test_before_the_fix() -> None:
    """The first user's question in one line: `touch` fails because SETATTR is missing, write `setattr`."""
    checks, stats = before_fix()
    found = find(checks, stats, FUSE_RS)
    serious = [one for one in found if one.confidence != "note"]
    assert [one.op for one in serious] == ["SETATTR", "MKDIR", "UNLINK", "RENAME", "RMDIR"]
    assert {one.cause for one in found} == {Cause.NOT_IMPLEMENTED}
    first = found[0]
    assert first.confidence == "proven"
    assert first.summary == "SETATTR is not implemented: the daemon answers ENOSYS"
    assert "SETATTR was answered ENOSYS 9 of 10 times" in first.evidence
    assert "touch: doing it to 'test.txt': Function not implemented" in first.evidence
    assert first.fix.startswith("Implement Filesystem::setattr (fuse (Rust) 0.3):\n  fn setattr(&mut self, req:")
    assert "touch, chmod" in first.fix
    assert set(first.checks) == {"wire.setattr.works", "shell.touch", "shell.chmod", "shell.truncate"}


def test_thirty_blocked_checks_are_one_line() -> None:
    """What could not be asked is listed under what stood in the way, and is no cause of its own."""
    checks, stats = before_fix()
    found = {one.op: one for one in find(checks, stats, FUSE_RS)}
    assert sum(id.startswith("posix.rename.") for id in found["MKDIR"].checks) == 30
    assert not any(id.startswith("posix.rename.") for id in found["RENAME"].checks)


def test_what_is_optional_is_one_note_and_last() -> None:
    """A file system without xattrs is no worse for it; what the kernel does without is not mentioned at all."""
    checks, stats = before_fix()
    found = find(checks, stats, FUSE_RS)
    assert [one.confidence for one in found].index("note") == len(found) - 1
    assert {"LINK", "SYMLINK", "MKNOD", "FSYNC", "GETXATTR"} <= set(found[-1].ops)
    assert "ACCESS" not in found[-1].ops


def test_an_optional_operation_that_a_failed_check_needed_is_no_note() -> None:
    """`ln` failing in a shell is told as loudly as `mkdir`."""
    checks = [enosys("shell.ln", "SYMLINK", observed="ln: Function not implemented")]
    found = find(checks, {"SYMLINK": stat(ENOSYS=2)})
    assert [(one.op, one.confidence) for one in found] == [("SYMLINK", "proven")]


def test_one_of_several_handlers() -> None:
    """With chmod written and utimens missing, only utimens is asked for."""
    checks = [
        check("posix.setattr.chmod", "SETATTR", "PASS", main=True),
        enosys("shell.touch-d", "SETATTR", observed="touch: setting times of 'f': Function not implemented"),
    ]
    found = find(checks, {"SETATTR": stat(ok=2, ENOSYS=1)}, Library("libfuse", "2.9", "high", "libfuse2"))
    assert "Implement .utimens (libfuse 2.9):\n  int utimens(const char *path" in found[0].fix
    assert ".chmod" not in found[0].fix


def test_an_unknown_library_gets_the_names_in_the_usual_ones() -> None:
    """Where the library is not recognised the advice is still of use."""
    (one,) = find([enosys("shell.mkdir", "MKDIR", observed="mkdir: Function not implemented")])
    assert "libfuse .mkdir, fuser mkdir, go-fuse NodeMkdirer" in one.fix and one.confidence == "likely"


def test_create_is_no_fault_while_mknod_stands_in() -> None:
    """A daemon may leave CREATE to MKNOD and OPEN: the kernel does."""
    absent = enosys("wire.create", "CREATE", "UNSUPPORTED")
    works = find([absent], {"CREATE": stat(ENOSYS=1), "MKNOD": stat(ok=1)})
    assert [one.confidence for one in works] == ["note"]
    fails = find([absent], {"CREATE": stat(ENOSYS=1), "MKNOD": stat(ENOSYS=1)})
    assert fails[0].op == "CREATE" and fails[0].confidence == "proven"


def test_readdir_is_no_fault_where_readdirplus_answers() -> None:
    """pyfuse3 has READDIRPLUS only; the kernel sends nothing else, and `ls` works."""
    checks = [enosys("wire.readdir", "READDIR", main=True), check("shell.ls", "READDIRPLUS", "PASS")]
    stats = {"READDIR": stat(ENOSYS=9), "READDIRPLUS": stat(ok=9)}
    assert [one.confidence for one in find(checks, stats)] == ["note"]
    assert find([*checks, enosys("shell.ls-l", "READDIR")], stats)[0].confidence == "proven"


def test_fusepy_hides_a_missing_method() -> None:
    """fusepy answers EROFS for a method that was never written; on a file system that can be written that is found."""
    checks = [
        check("posix.write", "WRITE", "PASS", main=True),
        check("shell.mkdir", "MKDIR", "FAIL", errno="EROFS", observed="mkdir: Read-only file system", main=True),
        check("posix.setattr.chmod", "SETATTR", "FAIL", errno="EROFS", observed="os.chmod(f, 0o600): EROFS"),
    ]
    stats = {"WRITE": stat(ok=9), "MKDIR": stat(EROFS=2), "SETATTR": stat(EROFS=2, ok=4)}
    found = {one.op: one for one in find(checks, stats, FUSEPY)}
    assert found["MKDIR"].summary == "MKDIR is not implemented: fusepy hides it behind EROFS"
    assert found["MKDIR"].fix.startswith("Implement mkdir (fusepy):\n  def mkdir(self, path, mode)")
    assert "Implement chmod (fusepy):" in found["SETATTR"].fix and "utimens" not in found["SETATTR"].fix


def test_a_read_only_fusepy_file_system_is_left_alone() -> None:
    """EROFS from a file system that is meant to be read only is the right answer."""
    checks = [check("shell.mkdir", "MKDIR", "FAIL", errno="EROFS", observed="Read-only file system")]
    assert all(one.cause is not Cause.NOT_IMPLEMENTED for one in find(checks, {"MKDIR": stat(EROFS=1)}, FUSEPY))


def test_what_only_reads_may_be_hidden_where_nothing_can_be_written() -> None:
    """fusepy's EIO for a READ that was never written is no wrong error to look for in a handler that is not there."""
    checks = [
        check("shell.mkdir", "MKDIR", "FAIL", errno="EROFS", observed="Read-only file system"),
        check("protocol.read.whole", "READ", "FAIL", errno="EIO", observed="EIO", main=True),
    ]
    found = find(checks, {"MKDIR": stat(EROFS=1), "READ": stat(EIO=3)}, FUSEPY, read_only=True)
    assert [one.summary for one in found if one.op == "READ"] == ["READ is not implemented: fusepy hides it behind EIO"]


def test_a_read_only_target_that_answers_enosys_is_one_diagnosis() -> None:
    """Ten changing operations without a handler are one advice: mount it read-only."""
    ops = ("MKDIR", "UNLINK", "RMDIR", "RENAME", "SETATTR")
    checks = [enosys(f"posix.{op}", op) for op in ops]
    found = find(checks, {op: stat(ENOSYS=1) for op in ops}, read_only=True)
    assert [(one.cause, set(one.ops)) for one in found] == [(Cause.READ_ONLY, set(ops))]
    assert len(found[0].checks) == 5 and "`ro`" in found[0].fix


def test_rmdir_that_lies_is_one_cause() -> None:
    """`rmdir` said yes and removed nothing: all of its failures come from that."""
    checks = [
        check("posix.rmdir.removes", "RMDIR", "FAIL", main=True, expected="ENOENT from stat after rmdir",
              observed="success"),
        check("posix.rmdir.not-empty", "RMDIR", "FAIL", expected="ENOTEMPTY from rmdir", observed="success"),
        check("shell.rmdir", "RMDIR", "FAIL", main=True, expected="d is gone", observed="d is still there"),
    ]
    (one,) = find(checks, {"RMDIR": stat(ok=4)}, FUSE_RS)
    assert (one.cause, len(one.checks)) == (Cause.SILENT_NOOP, 3)
    assert "Filesystem::rmdir" in one.fix


def test_rm_r_that_leaves_directories_is_the_lying_rmdir() -> None:
    """A command that uses several operations is charged to the one that is known to be broken."""
    checks = [
        check("posix.rmdir", "RMDIR", "FAIL", main=True, expected="ENOENT from stat", observed="success"),
        check("posix.unlink", "UNLINK", "PASS", main=True),
        check("shell.rm-r", "UNLINK", "FAIL", ops=("UNLINK", "RMDIR"), expected="d is gone",
              observed="d is still there"),
    ]
    (one,) = find(checks, {"RMDIR": stat(ok=4), "UNLINK": stat(ok=4)})
    assert (one.op, one.checks) == ("RMDIR", ("posix.rmdir", "shell.rm-r"))


def test_libfuse_needs_rename_to_unlink_an_open_file() -> None:
    """UNLINK that answers ENOSYS for open files only is not UNLINK's fault under libfuse's high level."""
    checks = [
        enosys("posix.rename", "RENAME", main=True),
        check("posix.unlink", "UNLINK", "PASS", main=True),
        enosys("posix.unlink.open-file", "UNLINK"),
    ]
    stats = {"RENAME": stat(ENOSYS=4), "UNLINK": stat(ok=9, ENOSYS=1)}
    (one,) = find(checks, stats, FUSEPY)
    assert (one.op, one.checks) == ("RENAME", ("posix.rename", "posix.unlink.open-file"))
    assert len(find(checks, stats, FUSE_RS)) == 2


def test_an_operation_that_never_works_comes_before_one_with_a_flaw() -> None:
    """`ls` that fails every time matters more than a wrong attribute."""
    checks = [
        check("a", "GETATTR", "FAIL", expected="st_size 5", observed="st_size 6"),
        check("b", "READDIR", "FAIL", main=True, expected="the call succeeds", observed="x: EBADF", errno="EBADF"),
    ]
    found = find(checks, {"READDIR": stat(EBADF=2)})
    assert found[0].summary == "READDIR answers EBADF"


def test_bazil_answers_success_for_a_setattr_it_does_not_have() -> None:
    """chmod that changes nothing under bazil means a missing NodeSetattrer, not a bug in one."""
    checks = [check("posix.chmod", "SETATTR", "FAIL", main=True, expected="mode 0o600", observed="0o644")]
    (one,) = find(checks, {"SETATTR": stat(ok=4)}, BAZIL)
    assert one.cause is Cause.SILENT_NOOP and one.fix.startswith("Implement NodeSetattrer (bazil)")


def test_attributes_that_a_library_makes_up_may_want_a_handler() -> None:
    """go-fuse answers STATFS with zeros for who has no NodeStatfser: there is nothing to look at in a daemon."""
    checks = [check("posix.statfs.sane", "STATFS", "FAIL", expected="a block size", observed="f_bsize 0", main=True)]
    (one,) = find(checks, {"STATFS": stat(ok=3)}, Library("go-fuse", "2.5", family="go-fuse"))
    assert "Look at NodeStatfser (go-fuse 2.5). Or write it, where it is missing." in one.fix
    assert "go-fuse answers success by itself where the handler is missing" in one.evidence
    (other,) = find(checks, {"STATFS": stat(ok=3)}, Library("pyfuse3", family="pyfuse3"))
    assert "Or write it" not in other.fix


def test_kinds_of_wrong() -> None:
    """Wrong bytes, attributes and errors are told apart and ranked by what they cost."""
    checks = [
        check("a.errno", "RENAME", "FAIL", expected="ENOTEMPTY from rename", observed="EIO", errno="EIO"),
        check("b.size", "GETATTR", "FAIL", expected="st_size 5", observed="st_size 6"),
        check("c.data", "READ", "FAIL", main=True, expected="b'abc'", observed="b'abd'"),
    ]
    found = find(checks, {"RENAME": stat(EIO=1, ok=3)})
    assert [(one.op, one.cause) for one in found] == [
        ("READ", Cause.WRONG_DATA), ("GETATTR", Cause.WRONG_METADATA), ("RENAME", Cause.WRONG_ERRNO),
    ]
    assert found[2].confidence == "proven"


def test_an_operation_that_only_stood_in_the_way() -> None:
    """Where every check of an operation is blocked by another there is still one cause to read."""
    checks = [check(f"posix.{n}", "RENAME", "SKIP", blocked_by="MKDIR", errno="EIO", observed="mkdir: EIO")
              for n in range(3)]
    (one,) = find(checks)
    assert (one.op, one.cause, len(one.checks)) == ("MKDIR", Cause.WRONG_ERRNO, 3)


def test_a_hang_is_named_by_its_request() -> None:
    """Nobody could say which request hangs; the first line says it, and what did not run is listed there."""
    incident = Incident("hang", "SETATTR", 7, "test.txt", "SETATTR on test.txt is open for 3 s", True,
                        "lost-reply", ("every thread waits in read of /dev/fuse",))
    checks = [check("shell.touch", "SETATTR", "HANG"), check("shell.mv", "RENAME", "NOTRUN"),
              enosys("shell.mkdir", "MKDIR")]
    found = find(checks, {"MKDIR": stat(ENOSYS=1)}, incidents=(incident,))
    assert [(one.cause, one.op) for one in found] == [(Cause.LOST_REPLY, "SETATTR"), (Cause.NOT_IMPLEMENTED, "MKDIR")]
    assert found[0].confidence == "proven" and found[0].checks == ("shell.touch", "shell.mv")


def test_a_crash_comes_before_all_else_and_is_said_once() -> None:
    """Five checks that kill the daemon in the same operation are one crash."""
    checks = [check(f"posix.{n}", "SETATTR", "CRASH") for n in range(5)] + [enosys("shell.mkdir", "MKDIR")]
    incidents = tuple(Incident("crash", "SETATTR", detail="killed by SIGABRT") for _ in range(5))
    found = find(checks, {"MKDIR": stat(ENOSYS=1)}, incidents=incidents)
    assert [one.cause for one in found] == [Cause.CRASHED, Cause.NOT_IMPLEMENTED]
    assert len(found[0].checks) == 5 and found[0].evidence == ("killed by SIGABRT",)


def test_hang_without_an_incident_still_has_a_cause() -> None:
    """A wire check that got no answer is explained although nothing else was recorded."""
    (one,) = find([check("wire.statfs", "STATFS", "HANG", observed="no reply came")])
    assert (one.cause, one.op) == (Cause.LOST_REPLY, "STATFS")


def test_wrong_content_is_one_cause() -> None:
    """A READ that flips a byte fails every check that reads back; only reading is accused, writing mentioned."""
    checks = [check(op, op, "FAIL", main=True, expected="the content b'ab'", observed="b'aB'")
              for op in ("WRITE", "LINK", "RENAME", "READ", "FSYNC")]
    checks.append(check("shell.truncate", "SETATTR", "FAIL", expected="output of `cat f`: abc", observed="aBc"))
    (one,) = find(checks)
    assert (one.op, one.ops, len(one.checks)) == ("READ", ("READ", "WRITE"), 6)


def test_lost_directory_entries_are_one_cause() -> None:
    """A READDIR that loses entries fails whatever looks at a listing."""
    checks = [
        check("a", "READDIR", "FAIL", main=True, expected="names [b'a']", observed="[]"),
        check("b", "MKDIR", "FAIL", main=True, expected="the new directory to be listed", observed="it is not"),
        check("c", "UNLINK", "FAIL", main=True, expected="names left [b'stays']", observed="[]"),
    ]
    assert [(one.op, len(one.checks)) for one in find(checks)] == [("READDIR", 3)]


def test_a_lookup_that_lies_about_the_type_is_one_cause() -> None:
    """The kernel answers EIO in the daemon's place for ever after: thirty operations would be accused wrongly."""
    seen = "it is a directory: the caller gets EIO"
    checks = [check("a", "LOOKUP", "FAIL", main=True, expected="nodeid 2 stays a regular file", observed=seen,
                    errno="EIO")]
    checks += [check(f"b{op}", op, "FAIL", main=True, expected="the call succeeds", observed="x: EIO", errno="EIO")
               for op in ("READ", "OPEN", "SETLK")]
    (one,) = find(checks, {"LOOKUP": stat(ok=9), "READ": stat(ok=9)})
    assert (one.op, one.cause, len(one.checks)) == ("LOOKUP", Cause.WRONG_METADATA, 4)


def test_an_error_that_the_daemon_did_not_answer_is_said_so() -> None:
    """The author looks for an EIO in the handler in vain where the kernel made it of a bad reply."""
    (one,) = find([check("a", "CREATE", "FAIL", expected="the call succeeds", observed="x: EIO", errno="EIO")],
                  {"CREATE": stat(ok=9)})
    assert one.summary == "CREATE: the caller gets EIO, though the daemon never answered CREATE with it"


def test_a_refused_reply_is_malformed_not_lost() -> None:
    """The remedies differ: the reply is there, and wrong."""
    incident = Incident("hang", "GETATTR", detail="a reply to request 9 while 8 is open; the kernel refuses it")
    (one,) = find([check("a", "GETATTR", "HANG")], incidents=(incident,))
    assert one.cause is Cause.MALFORMED_REPLY


def test_parents_that_keep_their_mtime_are_one_cause() -> None:
    """Five operations that forget the parent's mtime are one thing to mend."""
    checks = [check(op, op, "FAIL", expected=f"a newer mtime after {op} in the directory", observed="the old mtime")
              for op in ("MKDIR", "UNLINK", "RENAME")]
    (one,) = find(checks)
    assert (one.cause, one.ops) == (Cause.WRONG_METADATA, ("MKDIR", "UNLINK", "RENAME"))


def test_xattrs_that_answer_eio_are_one_cause() -> None:
    """A library that has no xattrs and says EIO breaks `ls -l`; it is one line with what to answer instead."""
    ops = ("SETXATTR", "GETXATTR", "LISTXATTR")
    checks = [check(op, op, "FAIL", main=True, expected="the call succeeds", observed="x: EIO", errno="EIO")
              for op in ops]
    (one,) = find(checks, {op: stat(EIO=3) for op in ops})
    assert one.ops == ops and "EOPNOTSUPP" in one.fix and one.confidence == "proven"


def test_a_crash_whose_request_is_not_known_joins_the_one_that_is() -> None:
    """One bug is one line, although some of its crashes were seen less well, and so is what met the dead mount."""
    checks = [
        check("posix.read", "READ", "CRASH"), check("posix.open", "OPEN", "CRASH"),
        check("shell.cat", "OPEN", "FAIL", errno="ENOTCONN", observed="cat: Transport endpoint is not connected"),
        check("shell.wc", "STATFS", "NOTRUN"),
    ]
    incidents = (Incident("crash", "READ", detail="killed by SIGKILL"), Incident("crash", detail="killed by SIGKILL"))
    (one,) = find(checks, incidents=incidents)
    assert (one.cause, one.op) == (Cause.CRASHED, "READ")
    assert set(one.checks) == {"posix.read", "posix.open", "shell.cat", "shell.wc"}


def test_two_ways_of_hanging_keep_their_checks_apart() -> None:
    """A lost STATFS is not blamed on a deadlock in WRITE."""
    checks = [check("a", "WRITE", "HANG"), check("b", "STATFS", "HANG")]
    incidents = (Incident("hang", "WRITE", cause="deadlock-lock"), Incident("hang", "STATFS", cause="lost-reply"))
    found = {one.op: one.checks for one in find(checks, incidents=incidents)}
    assert found == {"WRITE": ("a",), "STATFS": ("b",)}


def test_a_target_that_does_not_start_again_is_told_after_why() -> None:
    """The request that took the daemon down comes first, not that the second start failed."""
    failure = StartFailure("died", "mounted, then exited")
    checks = [check("a", "STATFS", "HANG"), check("b", "READ", "NOTRUN")]
    found = find(checks, incidents=(Incident("hang", "STATFS"),), start_failure=failure)
    assert [one.cause for one in found] == [Cause.LOST_REPLY, Cause.NEVER_MOUNTED]


def test_wrong_sizes_from_stat_are_one_cause() -> None:
    """GETATTR that tells a wrong size fails the checks of ten operations and is one line."""
    checks = [check("a", "GETATTR", "FAIL", main=True, expected="the size 5", observed="6")]
    checks += [check(f"b{op}", op, "FAIL", main=True, expected="the size 5", observed="6")
               for op in ("WRITE", "CREATE", "SETATTR", "MKNOD")]
    checks.append(check("c", "READ", "FAIL", main=True, expected="b'ab'", observed="b'ac'"))
    found = {one.op: len(one.checks) for one in find(checks, {"SETATTR": stat(ok=1)}, FUSEPY)}
    assert found == {"GETATTR": 5, "READ": 1}


def test_short_writes_are_one_cause() -> None:
    """What other operations' checks wrote and did not find again is WRITE's, an EIO that no daemon answered too."""
    checks = [
        check("a", "WRITE", "FAIL", main=True, expected="bytes written 4096", observed="2048"),
        check("b", "CREATE", "FAIL", main=True, expected="bytes written 4", observed="2"),
        check("c", "FSYNC", "FAIL", main=True, expected="the content: b'datamore'", observed="b'damore'"),
        check("d", "MKDIR", "FAIL", errno="EIO", expected="exit 0", observed="echo: write error: Input/output error"),
    ]
    (one,) = find(checks, {"MKDIR": stat(ok=9)})
    assert (one.op, one.cause, len(one.checks)) == ("WRITE", Cause.WRONG_DATA, 4)


def test_a_target_that_never_mounted() -> None:
    """Its last words are what helps; nothing else is diagnosed."""
    failure = StartFailure("exited", exit_status=1, last_words=("vexfs: bad option `-f'",))
    (one,) = diagnose(Evidence(start_failure=failure))
    assert one.cause is Cause.NEVER_MOUNTED and one.confidence == "proven"
    assert one.summary == "the target exited before it mounted (exit status 1)"
    assert "  vexfs: bad option `-f'" in one.evidence


def test_killed_before_it_mounted_names_the_signal() -> None:
    """SIGSEGV reads better than a number."""
    (one,) = diagnose(Evidence(start_failure=StartFailure("signalled", signal=11)))
    assert one.summary.endswith("(SIGSEGV)")


def test_no_allow_other_is_one_cause() -> None:
    """A mount that keeps everyone else out fails every check for one reason."""
    checks = [check(f"posix.{n}", "GETATTR", "FAIL", errno="EACCES", observed="EACCES") for n in range(9)]
    found = find([check("wire.lookup", "LOOKUP", "PASS"), *checks], mount_options=("rw", "user_id=0"))
    assert [(one.cause, len(one.checks)) for one in found] == [(Cause.NO_ALLOW_OTHER, 9)]
    assert find(checks, mount_options=("rw", "allow_other"))[0].cause is Cause.WRONG_ERRNO


def test_nothing_wrong_nothing_said() -> None:
    """A clean run has no causes."""
    assert find([check("wire.a", "LOOKUP", "PASS"), check("b", "READ", "WARN"), check("c", "LINK", "SKIP")]) == []
