"""Where a check's sentence comes from is told in words that anybody can look up."""

from __future__ import annotations

import re

import pytest

from fsprobe.checks.sources import PUBLIC, public
from fsprobe.checks.suite import BUILT_IN, load_suite

CHECKS = [check for suite in (*BUILT_IN, "vexfs") for check in load_suite(suite)]


def test_no_check_refers_to_what_users_do_not_have():
    """`fsprobe explain CHECK` would answer with a number of a paper that is not in the package."""
    shown = {check.id: check.reference for check in CHECKS}
    assert [id for id, told in shown.items() if not told or "catalogue" in told] == []
    assert [id for id, told in shown.items() if re.search(r"(?<!XBD )(?<!XSH )(?<!XCU )\b3\.\d", told)] == []


def test_every_number_that_a_check_gives_is_known():
    """A check with a mistyped number would name a page about something else, or none."""
    given = {number for check in CHECKS for number in re.findall(r"catalogue ([^;]*)", check.source)}
    numbers = {number for text in given for number in re.findall(r"(?<![\w.])3\.\d+\.\d+", text)}
    assert len(numbers) > 150
    assert sorted(numbers - set(PUBLIC)) == []


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("catalogue 3.15.2; POSIX write", "POSIX write"),
        ("catalogue 3.12.1", "POSIX link"),
        ("catalogue 3.4.15, 3.4.18", "man 2 utimensat; POSIX utimensat"),
        ("catalogue 3.36 timestamps; 3.3.2", "POSIX XBD 4.9 File Times Update; POSIX fstat, write"),
        ("catalogue 3.23, 4", "POSIX access; " + PUBLIC["4"]),
        ("man 1 tar; catalogue 3.36", "man 1 tar"),
        ("POSIX XBD 4.5", "POSIX XBD 4.5"),
        ("my own manual, 3.2.1", "my own manual, 3.2.1"),
    ],
)
def test_what_is_told(source, told):
    """The page that a check names itself comes first; a user's own source is left as it is."""
    assert public(source) == told
