"""Every format, read back by a reader that is not ours."""

from __future__ import annotations

import json
import re

import pytest

from fsprobe.report.formats import NAMES, text
from fsprobe.report.github import LIMIT
from fsprobe.report.markdown import LIMIT as MARKDOWN_LIMIT
from fsprobe.results.verdicts import Verdict
from tests.report import documents, readers, recorded


def one_of_each():
    """A document with a check of every verdict."""
    checks = [
        documents.check(f"posix.verdict.{verdict.lower()}", verdict, "SETATTR", title="It does.", expected="0644",
                        observed="0600", reason="because of a reason # here", trace=["SETATTR /f → EIO 3 µs"],
                        reproduce="fsprobe run x --select y")
        for verdict in Verdict
    ]  # fmt: skip
    return documents.document("./fs", {"SETATTR": documents.operation("wrong", 3, {"EIO": 3})}, checks, 1)


def test_junit_says_of_each_verdict_what_a_ci_must_make_of_it():
    """A CI that shows a declined operation as passed, or a hang as skipped, lies."""
    found = readers.junit(text(one_of_each(), "junit"))
    outcomes = {name.rpartition(".")[2]: outcome for name, (outcome, _, _) in found.items()}
    assert outcomes == {
        "pass": "passed", "info": "passed", "warn": "passed", "unsupported": "skipped", "skip": "skipped",
        "xfail": "skipped", "fail": "failure", "hang": "failure", "crash": "failure", "xpass": "failure",
        "error": "error", "notrun": "error",
    }  # fmt: skip
    _, message, told = found["posix.verdict.fail"]
    assert message == "FAIL: expected 0644, observed 0600"
    for part in ("expected: 0644", "observed: 0600", "SETATTR /f → EIO", "again: fsprobe run x --select y"):
        assert part in told
    assert "because of a reason" in found["posix.verdict.xfail"][1]
    assert "expected 0644, observed 0600" in found["posix.verdict.warn"][2]


def test_tap_says_of_each_verdict_what_a_harness_must_make_of_it():
    """An unexpected pass as `ok # TODO` would be green everywhere."""
    results, kinds = readers.tap(text(one_of_each(), "tap"))
    found = {one.description.removeprefix("- ").rpartition(".")[2].split()[0]: one for one in results}
    assert kinds["unknown"] == 0 and kinds["version"] == 1 and len(results) == len(Verdict)
    ok = {name for name, one in found.items() if one.ok}
    assert ok == {"pass", "info", "warn", "unsupported", "skip"}
    assert {name for name, one in found.items() if one.skip} == {"unsupported", "skip"}
    assert {name for name, one in found.items() if one.todo} == {"xfail"}
    block = found["fail"].yaml_block
    assert block["observed"] == "0600" and block["exchanges"] == ["SETATTR /f → EIO 3 µs"]


@pytest.mark.parametrize("form", ["junit", "tap"])
def test_a_target_that_never_started_is_not_green(form):
    """No test cases at all read as success in every CI."""
    shown = text(documents.not_mounted(), form)
    if form == "junit":
        assert [outcome for outcome, _, _ in readers.junit(shown).values()] == ["error"]
    else:
        assert [one.ok for one in readers.tap(shown)[0]] == [False]
    assert "never mounted anything" in shown


def test_markdown_is_a_matrix_causes_and_folded_checks():
    """What is pasted into an issue has to answer the question without being opened."""
    shown = text(recorded.load("before-fix"), "markdown")
    made = readers.markdown_html(shown)
    top = made[: made.index("<details>")]
    assert "5 operations are not implemented: SETATTR" in top and "<table>" in top and "Operations.SETATTR" in top
    assert made.count("<details>") == made.count("</details>") > 10
    assert made.count("<pre>") >= 40 and "fsprobe run vexfs:before-fix --select" in made
    assert "exit 1: unexpected verdicts" in made


def test_markdown_stays_below_what_github_takes():
    """An issue of more than 65,536 characters is refused, and the report lost."""
    document = recorded.load("before-fix")
    failed = [check for check in document["checks"] if check["verdict"] == "FAIL"]
    many = [{**check, "id": f"{check['id']}-{n}", "observed": "ä|`" * 300} for n in range(60) for check in failed]
    cause = {**document["diagnoses"][0], "cause": "wrong-data", "confidence": "likely", "fix": "µ" * 5000}
    causes = [*document["diagnoses"], *[cause] * 200]
    shown = text({**document, "checks": many, "diagnoses": causes}, "markdown")
    assert MARKDOWN_LIMIT * 0.8 < len(shown.encode()) <= MARKDOWN_LIMIT
    assert re.search(r"\*\d+ more are left out here", shown) and shown.rstrip().endswith("unexpected verdicts")
    assert readers.markdown_html(shown).count("<details>") == readers.markdown_html(shown).count("</details>")


def test_annotations_are_the_causes_and_keep_to_the_limit():
    """Of a hundred annotations GitHub shows ten, not the telling ones, and says nothing."""
    found = readers.commands(text(recorded.load("before-fix"), "github"))
    errors = [title for kind, title, _ in found if kind == "error"]
    assert errors[0].startswith("SETATTR is not implemented")
    document = documents.good()
    document["checks"] = [documents.check(f"posix.a.{n}", "FAIL", "READ", observed="a\nb%") for n in range(40)]
    found = readers.commands(text(document, "github"))
    errors = [one for one in found if one[0] == "error"]
    assert len(errors) == LIMIT and errors[-1][1] == "31 more findings" and "posix.a.39" in errors[-1][2]
    assert errors[0][2] == "a\\nb%"


@pytest.mark.parametrize(("document", "said", "colour"), [
    (documents.good(), "24/24 operations", "brightgreen"),
    (documents.before_fix(), "16/24 operations", "orange"),
    (documents.hang(), "16/17 operations, hangs", "red"),
    (documents.not_mounted(), "did not start", "lightgrey"),
])  # fmt: skip
def test_badge_and_its_endpoint_agree(document, said, colour):
    """A README must not show green for a file system that hangs."""
    assert readers.svg_texts(text(document, "badge")) == [f"fsprobe: {said}", "fsprobe", said]
    endpoint = readers.strict_json(text(document, "badge-json"))
    assert endpoint == {"schemaVersion": 1, "label": "fsprobe", "message": said, "color": colour}


def test_json_is_the_document():
    """Every other format can be made from it again."""
    assert json.loads(text(documents.hang(), "json")) == documents.hang()


@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("document", [documents.good(), documents.not_mounted(), documents.document("x", {}, [], 5)])
def test_every_format_takes_every_document(form, document):
    """A run that failed early is the one whose report is needed."""
    assert text(document, form).strip()


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
def test_requests_without_an_answer_are_counted(form):
    """An operation that hangs would stand there as asked, with no reply at all to read."""
    assert re.search(r"no reply \d", text(recorded.load("lost-reply"), form))
