"""What a run tells whoever watches it, as it goes.

Owns the events, plain records emitted to one callback in the session's process; knows nothing of who listens.
A listener must return quickly and never raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fsprobe.runners.options import RunOptions


class FinishedCheck(Protocol):
    """As much of a check's result as a listener may rely on; the results' own record has it all."""

    @property
    def id(self) -> str: ...
    @property
    def layer(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def expected(self) -> str: ...
    @property
    def observed(self) -> str: ...
    @property
    def seconds(self) -> float: ...


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The options are sound and the plan is made; nothing has been started yet."""

    options: RunOptions
    target_name: str


@dataclass(frozen=True, slots=True)
class LayerStarted:
    """A layer's first check comes next. header: the document's `target` and `environment` by now."""

    layer: str
    checks: int
    header: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TargetStarted:
    """The daemon answered INIT. start: which start this is, from 1. library: best guess, "" where unknown."""

    layer: str
    start: int
    pid: int
    library: str


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """A check runs now. number: its place in the whole plan, from 1, out of total."""

    id: str
    title: str
    layer: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class CheckFinished:
    """A check was judged. Also emitted for one that was never started (NOTRUN, SKIP)."""

    result: FinishedCheck


@dataclass(frozen=True, slots=True)
class TargetDied:
    """The daemon ended though nobody asked it to. text: how, for the screen."""

    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person at the terminal should know now: degraded, restarted, masked."""

    text: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last event: the result document, whole or partial."""

    document: Mapping[str, Any]


Event = (
    RunStarted | LayerStarted | TargetStarted | CheckStarted | CheckFinished | TargetDied | Notice
    | RunFinished
)
Listener = Callable[[Event], None]
