"""`fsprobe bench vectors`: what its words and options mean.

Owns which systems are measured and which options do not go with them; knows nothing of the work.
"""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fsprobe.errors import UsageError

if TYPE_CHECKING:
    from fsprobe.config.target import Target

_OF_TARGETS = {"only": "--only", "rounds": "--rounds", "inject": "--inject"}
"""Options that say something of other work alone."""


def run(
    words: tuple[str, ...], resolved: Callable[[tuple[str, ...]], tuple[Target, ...]], given: Mapping[str, Any],
    weaviate: str | None, against: bool, told: Callable[[str, int, int], None],
) -> dict[str, Any]:  # fmt: skip
    """Measure. words: what stands after `vectors`. resolved: makes targets of words. given: the other options.
    Raises UsageError.
    """
    from fsprobe.bench.vector_databases import DATABASES
    from fsprobe.bench.vectors import VEXFS, VectorOptions, reference
    from fsprobe.bench.vectors import run as measure

    if against:
        raise UsageError("--against compares targets, not vectors")
    for name, option in _OF_TARGETS.items():
        if given[name]:
            raise UsageError(f"{option} has no meaning with vectors", command="fsprobe bench vectors --quick")
    systems: list[str | Target] = []
    known = (VEXFS, *DATABASES)
    for word in dict.fromkeys(words):
        near = difflib.get_close_matches(word, known, 1, 0.8)
        if word in DATABASES:
            systems.append(word)
        elif near and word != VEXFS and shutil.which(word) is None:
            raise UsageError(f"{word}: did you mean {near[0]}?", causes=(f"there are {', '.join(known)}, and targets",))
        else:
            systems += [reference()] if word == VEXFS else resolved((word,))
    if weaviate is not None and systems and "weaviate" not in systems:
        raise UsageError("--weaviate names a server, and weaviate is not among what is to be measured",
                         command=f"fsprobe bench vectors {' '.join(words)} weaviate --weaviate {weaviate}")  # fmt: skip
    kept = {name: given[name] for name in ("quick", "native", "seed", "timeout")}
    return measure(VectorOptions(systems=tuple(systems), weaviate=weaviate or "", **kept), told)
