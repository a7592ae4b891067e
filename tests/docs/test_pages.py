"""The documentation: what it says can be typed, written and copied as it stands. `make docs` checks its links."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from fsprobe.checks.suite import BUILT_IN, load_suite
from fsprobe.cli.main import cli
from fsprobe.config import project
from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.pytest_plugin.settings import SETTINGS
from fsprobe.relay.rules import parse
from fsprobe.results import baseline
from tests.command import Command

CLONE = Path(__file__).parent.parent.parent
DOCS = CLONE / "docs"
PAGES = [CLONE / "README.md", CLONE / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)\n```$", re.S | re.M)


def _tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fsprobe_docs_tables", DOCS / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands() -> Iterator[tuple[str, str]]:
    """Page and command line of every fsprobe command that a reader could type."""
    for page in PAGES:
        text = page.read_text()
        typed = [line for _, block in BLOCK.findall(text) for line in block.splitlines() if line.startswith("fsprobe ")]
        typed += re.findall(r"`(fsprobe [a-z][^`\n]*)`", text)
        typed += re.findall(r"<!-- screen: (fsprobe .+?)(?: \| (?:from|until|head|tail) .*)? -->", text)
        for line in typed:
            if not re.match(r"fsprobe (\d|works|cannot)", line):  # the first lines of screens
                yield page.name, re.sub(r"  #.*| \|\| true| > \S+$", "", line)


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_commands_can_be_typed(page: str, line: str) -> None:
    """Whoever copies a command from the documentation does not get a usage error."""
    verb, *words = shlex.split(line.replace("…", ""))[1:]
    assert verb in cli.commands or verb.startswith("-"), f"{page}: {line}"
    if verb in cli.commands and "VERB" not in line:
        words = words[: words.index("--")] if "--" in words else words
        known = {name for option in cli.commands[verb].params for name in (*option.opts, *option.secondary_opts)}
        known |= {"--help", "-h"}
        assert [word for word in words if re.match(r"--?[a-z]", word) and word.split("=")[0] not in known] == []
        bare = [word for word in words if word not in ("--help", "-h")]
        required = [p for p in cli.commands[verb].params if isinstance(p, click.Argument) and p.required]
        if bare and required:
            cli.commands[verb].make_context(verb, bare, resilient_parsing=True)


def test_options_that_pages_name_are_there() -> None:
    """No page sends anybody to an option that does not exist."""
    known = {name for verb in cli.commands.values() for option in verb.params for name in option.opts}
    known |= {setting.flag for setting in SETTINGS} | {"--help", "--version"}
    ours = re.compile(r"`(--[a-z][a-z-]+)\b")
    foreign = {"--junitxml", "--lf", "--device", "--cap-add", "--security-opt", "--privileged", "--check", "--front",
               "--store", "--profile", "--list-profiles", "--fsprobe-suite"}  # fmt: skip
    wrong = {(page.name, name) for page in PAGES for name in ours.findall(page.read_text())
             if name not in known | foreign}  # fmt: skip
    assert wrong == set()


def test_keys_of_pytest_that_pages_name_are_there() -> None:
    """No page sends anybody to an ini key that does not exist."""
    known = {setting.key for setting in SETTINGS}
    named = {name for page in PAGES for name in re.findall(r"\bfsprobe_[a-z_]+\b", page.read_text())}
    assert named - known <= {"fsprobe_plugin"}


def test_rules_that_pages_name_can_be_injected() -> None:
    """A fault that is copied from a page is one that fsprobe takes."""
    text = (DOCS / "faults.md").read_text()
    rules = re.findall(r"^\| `([A-Z*]+:[^`]+)`", text, re.M) + re.findall(r"--inject '([^']+)'", text)
    assert len(rules) > 5
    for rule in rules:
        parse(rule)


def test_configuration_and_baseline_can_be_copied(tmp_path: Path) -> None:
    """The example files are taken by fsprobe as they stand."""
    blocks = [block for kind, block in BLOCK.findall((DOCS / "configuration.md").read_text()) if kind == "toml"]
    targets = next(block for block in blocks if "[targets." in block)
    known = next(block for block in blocks if "[[known]]" in block)
    (tmp_path / "fsprobe.toml").write_text(targets)
    found = project.load(tmp_path / "fsprobe.toml")
    assert set(found.targets) == {"myfs", "cached", "before-fix", "share"}
    assert len(baseline.entries_of(tomllib.loads(known), "known.toml")) == 2


def test_the_check_of_the_page_is_the_one_that_is_tried() -> None:
    """Whoever learns from the example learns code that runs."""
    page = next(block for kind, block in BLOCK.findall((DOCS / "writing-a-check.md").read_text()) if kind == "python")
    file = (DOCS / "examples" / "suite" / "notes.py").read_text()
    functions = [[ast.dump(node) for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
                 for text in (page, file)]  # fmt: skip
    assert functions[0] == functions[1] != []


@pytest.mark.mount
@pytest.mark.parametrize("rule", ["", *load_suite(str(DOCS / "examples" / "suite"))[0].killers])
def test_the_example_of_a_check_passes_and_can_fail(rule: str, fsprobe: Command) -> None:
    """The example does what the page says of it: it passes on a sound file system, and each killer turns it red."""
    ended = fsprobe("run", "vexfs", "--suite", str(DOCS / "examples" / "suite"), *(("--inject", rule) if rule else ()))
    assert ended.exit_code == (1 if rule else 0), str(ended)


@pytest.mark.mount
def test_the_first_screen_is_what_is_shown_today(fsprobe: Command) -> None:
    """Who follows the first page sees what it shows: the same operations at fault, for the same cause."""
    page = " ".join((DOCS / "first-five-minutes.md").read_text().split())
    told = re.search(r"(\d+) operations are not implemented: ([A-Z, ]+)\.", page)
    assert told is not None
    ended = fsprobe("run", "vexfs:before-fix", "--quick")
    shown = re.search(r"(\d+) operations are not implemented: ([A-Z, ]+)\.", " ".join(ended.stdout.split()))
    assert shown is not None, str(ended)
    assert (told[1], set(told[2].split(", "))) == (shown[1], set(shown[2].split(", "))), "run tools/screens"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """No link of a page leads nowhere where it is read as a file; those to generated pages name one."""
    made = {f"generated/{name}" for name in _tables().pages()}
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if not link.startswith("https://"):
            assert (page.parent / link).exists() or link in made, f"{page.name}: {link}"


def test_generated_pages_have_every_operation_and_check() -> None:
    """What can be asked stands in the documentation, whoever added it last."""
    pages = {name: "\n".join(lines) for name, lines in _tables().pages().items()}
    assert {f"operations/{name}.md" for name in OPERATIONS} <= pages.keys()
    for suite in BUILT_IN:
        for check in load_suite(suite):
            assert f"`{check.id}`" in pages[f"checks/{suite}.md"]
            assert check.op not in OPERATIONS or check.id in pages[f"operations/{check.op}.md"]
    assert "`--inject" in pages["commands.md"]
    assert "`fsprobe_timeout`" in pages["keys.md"]


def test_texts_of_tables_are_shown_as_they_are() -> None:
    """A star or an angle bracket in a sentence is not taken for a mark-up; code stays code."""
    escape = _tables().escape
    assert escape("a <b> *c* `*d*`") == "a \\<b\\> \\*c\\* `*d*`"
    assert escape("one ` alone") == "one \\` alone"
