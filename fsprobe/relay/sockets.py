"""The pair of sockets that stands in the place of /dev/fuse between two processes.

Owns their kind and size; knows nothing of what is sent.
"""

from __future__ import annotations

import socket

from fsprobe.posix.linux import SO_RCVBUFFORCE, SO_SNDBUFFORCE

SOCKET_BUFFER = 18 << 20


def socket_pair() -> tuple[socket.socket, socket.socket, int]:
    """Our end, the daemon's end, and the longest message that they carry."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        for forced, plain in ((SO_SNDBUFFORCE, socket.SO_SNDBUF), (SO_RCVBUFFORCE, socket.SO_RCVBUF)):
            try:
                end.setsockopt(socket.SOL_SOCKET, forced, SOCKET_BUFFER)
            except PermissionError:
                end.setsockopt(socket.SOL_SOCKET, plain, SOCKET_BUFFER)
    return ours, theirs, ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - 32
