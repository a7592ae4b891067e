"""Escaping, folding and numbers."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from fsprobe.report.text import cut, fold, micros, pack, pad, safe


@given(st.text())
def test_safe_text_prints_as_it_is(text):
    """Anything a file name can hold must not act upon the terminal."""
    categories = {unicodedata.category(char) for char in safe(text)}
    assert not categories & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@given(st.text(max_size=60), st.integers(4, 30))
def test_folded_lines_fit_and_lose_nothing(text, width):
    """A line too long breaks the table, a word lost changes the meaning."""
    lines = fold(text.replace("\n", " "), width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace("\n", " ").replace(" ", "")


@given(st.text(max_size=30), st.integers(2, 20), st.booleans())
def test_padded_cells_are_exactly_as_wide_as_asked(text, width, right):
    """Columns after a wide (Chinese) name would be shifted."""
    assert cell_len(pad(safe(text), width, right=right)) == width
    assert cell_len(cut(safe(text), width)) <= width


@pytest.mark.parametrize(("value", "shown"), [
    (None, ""), (0.4, "0µs"), (31.4, "31µs"), (999.6, "1.0ms"), (12_345, "12.3ms"), (123_456, "123ms"),
    (10_000_000, "10.0s"),
])  # fmt: skip
def test_latency_reads_in_its_unit(value, shown):
    """A microsecond that reads as a millisecond is a wrong result."""
    assert micros(value) == shown and cell_len(shown) <= 6


def test_parts_are_never_broken_in_two():
    """`ENOENT` on one line and its number on the next could not be read."""
    assert pack(["ok 301", "ENOENT 111", "EIO 2"], 19) == ["ok 301 · ENOENT 111", "EIO 2"]
