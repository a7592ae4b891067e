"""Formats on the command line: what goes where, and what is written whatever the end."""

from __future__ import annotations

import json

import pytest

from tests.cli.test_main import fsprobe, with_run
from tests.report import documents, readers

ENDS = {
    "good": ("return documents.good()", 0),
    "started nothing": ("error = TargetError('x')\nerror.document = documents.not_mounted()\nraise error", 4),
    "own fault": ("raise ZeroDivisionError('oops')", 3),
    "interrupted": ("document = documents.hang()\ndocument['summary']['exit_code'] = 130\nreturn document", 130),
    "interrupted early": ("raise KeyboardInterrupt", 130),
}


@pytest.mark.parametrize("end", ENDS)
def test_every_result_asked_for_is_written_whatever_the_end(tmp_path, end):
    """CI would report a missing file where a target did not start."""
    body, status = ENDS[end]
    places = {form: tmp_path / f"result.{form}" for form in ("json", "junit", "markdown", "html")}
    words = [word for form, path in places.items() for word in (f"--{form}", path)]
    shown = fsprobe("run", "-q", *words, code=with_run(body))
    assert shown.returncode == status, shown.stderr
    assert json.loads(places["json"].read_text())["summary"]["exit_code"] == status
    outcomes = [outcome for outcome, _, _ in readers.junit(places["junit"].read_text()).values()]
    assert ("error" in outcomes) == (status != 0)
    assert places["markdown"].read_text().startswith("## fsprobe: ") and "</html>" in places["html"].read_text()


def test_one_format_may_have_standard_output():
    """`fsprobe run --markdown - >> $GITHUB_STEP_SUMMARY` must hold nothing else."""
    shown = fsprobe("run", "--markdown", "-", code=with_run("return documents.good()"))
    assert shown.stdout.startswith("## fsprobe: ") and "exit 0: all as expected" in shown.stderr
    shown = fsprobe("run", "--markdown", "-", "--json", "-", code=with_run("return documents.good()"))
    assert shown.returncode == 2 and "both go to standard output" in shown.stderr and shown.stdout == ""


@pytest.mark.parametrize(("words", "told"), [
    (["--html", "{tmp}/same", "--junit", "{tmp}/same"], "both go to"),
    (["--html", "/no/such/dir/x.html"], "no directory"),
    (["--junit", "{tmp}"], "--junit {tmp}/result.xml"),
])  # fmt: skip
def test_a_place_that_cannot_be_is_told_before_the_run(tmp_path, words, told):
    """Minutes of checks, and then no room for the result."""
    words = [word.format(tmp=tmp_path) for word in words]
    shown = fsprobe("run", *words, code=with_run("raise AssertionError('ran all the same')"))
    assert shown.returncode == 2 and told.format(tmp=tmp_path) in shown.stderr


def test_a_page_that_fails_costs_neither_the_json_nor_the_report(tmp_path):
    """The one result from which all others can be made must not be lost with them."""
    body = "import fsprobe.report.html as page\npage.text = lambda document: 1 / 0\nreturn documents.good()"
    shown = fsprobe("run", "--html", tmp_path / "x.html", "--json", tmp_path / "x.json", code=with_run(body))
    assert shown.returncode == 3 and "ZeroDivisionError" in shown.stderr
    assert json.loads((tmp_path / "x.json").read_text()) == documents.good()
    assert "exit 0: all as expected" in shown.stdout


def test_report_makes_any_format_from_a_result(tmp_path):
    """The CI job that made the result is over; the formats are not."""
    path = tmp_path / "r.json"
    path.write_text(json.dumps(documents.before_fix()))
    cases = readers.junit(fsprobe("report", path, "--format", "junit").stdout)
    assert len(cases) == len(documents.before_fix()["checks"])
    shown = fsprobe("report", path, "--format", "html", "-o", tmp_path / "x.html")
    assert shown.stdout == "" and "Operations × layers" in (tmp_path / "x.html").read_text()
    ascii_only = fsprobe("report", path, "--format", "tap", env={"PYTHONIOENCODING": "ascii"})
    assert "→ ENOSYS" in json.loads('"' + ascii_only.stdout.split('- "')[1].split('"')[0] + '"')
    assert fsprobe("report", path, "--format", "pdf").returncode == 2


def test_compare_and_its_exit_status(tmp_path):
    """A job that gates on it must fail on a regression, and on nothing else."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(documents.good()))
    changed = documents.good()
    changed["checks"][3] |= {"verdict": "FAIL"}
    bad.write_text(json.dumps(changed))
    worse = fsprobe("compare", good, bad)
    assert worse.returncode == 1 and "posix.op3.works" in worse.stdout and "exit 1: regressions" in worse.stdout
    assert fsprobe("compare", bad, good).returncode == 0
    assert fsprobe("compare", good, bad, good).returncode == 0
    told = fsprobe("compare", good, bad, "--format", "markdown", "-o", tmp_path / "x.md")
    assert told.returncode == 1 and "1 regression" in (tmp_path / "x.md").read_text()
    for words in ([good], [good, tmp_path / "none.json"], [good, bad, "--slower", "1"]):
        wrong = fsprobe("compare", *words)
        assert wrong.returncode == 2 and wrong.stdout == "" and "fsprobe: " in wrong.stderr
