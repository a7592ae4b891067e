"""FSYNC, FSYNCDIR and SYNCFS: optional, for ENOSYS means success to the application."""

from __future__ import annotations

import os

from fsprobe.checks import OPTIONAL, wire_check
from fsprobe.checks.kernel import Kernel


@wire_check(
    "protocol.fsync.answered", op="FSYNC", also=("WRITE",), source="catalogue 3.18.1, 3.18.2", level=OPTIONAL,
    needs=("write", "regular-file"), quick=True, main=True,
    killers=("FSYNC:errno=EIO", "FSYNC:errno=EINVAL", "FSYNC:drop"),
)
def fsync(k: Kernel) -> None:
    """FSYNC succeeds on a written file, with and without its metadata."""
    handle = k.given_handle(k.given_file("f", b"abc"), os.O_RDWR)
    k.write(handle, b"x")
    with k.optional():
        k.fsync(handle)
        k.fsync(handle, data_only=True)


@wire_check(
    "protocol.fsync.read-only-handle", op="FSYNC", source="catalogue 3.18.1", level=OPTIONAL, needs=("regular-file",),
    killers=("FSYNC:errno=EBADF", "FSYNC:errno=EIO"), quick=True,
)
def fsync_read_only(k: Kernel) -> None:
    """FSYNC succeeds on a handle that is open for reading."""
    handle = k.open(k.some_file().node)
    with k.optional():
        k.fsync(handle)


@wire_check(
    "protocol.fsyncdir.answered", op="FSYNCDIR", also=("OPENDIR",), source="catalogue 3.18.1, 3.18.2", level=OPTIONAL,
    quick=True, main=True, killers=("FSYNCDIR:errno=EIO", "FSYNCDIR:errno=EINVAL"),
)
def fsyncdir(k: Kernel) -> None:
    """FSYNCDIR succeeds: sqlite and git give up where it does not."""
    handle = k.opendir(k.some_dir().node)
    with k.optional():
        k.fsync(handle)


@wire_check(
    "protocol.syncfs.answered", op="SYNCFS", source="catalogue 3.18.5", level=OPTIONAL, main=True, quick=True,
    killers=("SYNCFS:errno=EIO", "SYNCFS:drop"),
)
def syncfs(k: Kernel) -> None:
    """SYNCFS succeeds; kernels send it only to virtiofs and block-device mounts."""
    with k.optional():
        k.syncfs()
