"""Mounts for tests: which target, with which options, and what becomes of it where it cannot be.

Owns the guard of a pytest process, started with the first mount and ended with the session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from fsprobe.errors import FsprobeError, MachineError
from fsprobe.pytest_plugin import watch
from fsprobe.pytest_plugin.guarded import FuseMount, Guarded, mount
from fsprobe.pytest_plugin.settings import BY_NAME, Value, checked, given, marked
from fsprobe.pytest_plugin.target import options_for
from fsprobe.report.text import safe
from fsprobe.runners.options import RunOptions

_SETTINGS = ("timeout", "start_timeout", "inject")
_NOTHING = (
    "no target to mount: say @pytest.mark.fsprobe(target=…), --fsprobe TARGET, or fsprobe_target in the configuration"
)
_LEAST = 0.2  # seconds that a start is given though the test's time is over


class MountFactory:
    """The fixture `fuse_mount_factory`."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def __call__(
        self, target: str | None = None, *, timeout: float | None = None, start_timeout: float | None = None,
        inject: str | Sequence[str] | None = None,
    ) -> FuseMount:  # fmt: skip
        """Mount a target, that of the configuration where none is named. SKIP where nothing can be mounted here.

        timeout: seconds until a request counts as hung. start_timeout: until the target must serve. inject: rules.
        """
        __tracebackhide__ = True
        here = "argument of fuse_mount_factory"
        values = {"target": target, "timeout": timeout, "start_timeout": start_timeout, "inject": inject}
        return self._mounted(
            lambda name: checked(BY_NAME[name], Value(values[name], here)) if values[name] is not None
            else given(self.config, name)
        )  # fmt: skip

    def of(self, request: pytest.FixtureRequest) -> FuseMount:
        """Mount what a test's markers and the configuration say."""
        __tracebackhide__ = True
        return self._mounted(lambda name: marked(request.node, name))

    def _mounted(self, value_of: Callable[[str], Value | None]) -> FuseMount:
        __tracebackhide__ = True
        try:
            return mount(self._guard(), self._options(value_of))
        except MachineError as error:
            pytest.skip(safe("; ".join([error.fact, *error.causes])))
        except pytest.UsageError as error:
            problem = str(error)
        except FsprobeError as error:
            problem = "\n".join(error.lines())
        pytest.fail(safe(problem, lines=True), pytrace=False)  # behind the try: pytest shows what it follows from, too

    def _options(self, value_of: Callable[[str], Value | None]) -> RunOptions:
        target = value_of("target")
        if target is None:
            raise pytest.UsageError(_NOTHING)
        options = options_for(self.config, target, {name: value_of(name) for name in _SETTINGS})
        if options.target is None:
            raise pytest.UsageError(f"{target.value} from {target.origin} is a directory that is mounted already")
        return self._in_time(options)

    @staticmethod
    def _in_time(options: RunOptions) -> RunOptions:
        left = watch.time_left()
        if left is None:
            return options
        return replace(options, start_timeout=min(options.start_timeout, max(left, _LEAST)))

    def _guard(self) -> Guarded:
        guard = self.config.stash.get(watch.GUARD, None)
        if guard is not None and guard.lost:
            guard.close()
            guard = None
        if guard is None:
            guard = self.config.stash[watch.GUARD] = Guarded()
        return guard

    def close(self) -> None:
        """End every mount, and the guard."""
        guard = self.config.stash.get(watch.GUARD, None)
        if guard is not None:
            del self.config.stash[watch.GUARD]
            guard.close()
