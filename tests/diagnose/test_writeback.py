"""Writeback caching, and handles opened as the program asked: one line with what to open instead."""

from __future__ import annotations

from fsprobe.diagnose.evidence import Evidence
from fsprobe.diagnose.writeback import opened_as_asked
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Cause
from tests.diagnose.made import check

CREATED = 'CREATE /d/ "log" flags=O_WRONLY|O_APPEND|O_CREAT mode=0644 \u2192 node 9 file 0644 size=0 fh=11 3 \u00b5s'
WRITTEN = 'WRITE /d/log fh=11 offset=0 size=4 write_flags=CACHE "new" \u2192 4 bytes 3 \u00b5s'
REFUSED = "READ /d/log fh=11 offset=0 size=4096 \u2192 EBADF 3 \u00b5s"


def found(*checks: CheckResult) -> list[tuple[Cause, str, tuple[str, ...]]]:
    """Cause, operation and checks of what is found."""
    return [(one.cause, one.op, one.checks) for one in opened_as_asked(Evidence(checks), frozenset())]


def test_reads_and_appends_by_such_a_handle_are_one_line() -> None:
    """Else READ is blamed for an EBADF, and RENAME for a log that a shell appended to."""
    read = check("posix.cut", "READ", "FAIL", errno="EBADF", trace=(CREATED, WRITTEN, REFUSED))
    appended = check("apps.log", "RENAME", "FAIL", observed="one; one", trace=(CREATED, WRITTEN))
    assert found(read, appended) == [(Cause.WRONG_DATA, "CREATE", ("posix.cut", "apps.log"))]
    assert "O_RDWR" in opened_as_asked(Evidence((read,)), frozenset())[0].fix


def test_without_the_cache_it_is_something_else() -> None:
    """A daemon that was never asked to cache would be told to open files otherwise."""
    plain = check("apps.log", "RENAME", "FAIL", trace=(CREATED, WRITTEN.replace("CACHE", "LOCKOWNER")))
    readable = check("posix.cut", "READ", "FAIL", errno="EBADF", trace=(CREATED.replace("WRONLY", "RDWR"), REFUSED))
    passed = check("posix.cut", "READ", "PASS", trace=(CREATED, WRITTEN))
    assert found(plain, readable, passed) == []
