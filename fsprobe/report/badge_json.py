"""A badge as shields.io draws it from an endpoint (https://shields.io/badges/endpoint-badge).

Owns that small JSON; the words are `badge`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fsprobe.report.badge import LABEL, words


def text(document: Mapping[str, Any]) -> str:
    """The endpoint's answer."""
    said, colour = words(document)
    return json.dumps({"schemaVersion": 1, "label": LABEL, "message": said, "color": colour}) + "\n"
