"""The reply that frees a caller whose request the daemon does not answer.

Owns which one: an error, but where a page of a mapped file is waited for. An error there is SIGBUS, which ends the
caller and all that it was to say; so such a READ gets zeros, and whoever asked for this tells that they mean nothing.
"""

from __future__ import annotations

from fsprobe.relay.faults import error_reply
from fsprobe.relay.recorder import IN_HEADER
from fsprobe.wire import Opcode

_SIZE = slice(56, 60)  # of fuse_read_in, behind the header
_OUT = 16


def way_out(opcode: int, head: bytes, error: int) -> bytes:
    """head: of the request, from its header to its body."""
    unique: int
    pid: int
    _, _, unique, _, _, _, pid, _, _ = IN_HEADER.unpack_from(head)
    if opcode == Opcode.READ and len(head) >= _SIZE.stop and in_page_fault(pid):
        size = int.from_bytes(head[_SIZE], "little")
        return (_OUT + size).to_bytes(4, "little") + bytes(4) + unique.to_bytes(8, "little") + bytes(size)
    return error_reply(unique, error)


def in_page_fault(tid: int) -> bool:
    """Whether a thread is in the kernel without a system call (proc(5), /proc/PID/syscall).

    Where that may not be read (Yama) it may be so: zeros do no harm to a caller that is told of the hang.
    """
    try:
        with open(f"/proc/{tid}/syscall") as file:
            return file.read(3).startswith("-1 ")
    except PermissionError:
        return True
    except OSError:
        return False
