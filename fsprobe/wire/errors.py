"""The two ways a message can be wrong: we broke it, or the peer did.

Owns the two classes; knows nothing of layouts.
"""

from __future__ import annotations


class ProtocolError(Exception):
    """Base of both: a message that is not FUSE."""


class LocalError(ProtocolError):
    """A message that was asked for cannot be put on the wire (a value too large, a NUL in a name, …)."""


class PeerError(ProtocolError):
    """The bytes received are not the message they claim to be (too short, no terminator, …)."""
