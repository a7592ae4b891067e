"""A badge: one word of who says so, and in how many operations nothing is at fault.

Owns its few words, its colour and the drawing; knows nothing of checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from rich.cells import cell_len

from fsprobe.report.ready import ready
from fsprobe.report.words import blamed

LABEL = "fsprobe"
# exit status: what is said in place of numbers
_INSTEAD = {2: "usage error", 3: "fsprobe's error", 4: "did not start", 5: "nothing checked", 6: "cannot run here",
            130: "interrupted"}  # fmt: skip
_COLOURS = {"brightgreen": "#2c8f3c", "red": "#c2372e", "orange": "#b5610e", "lightgrey": "#6e7681"}
_NOT_ASKED = ("untested", "unsupported", "ENOSYS")
_LETTER, _MARGIN, _HEIGHT = 6.6, 7, 20


def words(document: Mapping[str, Any]) -> tuple[str, str]:
    """The message and the name of its colour, of those that shields.io knows."""
    document = ready(document)
    code = document["summary"]["exit_code"]
    if code in _INSTEAD:
        return _INSTEAD[code], "lightgrey"
    operations = document["operations"]
    faulty = [name for name in blamed(document) if name in operations]
    works = [name for name, op in operations.items()
             if op["verdict"] not in _NOT_ASKED and name not in faulty and not name.startswith("OPCODE_")]
    worst = {operations[name]["verdict"] for name in faulty}
    said = f"{len(works)}/{len(works) + len(faulty)} operations"
    for verdict, word in (("crash", "crashes"), ("hang", "hangs")):
        if verdict in worst:
            return f"{said}, {word}", "red"
    return said, "brightgreen" if code == 0 else "orange" if works else "red"


def text(document: Mapping[str, Any]) -> str:
    """The badge as SVG; its text is there for those who cannot see it."""
    said, colour = words(document)
    left, right = (_MARGIN * 2 + _LETTER * cell_len(part) for part in (LABEL, said))
    whole = f"{LABEL}: {said}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right:.0f}" height="{_HEIGHT}" role="img" '
        f'aria-label={quoteattr(whole)}><title>{escape(whole)}</title>'
        f'<clipPath id="r"><rect width="{left + right:.0f}" height="{_HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left:.1f}" height="{_HEIGHT}" fill="#3b424a"/>'
        f'<rect x="{left:.1f}" width="{right:.1f}" height="{_HEIGHT}" fill="{_COLOURS[colour]}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'{_label(left / 2, LABEL, left)}{_label(left + right / 2, said, right)}</g></svg>\n'
    )


def _label(middle: float, told: str, width: float) -> str:
    length = width - 2 * _MARGIN  # whatever font there is, the words fill their field
    return f'<text x="{middle:.1f}" y="14" textLength="{length:.1f}">{escape(told)}</text>'
