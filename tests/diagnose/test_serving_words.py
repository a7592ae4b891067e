"""Last words that are well known get their own advice."""

from __future__ import annotations

from fsprobe.diagnose.evidence import StartFailure
from fsprobe.diagnose.serving import never_mounted


def test_allow_other_is_explained():
    """bindfs as an ordinary user asks for it by itself: the author must not have to look for the reason."""
    words = ("fusermount: option allow_other only allowed if 'user_allow_other' is set in /etc/fuse.conf",)
    assert "--no-allow-other" in never_mounted(StartFailure("exited", "it ended", 1, None, words)).fix
    assert "by hand" in never_mounted(StartFailure("exited", "it ended", 1, None, ("oops",))).fix
