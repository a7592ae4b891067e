"""Text on its way into Markdown: made harmless.

Owns escaping and the few constructs that reports use; knows nothing of what is said. Names from a file system may
hold markup, HTML, `|` and backticks, and on GitHub `@name` would call somebody and `#1` link an issue.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_BACKTICKS = re.compile(r"`+")
_MARKUP = re.compile(r"[\\`*_\[\]#|~<>&$]")
_ENTITY = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_APART = re.compile(r"@|#(?=\d)|://|\bwww\.")


def prose(told: str) -> str:
    """One line of running text, in which nothing is markup, a link or a call."""
    parts = []
    end = 0
    for found in _APART.finditer(told):
        parts += [_escaped(told[end : found.start()]), _escaped(found[0][:1]), "<!-- -->", _escaped(found[0][1:])]
        end = found.end()
    return "".join([*parts, _escaped(told[end:])]).replace("\n", " ")


def _escaped(told: str) -> str:
    return _MARKUP.sub(lambda found: _ENTITY.get(found[0], "\\" + found[0]), told)


def code(told: str) -> str:
    """A code span. Every `|` gets a backslash, which a table takes away again: outside tables there is no need."""
    told = told.replace("\n", " ")
    if not told.strip():
        return ""
    fence = "`" * (1 + max((len(found) for found in _BACKTICKS.findall(told)), default=0))
    space = " " if told[0] in "` " or told[-1] in "` " else ""
    return f"{fence}{space}{told}{space}{fence}".replace("|", "\\|")


def block(told: str) -> str:
    """A fenced block: longer fences than any inside."""
    fence = "`" * max(3, 1 + max((len(found) for found in _BACKTICKS.findall(told)), default=0))
    return f"{fence}text\n{told}\n{fence}"


def cell(told: str) -> str:
    """A cell of a table."""
    return prose(told)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table of cells that are escaped already. right: columns of numbers."""
    rule = ["---:" if index in right else "---" for index in range(len(heads))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))


def details(title: str, body: str) -> str:
    """A block that is folded until somebody opens it. The blank lines make its inside Markdown again."""
    return f"<details><summary>{_html(title)}</summary>\n\n{body}\n\n</details>"


def _html(told: str) -> str:
    """Inside an HTML line: no markup, no call, no link."""
    plain = told.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
    return f"<code>{plain}</code>"
