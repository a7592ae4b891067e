"""A result document made ready to be shown: harmless text, short names, and one outcome for each check.

Owns what every format has in common; knows nothing of any format. A run that did not come to its end is a case of
its own, so that no reader takes a report without failures for a success.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fsprobe.report.finding import exchanges
from fsprobe.report.headline import headline
from fsprobe.report.names import plain_names
from fsprobe.report.text import clean
from fsprobe.report.words import EXIT_MEANING

Outcome = Literal["passed", "skipped", "known", "failed", "error"]

OUTCOME: dict[str, Outcome] = {
    "PASS": "passed", "INFO": "passed", "WARN": "passed", "UNSUPPORTED": "skipped", "SKIP": "skipped",
    "XFAIL": "known", "FAIL": "failed", "HANG": "failed", "CRASH": "failed", "XPASS": "failed", "ERROR": "error",
    "NOTRUN": "error",
}  # fmt: skip
"""What test reports of other tools call our verdicts."""

_OF_VERDICTS = (0, 1)


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a test report. check: the entry of the document, empty where it is about the run itself."""

    id: str
    group: str
    outcome: Outcome
    verdict: str
    message: str
    seconds: float
    check: Mapping[str, Any]


def ready(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose text can be shown anywhere: control characters spelled out, names of work files shortened."""
    return plain_names(clean(document))


def cases(document: Mapping[str, Any]) -> list[Case]:
    """Every check of a document that is ready, and what there is to say about the run itself."""
    return [*(_case(check) for check in document["checks"]), *_of_the_run(document)]


def message(check: Mapping[str, Any]) -> str:
    """What came out, in one line."""
    expected, observed = check.get("expected") or "", check.get("observed") or ""
    if check["verdict"] in ("SKIP", "NOTRUN", "XFAIL", "UNSUPPORTED") and check.get("reason"):
        return str(check["reason"])
    if check["verdict"] == "XPASS":
        return str(check.get("reason") or "it passes, though the baseline says that it fails")
    if expected and observed:
        return f"expected {expected}, observed {observed}"
    return str(observed or check.get("reason") or check.get("title") or check["verdict"])


def details(check: Mapping[str, Any], *, most: int = 40) -> list[str]:
    """Everything that is known of one check, as plain lines of any length.

    most: exchanges that are shown; where there are more, the telling ones and the last.
    """
    return list(_details(check, most))


def _details(check: Mapping[str, Any], most: int) -> Iterator[str]:
    yield str(check.get("title") or check["id"])
    for label in ("expected", "observed", "reason"):
        if check.get(label):
            yield f"{label}: {check[label]}"
    yield f"blamed: {check['op']} ({check.get('level', '')}, {check['layer']} layer; {check.get('reference', '')})"
    trace = list(check.get("trace") or ())
    if trace:
        shown = few(trace, check, most)
        yield "exchanges:" if len(shown) == len(trace) else f"exchanges, {len(shown)} of {len(trace)}:"
        yield from (f"  {line}" for line in shown)
    for label in ("evidence", "notes"):
        if check.get(label):
            yield f"{label}:"
            yield from (f"  {line}" for line in check[label])
    if check.get("reproduce"):
        yield f"again: {check['reproduce']}"


def few(trace: list[str], check: Mapping[str, Any], most: int) -> list[str]:
    """At most so many exchanges: those that tell, and the last ones, in their order."""
    if len(trace) <= most:
        return trace
    telling = exchanges(trace, check["op"], check.get("errno") or "")[:most]
    last = trace[len(trace) - (most - len(telling)) :]
    return [line for line in telling if line not in last] + last


def answer_text(document: Mapping[str, Any]) -> list[str]:
    """The sentences that answer the question."""
    return list(headline(document)[0])


def _case(check: Mapping[str, Any]) -> Case:
    outcome = OUTCOME.get(check["verdict"], "error")
    seconds = float(check.get("seconds") or 0)
    return Case(check["id"], check["layer"], outcome, check["verdict"], message(check), seconds, check)


def _of_the_run(document: Mapping[str, Any]) -> list[Case]:
    found = []
    code = document["summary"]["exit_code"]
    if code not in _OF_VERDICTS:
        told = f"exit {code}: {EXIT_MEANING.get(code, '?')}. {answer_text(document)[0]}"
        found.append(Case("fsprobe.run", "run", "error", "ERROR", told, 0.0, {}))
    baseline = document.get("baseline") or {}
    for kind in ("stale", "expired"):
        if baseline.get(kind):
            told = f"{kind} entries in {baseline.get('file', 'the baseline')}: {', '.join(map(str, baseline[kind]))}"
            found.append(Case(f"fsprobe.baseline.{kind}", "run", "failed", "FAIL", told, 0.0, {}))
    return found
