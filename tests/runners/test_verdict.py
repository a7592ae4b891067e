"""From outcome to verdict: a wrong word here and every report is wrong, whatever was measured."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

import pytest

from fsprobe.checks import INFO, MUST, OPTIONAL, SHOULD, Check, Level, mount_check, shell_check, wire_check
from fsprobe.checks.outcome import Outcome
from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.results.records import CheckResult, Incident
from fsprobe.runners.verdict import judge
from fsprobe.trace.exchange import Exchange

DECLARE = {"wire": wire_check, "mount": mount_check, "shell": shell_check}


def a_check(op: str = "SETATTR", level: Level = MUST, layer: str = "mount") -> Check:
    def works(context: Any) -> None:
        """It works."""

    declared = DECLARE[layer](f"posix.{op.lower()}", op=op, source="man 2 x", level=level, main=True)(works)
    found = declared.__fsprobe_check__  # type: ignore[attr-defined]
    assert isinstance(found, Check)
    return found


def exchanges(*answers: str, layer: str = "mount") -> list[Exchange]:
    """`"LOOKUP ENOENT", "MKDIR"`: operations and the errors that they ended with."""
    made = []
    for seq, answer in enumerate(answers, 1):
        op, _, name = answer.partition(" ")
        error = getattr(errno, name) if name else 0
        made.append(
            Exchange(seq, 1, layer, seq, OPERATIONS[op].opcode, 1, 0, 0, 1, b"", 0, b"", 16, error, seq, seq + 1)
        )
    return made


def ruled(outcome: Outcome | None, *answers: str, incident: Incident | None = None, **about: Any) -> CheckResult:
    check = a_check(**about)
    return judge(check, outcome, exchanges(*answers, layer=check.layer), incident, reproduce="fsprobe run T")


ENOSYS = Outcome("oserror", errno=errno.ENOSYS, call="os.chmod(path, 0o600)")


@pytest.mark.parametrize(
    ("outcome", "level", "verdict"),
    [
        (Outcome("ok"), MUST, "PASS"),
        (Outcome("ok", notes=("granularity 1 s",)), INFO, "INFO"),
        (Outcome("ok", notes=("seen",)), MUST, "PASS"),
        (Outcome("finding", "a", "b"), MUST, "FAIL"),
        (Outcome("finding", "a", "b", warn=True), MUST, "WARN"),
        (Outcome("finding", "a", "b"), SHOULD, "WARN"),
        (Outcome("finding", "a", "b"), INFO, "INFO"),
        (Outcome("finding", "a", "b"), OPTIONAL, "FAIL"),
        (ENOSYS, MUST, "FAIL"),
        (ENOSYS, SHOULD, "FAIL"),
        (ENOSYS, INFO, "INFO"),
        (ENOSYS, OPTIONAL, "UNSUPPORTED"),
        (Outcome("oserror", errno=errno.EOPNOTSUPP), OPTIONAL, "UNSUPPORTED"),
        (Outcome("oserror", errno=errno.EPERM), OPTIONAL, "UNSUPPORTED"),
        (Outcome("oserror", errno=errno.EIO), OPTIONAL, "FAIL"),
        (Outcome("oserror", errno=errno.EINVAL), SHOULD, "WARN"),
        (Outcome("oserror", errno=errno.EIO), SHOULD, "FAIL"),
        (Outcome("unsupported", observed="no"), OPTIONAL, "UNSUPPORTED"),
        (Outcome("blocked", call="os.mkdir(d)", errno=errno.ENOSYS), MUST, "SKIP"),
        (Outcome("skip", observed="not root"), MUST, "SKIP"),
        (Outcome("lost"), MUST, "HANG"),
        (Outcome("error", detail="Traceback"), MUST, "ERROR"),
        (None, MUST, "NOTRUN"),
    ],
)
def test_verdict(outcome: Outcome | None, level: Level, verdict: str) -> None:
    """Each way that a check can end has one word."""
    assert ruled(outcome, level=level).verdict == verdict


@pytest.mark.parametrize(("kind", "verdict"), [("hang", "HANG"), ("stuck", "HANG"), ("crash", "CRASH")])
@pytest.mark.parametrize("outcome", [None, Outcome("ok"), Outcome("lost"), Outcome("finding", "a", "b")])
def test_an_incident_overrides(kind: str, verdict: str, outcome: Outcome | None) -> None:
    """A daemon that died under a check that happened to succeed is still a crash, blamed on its request."""
    found = ruled(outcome, incident=Incident(kind, "READ", path="f", evidence=("stack",)))
    assert (found.verdict, found.op, found.evidence) == (verdict, "READ", ("stack",))


def test_a_worker_that_ends_by_itself_is_no_hang_of_the_target() -> None:
    """A fault of fsprobe would be told as one of the user's daemon."""
    assert ruled(None, incident=Incident("worker", "READ", detail="it ended")).verdict == "ERROR"


def test_an_incident_that_names_no_request_blames_the_declared_operation() -> None:
    """A hang without a known request still points somewhere."""
    assert ruled(None, incident=Incident("stuck")).op == "SETATTR"


@pytest.mark.parametrize(
    ("declared", "outcome", "answers", "blamed"),
    [
        # touch: the historic case
        ("SETATTR", ENOSYS, ("LOOKUP ENOENT", "CREATE", "FLUSH ENOSYS", "SETATTR ENOSYS"), "SETATTR"),
        # cleaning up fails as well; the declared operation answered the error that was seen
        ("SETATTR", ENOSYS, ("SETATTR ENOSYS", "UNLINK ENOSYS"), "SETATTR"),
        # the set-up failed silently first, the question itself failed too
        ("RENAME", Outcome("oserror", errno=errno.ENOSYS), ("SETATTR ENOSYS", "RENAME ENOSYS"), "RENAME"),
        ("MKDIR", Outcome("oserror", errno=errno.EIO), ("LOOKUP EIO",), "LOOKUP"),
        ("MKDIR", Outcome("oserror", errno=errno.EIO), ("LOOKUP EIO", "MKDIR EIO"), "MKDIR"),
        ("READ", Outcome("oserror", errno=errno.ENOSYS), ("ACCESS ENOSYS", "MKNOD ENOSYS"), "MKNOD"),
        # errors of daily work and errors that the kernel swallows are nobody's fault
        ("MKDIR", Outcome("oserror", errno=errno.ENOENT), ("LOOKUP ENOENT",), "MKDIR"),
        ("WRITE", Outcome("oserror", errno=errno.ENODATA), ("GETXATTR ENODATA", "WRITE"), "WRITE"),
        ("READ", Outcome("oserror", errno=errno.ENOSYS), ("STATX ENOSYS", "LSEEK ENOSYS", "FLUSH ENOSYS"), "READ"),
        ("READ", Outcome("oserror", errno=errno.ENOTTY), ("IOCTL ENOTTY",), "READ"),
        # what the kernel makes of an ENOSYS is not ENOSYS: a call that met it met another's
        ("IOCTL", Outcome("oserror", errno=errno.ENOSYS), ("IOCTL ENOSYS", "READ ENOSYS"), "READ"),
        ("COPY_FILE_RANGE", Outcome("oserror", errno=errno.ENOSYS), ("COPY_FILE_RANGE ENOSYS", "READ ENOSYS"), "READ"),
        ("FSYNC", Outcome("oserror", errno=errno.ENOSYS), ("FSYNC ENOSYS",), "FSYNC"),
        # CREATE is remembered as absent by the kernel: the blame does not depend on which check came first
        ("CREATE", Outcome("oserror", errno=errno.ENOSYS), ("CREATE ENOSYS", "MKNOD ENOSYS"), "CREATE"),
        ("CREATE", Outcome("oserror", errno=errno.ENOSYS), ("MKNOD ENOSYS",), "CREATE"),
        # a command's message is enough to know the error
        ("SETATTR", Outcome("finding", "exit 0", "touch: cannot touch 'f': Function not implemented"),
         ("LOOKUP ENOENT", "CREATE ENOSYS", "MKNOD ENOSYS"), "MKNOD"),
        # a wrong result is the declared operation's, whatever else was refused
        ("READ", Outcome("finding", "b'abc'", "b'abd'"), ("SETATTR ENOSYS", "READ"), "READ"),
        # it did not get as far as the declared operation
        ("READ", Outcome("finding", "exit 0", "exit 1"), ("SETATTR ENOSYS",), "SETATTR"),
        # a refusal is what failed the call
        ("MKDIR", Outcome("oserror", errno=errno.EACCES), ("MKDIR", "OPENDIR EACCES"), "OPENDIR"),
        # GETXATTR's error mostly stays in the kernel, and FLUSH tells an earlier one once more
        ("READ", Outcome("oserror", errno=errno.EIO), ("GETXATTR EIO", "OPEN EIO"), "OPEN"),
        ("READ", Outcome("oserror", errno=errno.EIO), ("FLUSH EIO", "WRITE EIO"), "WRITE"),
        # without the relay
        ("SETATTR", ENOSYS, (), "SETATTR"),
    ],
)  # fmt: skip
def test_blame(declared: str, outcome: Outcome, answers: tuple[str, ...], blamed: str) -> None:
    """The author looks at the handler that is named; a wrong name costs an afternoon."""
    found = ruled(outcome, *answers, op=declared)
    assert found.op == blamed
    assert found.declared == declared and set(found.ops) == {declared, blamed}


@pytest.mark.parametrize(
    ("observed", "answers", "blamed"),
    [
        ("exit 1: error: unable to write", ("LOOKUP ENOENT", "CREATE", "WRITE EIO", "FLUSH EIO"), "WRITE"),
        ("exit 1: error: unable to write", ("FLUSH EIO", "WRITE EIO"), "WRITE"),
        ("exit 1: error: unable to write", ("CREATE EIO", "RENAME EIO"), "RENAME"),
        # it names what it met later, and nothing answered
        ("exit 1: cannot create HEAD.lock: File exists", ("UNLINK EIO", "CREATE EEXIST", "RENAME"), "UNLINK"),
        ("tmp: left", ("RENAME", "UNLINK EIO", "FLUSH"), "UNLINK"),
        # what it did without, and what belongs to daily work, is not what failed it
        ("exit 1: error", ("LINK EPERM", "SYMLINK EOPNOTSUPP", "LOOKUP ENOENT", "RENAME"), "RENAME"),
        ("exit 1: error", (), "RENAME"),
    ],
)
def test_blame_where_a_program_does_not_say_what_failed(observed: str, answers: tuple[str, ...], blamed: str) -> None:
    """git says `unable to write` and sqlite3 `disk I/O error`: the request that failed names the handler to look at."""
    assert ruled(Outcome("finding", "exit 0", observed), *answers, op="RENAME", layer="shell").op == blamed


@pytest.mark.parametrize(
    ("answers", "blamed"),
    [(("CREATE", "FLUSH ENOSYS", "SETATTR ENOSYS"), "SETATTR"), (("CREATE", "FLUSH ENOSYS"), "FLUSH")],
)
def test_blame_in_the_wire_layer(answers: tuple[str, ...], blamed: str) -> None:
    """With no kernel to swallow it FLUSH's ENOSYS can be what failed, but only where nothing worse answered it."""
    assert ruled(ENOSYS, *answers, op="OPEN", layer="wire").op == blamed


@pytest.mark.parametrize("outcome", [ENOSYS, Outcome("finding", "a", "b: EIO"), Outcome("blocked", call="os.mkdir(d)")])
def test_the_word_is_the_same_without_the_relay(outcome: Outcome) -> None:
    """`--no-relay` gives the same verdicts: exchanges move the blame, never the word."""
    with_relay = ruled(outcome, "LOOKUP EIO", "MKDIR ENOSYS", "SETATTR EIO")
    assert with_relay.verdict == ruled(outcome).verdict


def test_observed_names_call_and_errno() -> None:
    """The report shows the call and its error as strace would, so that no relay is needed to understand it."""
    found = ruled(ENOSYS)
    assert found.observed == "os.chmod(path, 0o600): ENOSYS (Function not implemented)"
    assert (found.errno, found.reproduce, found.reference) == ("ENOSYS", "fsprobe run T", "man 2 x")


@pytest.mark.parametrize(
    ("call", "answers", "by"),
    [
        ("os.mkdir(d)", (), "MKDIR"),
        ("os.mkdir(d)", ("LOOKUP EIO",), "LOOKUP"),
        ("MKDIR", (), "MKDIR"),  # the wire layer names the operation itself
        ("cp a b", ("CREATE", "WRITE EIO"), "WRITE"),
        ("os.symlink(a, b)", (), "SYMLINK"),
        ("os.link(a, b)", (), "LINK"),
        ("make everything", (), ""),
        ("mkdir d && echo > d/f", ("MKDIR", "CREATE", "WRITE"), ""),  # no answer was EIO: the kernel made it
    ],
)
def test_a_blocked_question_names_what_stood_in_the_way(call: str, answers: tuple[str, ...], by: str) -> None:
    """Thirty skipped checks with one reason are read as one cause."""
    found = ruled(Outcome("blocked", call=call, errno=errno.EIO), *answers, op="RENAME")
    assert (found.verdict, found.op, found.blocked_by) == ("SKIP", "RENAME", by)
    assert found.reason == (
        f"{'blocked by ' + by if by else 'a step before the question failed'}: {call}: EIO (Input/output error)"
    )


@pytest.mark.parametrize(
    ("layer", "op", "observed", "verdict"),
    [
        ("shell", "LINK", "ln: failed: Operation not permitted", "UNSUPPORTED"),
        ("shell", "SETXATTR", "setfattr: f: Operation not supported", "UNSUPPORTED"),
        ("shell", "RENAME2", "mv: Invalid argument", "UNSUPPORTED"),
        ("mount", "LINK", "EPERM", "FAIL"),  # an answer to another question
        ("mount", "SETXATTR", "EOPNOTSUPP", "UNSUPPORTED"),
        ("shell", "LINK", "ln: failed: Input/output error", "FAIL"),
    ],
)
def test_optional_features_may_be_declined(layer: str, op: str, observed: str, verdict: str) -> None:
    """A file system without hard links is not failed for it, one whose link answers EIO is."""
    found = ruled(Outcome("finding", "exit 0", observed), op=op, layer=layer, level=OPTIONAL)
    assert found.verdict == verdict


def test_a_trace_is_kept_where_it_is_needed_and_bounded() -> None:
    """A failed check shows its exchanges, a passed one does not fill the file, a long one stays readable."""
    many = ["LOOKUP"] * 500 + ["SETATTR ENOSYS"]
    failed = ruled(ENOSYS, *many)
    assert len(failed.trace) == 61 and failed.trace[-1] == "SETATTR nodeid 1: ENOSYS"
    assert "440" in failed.trace[20] or "441" in failed.trace[20]
    assert ruled(Outcome("ok"), *many).trace == ()


def test_the_exchange_that_failed_is_kept_in_a_long_trace() -> None:
    """A check that lists a directory before and after would show a hundred lines and not the one that matters."""
    noise = ("GETATTR",) * 50
    result = ruled(ENOSYS, *noise, "SETATTR ENOSYS", *noise)
    assert [line for line in result.trace if line.startswith("SETATTR")] and len(result.trace) == 63
    assert [line for line in result.trace if "left out" in line] == [
        "… 30 exchanges left out …", "… 10 exchanges left out …"
    ]  # fmt: skip


def test_own_faults_carry_their_traceback() -> None:
    """An ERROR can be reported to fsprobe's authors with all they need."""
    assert ruled(Outcome("error", detail="Traceback\n  boom")).evidence == ("Traceback", "  boom")


def test_an_error_that_a_program_did_not_name_is_kept_in_a_long_trace() -> None:
    """`cp -a` that could not set a mode says nothing: the line that tells why would be left out."""
    noise = ("GETATTR",) * 50
    wrong = ruled(Outcome("finding", "mode 640", "mode 600"), *noise, "SETATTR ENOSYS", *noise)
    assert any(line == "SETATTR nodeid 1: ENOSYS" for line in wrong.trace)


@pytest.mark.parametrize(("count", "blamed"), [(0, "WRITE"), (5, "RENAME")])
def test_an_eio_that_a_write_of_nothing_causes_is_its_own(count: int, blamed: str) -> None:
    """The kernel makes EIO of a WRITE that wrote 0 bytes: whoever only prepares a file would have the blame."""
    made = exchanges("CREATE", "WRITE")
    made[1] = replace(made[1], reply=bytes(16) + count.to_bytes(4, "little") + bytes(4))
    found = judge(a_check("RENAME"), Outcome("oserror", errno=errno.EIO), made, None, reproduce="")
    assert found.op == blamed
