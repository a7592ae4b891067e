"""What a run found, and the document that is made of it.

Owns the record, joining those of runs side by side, and the order of summing up: operations, then causes, then what a
file of known failures makes of them. Knows nothing of how it was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fsprobe.diagnose.diagnose import Diagnosis, Evidence, StartFailure, diagnose
from fsprobe.diagnose.library import UNKNOWN, Library
from fsprobe.diagnose.matrix import summarise
from fsprobe.results import document
from fsprobe.results.baseline import Baseline, mark_known
from fsprobe.results.records import CheckResult, Incident, OpSummary
from fsprobe.results.verdicts import Verdict
from fsprobe.runners import scene
from fsprobe.runners.expectations import soften


@dataclass(slots=True)
class Findings:
    """Everything that was found, as it was seen: no known failure is excused yet.

    stats: counts and latencies by operation name; timeline: further parts of the document, of `Traffic` both. failure:
    why the target did not start. processes: that part of the document.
    """

    target: dict[str, Any]
    environment: dict[str, Any]
    results: list[CheckResult]
    incidents: list[Incident]
    stats: dict[str, dict[str, Any]]
    timeline: dict[str, Any]
    library: Library
    failure: StartFailure | None
    mount_options: tuple[str, ...]
    processes: dict[str, Any]
    seconds: float

    def operations(self) -> dict[str, OpSummary]:
        """Each operation, all layers together."""
        return summarise(self.results, self.stats, self.library)

    def causes(self, operations: Mapping[str, OpSummary]) -> list[Diagnosis]:
        """Root causes, worst first."""
        evidence = Evidence(
            checks=tuple(self.results), operations=operations, library=self.library, incidents=tuple(self.incidents),
            start_failure=self.failure, mount_options=self.mount_options,
            read_only=bool(self.environment.get("read_only")), limits=self.processes.get("limits", {}),
        )  # fmt: skip
        return soften(diagnose(evidence), self.results, self.environment.get("expect"))


def document_of(
    found: Findings, baseline: Baseline, known: Sequence[str], *, strict: bool, exit_code: int | None = None
) -> dict[str, Any]:
    """The result document. known: ids of every check of the suites that were loaded."""
    causes = found.causes(found.operations())
    found = replace(found, results=charged(found.results, causes))
    counted = [baseline.applied(result) for result in found.results]
    return document.build(
        target=found.target, environment=found.environment, checks=counted, operations=found.operations(),
        diagnoses=mark_known(causes, counted),
        baseline=baseline.report(known) if baseline.path else None, processes=found.processes, seconds=found.seconds,
        strict=strict, exit_code=exit_code, incidents=scene.entries(found.incidents), **found.timeline,
    )  # fmt: skip


def charged(results: Sequence[CheckResult], causes: Sequence[Diagnosis]) -> list[CheckResult]:
    """The results, those that failed only because of another operation blaming that one: RMDIR for an `rm -r`.

    Checks, operations and causes of one document would else name different ones.
    """
    roots: dict[str, tuple[str, ...]] = {}
    for cause in causes:
        for id in cause.checks if cause.op and cause.confidence != "note" else ():
            roots.setdefault(id, cause.ops or (cause.op,))
    return [
        replace(result, op=roots[result.id][0])
        if result.verdict is Verdict.FAIL and result.op not in roots.get(result.id, (result.op,)) else result
        for result in results
    ]  # fmt: skip


def joined(parts: Sequence[Findings], order: Sequence[str]) -> Findings:
    """The findings of runs on one target that shared the checks between them, as those of one run.

    order: ids of the checks. Percentiles are those of the run that saw most of an operation, the timeline the first
    run's: neither can be added up.
    """
    place = {id: index for index, id in enumerate(order)}
    results = [result for part in parts for result in part.results]
    stats: dict[str, dict[str, Any]] = {}
    for part in parts:
        for name, more in part.stats.items():
            stats[name] = _added(stats[name], more) if name in stats else more
    leaked: dict[str, list[Any]] = {}
    for part in parts:
        for kind, left in part.processes["leaked"].items():
            leaked.setdefault(kind, []).extend(left)
    first = parts[0]
    return Findings(
        target=first.target, environment={**_together(parts), "sessions": len(parts)},
        results=sorted(results, key=lambda result: place.get(result.id, len(place))),
        incidents=[incident for part in parts for incident in part.incidents], stats=stats, timeline=first.timeline,
        library=next((part.library for part in parts if part.library != UNKNOWN), UNKNOWN),
        failure=next((part.failure for part in parts if part.failure), None), mount_options=first.mount_options,
        processes={
            "daemon_exits": [one for part in parts for one in part.processes["daemon_exits"]],
            "restarts": sum(part.processes["restarts"] for part in parts), "leaked": leaked,
            "limits": {pid: told for part in parts for pid, told in part.processes.get("limits", {}).items()},
        },
        seconds=max(part.seconds for part in parts),
    )  # fmt: skip


def _together(parts: Sequence[Findings]) -> dict[str, Any]:
    """The environments, of which one that only did the wire layer knows no mount."""
    environment: dict[str, Any] = {}
    for part in parts:
        for key, value in part.environment.items():
            if not environment.get(key):
                environment[key] = value
    environment["capabilities"] = sorted({name for p in parts for name in p.environment.get("capabilities", ())})
    return environment


def _added(one: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    larger = one if one["requests"] >= more["requests"] else more
    longest = [stats["max_us"] for stats in (one, more) if stats["max_us"] is not None]
    histogram = {key: _sum("latency_us", key, one, more) for key in {**one["latency_us"], **more["latency_us"]}}
    return {
        **larger,
        "requests": one["requests"] + more["requests"],
        "replies": {key: _sum("replies", key, one, more) for key in {**one["replies"], **more["replies"]}},
        "max_us": max(longest) if longest else None,
        "latency_us": dict(sorted(histogram.items(), key=lambda item: float(item[0]))),
    }


def _sum(part: str, key: str, *stats: Mapping[str, Any]) -> int:
    return sum(one[part].get(key, 0) for one in stats)
