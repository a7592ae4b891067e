"""The report for a person at a terminal, 80 columns wide, from the result document alone.

Owns the order of the sections and printing; knows nothing of runs. From the top: the answer in a sentence,
the proof of what was tested, the matrix, the commands that failed, the causes with what to do, and at the
bottom, where the eye rests when the run is over, the counts and the exit code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from fsprobe.report.causes import causes, explained
from fsprobe.report.commands import commands
from fsprobe.report.finding import finding
from fsprobe.report.footer import footer
from fsprobe.report.header import header
from fsprobe.report.matrix import matrix
from fsprobe.report.text import WIDTH, clean, count, cut, pad
from fsprobe.report.words import LAYERS, VERDICT_STYLE, blamed, is_problem

_FINDINGS_SHOWN = 5
_WARNINGS_SHOWN = 6
_ASCII = str.maketrans({"·": "|", "→": ">", "←": "<", "µ": "u", "×": "x", "…": "~", "—": "-", "’": "'"})


class _Console(Console):
    """Rich ends the process where the reader has left; whoever prints a report has an exit code to keep."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def render(document: Mapping[str, Any], *, verbose: bool = False) -> list[Text]:
    """The lines of the report."""
    document = clean(document)
    sections = [
        header(document, verbose=verbose),
        matrix(document["operations"], blamed(document), verbose=verbose),
        commands(document["checks"]),
        _unexplained(document, verbose),
        _warnings(document, verbose),
        _every_check(document) if verbose else [],
        causes(document, verbose=verbose),
        footer(document, verbose=verbose),
    ]
    lines: list[Text] = []
    for section in sections:
        if section:
            lines += [Text(), *section] if lines else section
    return lines


def print_report(document: Mapping[str, Any], file: IO[str], *, verbose: bool = False) -> None:
    """Write the report to a stream: in colour where it is a terminal and NO_COLOR is not set.

    Raises BrokenPipeError where the reader has left.
    """
    console = _Console(file=file, highlight=False, markup=False, emoji=False, soft_wrap=True)
    narrow = "utf" not in (getattr(file, "encoding", None) or "utf-8").lower()
    for line in render(document, verbose=verbose):
        if narrow:
            line.plain = line.plain.translate(_ASCII).encode("ascii", "backslashreplace").decode()
        console.print(line, crop=False, overflow="ignore", no_wrap=True)


def _unexplained(document: Mapping[str, Any], verbose: bool) -> list[Text]:
    """Checks that need a look and have no cause: each in full, since nothing else tells of them."""
    known = explained(document)
    problems = [check for check in document["checks"] if is_problem(check) and check["verdict"] != "NOTRUN"]
    found = [check for check in problems if check["id"] not in known]
    if not found:
        return []
    lines = [Text(f"{count(len(found), 'finding')} with no known cause".upper(), "bold")]
    shown = found if verbose else found[:_FINDINGS_SHOWN]
    for check in shown:
        lines += finding(check)
    if len(shown) < len(found):
        lines.append(Text(f"  {len(found) - len(shown)} more with -v", "dim"))
    return lines


def _warnings(document: Mapping[str, Any], verbose: bool) -> list[Text]:
    found = [check for check in document["checks"] if check["verdict"] == "WARN"]
    if not found:
        return []
    lines = [Text("LEGAL, BUT SURPRISING", "bold")]
    for check in found if verbose else found[:_WARNINGS_SHOWN]:
        said = cut(check.get("observed") or check["title"], WIDTH - 36)
        lines.append(Text(f"  {pad(check['id'], 32)}  {said}"))
    if not verbose and len(found) > _WARNINGS_SHOWN:
        lines.append(Text(f"  {len(found) - _WARNINGS_SHOWN} more with -v", "dim"))
    return lines


def _every_check(document: Mapping[str, Any]) -> list[Text]:
    lines: list[Text] = []
    for layer in LAYERS:
        checks = [check for check in document["checks"] if check["layer"] == layer]
        if checks:
            lines.append(Text(f"{layer}: {count(len(checks), 'check')}".upper(), "bold"))
            lines += [_one_line(one, one.get("observed") or one.get("reason") or "") for one in checks]
    return lines


def _one_line(check: Mapping[str, Any], text: str) -> Text:
    verdict = check["verdict"]
    line = Text("  ").append(pad(verdict, 12), VERDICT_STYLE.get(verdict, "red"))
    line.append(pad(check["id"], 32) + "  ").append(cut(text, WIDTH - 48), "dim")
    line.rstrip()
    return line
