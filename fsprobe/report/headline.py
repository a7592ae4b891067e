"""The one sentence that answers the question.

Owns the sentence; knows nothing of its place on the screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fsprobe.report.commands import command_of, failed
from fsprobe.report.text import count, listing
from fsprobe.report.words import blamed, is_problem

_PHRASES = (
    ("crash", "{n} crashes the daemon", "{n} crash the daemon"),
    ("hang", "{n} hangs", "{n} hang"),
    ("ENOSYS", "{n} is not implemented", "{n} are not implemented"),
    ("wrong", "{n} is wrong", "{n} are wrong"),
    ("partial", "{n} works in part", "{n} work in part"),
)
_NAMED = 6
_NOT_WORKING = ("untested", "unsupported", "ENOSYS")


def headline(document: Mapping[str, Any]) -> tuple[str, str]:
    """The sentence and its style."""
    code = document["summary"]["exit_code"]
    sentence, style = _sentence(document, code)
    if code == 130:
        return f"Interrupted, so this is partial. {sentence}", style
    return sentence, style


def _sentence(document: Mapping[str, Any], code: int) -> tuple[str, str]:
    if code in (4, 5, 6, 2):
        first: Mapping[str, Any] = next(iter(document["diagnoses"]), {})
        told = first.get("summary") or (document.get("error") or {}).get("fact")
        usual = "the target could not be tested" if code == 4 else "nothing was checked"
        return _sentence_end(told or usual), "bold red"
    operations = document["operations"]
    checks = document["checks"]
    at_fault = {name: op["verdict"] for name, op in operations.items() if name in blamed(document)}
    bad = [text for verdict, one, many in _PHRASES if (text := _phrase(at_fault, verdict, one, many))]
    if bad:
        return _sentence_end("; ".join(bad)) + _commands(checks), "bold red"
    problems = [check for check in checks if is_problem(check)]
    if problems:
        return f"No operation is at fault, but {count(len(problems), 'check')} did not pass.", "bold red"
    asked = sum(op["verdict"] not in _NOT_WORKING for op in operations.values())
    if not asked:
        return "Nothing was found out.", "bold yellow"
    absent = sum(op["verdict"] in ("ENOSYS", "unsupported") for op in operations.values())
    also = f"; {count(absent, 'optional one is', 'optional ones are')} declined or absent" if absent else ""
    word = "One operation works" if asked == 1 else f"{asked} operations work"
    return f"{word} and none is at fault{also}.", "bold green"


def _phrase(verdicts: Mapping[str, str], verdict: str, one: str, many: str) -> str:
    names = [name for name, found in verdicts.items() if found == verdict]
    if not names:
        return ""
    if len(names) == 1:
        return one.format(n=names[0])
    return f"{many.format(n=count(len(names), 'operation'))}: {listing(names, _NAMED)}"


def _commands(checks: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(command_of(check).split()[0] for check in failed(checks)))
    if not names:
        return ""
    return f" {count(len(names), 'command fails', 'commands fail')}: {listing(names, _NAMED)}."


def _sentence_end(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
