"""Whole screens against golden files. `FSPROBE_GOLDEN=write pytest tests/report` writes them anew: read the diff."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.cells import cell_len

from fsprobe.report.terminal import print_report, render
from fsprobe.results.document import SCHEMA_FILE
from tests.report import documents

GOLDEN = Path(__file__).with_name("golden")
SCREENS = {
    "good": documents.good, "before-fix": documents.before_fix, "hang": documents.hang,
    "not-mounted": documents.not_mounted, "hostile": documents.hostile,
}  # fmt: skip


def screen(document: dict[str, Any], *, verbose: bool = False) -> str:
    stream = io.StringIO()
    print_report(document, stream, verbose=verbose)
    return stream.getvalue()


@pytest.mark.parametrize("name", SCREENS)
def test_screen_is_the_golden_one(name):
    """A change of layout that nobody looked at would reach every user."""
    golden = GOLDEN / f"{name}.txt"
    shown = screen(SCREENS[name]())
    if os.environ.get("FSPROBE_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown)
    assert shown == golden.read_text()


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("name", SCREENS)
def test_no_line_is_wider_than_80_cells(name, verbose):
    """On a terminal of 80 columns a longer line breaks the table."""
    long = [line for line in screen(SCREENS[name](), verbose=verbose).split("\n") if cell_len(line) > 80]
    assert not long


@pytest.mark.parametrize("name", SCREENS)
def test_documents_of_these_tests_fit_the_schema(name):
    """Screens proven on documents that no run makes would prove nothing."""
    jsonschema.validate(SCREENS[name](), json.loads(SCHEMA_FILE.read_text()))


def test_hostile_names_cannot_move_the_cursor_or_speak_for_fsprobe():
    """A file name under test could clear the screen, colour it, or add a line that says PASS."""
    shown = screen(documents.hostile(), verbose=True)
    assert not set(shown) & {"\x1b", "\x07", "\u202e", "\udcff", "\r"}
    assert "[bold red]a[/]" in shown
    evil = [line for line in shown.split("\n") if line.startswith("PASS 999")]
    assert not evil


def test_what_was_not_answered_is_counted_and_never_green():
    """UNSUPPORTED, SKIP and NOTRUN read as success otherwise."""
    lines = render(documents.good())
    counts = lines[-2]
    assert "UNSUPPORTED 1 · SKIP 2 · PASS 120" in counts.plain
    styled = {counts.plain[span.start : span.end]: str(span.style) for span in counts.spans}
    assert styled["PASS 120"] == "green"
    assert "green" not in styled["UNSUPPORTED 1"] + styled["SKIP 2"]


def test_touch_is_blamed_on_setattr_and_the_handlers_are_named():
    """The question of every first user: why does touch say Function not implemented?"""
    lines = screen(documents.before_fix()).split("\n")
    [touch] = [line for line in lines if line.startswith("touch ")]
    assert touch.split()[1] == "SETATTR" and touch.endswith("Function not implemented")
    row = next(line for line in lines if line.startswith("   SETATTR "))
    assert "chmod chown truncate" in row


def test_ascii_stream_gets_the_report_all_the_same():
    """LANG=C and a pipe would end in a UnicodeEncodeError instead of a report."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_report(documents.before_fix(), stream)
    stream.flush()
    assert b"FAIL 24 | WARN 1" in raw.getvalue()


def test_failed_start_says_why_in_its_first_lines():
    """The reason has to be on the screen even where no check ran and no cause is known."""
    document = documents.not_mounted() | {"diagnoses": [], "error": {"fact": "./x does not exist", "causes": []}}
    assert "./x does not exist." in screen(document).split("\n")[1]
