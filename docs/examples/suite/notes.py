"""Notes: what our editor needs of a file system."""

from __future__ import annotations

import os

from fsprobe.checks import Finding, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "notes.save.keeps-mode",
    op="RENAME",
    also=("SETATTR",),
    source="our editor's manual: saving a note",
    needs=("write",),
    killers=("RENAME:errno=EIO", "SETATTR:ignore.mode"),
)
def save_keeps_mode(m: Mount) -> None:
    """A note that is saved as a new file and renamed over the old one has the new content and the mode 0640."""
    note = m.file("note", b"old")
    draft = m.file("note.new", b"new")
    os.chmod(draft, 0o640)
    os.rename(draft, note)
    if m.read(note) != b"new":
        raise Finding("the new content", "the old one")
    m.expect_equal(0o640, m.stat(note).permissions, "the mode", show=oct)
