"""Comparisons as they are shown: whole screens against golden files, and Markdown read back."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from fsprobe.report import comparison_markdown, comparison_text
from fsprobe.report.comparison import view
from fsprobe.report.markdown import LIMIT
from tests.report import documents, hostile, readers, recorded
from tests.report.golden_file import assert_golden


def screen(*found, verbose=False):
    return "".join(f"{line.plain}\n" for line in comparison_text.lines(view(*found), verbose=verbose))


def slower():
    """The good one, with an operation that takes three times as long."""
    made = recorded.load("good")
    made["operations"]["READ"] |= {"p50_us": 3 * made["operations"]["READ"]["p50_us"]}
    return made


SCREENS = {
    "compare-worse": ([recorded.load("good"), recorded.load("before-fix")], ["vexfs", "vexfs:before-fix"]),
    "compare-better": ([recorded.load("lost-reply"), recorded.load("good")], ["vexfs:lost-reply", "vexfs"]),
    "compare-slower": ([recorded.load("good"), slower()], ["vexfs (a.json)", "vexfs (b.json)"]),
    "compare-many": ([recorded.load(name) for name in recorded.NAMES], list(recorded.NAMES)),
}


@pytest.mark.parametrize("name", SCREENS)
def test_screen_is_the_golden_one(name):
    """A change of layout that nobody looked at would reach every user."""
    assert_golden(name, screen(*SCREENS[name]))


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("many", [2, 3, 9, 20])
def test_no_line_is_wider_than_80_cells(many, verbose):
    """Nine targets do not fit beside each other: they come in blocks."""
    found = [documents.good(), documents.before_fix(), hostile.document()] * 7
    names = [f"{n} {document['target']['name']}" for n, document in enumerate(found)]
    shown = screen(found[:many], names[:many], verbose=verbose)
    assert [line for line in shown.split("\n") if cell_len(line) > 80] == []


def test_markdown_shows_regressions_at_once_and_folds_the_rest():
    """A reviewer reads the first screen of a comment."""
    shown = comparison_markdown.text(view(*SCREENS["compare-worse"]))
    made = readers.markdown_html(shown)
    assert "### Regressions" in shown[: shown.index("<details>")] and len(shown.encode()) <= LIMIT
    assert made.count("<details>") == made.count("</details>") >= 1 and "protocol.setattr.mode" in made
    many = comparison_markdown.text(view(*SCREENS["compare-many"]))
    assert readers.markdown_html(many).count("<th>") == 1 + len(recorded.NAMES)


def test_harmless_enosys_has_another_colour_than_a_fault():
    """Twenty red cells of operations that nobody needs hide the five that matter."""
    found = view(*SCREENS["compare-worse"])
    rows = {row.op: row for row in found.rows}
    assert found.tone_of(rows["SETATTR"], 1) == "ENOSYS" and found.tone_of(rows["FLUSH"], 1) == "unsupported"
