"""The summary: every number is that of a result, marks are shown wherever figures are, on a narrow screen too."""

from __future__ import annotations

from typing import Any

import pytest

from fsprobe.report import summary as forms
from fsprobe.report.summary_data import number, page_of
from fsprobe.report.summary_plots import curves, dotted
from tests.bench.made import bench_of, cell
from tests.report import hostile

MARK = {"mark": "ENOSPC", "detail": "making ready: No space left on device"}


def made(*names: str) -> dict[str, Any]:
    """A benchmark of three rows, one of which has a mark for the first target."""
    bench = bench_of(**{name: {**cell(6.0), "to_native": 3.0} for name in names}, native=cell(2.0))
    for at, x in enumerate((100, 1000)):
        row = {**bench["rows"][0], "id": f"stat: {x}", "group": "scaling", "series": "stat", "x": x}
        row["cells"] = dict(row["cells"]) | ({names[0]: MARK} if at else {})
        bench["rows"].append(row)
    lost = {**bench["rows"][0], "id": "create", "cells": {**bench["rows"][0]["cells"], names[0]: MARK}}
    return {**bench, "rows": [*bench["rows"], lost]}


def test_the_page_marks_what_has_no_figure() -> None:
    """A customer would read a number that nobody measured, or not learn why there is none."""
    page = page_of([made("fs")], [])
    for text in (forms.html(page), forms.markdown(page), "\n".join(line.plain for line in forms.lines(page))):
        assert "ENOSPC" in text
        assert "No space left on device" in text
        assert "vectors:" not in text


def test_a_target_without_any_figure_has_no_mean() -> None:
    """The geometric mean of nothing would be a figure."""
    bench = made("fs")
    for row in bench["rows"]:
        row["cells"] = {**row["cells"], "fs": MARK}
    page = page_of([bench], [])
    assert page.glance is not None
    assert [one.text for one in page.glance.rows[0][1:2]] == ["✗ no figure"]
    assert page.dots == ()


def test_plots_hold_what_was_measured_and_nothing_between() -> None:
    """A line would be drawn through a size at which the target failed."""
    plot = page_of([made("fs")], []).plots[0]
    assert plot.series["fs"] == ((100.0, 6.0),) and plot.missing == ("fs at 1,000: ENOSPC",)
    shown = curves(plot)
    points = [point for line in shown["lines"] for point in line["points"]]
    assert all(0 <= x <= shown["width"] and 0 <= y <= shown["height"] for x, y in points)


def test_dots_stand_where_their_ratio_is() -> None:
    """A target would look faster than another that is faster."""
    bench = made("slow", "quick")
    bench["rows"][0]["cells"]["slow"]["to_native"] = 30.0
    row = dotted(page_of([bench], []).dots[0])["rows"][0]
    slow, quick = row["dots"]
    assert 0 < quick["x"] < slow["x"] < 100


@pytest.mark.parametrize(("value", "said"), [(12345.6, "12,346"), (123.4, "123"), (1.234, "1.23"), (0.01234, "0.0123")])
def test_numbers_have_three_digits_that_count(value: float, said: str) -> None:
    """1.2e+04 is no number for a customer."""
    assert number(value) == said


def test_no_text_of_a_result_breaks_a_page() -> None:
    """A daemon's file name would cost the page, or clear the reader's terminal."""
    bench = made("fs")
    bench["targets"][0]["argv"] = [hostile.EVIL]
    page = page_of([bench], [])
    for text in (forms.html(page), forms.markdown(page), "\n".join(line.plain for line in forms.lines(page))):
        assert "\x1b" not in text and "\x00" not in text and "\u202e" not in text
        text.encode()


@pytest.mark.parametrize("width", [1280, 360])
def test_in_a_browser(width: int, tmp_path: Any) -> None:
    """A name with markup in it would run, or the page be wider than the telephone."""
    browser = pytest.importorskip("tests.report.test_browser", reason="playwright is not installed")
    page = tmp_path / "page.html"
    page.write_text(forms.html(page_of([made(hostile.EVIL, "fs")], [])))
    with browser.sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=["--no-sandbox"])
        opened = browser.Opened(started, page, viewport={"width": width, "height": 800})
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        assert opened.page.locator("#dots li.lost").first.is_visible()
        assert opened.page.locator("td.lost").count() >= 2
        opened.done()
        started.close()
