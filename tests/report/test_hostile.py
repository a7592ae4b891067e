"""Text from the file system under test, in every format, read back by programs that are not ours."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from fsprobe.report import comparison_html, comparison_markdown, comparison_text
from fsprobe.report.comparison import view
from fsprobe.report.formats import NAMES, text
from fsprobe.report.markdown import LIMIT
from tests.report import documents, hostile, readers

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_JOB_COMMAND = re.compile(r"^\s*::[a-z-]+.*::|##\[", re.M)
VOID = {"meta", "input", "img", "br", "hr", "link", "base"}


class Tags(HTMLParser):
    """Every tag that a browser would see, and whether they are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.said = ""
        self.outside_code: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.said += data
        if not {"code", "pre"} & set(self.open):
            self.outside_code.append(data)


@pytest.fixture(scope="module")
def shown():
    """Every format of the hostile document."""
    document = hostile.document()
    return {form: text(document, form) for form in NAMES}


@pytest.mark.parametrize("form", [form for form in NAMES if form != "json"])
def test_no_control_character_gets_out(shown, form):
    """A file name could move the cursor, turn the text round, or make the file unreadable."""
    assert not _CONTROL.search(shown[form])
    shown[form].encode()


@pytest.mark.parametrize("form", ["terminal", "tap", "markdown", "junit"])
def test_no_line_is_a_command_to_a_ci_runner(shown, form):
    """`::stop-commands::` in a file name would switch off the job's own annotations."""
    assert not _JOB_COMMAND.search(shown[form])


def test_json_is_strict_and_keeps_the_text(shown):
    """The only format that keeps every byte as it was."""
    assert readers.strict_json(shown["json"])["checks"][0]["observed"].startswith("<script>")


def test_junit_is_whole_xml_with_a_case_for_each_check(shown):
    """One bad name would cost the CI all results."""
    found = readers.junit(shown["junit"])
    assert len(found) == 9
    outcomes = [outcome for outcome, _, _ in found.values()]
    assert outcomes.count("failure") == 3 and outcomes.count("skipped") == 3 and outcomes.count("error") == 1
    told = next(iter(found.values()))[2]
    assert "<script>" in told and "]]>" in told and "\\x1b[2J" in told and "\\xff" in told


def test_tap_has_no_forged_line(shown):
    """A name with a line end could report a test of its own."""
    results, kinds = readers.tap(shown["tap"])
    assert len(results) == 9 and kinds["unknown"] == 0 and kinds["plan"] == 1
    assert [one.number for one in results] == list(range(1, 10))
    assert [one.ok for one in results].count(True) == 4
    assert results[0].yaml_block["observed"].startswith("<script>")


def test_markdown_lets_nothing_through(shown):
    """An issue could load a picture, call a user, or lose its second half."""
    _check_markdown(shown["markdown"])


def _check_markdown(told):
    assert len(told.encode()) <= LIMIT
    made = Tags(readers.markdown_html(told))
    assert not made.wrong and not made.open
    known = {"h2", "h3", "p", "strong", "em", "br", "table", "thead", "tbody", "tr", "th", "td", "code", "pre"}
    assert {tag for tag, _ in made.tags} <= known | {"details", "summary"}
    assert all(set(attributes) <= {"class", "style"} for _, attributes in made.tags)
    assert "<script>" in made.said
    assert not [piece for piece in made.outside_code if "@octocat" in piece or "https://" in piece]
    rows = re.findall(r"<tr>(.*?)</tr>", readers.markdown_html(told), re.S)
    assert {len(re.findall(r"<t[hd]", row)) for row in rows} <= {2, 3, 4, 8}


def test_annotations_are_ours_alone(shown):
    """Each line must be one command, the text of it data."""
    found = readers.commands(shown["github"])
    assert {kind for kind, _, _ in found} == {"error", "warning", "notice"}
    assert any("<script>" in title for _, title, _ in found)


def test_badges_parse(shown):
    """A badge that does not parse is a broken picture on a front page."""
    assert readers.svg_texts(shown["badge"]) and readers.strict_json(shown["badge-json"])["label"] == "fsprobe"


def test_html_has_only_its_own_tags(shown):
    """The page is opened by people who trust it."""
    _check_page(shown["html"])


def _check_page(html):
    made = Tags(html)
    scripts = [attributes for tag, attributes in made.tags if tag == "script"]
    assert not made.wrong and not made.open
    assert [one for one in scripts if one.get("type") != "application/json"] == [{}]
    assert not {"img", "iframe", "object", "link", "base", "embed"} & {tag for tag, _ in made.tags}
    for tag, attributes in made.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src")]
        assert (attributes.get("href") or "#").startswith("#"), tag
    assert "<script>document.title='owned'</script>" in made.said


def test_comparisons_are_as_safe():
    """A pull request shows the comparison, not the report."""
    good, evil = documents.good(), hostile.document()
    for found in (view([good, evil], ["a", hostile.EVIL]), view([evil, good, evil], [hostile.EVIL, "b", "c"])):
        told = "\n".join(line.plain for line in comparison_text.lines(found, verbose=True))
        assert not _CONTROL.search(told) and not _JOB_COMMAND.search(told)
        made = Tags(readers.markdown_html(comparison_markdown.text(found)))
        assert not made.wrong and not {"script", "img", "a"} & {tag for tag, _ in made.tags}
        page = Tags(comparison_html.text(found))
        assert not page.wrong and [tag for tag, _ in page.tags].count("script") == 1 and "img" not in dict(page.tags)
