"""GitHub annotations: workflow commands that a step prints (`::error title=…::…`).

Owns their syntax and limits; knows nothing of checks. GitHub shows ten errors, ten warnings and ten notices of a
step, so these are root causes before single checks, and the last of ten says how many are not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsprobe.report.causes import explained
from fsprobe.report.ready import answer_text, cases, ready
from fsprobe.report.text import count, cut
from fsprobe.report.words import serious

LIMIT = 10
"""Annotations of one kind that GitHub shows of one step (docs.github.com, "Workflow commands")."""
_LONGEST = 4000  # GitHub keeps 4 KiB of a message
_TITLE = 150

Annotation = tuple[str, str]
"""Title and message."""


def text(document: Mapping[str, Any]) -> str:
    """The commands, a line each."""
    document = ready(document)
    target = document["target"]["name"]
    lines = [_command("notice", f"fsprobe: {target}", "\n".join(answer_text(document)))]
    lines += [_command("error", *told) for told in _limited(_errors(document), "finding")]
    lines += [_command("warning", *told) for told in _limited(_warnings(document), "warning")]
    return "\n".join(lines) + "\n"


def _errors(document: Mapping[str, Any]) -> list[Annotation]:
    found = []
    for one in serious(document):
        if not one.get("known"):
            checks = list(one.get("checks") or ())
            said = [*(one.get("evidence") or ())[:3], *([one["fix"]] if one.get("fix") else ())]
            if checks:
                said.append(f"Explains {count(len(checks), 'check')}: {', '.join(checks[:5])}")
            found.append((one["summary"], "\n".join(said) or one["summary"]))
    known = explained(document)
    for case in cases(document):
        if case.outcome in ("failed", "error") and case.id not in known:
            again = case.check.get("reproduce")
            said = [case.message, *([f"Again: {again}"] if again else ())]
            found.append((f"{case.verdict} {case.id}", "\n".join(said)))
    return found


def _warnings(document: Mapping[str, Any]) -> list[Annotation]:
    found = [(f"WARN {case.id}", case.message) for case in cases(document) if case.verdict == "WARN"]
    return found + [("fsprobe is degraded here", note) for note in document["environment"].get("degraded") or ()]


def _limited(found: list[Annotation], noun: str) -> list[Annotation]:
    if len(found) <= LIMIT:
        return found
    hidden = found[LIMIT - 1 :]
    named = "\n".join(title for title, _ in hidden)
    return [*found[: LIMIT - 1], (f"{count(len(hidden), f'more {noun}')}", named)]


def _command(kind: str, title: str, said: str) -> str:
    return f"::{kind} title={_property(cut(title, _TITLE))}::{_data(cut(said, _LONGEST))}"


def _data(told: str) -> str:
    return told.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(told: str) -> str:
    return _data(told).replace(":", "%3A").replace(",", "%2C")
