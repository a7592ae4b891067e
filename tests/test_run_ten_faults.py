"""Many faults at once: an author with ten bugs needs ten lines, and a hundred failed checks are not a hundred bugs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.command import Command
from tests.leaks import LeakWatch
from tests.reading import document_of, with_verdict

pytestmark = pytest.mark.mount

_spec = importlib.util.spec_from_file_location("ten_faults", Path(__file__).parent.parent / "bench" / "ten_faults.py")
assert _spec is not None and _spec.loader is not None
ten_faults = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(ten_faults)


@pytest.mark.parametrize("seed", [3, 4])
def test_ten_faults_are_ten_diagnoses(seed: int, fsprobe: Command, leaks: LeakWatch) -> None:
    """Hangs, crashes, lies, missing handlers side by side; `bench/ten_faults.py` asks all layers, with five seeds."""
    faults = ten_faults.draw(seed)
    document = document_of(fsprobe("run", "vexfs:raw", "--no-mount", *ten_faults.rules(faults)))
    assert ten_faults.compare(faults, document) == ([], [])
    assert not with_verdict(document, "ERROR")
    assert leaks() == []


def test_the_comparison_can_fail() -> None:
    """A test that any number of diagnoses passes would be none."""
    one = {"op": "RMDIR", "cause": "silent-noop", "confidence": "likely"}
    faults = [("RMDIR", "fake"), ("FSYNC", "drop")]
    assert ten_faults.compare(faults, {"diagnoses": [one, one]}) == (["FSYNC lost-reply"], ["RMDIR silent-noop"])
