"""Reports read back by programs that are not ours, for the tests of all formats."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from xml.etree import ElementTree

from junitparser import Error, Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt
from tap.line import Result
from tap.parser import Parser


def junit(text: str) -> dict[str, Any]:
    """By name of the test case: its outcome, message and text."""
    found = {}
    for suite in JUnitXml.fromstring(text.encode()):
        for case in suite:
            kinds = [(type(one), one) for one in case.result]
            word = {Failure: "failure", Error: "error", Skipped: "skipped"}
            outcome = word[kinds[0][0]] if kinds else "passed"
            told = kinds[0][1] if kinds else None
            found[case.name] = (outcome, told.message if told else "", (told.text if told else case.system_out) or "")
    return found


def tap(text: str) -> tuple[list[Result], Counter[str]]:
    """The results in their order, and how many lines of each kind there are."""
    lines = list(Parser().parse_text(text))
    return [line for line in lines if line.category == "test"], Counter(line.category for line in lines)


def markdown_html(text: str) -> str:
    """What a renderer makes of it that lets HTML through, as GitHub's does."""
    made: str = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    return made


def svg_texts(text: str) -> list[str]:
    """Every text of a drawing."""
    return [part.strip() for part in ElementTree.fromstring(text).itertext() if part.strip()]


def commands(text: str) -> list[tuple[str, str, str]]:
    """Workflow commands as GitHub's runner reads them: kind, title, message. Raises ValueError for another line."""
    found = []
    for line in text.rstrip("\n").split("\n"):
        _, head, message = line.split("::", 2)
        kind, _, title = head.partition(" title=")
        found.append((kind, _decoded(title), _decoded(message)))
    return found


def _decoded(text: str) -> str:
    for code, char in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def strict_json(text: str) -> Any:
    """JSON, without what only Python's reader takes."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)
