"""Golden files: what a screen showed when somebody last looked at it.

Owns comparing and, with FSPROBE_GOLDEN=write, writing anew; knows nothing of what is shown.
"""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).with_name("golden")


def assert_golden(name: str, shown: str) -> None:
    """Fail where the screen is another one than in the file of that name."""
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("FSPROBE_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown)
    assert shown == golden.read_text()
