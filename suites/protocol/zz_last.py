"""What may take the daemon down, asked when everything else is known: an unknown operation, and the end."""

from __future__ import annotations

from errno import ENOSYS

from fsprobe.checks import INFO, wire_check
from fsprobe.checks.kernel import Kernel

_UNKNOWN_OPCODE = 2047


@wire_check(
    "protocol.unknown.opcode", op="OPCODE_2047", also=("GETATTR",), source="catalogue 3.35", quick=True, main=True,
    killers=("GETATTR:crash", "GETATTR:errno=EIO"),
)
def unknown_opcode(k: Kernel) -> None:
    """An operation that the daemon does not know gets ENOSYS, and the daemon serves on."""
    with k.raises(ENOSYS):
        k.ask_raw(_UNKNOWN_OPCODE, k.root, bytes(64))
    k.getattr(k.root)


@wire_check(
    "protocol.destroy.answered", op="DESTROY", source="catalogue 3.20.5; fs/fuse/inode.c fuse_send_destroy", level=INFO,
    quick=True, main=True, killers=("DESTROY:drop", "DESTROY:crash"),
)
def destroy(k: Kernel) -> None:
    """DESTROY, the last request of a block-device mount, is answered; its error is nobody's business."""
    try:
        k.destroy()
    except OSError as error:
        k.note(f"DESTROY: {error.strerror}")
