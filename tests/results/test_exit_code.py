"""The exit status: continuous integration sees nothing else."""

from __future__ import annotations

import pytest

from fsprobe.results.exit_code import exit_code


@pytest.mark.parametrize(
    ("counts", "strict", "code"),
    [
        ({"PASS": 3}, False, 0),
        ({"PASS": 3, "WARN": 1, "UNSUPPORTED": 1, "INFO": 1, "SKIP": 1, "XFAIL": 1}, False, 0),
        ({"PASS": 3, "WARN": 1}, True, 1),
        ({"PASS": 3, "UNSUPPORTED": 1}, True, 1),
        ({"PASS": 3, "XFAIL": 1}, True, 0),
        ({"PASS": 3, "FAIL": 1}, False, 1),
        ({"HANG": 1}, False, 1),
        ({"CRASH": 1}, False, 1),
        ({"PASS": 1, "NOTRUN": 1}, False, 1),
        ({"PASS": 1, "XPASS": 1}, False, 1),
        ({"PASS": 1, "ERROR": 1}, False, 3),
        ({"FAIL": 1, "ERROR": 1}, False, 1),
        ({"NOTRUN": 4, "ERROR": 1}, False, 3),
        ({"NOTRUN": 4, "ERROR": 1, "UNSUPPORTED": 1}, True, 1),
        ({}, False, 5),
        ({"SKIP": 4}, False, 5),
        ({"SKIP": 4}, True, 5),
    ],
)
def test_exit_code(counts: dict[str, int], strict: bool, code: int) -> None:
    """A red run must never exit with 0, a run that asked nothing neither."""
    assert exit_code(counts, strict) == code
