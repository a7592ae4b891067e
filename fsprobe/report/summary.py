"""The one-page summary on the terminal, as Markdown and as HTML with plots.

Owns the three forms; what they say is `summary_data`'s, how plots are drawn `summary_plots`'. The HTML loads nothing.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from fsprobe.report.markdown_text import cell as markdown_cell
from fsprobe.report.markdown_text import prose, table
from fsprobe.report.summary_data import Page, Table
from fsprobe.report.text import pad, safe

_NAME = 46


def lines(page: Page) -> list[Text]:
    """The terminal's; tables are as wide as what they hold."""
    made = [Text(f"fsprobe: {page.title[0].lower()}{page.title[1:]}", "bold")]
    wide = max((cell_len(name) for name, _ in page.facts), default=0)
    made += [Text(f"  {pad(safe(name), wide)}  {safe(told)}") for name, told in page.facts]
    for one in (*((page.glance,) if page.glance else ()), *page.tables):
        made += [Text(), Text(safe(one.title).upper(), "bold"), *_table(one)]
        if one.note:
            made.append(Text(f"  {safe(one.note)}", "dim"))
    made += [Text(), *(Text(f"note  {safe(told)}", "yellow") for told in page.caveats)]
    return made


def _table(one: Table) -> list[Text]:
    texts = [[safe(head) for head in one.heads], *([safe(cell.line) for cell in row] for row in one.rows)]
    wide = [min(max(cell_len(row[at]) for row in texts), _NAME) for at in range(len(one.heads))]
    made = []
    for number, row in enumerate(texts):
        line = Text("", "dim" if not number else "")
        for at, (text, room) in enumerate(zip(row, wide, strict=True)):
            bad = number > 0 and one.rows[number - 1][at].bad
            told = text if cell_len(text) > room else pad(text, room, right=at > 0)
            line.append(f"{'  ' if at else ''}{told}", "red" if bad else "")
        line.rstrip()
        made.append(line)
    return made


def markdown(page: Page) -> str:
    """Markdown; plots are in the HTML page."""
    facts = (f"- **{prose(safe(name))}**: {prose(safe(told))}" for name, told in page.facts)
    parts = [f"# {prose(page.title)}", "\n".join(facts)]
    for one in (*((page.glance,) if page.glance else ()), *page.tables):
        rows = [[markdown_cell(safe(cell.line)) for cell in row] for row in one.rows]
        heads = [markdown_cell(safe(head)) for head in one.heads]
        parts += [f"## {prose(safe(one.title))}", table(heads, rows, range(1, len(one.heads)))]
        parts += [prose(safe(one.note))] if one.note else []
    if page.caveats:
        parts += ["## Caveats", "\n".join(f"- {prose(safe(told))}" for told in page.caveats)]
    return "\n\n".join(parts) + "\n"


def _plain(value: object) -> object:
    """Text of a result without what no page may hold; markup is the template's own."""
    return safe(value) if type(value) is str else value


def html(page: Page) -> str:
    """One self-contained page in the looks of the report's."""
    from fsprobe.report.html import environment
    from fsprobe.report.summary_plots import curves, dotted

    made = environment().overlay(finalize=_plain).get_template("summary.html")
    return made.render(page=page, plots=[curves(plot) for plot in page.plots], dots=[dotted(one) for one in page.dots])
