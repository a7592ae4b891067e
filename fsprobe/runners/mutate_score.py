"""From the trials of a target to the document `fsprobe.mutate/1`.

Owns the sums and the reasons; knows nothing of how faults are tried.
"""

from __future__ import annotations

import os
import platform
import shlex
from collections import Counter
from typing import Any

from fsprobe import __version__
from fsprobe.results import mutation
from fsprobe.runners.mutate import MutateOptions, Score, Trial


def document(score: Score) -> dict[str, Any]:
    """The whole score."""
    options = score.options
    target = options.target
    served = {layer: list(operations) for layer, operations in score.seen.served.items()}
    return mutation.build(
        target={"name": target.name, "argv": list(target.argv)},
        environment={
            "fsprobe": __version__, "kernel": platform.release(), "uid": os.geteuid(), "seed": options.seed,
            "timeout": options.timeout, "jobs": options.jobs,
        },
        baseline={"checks": {layer: dict(counts) for layer, counts in score.counts.items()}, "operations": served},
        faults=[_fault(trial, options) for trial in score.trials],
        excluded=[
            {"layer": one.fault.layer, "op": one.fault.op, "kind": one.fault.kind, "rule": one.fault.rule,
             "reason": one.reason}
            for one in score.excluded
        ],
        summary=summary(score),
    )  # fmt: skip


def _fault(trial: Trial, options: MutateOptions) -> dict[str, Any]:
    fault = trial.fault
    return {
        "layer": fault.layer, "op": fault.op, "kind": fault.kind, "rule": fault.rule, "outcome": trial.outcome,
        "check": trial.check, "verdict": trial.verdict, "blamed": trial.blamed, "observed": trial.observed,
        "asked": trial.asked, "seconds": round(trial.seconds, 4), "reason": _reason(trial),
        "reproduce": _reproduce(trial, options),
    }  # fmt: skip


def _reason(trial: Trial) -> str:
    if trial.outcome == "missed":
        many = f"the {trial.asked} checks that {trial.fault.op} answers here stay green"
        return many if trial.asked else f"no check that passes is answered by {trial.fault.op}"
    if trial.outcome == "misblamed":
        return f"{trial.check} is {trial.verdict} and blames {trial.blamed}: {trial.observed}"
    return ""


def _reproduce(trial: Trial, options: MutateOptions) -> str:
    select = ["--select", trial.check] if trial.check else ["--op", trial.fault.op]
    words = ["fsprobe", "run", options.target.name, *select, "--inject", trial.fault.rule]
    seed = ["--seed", str(options.seed)] if ",p=" in trial.fault.rule else []
    return shlex.join([*words, *seed])


def summary(score: Score) -> dict[str, Any]:
    """The numbers. exit_code: 0 where every fault was caught and blamed right."""
    outcomes = Counter(trial.outcome for trial in score.trials)
    right = outcomes["caught"]
    return {
        "faults": len(score.trials), "caught": right + outcomes["misblamed"], "blamed_right": right,
        "misblamed": outcomes["misblamed"], "missed": outcomes["missed"], "excluded": len(score.excluded),
        "seconds": round(score.seconds, 2), "exit_code": 0 if right == len(score.trials) else 1,
    }  # fmt: skip
