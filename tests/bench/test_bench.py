"""Benchmarks: figures or marks, never both; what was slower is found; drift cancels."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from fsprobe.bench import document
from fsprobe.bench.against import compare
from fsprobe.bench.statistics import pairs, ratio, summary, uncertainty
from fsprobe.bench.turns import names_of
from fsprobe.bench.workloads import table
from fsprobe.config.target import Target
from fsprobe.errors import UsageError
from tests.bench.made import bench_of, cell

SCHEMA = json.loads(document.SCHEMA_FILE.read_text())


def test_drift_of_the_machine_cancels_in_ratios() -> None:
    """A machine that grows slower during the run would change every comparison."""
    slow, base = ({**summary([v * f for f in (1, 3, 9)]), "rounds": [1, 2, 3]} for v in (20.0, 10.0))
    assert ratio(slow, base) == pytest.approx(2.0)
    assert uncertainty(pairs(slow, base)) == pytest.approx(0.0)
    assert ratio({"mark": "hang", "detail": ""}, base) is None
    assert uncertainty([]) is None


def test_turns_that_only_one_has_are_in_no_ratio() -> None:
    """A target that lost a turn would be compared with another moment of the machine."""
    mine = {**summary([10.0, 30.0]), "rounds": [1, 3]}
    base = {**summary([10.0, 1.0, 10.0]), "rounds": [1, 2, 3]}
    assert pairs(mine, base) == [1.0, 3.0]


@pytest.mark.parametrize(("factor", "count"), [(1.2, 0), (1.3, 1)])
def test_a_regression_is_what_exceeds_the_tolerance(factor: float, count: int) -> None:
    """A CI job would pass what has become slower, or fail by noise that was allowed."""
    found = compare(bench_of(fs=cell(10.0)), bench_of(fs=cell(10.0 * factor)), 0.25)
    assert (len(found.slower), found.compared) == (count, 1)


def test_a_higher_rate_is_no_regression_and_a_lower_one_is() -> None:
    """Megabytes per second would be compared the wrong way round."""
    before = bench_of(better="higher", fs=cell(100.0))
    assert not compare(before, bench_of(better="higher", fs=cell(200.0)), 0.25).slower
    assert compare(before, bench_of(better="higher", fs=cell(50.0)), 0.25).slower[0].times == pytest.approx(2.0)


def test_ratios_to_native_are_compared_where_both_have_them() -> None:
    """A slower machine would count as a slower file system."""
    before = bench_of(fs={**cell(10.0), "to_native": 2.0}, native=cell(5.0))
    now = bench_of(fs={**cell(30.0), "to_native": 2.1}, native=cell(14.0))
    assert not compare(before, now, 0.25).slower


def test_what_is_within_the_noise_of_both_is_no_regression() -> None:
    """A job would fail on a busy machine though nothing has changed."""
    before = bench_of(fs={**cell(10.0), "to_native": 2.0, "to_native_within": 0.3}, native=cell(5.0))
    now = bench_of(fs={**cell(10.0), "to_native": 2.8, "to_native_within": 0.3}, native=cell(5.0))
    assert not compare(before, now, 0.25).slower


def test_a_cell_that_hangs_now_is_a_regression() -> None:
    """The worst regression would be passed over as it has no figure."""
    found = compare(bench_of(fs=cell(1.0)), bench_of(fs={"mark": "hang", "detail": "x"}), 9.0)
    assert [one.now for one in found.slower] == ["hang"]


def test_a_daemon_that_needs_twice_the_memory_is_a_regression() -> None:
    """A leak is what slows a machine down in the end."""
    before, now = bench_of(fs=cell(1.0)), bench_of(fs=cell(1.0))
    before["targets"][0]["usage"], now["targets"][0]["usage"] = {"rss_max": 1e6}, {"rss_max": 2e6}
    assert [one.target for one in compare(before, now, 0.25).slower] == ["fs"]


def test_other_tools_and_other_machines_are_told_apart() -> None:
    """fio's figure would be compared with that of another loop, or one machine with another without a word."""
    before, now = bench_of(fs=cell(1.0)), bench_of(fs=cell(9.0))
    before["rows"][0]["tool"] = "fio"
    assert compare(before, now, 0.25).compared == 0
    now["machine"]["kernel"] = "7"
    assert any("kernel" in note for note in compare(before, now, 0.25).notes)


def test_a_figure_beside_a_mark_breaks_the_schema() -> None:
    """A target that crashed in the middle could be shown as fast."""
    good = bench_of(fs=cell(1.0), other={"mark": "crash", "detail": "x"})
    jsonschema.validate(good, SCHEMA)
    bad = copy.deepcopy(good)
    bad["rows"][0]["cells"]["fs"]["mark"] = "crash"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, SCHEMA)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "fsprobe.result/1"}', '{"schema": "fsprobe.bench/1"}',
                                  '{"schema": "fsprobe.bench/1", "rows": [1]}'])  # fmt: skip
def test_a_file_that_is_no_benchmark_is_told(text: str, tmp_path: Path) -> None:
    """Another file would end in a traceback, or be compared."""
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"result\.json"):
        document.load(str(path))


def test_every_row_has_a_name_of_its_own_that_tells_the_amount() -> None:
    """A comparison of a quick with a full run would compare different work."""
    rows = {quick: [row.id for step in table(quick=quick) for row in step.rows.values()] for quick in (True, False)}
    for ids in rows.values():
        assert len(ids) == len(set(ids))
    steps = {quick: {row.id: step.args for step in table(quick=quick) for row in step.rows.values()}
             for quick in rows}  # fmt: skip
    for name in set(rows[True]) & set(rows[False]):
        differs = {key for key in steps[True][name] if steps[True][name][key] != steps[False][name][key]}
        assert differs <= {"count", "total"}, name


def test_the_same_target_twice_makes_two_columns() -> None:
    """A target beside itself, the test of how well a run agrees, would overwrite its own figures."""
    one = Target("fs", ("fs",))
    assert list(names_of((one, one, Target("native", ("n",))))) == ["fs", "fs (2)", "native (2)"]
