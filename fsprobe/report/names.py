"""The names of fsprobe's own work files, as a reader wants them: `f` and `…/f`.

Owns taking away the prefix that keeps them apart from what was there before; knows nothing of what is said around
them. A check works in a directory `.fsprobe-TOKEN-1w/97`, or, where no directory can be made, on names that begin
with `.fsprobe-TOKEN-1w-97-`. The JSON keeps them whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_WORK = ".fsprobe-"
_HEAD = r"\.fsprobe-[0-9a-f]{8}-\d+[wms]"


def plain_names(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which checks and diagnoses show the names that their authors gave."""
    names = _pattern(check["id"] for check in document["checks"])
    short = {part: _shortened(document[part], names) for part in ("checks", "diagnoses")}
    return {**document, **short}


def _pattern(ids: Iterable[str]) -> re.Pattern[str]:
    """The prefix with what belongs to one check: its number, its id or its id without the layer."""
    known = {word for id in ids for word in (id, id.partition(".")[2]) if word}
    words = "|".join(re.escape(word) for word in sorted(known, key=len, reverse=True))
    mine = rf"\d+(?:\.(?:{words}))?" + (f"|{words}" if words else "")
    return re.compile(rf"(/?){_HEAD}(?:(/)(?:(?:{mine})(?![\w.-]))?|[-.](?:(?:{mine})[-.])?)?")


def _shortened(value: Any, names: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return names.sub(_plain, value) if _WORK in value else value
    if isinstance(value, Mapping):
        return {key: item if key == "reproduce" else _shortened(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item, names) for item in value]
    return value


def _plain(found: re.Match[str]) -> str:
    root, slash = found[1], found[2]
    last = found[0][-1]
    if slash:  # the work directory of the run, or that of the check in it
        return "…/" if last == "/" else "…"
    return root if last in "-." else "…"
