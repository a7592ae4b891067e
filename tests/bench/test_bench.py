"""Benchmarks: figures or marks, never both; what was slower is found; the page holds only what was measured."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest

from fsprobe.bench import document
from fsprobe.bench.against import regressions
from fsprobe.bench.statistics import ratio, summary
from fsprobe.bench.vector_work import recall
from fsprobe.report import summary as forms
from fsprobe.report.summary_data import page_of
from tests.command import Command

SCHEMA = json.loads(document.SCHEMA_FILE.read_text())


def _made(**cells: Any) -> dict[str, Any]:
    row = {"id": "stat", "group": "metadata", "unit": "us", "better": "lower", "tool": "own", "series": "", "x": None,
           "cells": cells}  # fmt: skip
    targets = [{"name": name, "fs_type": "fuse", "argv": [], "usage": {}} for name in cells]
    machine = {"fsprobe": "0", "kernel": "6", "processors": 2}
    options = {"quick": True, "rounds": 3, "seed": 1}
    return document.build(machine=machine, options=options, targets=targets, rows=[row])


def test_drift_of_the_machine_cancels_in_ratios() -> None:
    """A machine that grows slower during the run would change every comparison."""
    slow, base = ({**summary([v * f for f in (1, 3, 9)]), "rounds": [1, 2, 3]} for v in (20.0, 10.0))
    assert ratio(slow, base) == pytest.approx(2.0)
    assert ratio({"mark": "hang", "detail": ""}, base) is None


@pytest.mark.parametrize(("factor", "count"), [(1.2, 0), (1.3, 1)])
def test_a_regression_is_what_exceeds_the_tolerance(factor: float, count: int) -> None:
    """A CI job would pass what has become slower, or fail by noise that was allowed."""
    before = _made(fs=summary([10.0, 10.0, 10.0]))
    found, compared = regressions(before, _made(fs=summary([10.0 * factor] * 3)), 0.25)
    assert (len(found), compared) == (count, 1)


def test_a_cell_that_hangs_now_is_a_regression() -> None:
    """The worst regression would be passed over as it has no figure."""
    found, _ = regressions(_made(fs=summary([1.0])), _made(fs={"mark": "hang", "detail": "x"}), 9.0)
    assert [one.now for one in found] == ["hang"]


def test_a_figure_beside_a_mark_breaks_the_schema() -> None:
    """A target that crashed in the middle could be shown as fast."""
    good = _made(fs=summary([1.0, 2.0, 3.0]), other={"mark": "crash", "detail": "x"})
    jsonschema.validate(good, SCHEMA)
    bad = copy.deepcopy(good)
    bad["rows"][0]["cells"]["fs"]["mark"] = "crash"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, SCHEMA)


def test_the_page_marks_what_has_no_figure() -> None:
    """A customer would read a number that nobody measured."""
    page = page_of([_made(fs={"mark": "ENOSPC", "detail": "<b>"})], [])
    for text in (forms.html(page), forms.markdown(page), "\n".join(line.plain for line in forms.lines(page))):
        assert "ENOSPC" in text
        assert "vectors:" not in text


def test_recall_is_computed() -> None:
    """A store that finds the wrong neighbours would look perfect."""
    np = pytest.importorskip("numpy")
    stored = np.eye(20)
    queries = (np.arange(20, 0, -1) / 20.0)[None, :]
    assert recall([list(range(10))], stored, queries) == 1.0
    assert recall([list(range(5, 15))], stored, queries) == 0.5


def test_a_hang_gets_a_mark_and_never_a_figure(fsprobe: Command) -> None:
    """A request that nobody answers could be told as a figure, or keep the benchmark for ever."""
    made = fsprobe("bench", "vexfs:lost-reply=RENAME", "--quick", "--only", "metadata", "--rounds", "1",
                   "--timeout", "2", "--json", "-", "-q", timeout=110)  # fmt: skip
    told = json.loads(made.stdout)
    jsonschema.validate(told, SCHEMA)
    cells = {row["id"]: row["cells"]["vexfs:lost-reply=RENAME"] for row in told["rows"]}
    assert cells["rename, 1 proc"]["mark"] == "hang"
    assert "median" not in cells["rename, 1 proc"]
