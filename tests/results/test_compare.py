"""What counts as worse from one result to another."""

from __future__ import annotations

import pytest

from fsprobe.results.compare import FEWEST, compare, names, side_by_side
from tests.report.documents import check, document, operation


def made(verdicts, operations=None, name="x"):
    checks = [check(f"posix.{id}", verdict, "READ") for id, verdict in verdicts.items()]
    return document(name, operations or {}, checks, 0)


@pytest.mark.parametrize(("before", "after", "kind"), [
    ("PASS", "PASS", "same"), ("PASS", "FAIL", "regressions"), ("PASS", "WARN", "regressions"),
    ("PASS", "UNSUPPORTED", "regressions"), ("FAIL", "HANG", "regressions"), ("HANG", "CRASH", "regressions"),
    ("UNSUPPORTED", "FAIL", "regressions"), ("PASS", "NOTRUN", "regressions"), ("FAIL", "PASS", "fixes"),
    ("CRASH", "FAIL", "fixes"), ("FAIL", "UNSUPPORTED", "fixes"), ("PASS", "INFO", "moved"), ("PASS", "SKIP", "moved"),
    ("SKIP", "FAIL", "moved"), ("PASS", "ERROR", "moved"), ("PASS", "XFAIL", "moved"), ("FAIL", "XFAIL", "moved"),
    ("XFAIL", "XPASS", "fixes"), ("PASS", "XPASS", "moved"), ("PASS", "SOMETHING", "moved"),
])  # fmt: skip
def test_which_change_of_a_verdict_is_worse(before, after, kind):
    """A gate that misses a lost feature, or cries at a skipped check, is switched off."""
    found = compare(made({"a": before}), made({"a": after}))
    groups = {name: len(getattr(found, name)) for name in ("regressions", "fixes", "moved")} | {"same": found.same}
    assert groups == {"regressions": 0, "fixes": 0, "moved": 0, "same": 0} | {kind: 1}


def test_checks_of_one_result_only_are_new_or_gone_and_the_worst_comes_first():
    """A check that was renamed is no regression; a crash must not stand below twenty failures."""
    before, after = made({"a": "PASS", "old": "PASS", "b": "PASS"}), made({"a": "FAIL", "b": "CRASH", "new": "FAIL"})
    found = compare(before, after)
    assert [one.id for one in found.regressions] == ["posix.b", "posix.a"]
    assert [one.id for one in found.new] == ["posix.new"] and [one.id for one in found.gone] == ["posix.old"]


@pytest.mark.parametrize(("before", "after", "answers", "ratio", "slower", "quicker"), [
    (30.0, 60.0, FEWEST, 2.0, 1, 0), (30.0, 59.0, FEWEST, 2.0, 0, 0), (60.0, 30.0, FEWEST, 2.0, 0, 1),
    (30.0, 60.0, FEWEST - 1, 2.0, 0, 0), (2.0, 8.0, FEWEST, 2.0, 0, 0), (30.0, 60.0, FEWEST, 3.0, 0, 0),
    (None, 60.0, FEWEST, 2.0, 0, 0),
])  # fmt: skip
def test_slower_is_a_ratio_of_medians_with_enough_answers(before, after, answers, ratio, slower, quicker):
    """Two answers, or two microseconds, say nothing of speed."""
    first, second = (made({}, {"READ": operation("ok", answers, {"ok": answers}, p50_us=us)}) for us in (before, after))
    found = compare(first, second, slower=ratio)
    assert (len(found.slower), len(found.quicker)) == (slower, quicker) and not found.regressions


def test_side_by_side_has_every_operation_that_somebody_asked():
    """An operation that only one of ten targets has would be missing from the table."""
    first = made({}, {"READ": operation("ok", 1, {}), "POLL": operation("untested", 0, {})})
    second = made({}, {"READ": operation("hang", 1, {}), "LSEEK": operation("ok", 1, {})})
    rows = {row.op: row for row in side_by_side([first, second])}
    assert list(rows) == ["READ", "LSEEK"]
    assert rows["READ"].verdicts == ("ok", "hang") and rows["READ"].differs
    assert rows["LSEEK"].verdicts == (None, "ok")


def test_results_of_one_target_are_told_apart_by_their_files():
    """Two columns of the same name cannot be read."""
    both = [made({}, name="x"), made({}, name="x")]
    assert names(both, ["a/old.json", "new.json"]) == ["x (old.json)", "x (new.json)"]
    assert names([made({}, name="x"), made({}, name="y")], ["a", "b"]) == ["x", "y"]
