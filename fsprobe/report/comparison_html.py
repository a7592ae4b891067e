"""A comparison as one HTML page, in the looks of the report's.

Owns nothing but what the template is given; what it says is `comparison`'s.
"""

from __future__ import annotations

from fsprobe.report.comparison import View
from fsprobe.report.html import environment


def text(view: View) -> str:
    """The page."""
    return environment().get_template("compare.html").render(view=view)
