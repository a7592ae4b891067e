"""The one session of a pytest process: opened by the first item that asks, ended with the process's tests.

Owns its life and what is kept when it cannot begin; knows nothing of pytest.
"""

from __future__ import annotations

from fsprobe.checks.check import Check
from fsprobe.errors import FsprobeError
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.runners.events import Event
from fsprobe.runners.findings import Findings
from fsprobe.runners.native import NativeSession
from fsprobe.runners.options import RunOptions
from fsprobe.runners.plan import Plan
from fsprobe.runners.session import Session


class NotBegun(Exception):
    """The target does not serve, or this machine cannot: no check can be asked. first: nobody was told so before."""

    def __init__(self, error: FsprobeError, *, first: bool) -> None:
        super().__init__(error.fact)
        self.error, self.first = error, first


class Asker:
    """`ask` in any order, then `close`; `findings` at any time once something was asked."""

    def __init__(self, options: RunOptions, plan: Plan) -> None:
        self.options, self.plan = options, plan
        self.session: Session | None = None
        self.problem: FsprobeError | None = None

    def ask(self, check: Check) -> CheckResult:
        """The result of one check. Raises NotBegun."""
        if self.problem is not None:
            raise NotBegun(self.problem, first=False)
        try:
            return self._open().ask(check)
        except FsprobeError as error:
            self.problem = error
            raise NotBegun(error, first=True) from error

    def _open(self) -> Session:
        if self.session is None:
            kind = NativeSession if self.options.native is not None else None
            if kind is not None:
                self.session = kind(self.options, _ignore)
            else:
                self.session = Session(self.options, _ignore, self.plan)
            self.session.begin()
        return self.session

    def why(self, check_id: str) -> Diagnosis | None:
        """The cause of a check's failure, from what was found so far."""
        found = self.findings()
        if found is None:
            return None
        causes = found.causes(found.operations())
        return next((one for one in causes if check_id in one.checks and one.confidence != "note"), None)

    def findings(self) -> Findings | None:
        """What was found so far, None where nothing was asked."""
        return self.session.findings() if self.session is not None else None

    def close(self) -> None:
        """End the target; bounded in time."""
        if self.session is not None:
            self.session.close()


def _ignore(_event: Event) -> None:
    """Nobody watches."""
