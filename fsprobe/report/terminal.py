"""The report for a person at a terminal, 80 columns wide, from the result document alone.

Owns the order of the sections and printing; knows nothing of runs. From the top: the answer, the proof of what was
tested, the matrix, what was not answered, the commands that failed, the causes with what to do, and at the
bottom, where the eye rests when the run is over, the counts, the answer again and the exit code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from fsprobe.report.causes import causes, explained
from fsprobe.report.commands import commands
from fsprobe.report.finding import finding
from fsprobe.report.footer import footer, unanswered
from fsprobe.report.header import header
from fsprobe.report.matrix import matrix
from fsprobe.report.names import plain_names
from fsprobe.report.text import clean, count, cut, labelled, pad, screen_width, wide_as
from fsprobe.report.words import LAYERS, VERDICT_STYLE, blamed, charged, is_failure

_FINDINGS_SHOWN = 5
_WARNINGS_SHOWN = 6
_COLUMN = 13
_ASCII = str.maketrans({"·": "|", "→": ">", "←": "<", "µ": "u", "×": "x", "…": "~", "—": "-", "’": "'"})


class _Console(Console):
    """Rich ends the process where the reader has left; whoever prints a report has an exit code to keep."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def render(document: Mapping[str, Any], *, verbose: bool = False) -> list[Text]:
    """The lines of the report."""
    document = plain_names(clean(document))
    known = charged(document)
    sections = [
        header(document, verbose=verbose),
        matrix(document["operations"], blamed(document), verbose=verbose),
        [*unanswered(document, verbose=verbose), *_warnings(document, verbose)],
        _every_check(document) if verbose else [],
        commands(document["checks"], known),
        _unexplained(document, verbose),
        causes(document, verbose=verbose),
    ]
    lines: list[Text] = []
    for section in sections:
        if section:
            lines += [Text(), *section] if lines else section
    return [*lines, Text(), *footer(document, verbose=verbose, lines_above=len(lines))]


def text(document: Mapping[str, Any]) -> str:
    """The report without colours."""
    return "".join(f"{line.plain}\n" for line in render(document))


def print_report(document: Mapping[str, Any], file: IO[str], *, verbose: bool = False) -> None:
    """Write the report to a stream: in colour where it is a terminal and NO_COLOR is not set.

    Raises BrokenPipeError where the reader has left.
    """
    with wide_as(file):
        print_lines(render(document, verbose=verbose), file)


def print_lines(lines: Iterable[Text], file: IO[str]) -> None:
    """Write lines to a stream, as `print_report` does."""
    console = _Console(file=file, highlight=False, markup=False, emoji=False, soft_wrap=True)
    narrow = "utf" not in (getattr(file, "encoding", None) or "utf-8").lower()
    for line in lines:
        if narrow:
            line.plain = line.plain.translate(_ASCII).encode("ascii", "backslashreplace").decode()
        console.print(line, crop=False, overflow="ignore", no_wrap=True)


def _unexplained(document: Mapping[str, Any], verbose: bool) -> list[Text]:
    """Checks that need a look and have no cause: each in full, since nothing else tells of them."""
    known = explained(document)
    found = [check for check in document["checks"] if is_failure(check) and check["id"] not in known]
    if not found:
        return []
    lines = [Text(f"{count(len(found), 'finding')} with no known cause".upper(), "bold")]
    shown = found if verbose else found[:_FINDINGS_SHOWN]
    for check in shown:
        lines += finding(check, verbose=verbose)
    if len(shown) < len(found):
        lines.append(Text(f"  {len(found) - len(shown)} more with -v", "dim"))
    return lines


def _warnings(document: Mapping[str, Any], verbose: bool) -> list[Text]:
    """What is no fault and may surprise: a line each."""
    found = [check for check in document["checks"] if check["verdict"] == "WARN"]
    shown = found if verbose else found[:_WARNINGS_SHOWN]
    lines: list[Text] = []
    for index, check in enumerate(shown):
        hidden = len(found) - len(shown) if index == len(shown) - 1 else 0
        more = f" (+{hidden}, -v)" if hidden else ""
        said = check.get("observed") or check["title"]
        text = f"{check['id']}: {said}"
        text = text if verbose else cut(text, screen_width() - _COLUMN - len(more)) + more
        lines += labelled("WARN" if index == 0 else "", text, 0, _COLUMN)
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
    line.append(pad(check["id"], 32) + "  ").append(cut(text, screen_width() - 48), "dim")
    line.rstrip()
    return line
