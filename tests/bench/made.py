"""Small documents of benchmarks for tests."""

from __future__ import annotations

from typing import Any

from fsprobe.bench import document
from fsprobe.bench.statistics import summary


def cell(value: float) -> dict[str, Any]:
    """A figure of three samples."""
    return {**summary([value] * 3), "rounds": [1, 2, 3]}


def bench_of(better: str = "lower", **cells: Any) -> dict[str, Any]:
    """One row, a target for each cell."""
    unit = "us" if better == "lower" else "MB/s"
    row = {"id": "stat", "group": "metadata", "unit": unit, "better": better, "tool": "own", "series": "", "x": None,
           "cells": cells}  # fmt: skip
    targets = [{"name": name, "fs_type": "fuse", "argv": [], "usage": {}} for name in cells]
    machine = {"fsprobe": "0", "kernel": "6", "processors": 2}
    options = {"quick": True, "rounds": 3, "seed": 1}
    return document.build(machine=machine, options=options, targets=targets, rows=[row])
