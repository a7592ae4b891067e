"""A session that is asked check by check, and findings of several sessions as those of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fsprobe.config.target import resolve
from fsprobe.results.baseline import Baseline, Known
from fsprobe.results.verdicts import Verdict
from fsprobe.runners.findings import Findings, document_of, joined
from fsprobe.runners.options import RunOptions
from fsprobe.runners.session import Session
from fsprobe.runners.target_run import StartError

pytestmark = pytest.mark.mount
IDS = ("protocol.setattr.mode", "posix.rename.atomic", "shell.touch", "shell.mv")


@pytest.fixture
def session() -> Iterator[Session]:
    target = resolve("vexfs:raw:missing-setattr")
    made = Session(RunOptions(target=target, select=IDS, seed=1), lambda event: None)
    made.begin()
    yield made
    made.close()


def test_any_order_of_layers_gives_the_same_verdicts(session: Session) -> None:
    """pytest runs what failed last first, and its workers what is left over."""
    checks = {check.id: check for found in session.plan.layers.values() for check in found}
    order = ["shell.touch", "protocol.setattr.mode", "shell.mv", "posix.rename.atomic", "shell.touch"]
    results = [session.ask(checks[id]) for id in order]
    assert [result.id for result in results] == order
    good, bad = Verdict.PASS, Verdict.FAIL
    assert [result.verdict for result in results] == [bad, bad, good, good, bad]
    assert session.restarts == 0, "a change of layers is no restart"
    causes = [(one.cause.value, one.op) for one in session.findings().causes(session.findings().operations())]
    assert ("not-implemented", "SETATTR") in causes


def test_a_target_that_does_not_start_says_so_at_once() -> None:
    """Every item would wait for it again otherwise."""
    made = Session(RunOptions(target=resolve("false"), select=IDS), lambda event: None)
    try:
        made.begin()
        with pytest.raises(StartError, match="exited with status 1"):
            made.ask(made.plan.layers["mount"][0])
        assert made.findings().failure is not None
    finally:
        made.close()


def test_joined_findings_are_those_of_one_run(session: Session) -> None:
    """Workers that shared the checks give one result: nothing twice, nothing lost, counted together."""
    checks = {check.id: check for found in session.plan.layers.values() for check in found}
    for id in IDS:
        session.ask(checks[id])
    whole = session.findings()
    halves = [replace(whole, results=whole.results[at::2], incidents=[]) for at in (1, 0)]
    found: Findings = joined(halves, IDS)
    assert [result.id for result in found.results] == list(IDS)
    lookups = {name: stats["requests"] for name, stats in whole.stats.items()}
    assert {name: stats["requests"] for name, stats in found.stats.items()} == {n: 2 * k for n, k in lookups.items()}
    baseline = Baseline("known.toml", (Known("shell.touch", "later"),))
    document = document_of(found, baseline, IDS, strict=False)
    verdicts = {check["id"]: check["verdict"] for check in document["checks"]}
    assert verdicts["shell.touch"] == "XFAIL" and verdicts["protocol.setattr.mode"] == "FAIL"
    assert document["operations"]["SETATTR"]["verdict"] == "ENOSYS" and document["environment"]["sessions"] == 2
