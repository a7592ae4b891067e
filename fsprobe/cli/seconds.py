"""Numbers on the command line that must be usable: no NaN, no infinity, nothing that no clock can wait for.

Owns the type; knows nothing of the options that have it.
"""

from __future__ import annotations

import math
from typing import Any

import rich_click as click

LONGEST = 1e6
"""Eleven days: what is greater overflows in some system call, or stands for a slip of the fingers."""


class Seconds(click.FloatRange):
    """A range of numbers without the three that compare with nothing, or with everything."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Raises BadParameter."""
        try:
            float(value)
        except (TypeError, ValueError):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number) or number > LONGEST:
            self.fail(f"{value} is no usable number; the greatest is {LONGEST:.0f}.", param, ctx)
        return number
