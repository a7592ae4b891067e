"""What a check's function came to, before anyone has judged it.

Owns the record that crosses the pipe from a worker; knows nothing of verdicts or of the trace.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["ok", "finding", "oserror", "unsupported", "blocked", "skip", "lost", "error"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the function of a check ended, in its own process.

    kind: `ok` returned; `finding` it raised one (expected and observed filled, `warn` where legal but
    surprising); `oserror` a system call of the check itself failed unexpectedly (`errno`, `call`);
    `unsupported` the file system declined an optional feature; `blocked` a set-up step failed, so the
    question could not be asked (`errno`, `call`); `skip` this environment cannot ask; `lost` the wire
    context got no answer or the daemon's end closed; `error` fsprobe's own fault (`detail` is a traceback).
    `notes` are observations that never gate. `script` is a program that shows the finding, where one could be made.
    """

    kind: Kind
    expected: str = ""
    observed: str = ""
    errno: int = 0
    call: str = ""
    warn: bool = False
    detail: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())
    script: str = ""

    def to_wire(self) -> dict[str, Any]:
        """A plain dict for the pipe."""
        return asdict(self)

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> Outcome:
        """The inverse of `to_wire`."""
        return cls(**{**data, "notes": tuple(data.get("notes", ()))})
