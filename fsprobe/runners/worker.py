"""The expendable process that runs checks: the only place where a mount is touched.

Owns the loop of one worker (told a check, answers with an outcome); knows nothing of verdicts, timeouts
or traces. It is started by the session and may be lost at any system call.
"""

from __future__ import annotations

import linecache
import os
import time
import traceback
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol, runtime_checkable

from fsprobe.checks.check import Blocked, Check, Finding, Lost, Skip, Unsupported
from fsprobe.checks.outcome import Outcome
from fsprobe.checks.suite import load_suite
from fsprobe.errors import UsageError
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.results.errnos import errno_in, errno_name
from fsprobe.runners.setup import ANYTHING, Setup

# A full disk is no fault where the whole of it is smaller than what the checks write.
_FULL = ("ENOSPC", "EDQUOT")
_ROOM = 64 << 20


class Layer(Protocol):
    """What each layer brings: a context for every check, and tidying up."""

    def prepare(self) -> dict[str, str]:
        """Make the working place. Returns every feature this layer knows: "" where present, else the reason why not."""

    def context(self, check: Check) -> AbstractContextManager[Any]:
        """A fresh context for one check; leaving it cleans up what the check left."""

    def size(self) -> int:
        """The bytes that the file system holds in all, full or free; 0 where it does not say."""

    def close(self) -> list[str] | None:
        """Remove the working place. Returns what could not be removed, None where nothing could be asked any more."""


@runtime_checkable
class Scripted(Protocol):
    """A layer whose findings can be told as a program."""

    def script(self, about: Sequence[str]) -> str:
        """One that shows what the last check found, "" where that cannot be. about: lines for its head."""


def open_layer(setup: Setup) -> Layer:
    """The layer that a setup names. Imports only that one: a worker has to be quick to start."""
    if setup.layer == "wire":
        from fsprobe.runners.kernel import WireLayer

        return WireLayer(setup)
    if setup.layer == "mount":
        from fsprobe.runners.mount import MountLayer

        return MountLayer(setup)
    from fsprobe.runners.shell import ShellLayer

    return ShellLayer(setup)


def run_check(layer: Layer, features: dict[str, str], check: Check) -> Outcome:
    """Ask one question and say how the function ended; never raises."""
    if features.get(ANYTHING):
        return Outcome("skip", observed=features[ANYTHING])
    for need in check.needs:
        reason = features.get(need, f"nothing here offers {need!r}")
        if reason:
            return Outcome("skip", observed=reason)
    began = time.monotonic()
    outcome, notes = _call(layer, check)
    if _is_cramped(layer, outcome):
        outcome = Outcome("skip", observed="the target is too small for what this check writes")
    from dataclasses import replace

    outcome = replace(outcome, seconds=time.monotonic() - began, notes=notes)
    return replace(outcome, script=_script(layer, check, outcome))


def _script(layer: Layer, check: Check, outcome: Outcome) -> str:
    """What shows the failure without fsprobe; a fault in the making of it must not cost the finding."""
    if outcome.kind not in ("finding", "oserror") or not isinstance(layer, Scripted):
        return ""
    expected = outcome.expected or "the call succeeds"
    observed = f"{outcome.call}: {outcome.observed}" if outcome.call else outcome.observed
    about = (f"{check.id}: {check.title}", "", f"expected  {expected[:400]}", f"observed  {observed[:400]}")
    try:
        return layer.script(about)
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _failed_call(error: OSError, path: str) -> str:
    """The call in the check's own file that failed: just that where it is on one line, else its line."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    if not frames:
        return ""
    frame = frames[-1]
    if frame.lineno is None or frame.colno is None or frame.end_lineno != frame.lineno:
        return frame.line or ""
    line = linecache.getline(path, frame.lineno).encode()  # columns count bytes
    return line[frame.colno : frame.end_colno].decode("utf-8", "replace")


def _is_cramped(layer: Layer, outcome: Outcome) -> bool:
    """Whether all that is wrong is a disk smaller than what the checks write."""
    if outcome.kind not in ("oserror", "finding", "blocked"):
        return False
    name = errno_name(outcome.errno) or errno_in(outcome.observed)
    return name in _FULL and name not in outcome.expected and 0 < layer.size() < _ROOM


def _call(layer: Layer, check: Check) -> tuple[Outcome, tuple[str, ...]]:
    notes: list[str] = []
    try:
        with layer.context(check) as context:
            notes = context.notes
            check.function(context)
    except Finding as finding:
        return Outcome("finding", finding.expected, finding.observed, warn=finding.warn), tuple(notes)
    except Unsupported as declined:
        return Outcome("unsupported", observed=declined.observed, errno=declined.errno), tuple(notes)
    except Blocked as blocked:
        return Outcome("blocked", observed=str(blocked), errno=blocked.errno, call=blocked.call), tuple(notes)
    except Skip as skip:
        return Outcome("skip", observed=str(skip)), tuple(notes)
    except Lost as lost:
        return Outcome("lost", observed=str(lost)), tuple(notes)
    except OSError as error:
        told, call = error.strerror or str(error), _failed_call(error, check.path)
        return Outcome("oserror", observed=told, errno=error.errno or 0, call=call), tuple(notes)
    except Exception:  # noqa: BLE001 - whatever a suite raises becomes an ERROR with its traceback
        return Outcome("error", observed="the check itself failed", detail=traceback.format_exc()), tuple(notes)
    return Outcome("ok"), tuple(notes)


def main(channel: Channel) -> None:
    """Serve one session until it says `close` or goes away.

    Messages in: {"setup": …}, {"run": ID}, {"close": True}. Out: {"ready": features} or {"failed": text},
    {"outcome": …}, {"closed": leftovers}.
    """
    layer: Layer | None = None
    features: dict[str, str] = {}
    checks: dict[str, Check] = {}
    try:
        while True:
            message, fds = channel.receive()
            if "setup" in message:
                setup = Setup.from_wire(message["setup"])
                if fds:
                    from dataclasses import replace

                    setup = replace(setup, socket_fd=fds[0])
                try:
                    checks = {c.id: c for name in setup.suites for c in load_suite(name) if c.layer == setup.layer}
                    layer = open_layer(setup)
                    features = layer.prepare()
                    channel.send({"ready": features})
                except (OSError, UsageError, Lost) as error:
                    channel.send({"failed": str(error), "errno": getattr(error, "errno", 0) or 0})
            elif "run" in message and layer is not None:
                channel.send({"outcome": run_check(layer, features, checks[message["run"]]).to_wire()})
            elif "close" in message:
                channel.send({"closed": layer.close() if layer is not None else []})
                os._exit(0)
    except ChannelClosed:
        # The session is gone. What is ours on the mount is removed all the same, and whoever holds us bounds that.
        if layer is not None:
            with suppress(Exception):
                layer.close()
        os._exit(0)
