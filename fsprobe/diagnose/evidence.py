"""What a diagnosis is made from.

Owns the record; knows nothing of how it was gathered or of what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fsprobe.diagnose.library import UNKNOWN, Library
from fsprobe.results.records import CheckResult, Incident, OpSummary


@dataclass(frozen=True, slots=True)
class StartFailure:
    """Why the target never came to serve.

    kind: `not-found`, `not-executable`, `exited` (before it mounted), `usage` (it printed its usage and left),
    `signalled`, `no-init` (it mounted and never answered INIT), `refused-init`, `died` (it mounted, then died
    before the first check), `no-access` (mounted for another user), `timeout` (alive, and never mounted), or
    another word. exit_status, signal: None where it has none.
    last_words: the end of its output, any bytes as text. seconds: how long it was waited for.
    """

    kind: str
    detail: str = ""
    exit_status: int | None = None
    signal: int | None = None
    last_words: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that one run found.

    operations: as `matrix.summarise` gives them. mount_options: of the mounted file system, split at commas.
    read_only: the target is known to refuse all writing. limits: by process of the daemon, what it used at its end
    (`files`, `files_limit`, …).
    """

    checks: tuple[CheckResult, ...] = ()
    operations: Mapping[str, OpSummary] = field(default_factory=dict)
    library: Library = UNKNOWN
    incidents: tuple[Incident, ...] = ()
    start_failure: StartFailure | None = None
    mount_options: tuple[str, ...] = ()
    read_only: bool = False
    limits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
