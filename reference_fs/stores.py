"""The store that the options ask for: in memory alone, or kept in a directory.

Owns that choice, the same for every front; knows nothing of mounting.
"""

from __future__ import annotations

import os

from reference_fs.model import Store
from reference_fs.options import Options


def open_store(options: Options) -> Store:
    """The store, to be closed after the mount is gone. Raises StoreError where a kept one cannot be used."""
    limits = {
        "size": options.size, "inodes": options.inodes, "enforce": not options.default_permissions,
        "uid": os.geteuid(), "gid": os.getegid(),
    }  # fmt: skip
    if not options.store:
        return Store(**limits)  # type: ignore[arg-type]
    from reference_fs.model_journal import JournaledStore

    return JournaledStore(options.store, **limits)
