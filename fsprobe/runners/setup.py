"""What a worker is told before its first check.

Owns the record that crosses the pipe to a worker; knows nothing of how the worker is started.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

ANYTHING = "anything"
"""The feature that every check of a layer needs; a layer names it only where it is missing, with the reason."""


@dataclass(frozen=True, slots=True)
class Setup:
    """One layer's worker, for one start of the daemon.

    root: the mounted (or native) directory, "" for the wire layer. work: the name of the one fresh entry
    below the root that everything happens in. suites: built-in names or paths. timeout: seconds after which
    a single command or request counts as unanswered; start_timeout: the same for INIT.
    socket_fd: the kernel's end of the wire, -1 otherwise.
    minor: the protocol minor offered at INIT. seed: of every random choice.
    read_only: True where the target is known to refuse all writing (None: find out). avoid: operations that
    hung or killed the daemon before, which getting ready does without. earlier: names of `work` that lost
    workers of this run left, to be removed at the end. fs_type, mount_flags: what the daemon
    gave mount(2), "" and 0 where nobody saw it: a wire check asks nothing that the kernel would answer itself.
    """

    layer: str
    root: str
    work: str
    suites: tuple[str, ...]
    timeout: float = 10.0
    start_timeout: float = 10.0
    socket_fd: int = -1
    minor: int = 45
    seed: int = 0
    read_only: bool | None = None
    avoid: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    fs_type: str = ""
    mount_flags: int = 0

    def to_wire(self) -> dict[str, Any]:
        """A plain dict for the pipe."""
        return asdict(self)

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> Setup:
        """The inverse of `to_wire`."""
        return cls(**{**data, "suites": tuple(data["suites"])})
