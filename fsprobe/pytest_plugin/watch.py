"""What a hanging mount makes of a test: a time that is over, a failure that names the request, sections of a report.

Owns the timer of tests that use a mount and what is added to their reports; knows nothing of mounting.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from fsprobe.errors import FsprobeError
from fsprobe.pytest_plugin.guarded import Guarded
from fsprobe.report.text import clean

GUARD = pytest.StashKey[Guarded]()
_CANCEL = pytest.StashKey[Any]()
_EVIDENCE_SHOWN = 8


def guard_of(config: pytest.Config) -> Guarded | None:
    """The guard, where there is one with a mount."""
    guard = config.stash.get(GUARD, None)
    return guard if guard is not None and guard.mounts else None


# -- the timer of pytest-timeout, for tests that use a mount

def set_timer(item: pytest.Item, settings: Any) -> bool | None:
    """Set it. A signal, whatever method is configured: ending the whole process would end the other tests, too."""
    if threading.current_thread() is not threading.main_thread():
        return None

    def over() -> None:
        __tracebackhide__ = True
        _fail(item, settings.timeout)

    def handler(_number: int, _frame: Any) -> None:
        __tracebackhide__ = True
        if _is_debugged(settings):
            return
        guard = item.config.stash.get(GUARD, None)
        if guard is not None and guard.busy == threading.get_ident():
            guard.postponed = over
        else:
            over()

    _forget_postponed(item)
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, settings.timeout)
    item.stash[_CANCEL] = before
    return True


def cancel_timer(item: pytest.Item) -> bool | None:
    """Cancel it, where it is ours."""
    before = item.stash.get(_CANCEL, None)
    if before is None:
        return None
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    del item.stash[_CANCEL]
    _forget_postponed(item)
    return True


def _forget_postponed(item: pytest.Item) -> None:
    """What the time of one test had to end is nothing to another one."""
    guard = item.config.stash.get(GUARD, None)
    if guard is not None:
        guard.postponed = None


def time_left() -> float | None:
    """Seconds until the running test's time is over, None where nothing ends it."""
    left = signal.getitimer(signal.ITIMER_REAL)[0]
    return left if left > 0 else None


def _is_debugged(settings: Any) -> bool:
    if getattr(settings, "disable_debugger_detection", False):
        return False
    try:
        from pytest_timeout import is_debugging
    except ImportError:
        return False
    return bool(is_debugging())


def _fail(item: pytest.Item, seconds: float) -> None:
    __tracebackhide__ = True
    guard = item.config.stash.get(GUARD, None)
    hangs: Sequence[Mapping[str, Any]] = ()
    with suppress(FsprobeError):
        hangs = guard.call("expired", seconds=seconds) if guard is not None else ()
    told = headline(hangs[0]) if hangs else "no request to a mount of fsprobe was open"
    pytest.fail(f"Timeout (>{seconds:g} s): {told}")


# -- reports

def begin(item: pytest.Item) -> None:
    """What is reported of this test begins here."""
    guard = guard_of(item.config)
    if guard is not None:
        with suppress(FsprobeError):
            guard.call("mark")


def amend(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """A test that met a hang fails by it; one that fails shows what passed meanwhile."""
    guard = item.config.stash.get(GUARD, None)
    if guard is None:
        return
    guard.hold = True  # a time that is over now ends what comes next, and not the making of a report
    try:
        hangs = guard.call("hangs")
        if hangs and not hasattr(report, "wasxfail"):
            met = report.longreprtext if report.failed else ""
            met = "" if "entries are hidden" in met else met
            report.outcome = "failed"
            report.longrepr = _story(hangs, met)
            report._fsprobe_line = headline(hangs[0])  # type: ignore[attr-defined]
        if report.failed:
            report.sections += [(title, text) for title, text in clean_sections(guard.call("sections"))]
    except FsprobeError as error:
        report.sections.append(("fsprobe", clean(error.fact)))
    finally:
        guard.hold = False


def clean_sections(sections: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Sections in which no terminal finds anything to act upon."""
    return [(clean(title), "\n".join(clean(line) for line in text.split("\n"))) for title, text in sections]


def headline(hang: Mapping[str, Any]) -> str:
    """`SETATTR /f mode=0600 hangs: it was taken and not answered within 2 s; the daemon sleeps (blocked-io)`."""
    why = f"; {hang['why']}" if hang["why"] else ""
    cause = f" ({hang['cause']})" if hang["cause"] else ""
    line: str = clean(" ".join(f"{hang['request'] or hang['op']} hangs: {hang['how']}{why}{cause}".split()))
    return line


def _story(hangs: Sequence[Mapping[str, Any]], met: str) -> str:
    lines = []
    for hang in hangs:
        lines += [headline(hang), f"  on {clean(hang['path'])}, {clean(hang['target'])}"]
    lines += [f"  {clean(text)}" for text in hangs[0]["evidence"][:_EVIDENCE_SHOWN]]
    lines.append("  a target that may take longer: fsprobe_timeout, or the marker fsprobe(timeout=…)")
    lines.append("  fsprobe answered in the daemon's place (ETIMEDOUT; zeros for a page of a mapped file), and goes on "
                 "to do so until it is unmounted")  # fmt: skip
    return "\n".join(lines) + (f"\n\nwhat the test met then:\n{met}" if met else "")
