"""Whether a thread that sleeps in epoll_wait is a loop that waits for its next FUSE request, and for nothing else.

Owns reading what an epoll instance watches, from /proc and sock_diag; draws no other conclusions. Nothing here waits.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Mapping
from typing import Any

PLACES = ("ep_poll", "do_epoll_wait", "do_epoll_pwait")
# epoll_wait, epoll_pwait; epoll_pwait2 (unistd.h): the number of the system call.
_IN_MILLISECONDS = {"x86_64": ("232", "281"), "aarch64": ("22",)}.get(os.uname().machine, ())
_BY_POINTER = "441"
_NEVER = 86_400_000  # milliseconds: for "no timer" asyncio and trio say a day (selector_events.py, _io_epoll.py)
_EPOLLIN = 0x1
_WATCHED = re.compile(r"^tfd:\s*(\d+) events:\s*([0-9a-f]+)")
_SOCKET = re.compile(r"socket:\[(\d+)\]")
# linux/sock_diag.h, linux/unix_diag.h
_NETLINK_SOCK_DIAG, _BY_FAMILY, _REQUEST, _SHOW_PEER, _PEER = 4, 20, 1, 4, 2
_HEADER, _ASKED, _TOLD, _ATTRIBUTE = (struct.Struct(f"={text}") for text in ("IHHII", "BBHIIIII", "BBBBIII", "HH"))


def waits_for_requests(pid: int, thread: Mapping[str, Any], link: str) -> bool:
    """Whether only a request can wake it: it has no timer, and besides the connection it watches what only its own
    process could write to.

    link: the daemon's end of the connection, as its descriptors name it.
    """
    if not str(thread["wchan"]).startswith(PLACES) or not _has_no_timer(str(thread["syscall"])):
        return False
    watched = _watched(pid, int(str(thread["syscall"]).split()[1], 16))
    links = {number: _link(pid, number) for number, _ in watched}
    asks = any(links[number] == link and events & _EPOLLIN for number, events in watched)
    others = [number for number in links if links[number] != link]
    return asks and all(_is_inner(pid, links[number]) for number in others)


def _has_no_timer(syscall: str) -> bool:
    words = syscall.split()
    if len(words) < 5:
        return False
    if words[0] == _BY_POINTER:
        return int(words[4], 16) == 0
    limit = int(words[4], 16) & 0xFFFFFFFF
    return words[0] in _IN_MILLISECONDS and limit >= _NEVER  # -1 is the largest of all


def _watched(pid: int, descriptor: int) -> list[tuple[int, int]]:
    """The descriptors of an epoll instance, each with its events."""
    try:
        with open(f"/proc/{pid}/fdinfo/{descriptor}") as file:
            found = [match for line in file if (match := _WATCHED.match(line))]
    except OSError:
        return []
    return [(int(match[1]), int(match[2], 16)) for match in found]


def _link(pid: int, descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/{descriptor}")
    except OSError:
        return ""


def _is_inner(pid: int, link: str) -> bool:
    """Whether the other end of a socket pair is the process's own, to wake itself by. An eventfd may tell of a disk."""
    match = _SOCKET.fullmatch(link)
    peer = _peer(int(match[1])) if match else 0
    return peer > 0 and any(_link(pid, int(name)) == f"socket:[{peer}]" for name in os.listdir(f"/proc/{pid}/fd"))


def _peer(inode: int) -> int:
    """The other end of a unix socket, 0 where it has none or nobody tells."""
    message = _HEADER.pack(_HEADER.size + _ASKED.size, _BY_FAMILY, _REQUEST, 1, 0)
    message += _ASKED.pack(socket.AF_UNIX, 0, 0, 0xFFFFFFFF, inode, _SHOW_PEER, 0xFFFFFFFF, 0xFFFFFFFF)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _NETLINK_SOCK_DIAG) as asked:
            asked.send(message)
            reply = asked.recv(4096)
    except OSError:
        return 0
    length, kind, *_ = _HEADER.unpack_from(reply)
    at = _HEADER.size + _TOLD.size
    while kind == _BY_FAMILY and at + _ATTRIBUTE.size <= min(length, len(reply)):
        size, name = _ATTRIBUTE.unpack_from(reply, at)
        if name == _PEER and size >= 8:
            return int.from_bytes(reply[at + 4 : at + 8], "little")
        at += max(4, (size + 3) & ~3)
    return 0
