"""The HTML page in a real browser: Debian's Chromium, driven by playwright. SKIP where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from fsprobe.report import comparison_html
from fsprobe.report.comparison import view
from fsprobe.report.formats import text
from tests.report import documents, hostile, recorded

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
TIMELINE = {
    "rule": "all", "seen": 3, "kept": 3, "every": 1, "columns": [], "checks": ["shell.touch"],
    "exchanges": [[0, "wire", "INIT", "ok", 200.0, None], [50_000, "shell", "SETATTR", "ENOSYS", 31.0, 0],
                  [90_000, "shell", "LOOKUP", "ok", 20.0, 0]],
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not os.path.exists(CHROMIUM):
        pytest.skip(f"{CHROMIUM} is not installed (package chromium)")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Opened:
    """A page and everything it did that it should not."""

    def __init__(self, browser: Any, path: Any, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("console", lambda message: self.wrong.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.wrong.append(f"dialog: {dialog.message}") or dialog.dismiss())
        self.page.on("request", lambda request: self.wrong.append(f"request: {request.url}")
                     if request.url != path.as_uri() else None)  # fmt: skip
        self.page.goto(path.as_uri())

    def shown(self) -> list[str]:
        """Ids of the checks that can be seen."""
        found: list[str] = self.page.locator("details.check:not([hidden]) .id").all_text_contents()
        return found

    def done(self) -> None:
        self.context.close()
        assert self.wrong == []


@pytest.fixture
def opened(browser, tmp_path) -> Iterator[Any]:
    """`opened(document, width=…, …)`: the page; at the end nothing may have gone wrong in any."""
    pages: list[Opened] = []

    def open_page(html: str, **context: Any) -> Opened:
        path = tmp_path / f"page-{len(pages)}.html"
        path.write_text(html)
        pages.append(Opened(browser, path, **context))
        return pages[-1]

    yield open_page
    for page in pages:
        page.done()


def before_fix() -> dict[str, Any]:
    document = documents.before_fix() | {"timeline": TIMELINE}
    document["operations"]["SETATTR"]["latency_us"] = {"30": 20, "50": 28}
    return document


def test_filters_by_verdict_layer_operation_and_words(opened):
    """Four hundred checks without filters are a wall."""
    report = opened(text(before_fix(), "html"))
    page = report.page
    every = len(before_fix()["checks"])
    first = report.shown()
    assert len(first) == 25 and all("FAIL" in one or "WARN" in one for one in page.locator(
        "details.check:not([hidden]) .tag").all_text_contents())  # fmt: skip
    page.get_by_label("WARN").uncheck(force=True)
    assert len(report.shown()) == 24
    page.get_by_role("combobox", name="Layer").select_option("shell")
    assert len(report.shown()) == 8
    page.get_by_role("combobox", name="Operation").select_option("SETATTR")
    assert report.shown() == ["shell.touch"]
    page.get_by_role("button", name="Show all").first.click()
    assert len(report.shown()) == every and page.locator("#shown").text_content() == f"{every} of {every} shown"
    page.get_by_label("Search the checks").fill("setting times touch")
    assert report.shown() == ["shell.touch"]
    page.get_by_label("Search the checks").fill("no such words")
    assert report.shown() == [] and page.get_by_text("No check matches").is_visible()


def test_a_cell_of_the_matrix_leads_to_its_checks_by_keyboard(opened):
    """Whoever has no mouse would see the matrix and no reason."""
    report = opened(text(before_fix(), "html"))
    page = report.page
    page.get_by_role("button", name="SETATTR in the mount layer: ENOSYS").focus()
    page.keyboard.press("Enter")
    assert report.shown() == ["posix.setattr.works", *(f"posix.times.{one}" for one in ("atime", "mtime", "ctime"))]
    page.locator("details.check:not([hidden]) summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.check[open] .telling").inner_text().endswith("/work/test.txt) → ENOSYS, 28 µs")
    page.keyboard.press("/")
    page.keyboard.type("rename")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "q"
    assert page.get_by_label("Search the checks").input_value() == ""


def test_a_link_opens_its_check_and_the_timeline_tells_of_a_request(opened):
    """The way from a mark in the traffic to the check that caused it."""
    report = opened(text(before_fix(), "html"))
    page = report.page
    page.locator("#timeline").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert "shell SETATTR ENOSYS 31 µs shell.touch" in " ".join(page.locator("#readout").inner_text().split())
    page.locator("#readout a").click()
    assert page.locator("details.check[open] .id").all_text_contents() == ["shell.touch"]


def test_light_and_dark_by_the_system_and_by_the_button(opened):
    """A white page at night, or grey on grey."""
    html = text(before_fix(), "html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = (opened(html, color_scheme=scheme).page for scheme in ("light", "dark"))
    colours = [light.evaluate(paper), dark.evaluate(paper)]
    assert colours[0] != colours[1]
    dark.locator("#theme").click()
    light.locator("#theme").click()
    assert [light.evaluate(paper), dark.evaluate(paper)] == colours[::-1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_against_their_ground(opened, scheme):
    """WCAG AA asks for a contrast of 4.5; a tag that cannot be read tells nothing."""
    page = opened(text(before_fix(), "html"), color_scheme=scheme).page
    page.get_by_role("button", name="Show all").first.click()
    assert page.evaluate(CONTRAST) == []


# Of every tag and cell of the matrix: the ones whose contrast is below 4.5, by the formula of WCAG 2.
CONTRAST = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
  const light = (text) => {
    const [r, g, b] = rgb(text).map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const bad = [];
  for (const one of document.querySelectorAll(".tag, .cell, .muted, .what, .n, .first, .chip span, .op, nav a")) {
    const [a, b] = [light(getComputedStyle(one).color), light(ground(one))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) bad.push(`${one.className} ${one.textContent.slice(0, 20)} ${contrast.toFixed(2)}`);
  }
  return [...new Set(bad)];
}"""


@pytest.mark.parametrize("made", [before_fix, lambda: recorded.load("before-fix"), documents.not_mounted,
                                  hostile.document])  # fmt: skip
def test_no_sideways_scrolling_on_a_phone(opened, made):
    """A page that has to be pushed about is not read on a phone."""
    page = opened(text(made(), "html"), viewport={"width": 360, "height": 740}).page
    for check in page.locator("details.check:not([hidden])").all()[:3]:
        check.locator("summary").click()
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > 361 && !one.closest(".scroll, nav, svg, .names, .what, .brand"))
  .map((one) => `${one.tagName}.${one.className}`).slice(0, 9)"""


def test_on_paper_what_needs_a_look_is_open_and_nothing_is_dark(opened):
    """A printed page of folded blocks says nothing."""
    page = opened(text(before_fix(), "html"), color_scheme="dark").page
    assert page.pdf()[:5] == b"%PDF-"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.check[open]").count() == 24
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.check[open]").count() == 0
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("#filters").is_visible()


def test_hostile_text_does_nothing(opened):
    """A file name that runs in the browser of whoever reads the report."""
    report = opened(text(hostile.document(), "html"))
    page = report.page
    page.get_by_role("button", name="Show all").first.click()
    page.get_by_role("button", name="Open all shown").click()
    page.locator("#timeline").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("details.check[open] .label").get_by_text("script that reproduces it").count() == 8
    page.locator("button.op").first.click()
    assert page.title().startswith("fsprobe · <script>") and page.locator("img").count() == 0


def test_comparison_page(opened):
    """The same looks, and nothing loaded."""
    both = view([documents.good(), documents.before_fix()], ["good", "bad"])
    page = opened(comparison_html.text(both), viewport={"width": 360, "height": 740}).page
    assert page.locator("h2").first.text_content().strip() == "Operations × results"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    many = view([documents.good(), documents.before_fix(), documents.hang(), hostile.document()], list("abcd"))
    assert opened(comparison_html.text(many)).page.get_by_text("4 results").is_visible()


def test_without_a_script_everything_can_be_read(opened):
    """A page in a mail or behind a strict proxy runs no script."""
    page = opened(text(before_fix(), "html"), java_script_enabled=False).page
    assert page.locator("details.check").count() == len(before_fix()["checks"])
    assert not page.locator("#filters").is_visible()
    page.locator("details.check summary").first.click()
    assert page.locator("details.check[open] .sentence").first.is_visible()
