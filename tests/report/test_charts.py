"""From numbers to coordinates."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from fsprobe.report.charts import BAR_HEIGHT, SPAN, distribution, scale_of, timeline
from fsprobe.trace.stats import histogram

OPS = {"READ": {"latency_us": {"20": 5, "30": 10, "1500": 1}, "p50_us": 25.0, "p99_us": 1400.0}, "POLL": {}}


def test_axis_is_the_same_for_all_and_holds_every_bar():
    """Two distributions on different axes look alike where one is ten times slower."""
    scale = scale_of(OPS)
    assert [name for _, name in scale.ticks] == ["10 µs", "100 µs", "1 ms", "10 ms"]
    drawn = distribution(OPS["READ"], scale)
    assert drawn is not None and distribution(OPS["POLL"], scale) is None
    assert [bar.said for bar in drawn.bars] == ["5 of 16 up to 20µs", "10 of 16 up to 30µs", "1 of 16 up to 1.5ms"]
    assert max(bar.height for bar in drawn.bars) == BAR_HEIGHT
    assert all(0 <= bar.x <= 1000 - bar.width for bar in drawn.bars)
    assert drawn.bars[1].x < (drawn.p50 or 0) < drawn.bars[1].x + drawn.bars[1].width


@pytest.mark.parametrize("time", [0.3, 1, 1.2, 9.9, 10, 77, 999, 1001, 123_456, 5e6])
def test_a_bar_begins_where_the_one_before_ends(time):
    """A gap or an overlap is a distribution that was not measured."""
    histo = histogram([time, time * 1.6])
    drawn = distribution({"latency_us": histo}, scale_of({"X": {"latency_us": histo}}))
    assert drawn is not None
    ends = sorted((bar.x, bar.x + bar.width) for bar in drawn.bars)
    assert all(first[1] <= second[0] + 1 for first, second in pairwise(ends))


def test_marks_lie_within_the_plot_and_are_told_apart():
    """A request without an answer must not look like one that was answered."""
    rows = [[0, "wire", "INIT", "ok", 300.0, None], [500, "wire", "FORGET", None, None, 0],
            [900_000, "mount", "SETATTR", None, None, 1],
            [1_000_000, "mount", "SETATTR", "ENOSYS", 4e5, 1]]  # fmt: skip
    chart = timeline({"exchanges": rows})
    assert chart is not None
    lanes = {lane.op: lane for lane in chart.lanes}
    assert lanes["FORGET"].ok and not lanes["FORGET"].lost
    assert lanes["SETATTR"].lost and lanes["SETATTR"].error and not lanes["SETATTR"].ok
    for lane in chart.lanes:
        for x, width in re.findall(r"M(\d+) \d+h(\d+)", lane.ok + lane.error + lane.lost):
            assert int(x) + int(width) <= SPAN + 1
    assert [name for name, _, _ in chart.bands] == ["wire", "mount"]
    assert chart.ticks[0] == (0, "0") and 4 <= len(chart.ticks) <= 9 and chart.ticks[-1][0] <= 100


@pytest.mark.parametrize("rows", [[], None, [["x"]], [[-1, "wire", "A", "ok", 1, None]],
                                  [[0, "wire", "A", "ok", "x", None]],
                                  [[float("inf"), "wire", "A", "ok", 1, None]]])  # fmt: skip
def test_rows_that_are_none_cost_no_page(rows):
    """A file that somebody edited is still a report."""
    chart = timeline({"exchanges": rows})
    assert chart is None or chart.rows
