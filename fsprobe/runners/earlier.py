"""What lost workers of the same run left on the mount.

Owns finding it by its names, which carry the run's token, and removing it; touches nothing else in the root.
"""

from __future__ import annotations

import os
from itertools import islice

from fsprobe.posix.removal import remove_tree

# A root may hold a million files of somebody else's; ours are looked for by name first.
_ENTRIES = 100_000


def remove_earlier(root: str, works: tuple[str, ...], without: frozenset[str] = frozenset()) -> list[str]:
    """Remove the work directories of these names, and files named after them. Returns the names that stayed."""
    if not works:
        return []
    names = {name for name in works if os.path.lexists(os.path.join(root, name))}
    try:
        with os.scandir(root) as entries:
            names |= {e.name for e in islice(entries, _ENTRIES) if any(e.name.startswith(f"{work}-") for work in works)}
    except OSError:
        pass
    stayed = [left for name in sorted(names) for left in remove_tree(os.path.join(root, name), without=without)]
    return [os.path.relpath(path, root) for path in stayed]
