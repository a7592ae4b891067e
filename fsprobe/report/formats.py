"""Every format a result can be shown in: one module each, in one table.

Owns the table; knows nothing of any format. Modules are imported when they are asked for: a run that writes no page
need not load what makes pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Format:
    """module: of this package, with a function `text(document) -> str`. what: for the help."""

    name: str
    module: str
    what: str


FORMATS = (
    Format("terminal", "terminal", "what `fsprobe run` prints"),
    Format("json", "json_file", "the result itself"),
    Format("junit", "junit", "JUnit XML, for the test view of a CI"),
    Format("tap", "tap", "TAP version 14"),
    Format("markdown", "markdown", "for an issue or a CI summary"),
    Format("github", "github", "GitHub annotations"),
    Format("badge", "badge", "a badge, as SVG"),
    Format("badge-json", "badge_json", "a badge, as shields.io endpoint"),
    Format("html", "html", "one page, with filters, that needs no network"),
)
NAMES = tuple(format.name for format in FORMATS)


def text(document: Mapping[str, Any], name: str) -> str:
    """The document in the format of that name."""
    module = next(format.module for format in FORMATS if format.name == name)
    made: str = import_module(f"fsprobe.report.{module}").text(document)
    return made
