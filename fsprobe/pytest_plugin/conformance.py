"""The checks in pytest's life: collected, selected, reported, summed up; in one process or in xdist's workers.

Owns the hooks that are only registered where a target is configured; what an item does is in `items`.
"""

from __future__ import annotations

import difflib
import pickle
from collections.abc import Generator
from typing import Any

import pytest
from _pytest.runner import collect_one_node

from fsprobe.errors import FsprobeError
from fsprobe.pytest_plugin import words
from fsprobe.pytest_plugin.asker import Asker
from fsprobe.pytest_plugin.items import ROOT, CheckItem, ChecksNode, marker_lines
from fsprobe.pytest_plugin.settings import Value
from fsprobe.pytest_plugin.target import checks_options, json_path, slug, usage
from fsprobe.report import json_file
from fsprobe.report.text import clean, count
from fsprobe.results.baseline import Baseline
from fsprobe.runners import plan
from fsprobe.runners.findings import Findings, document_of, joined

_OUTPUT = "fsprobe"  # the key of what a worker hands to the controller


class Conformance:
    """The plugin that is registered under the name `fsprobe-checks`."""

    def __init__(self, config: pytest.Config, target: Value) -> None:
        self.config = config
        self.options = checks_options(config, target)
        try:
            self.plan = plan.make(self.options)
        except FsprobeError as error:
            raise usage(error, target) from error
        self.name = slug(self.options.target_name)
        self.asker = Asker(self.options, self.plan)
        self.parts: list[Findings] = []
        self.document: dict[str, Any] | None = None
        self.wanted: list[str] = []
        self.json = json_path(config)
        for line in marker_lines(self.plan):
            config.addinivalue_line("markers", line)

    @property
    def _is_worker(self) -> bool:
        return hasattr(self.config, "workeroutput")

    def pytest_report_header(self) -> str:
        """What is checked."""
        return f"fsprobe: {clean(self.options.target_name)}, {self.plan.total} checks"

    # -- collection

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, object, object]:
        """Nodeids of checks among the arguments are no paths: they are ours to look up."""
        args = session.config.args
        self.wanted = [arg for arg in args if arg.startswith(f"{ROOT}::")]
        args[:] = [arg for arg in args if arg not in self.wanted]
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the checks behind the project's own tests, before anything is deselected."""
        found = self._collect(ChecksNode.tree(session, self.name, self.asker))
        for arg in self.wanted:
            if not any(_selects(arg, item) for item in found):
                near = difflib.get_close_matches(arg, [item.nodeid for item in found], 2, 0.8)
                raise pytest.UsageError(f"not found: {arg}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
        items += [item for item in found if not self.wanted or any(_selects(arg, item) for arg in self.wanted)]

    def _collect(self, node: pytest.Collector) -> list[pytest.Item]:
        report = collect_one_node(node)
        node.ihook.pytest_collectreport(report=report)
        found: list[pytest.Item] = []
        for below in report.result if report.passed else ():
            found += [below] if isinstance(below, pytest.Item) else self._collect(below)
        return found

    # -- one item

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A skip points at the check, a failure has its one line, a warning a section."""
        report = yield
        if not isinstance(item, CheckItem) or call.when != "call":
            return report
        if report.skipped and item.result is not None and not hasattr(report, "wasxfail"):
            path, line, _ = item.reportinfo()
            report.longrepr = (str(path), (line or 0) + 1, f"Skipped: {item.why_skipped()}")
        elif report.failed and call.excinfo is not None:
            line_of_it = clean(str(call.excinfo.value)).splitlines()
            report._fsprobe_line = line_of_it[0] if line_of_it else ""  # type: ignore[attr-defined]
        elif report.passed and item.shown.get("verdict") == "WARN":
            report.sections.append(("fsprobe warning", words.warning(item.shown)))
        return report

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item) -> bool | None:
        """A check has its own watch, which knows what hangs and frees it; a timer would only lose the session."""
        return True if isinstance(item, CheckItem) else None

    # -- the end

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
        """End the target; hand over or write what was found."""
        self.asker.close()
        mine = self.asker.findings()
        if self._is_worker:
            if mine is not None:
                session.config.workeroutput[_OUTPUT] = pickle.dumps(mine)  # type: ignore[attr-defined]
            return
        parts = [*self.parts, *([mine] if mine is not None else [])]
        if not parts:
            return
        order = [check.id for checks in self.plan.layers.values() for check in checks]
        whole = joined(parts, order) if len(parts) > 1 else parts[0]
        baseline = self.options.baseline or Baseline()
        self.document = document_of(whole, baseline, self.plan.known, strict=self.options.strict)
        if words.baseline(self.document) and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.json is not None:
            json_file.write(self.document, self.json)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """What a worker of xdist found; nothing where it died."""
        output = getattr(node, "workeroutput", None) or {}
        if _OUTPUT in output:
            self.parts.append(pickle.loads(output[_OUTPUT]))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The root causes, one line each."""
        if self.document is None:
            return
        causes, outdated = words.causes(self.document), words.baseline(self.document)
        warned = words.warned(self.document)
        if not (causes or outdated or warned):
            return
        terminalreporter.section(f"fsprobe: {clean(self.options.target_name)}", sep="-")
        for line in [*causes, *outdated]:
            terminalreporter.write_line(line)
        if warned:
            terminalreporter.write_line(f"{count(len(warned), 'check')} passed with a warning; -rP shows it")


def _selects(arg: str, item: pytest.Item) -> bool:
    return item.nodeid == arg or item.nodeid.startswith(arg.rstrip(":") + "::")
