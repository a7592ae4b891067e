"""JUnit XML, as GitLab, Jenkins, GitHub and junitparser read it.

Owns how a verdict becomes a test case: UNSUPPORTED, SKIP and XFAIL are skipped with the reason, WARN and INFO pass
and say so, FAIL, HANG, CRASH and XPASS are failures, ERROR and NOTRUN are errors. Knows nothing of checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from fsprobe.report.ready import Case, answer_text, cases, details, ready

_KIND = {"skipped": "skipped", "known": "skipped", "failed": "failure", "error": "error"}
_PLAIN = ("PASS",)


def text(document: Mapping[str, Any]) -> str:
    """The document as XML; what XML cannot hold is spelled out (`\\x1b`)."""
    document = ready(document)
    found = cases(document)
    root = Element("testsuites", {"name": f"fsprobe {document['target']['name']}", **_numbers(found)})
    for group, members in groupby(found, lambda case: case.group):
        _suite(root, group, list(members), document)
    if not found:
        _suite(root, "run", [], document)
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, group: str, members: Sequence[Case], document: Mapping[str, Any]) -> None:
    suite = SubElement(root, "testsuite", {"name": f"fsprobe.{group}", **_numbers(members), **_began(document)})
    properties = SubElement(suite, "properties")
    for name, value in _properties(document):
        SubElement(properties, "property", {"name": name, "value": value})
    for case in members:
        _testcase(suite, case)


def _testcase(suite: Element, case: Case) -> None:
    op = case.check.get("op") or ""
    classname = ".".join(filter(None, ("fsprobe", case.group, op)))
    element = SubElement(suite, "testcase", {"classname": classname, "name": case.id, "time": f"{case.seconds:.6f}"})
    kind = _KIND.get(case.outcome)
    if kind:
        told = SubElement(element, kind, {"type": case.verdict, "message": f"{case.verdict}: {case.message}"})
        told.text = "\n".join(details(case.check)) if case.check and case.outcome != "skipped" else case.message
    elif case.verdict not in _PLAIN:
        said = [f"{case.verdict}: {case.message}", *details(case.check)]
        SubElement(element, "system-out").text = "\n".join(said)


def _numbers(found: Sequence[Case]) -> dict[str, str]:
    kinds = Counter(_KIND.get(case.outcome, "") for case in found)
    return {
        "tests": str(len(found)), "failures": str(kinds["failure"]), "errors": str(kinds["error"]),
        "skipped": str(kinds["skipped"]), "time": f"{sum(case.seconds for case in found):.3f}",
    }  # fmt: skip


def _began(document: Mapping[str, Any]) -> dict[str, str]:
    began = document["environment"].get("started")
    return {"timestamp": str(began)} if began else {}


def _properties(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    target, environment = document["target"], document["environment"]
    told: list[tuple[str, Any]] = [
        ("target", target["name"]), ("command", " ".join(target.get("argv") or ())), ("fs_type", target.get("fs_type")),
        ("library", target.get("library")), ("binary_sha256", target.get("binary_sha256")),
        ("fsprobe", environment.get("fsprobe")), ("kernel", environment.get("kernel")), ("uid", environment.get("uid")),
        ("protocol", environment.get("protocol")), ("seed", environment.get("seed")),
        ("answer", " ".join(answer_text(document))), ("exit_code", document["summary"]["exit_code"]),
    ]  # fmt: skip
    told += [("degraded", note) for note in environment.get("degraded") or ()]
    return [(name, str(value)) for name, value in told if value not in (None, "")]
