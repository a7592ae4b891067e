"""The checks of a target as pytest's nodes: `fsprobe::TARGET::check.id`.

Owns the nodes, their markers, and how a verdict becomes an outcome; knows nothing of how a check is asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from fsprobe.checks.check import Check
from fsprobe.pytest_plugin import words
from fsprobe.pytest_plugin.asker import Asker, NotBegun
from fsprobe.report.text import clean
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Verdict
from fsprobe.runners.plan import Plan

ROOT = "fsprobe"
PASSES = frozenset({Verdict.PASS, Verdict.INFO, Verdict.WARN})
SKIPS = frozenset({Verdict.SKIP, Verdict.UNSUPPORTED})


class Unexpected(Exception):
    """The verdict is one that fails."""


def suite_name(check: Check) -> str:
    """The name of a check's suite as a marker."""
    folder = Path(check.path).parent.name
    return "".join(char if char.isalnum() else "_" for char in folder)


def markers(check: Check) -> list[str]:
    """What `-m` can select a check by: its layer, its suite, the operations that it is about."""
    return list(dict.fromkeys([ROOT, check.layer, suite_name(check), check.op, *check.also]))


def marker_lines(plan: Plan) -> list[str]:
    """The descriptions of all markers of a plan, but the one that fixtures have, too."""
    told: dict[str, str] = {}
    for check in (check for checks in plan.layers.values() for check in checks):
        told.setdefault(check.layer, f"fsprobe checks of the {check.layer} layer")
        told.setdefault(suite_name(check), f"fsprobe checks of the suite {suite_name(check)}")
        for op in (check.op, *check.also):
            told.setdefault(op, f"fsprobe checks of the operation {op}")
    return [f"{name}: {text}" for name, text in told.items()]


class ChecksNode(pytest.Collector):
    """A node that is no file: the root `fsprobe`, and the target below it."""

    asker: Asker
    below: str

    @classmethod
    def tree(cls, session: pytest.Session, target: str, asker: Asker) -> Self:
        """The root, which collects the target's node, which collects the checks."""
        root: Self = cls.from_parent(session, name=ROOT, nodeid=ROOT)
        root.asker, root.below = asker, target
        return root

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """In the order of the plan: wire, mount, shell."""
        if self.below:
            node = type(self).from_parent(self, name=self.below)
            node.asker, node.below = self.asker, ""
            yield node
            return
        for checks in self.asker.plan.layers.values():
            for check in checks:
                yield CheckItem.of(self, check, self.asker)


class CheckItem(pytest.Item):
    """One check."""

    check: Check
    asker: Asker
    result: CheckResult | None
    shown: dict[str, Any]

    @classmethod
    def of(cls, parent: ChecksNode, check: Check, asker: Asker) -> CheckItem:
        """The item of a check."""
        item: CheckItem = cls.from_parent(parent, name=check.id)
        item.check, item.asker, item.result, item.shown = check, asker, None, {}
        for name in markers(check):
            item.add_marker(getattr(pytest.mark, name))
        return item

    def runtest(self) -> None:
        """Ask, and end as the verdict says."""
        result = self.asker.ask(self.check)
        self.result, self.shown = result, words.shown(result)
        self.user_properties += [("fsprobe_verdict", result.verdict.value), ("fsprobe_op", result.op)]
        if result.verdict in SKIPS:
            pytest.skip(self.why_skipped())
        if result.verdict is Verdict.XFAIL:
            raise pytest.xfail.Exception(self.shown["reason"] or "known")
        if result.verdict not in PASSES:
            raise Unexpected(words.headline(self.shown))

    def why_skipped(self) -> str:
        """The reason, on one line."""
        told = self.shown
        reason = told["reason"] or told["observed"] or "no reason was given"
        return f"{told['verdict']}: {reason}" if told["verdict"] == "UNSUPPORTED" else str(reason)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The finding, without the traceback of code that is not the reader's."""
        error = excinfo.value
        if isinstance(error, NotBegun):
            more = [f"  {line.strip()}" for line in error.error.lines()[1:]] if error.first else []
            return "\n".join([clean(f"nothing can be asked: {error.error.fact}"), *map(clean, more)])
        if self.result is not None and isinstance(error, Unexpected | pytest.xfail.Exception):
            return words.failure(self.shown, self.asker.why(self.check.id))
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """The check's own place. The name is no end of the nodeid: pytest would take its dots for parts of a path."""
        return self.check.path, self.check.line - 1, f"{self.check.id} on {self.parent.name if self.parent else ''}"
