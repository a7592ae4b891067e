"""Which operation a caller waits for: with no relay nothing else tells it."""

from __future__ import annotations

import os
from typing import Any

import pytest

from fsprobe.sandbox.callers import call_name, operation

CALL = {"x86_64": "83 0x1", "aarch64": "34 0x1"}.get(os.uname().machine, "")


def thread(wchan: str, *functions: str, syscall: str = CALL) -> dict[str, Any]:
    return {"wchan": wchan, "stack": "\n".join(f"[<0>] {name}+0x1/0x2" for name in functions), "syscall": syscall}


@pytest.mark.parametrize(
    ("functions", "op"),
    [
        (("request_wait_answer", "__fuse_simple_request", "fuse_lookup_name", "fuse_lookup"), "LOOKUP"),
        (("request_wait_answer", "create_new_entry", "fuse_mkdir", "vfs_mkdir"), "MKDIR"),
        (("request_wait_answer", "fuse_do_setattr", "fuse_setattr", "notify_change"), "SETATTR"),
        (("request_wait_answer", "fuse_send_read", "fuse_direct_io", "fuse_direct_write_iter"), "WRITE"),
        (("request_wait_answer", "fuse_direct_io", "fuse_direct_read_iter", "vfs_read"), "READ"),
    ],
)
def test_the_kernel_stack_tells(functions: tuple[str, ...], op: str) -> None:
    """mkdir(2) may well hang in the LOOKUP before it: the handler of MKDIR is innocent then."""
    assert operation(thread("request_wait_answer", *functions)) == (op, True)


@pytest.mark.skipif(not CALL, reason="no table of system calls for this machine")
def test_without_the_stack_it_is_the_call() -> None:
    """An ordinary user cannot read the stack: the guess is told as one."""
    assert operation(thread("request_wait_answer")) == ("MKDIR", False)
    assert call_name(thread("", syscall="9999 0x1")) == "system call 9999"


def test_who_waits_for_something_else() -> None:
    """A sleeping worker would be called hanging."""
    assert operation(thread("hrtimer_nanosleep", "fuse_lookup_name")) == ("", False)
    assert call_name(thread("", syscall="running")) == call_name(thread("", syscall="")) == ""
