"""`pytest --fsprobe TARGET`: the checks are items, and everything that pytest does with items works on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsprobe.results.document import load
from tests.leaks import LeakWatch
from tests.pytest_plugin.project import Ended, Project

pytestmark = pytest.mark.mount

# Checks of all three layers, of which SETATTR's fail on this target; about a second.
TARGET = "vexfs:missing-setattr"
FEW = ("--fsprobe-select", "*.setattr.*", "--fsprobe-select", "shell.touch", "--fsprobe-select", "shell.mv",
       "--fsprobe-quick")  # fmt: skip
STRICT = ("-p", "no:cacheprovider", "--strict-markers", "--strict-config", "-W", "error")
SUITE = '''
from fsprobe.checks import Finding, mount_check, OPTIONAL, SHOULD, Unsupported, Skip


@mount_check("mine.good", op="LOOKUP", source="s", quick=True)
def good(fs):
    """All is well."""


@mount_check("mine.bad", op="MKDIR", source="s")
def bad(fs):
    """A directory has a colour."""
    fs.stat("") if hasattr(fs, "nothing") else None
    raise Finding("blue", "\\x1b[31mred]]>&<")


@mount_check("mine.warns", op="MKDIR", source="s", level=SHOULD)
def warns(fs):
    """It would be nice."""
    raise Finding("nice", "not so nice")


@mount_check("mine.unsupported", op="POLL", source="s", level=OPTIONAL)
def unsupported(fs):
    """It polls."""
    raise Unsupported("ENOSYS", 38)


@mount_check("mine.skipped", op="POLL", source="s")
def skipped(fs):
    """Nobody can tell."""
    raise Skip("no moon tonight")


@mount_check("mine.broken", op="POLL", source="s")
def broken(fs):
    """A fault of the check's own."""
    raise RuntimeError("oops")
'''
BASELINE = """
[[known]]
check = "mine.bad"
reason = "colours come later"

[[known]]
check = "mine.good"
reason = "was not so good"
"""


@pytest.fixture
def project(scratch: Path, leaks: LeakWatch) -> Project:
    made = Project(scratch / "project")
    made.write("test_own.py", "def test_own(): pass\n")
    return made


def of_fsprobe(ended: Ended) -> dict[str, str]:
    """The outcomes of checks."""
    return {name: outcome for name, outcome in ended.junit.items() if name.startswith("fsprobe.")}


def test_one_item_a_check_twice_the_same_also_with_workers(project: Project) -> None:
    """A CI that sees other tests every time cannot tell what has changed; workers that see half each are one run."""
    run = ("--fsprobe", TARGET, *FEW, *STRICT)
    first = project.run(*run, "--fsprobe-json", "alone.json")
    again = project.run(*run)
    shared = project.run(*run, "-n", "2", "--fsprobe-json", "shared.json")
    assert first.code == again.code == shared.code == 1
    assert first.junit == again.junit == shared.junit
    assert list(first.junit) == list(again.junit), "the order, too"
    outcomes = of_fsprobe(first)
    assert outcomes["fsprobe.vexfs:missing-setattr::shell.touch"] == "failed"
    assert outcomes["fsprobe.vexfs:missing-setattr::shell.mv"] == "passed"
    assert {name.partition("::")[2].partition(".")[0] for name in outcomes} == {"protocol", "posix", "shell"}
    assert "SETATTR is not implemented" in first.text and "SETATTR is not implemented" in shared.text
    alone, joined = (load(project.place / name) for name in ("alone.json", "shared.json"))
    verdicts = [[(check["id"], check["verdict"]) for check in document["checks"]] for document in (alone, joined)]
    assert verdicts[0] == verdicts[1] and joined["environment"]["sessions"] == 2
    assert [one["cause"] for one in joined["diagnoses"]] == [one["cause"] for one in alone["diagnoses"]]
    assert joined["operations"]["SETATTR"]["verdict"] == "ENOSYS"
    assert joined["operations"]["SETATTR"]["requests"] >= alone["operations"]["SETATTR"]["requests"]


def test_a_failure_tells_what_and_why_and_shows_no_traceback(project: Project) -> None:
    """Whoever reads the CI's log has to see the cause, not fsprobe's own code."""
    ended = project.run("--fsprobe", TARGET, "--fsprobe-select", "shell.touch", *STRICT)
    told = ended.messages["fsprobe.vexfs:missing-setattr::shell.touch"]
    for text in ("expected", "observed", "SETATTR /", "→ ENOSYS", "not-implemented", "Implement", "again     fsprobe"):
        assert text in told, text
    assert "Traceback" not in ended.text and "pytest_plugin" not in ended.text
    assert "FAILED fsprobe::vexfs:missing-setattr::shell.touch - FAIL SETATTR: " in ended.text


def test_selecting_by_name_marker_nodeid_and_last_failure(project: Project) -> None:
    """Mending one thing, nobody wants to wait for all of it."""
    project.write("mine.py", SUITE)
    run = ("--fsprobe", "vexfs:raw", "--fsprobe-suite", "mine.py")
    name = "fsprobe.vexfs:raw::mine."
    assert set(of_fsprobe(project.run(*run, "-k", "warns"))) == {f"{name}warns"}
    assert set(of_fsprobe(project.run(*run, "-m", "mount and LOOKUP"))) == {f"{name}good"}
    assert project.run(*run, "fsprobe::vexfs:raw::mine.good").junit == {f"{name}good": "passed"}
    wrong = project.run(*run, "fsprobe::vexfs:raw::mine.goud")
    assert wrong.code == 4 and "did you mean fsprobe::vexfs:raw::mine.good" in wrong.text
    without = project.run(*run, "--deselect", "fsprobe::vexfs:raw::mine.broken", "-x")
    assert without.count("failed") == 1 and f"{name}broken" not in without.junit
    assert f"{name}warns" not in without.junit, "the first failure was the last"
    assert set(project.run(*run, "--lf").junit) == {f"{name}bad"}


def test_collecting_starts_nothing(project: Project) -> None:
    """An editor collects at every key stroke; a build that is not there yet must not matter for that."""
    project.write("target.sh", "#!/bin/sh\ntouch started\nexit 3\n")
    (project.place / "target.sh").chmod(0o755)
    ended = project.run("--fsprobe", "./target.sh", "--collect-only", "-q")
    assert ended.code == 0 and "fsprobe::target.sh::posix.rename.atomic" in ended.text
    assert not (project.place / "started").exists()
    ended = project.run("--fsprobe", "./target.sh", "--fsprobe-select", "*.rename.*")
    assert (project.place / "started").exists()
    outcomes = of_fsprobe(ended)
    assert ended.code == 1 and set(outcomes.values()) == {"failed"}
    assert ended.text.count("exited with status 3") >= len(outcomes)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "workers"])
def test_verdicts_become_outcomes(project: Project, workers: tuple[str, ...]) -> None:
    """A skip that looks green, or a warning that stops a release, would be a verdict of pytest's own."""
    project.write("mine.py", SUITE)
    project.write("known.toml", BASELINE)
    run = ("--fsprobe", "vexfs:raw", "--fsprobe-suite", "mine.py", *STRICT, "-rA", *workers)
    ended = project.run(*run)
    names = {name.rpartition("::mine.")[2]: outcome for name, outcome in of_fsprobe(ended).items()}
    assert names == {"good": "passed", "bad": "failed", "warns": "passed", "unsupported": "skipped",
                     "skipped": "skipped", "broken": "failed"}  # fmt: skip
    assert "no moon tonight" in ended.text and "not so nice" in ended.text
    assert "\x1b[31m" not in ended.text and "\\x1b[31mred]]>&<" in ended.text, "what a target says is only shown"
    known = project.run(*run, "--fsprobe-baseline", "known.toml", "--fsprobe-json", "result.json")
    names = {name.rpartition("::mine.")[2]: outcome for name, outcome in of_fsprobe(known).items()}
    assert (names["bad"], names["good"]) == ("skipped", "failed")
    assert known.count("xfailed") == 1 and "colours come later" in known.text and "it passes, but" in known.text
    document = load(project.place / "result.json")
    assert document["summary"]["counts"] == {
        "WARN": 1, "UNSUPPORTED": 1, "SKIP": 1, "ERROR": 1, "XFAIL": 1, "XPASS": 1
    }  # fmt: skip


def test_a_stale_entry_of_the_baseline_is_red(project: Project) -> None:
    """A file of known failures that nobody keeps in order hides the next one."""
    project.write("known.toml", '[[known]]\ncheck = "shell.no-such-check"\nreason = "was renamed"\n')
    run = ("--fsprobe", "vexfs:raw", "--fsprobe-suite", "shell", "--fsprobe-select", "shell.touch")
    assert project.run(*run).code == 0
    ended = project.run(*run, "--fsprobe-baseline", "known.toml")
    assert ended.code == 1 and "shell.no-such-check names no check" in ended.text


def test_eight_lines_of_configuration(project: Project, bindfs: str, leaks: LeakWatch) -> None:
    """What a new project has to write is what the README says, and `pytest test_own.py` stays what it was."""
    (project.place / "pytest.ini").unlink()
    project.write("pyproject.toml", f"""
[project]
name = "myfs"
version = "1"
[tool.pytest.ini_options]
fsprobe_target = "{bindfs}"
fsprobe_select = ["*.rename.*", "shell.mv"]
fsprobe_timeout = "5"
fsprobe_quick = true
""")
    first, again, shared = project.run(), project.run(), project.run("-n", "2")
    assert first.junit == again.junit == shared.junit and leaks() == []
    outcomes = of_fsprobe(first)
    assert {name.partition("::")[2].partition(".")[0] for name in outcomes} == {"protocol", "posix", "shell"}
    assert outcomes["fsprobe.bindfs::shell.mv"] == first.junit["test_own::test_own"] == "passed"
    assert set(project.run("test_own.py").junit) == {"test_own::test_own"}
    one = project.run("fsprobe::bindfs::shell.mv", "-n", "1")
    assert one.junit == {"fsprobe.bindfs::shell.mv": "passed"}
    assert set(project.run("--fsprobe-no-checks").junit) == {"test_own::test_own"}


def test_a_hanging_target_fails_its_tests_and_pytest_ends(project: Project, leaks: LeakWatch) -> None:
    """The commonest fault of a FUSE file system must not cost the CI its time limit and its report."""
    run = ("--fsprobe", "vexfs:lost-reply=MKDIR", "--fsprobe-select", "*.mkdir.*", "--fsprobe-quick",
           "--fsprobe-timeout", "2", "--timeout", "1")  # fmt: skip
    ended = project.run(*run, "-n", "2")
    outcomes = set(of_fsprobe(ended).values())
    assert ended.code == 1 and "failed" in outcomes and not outcomes & {"passed", "error"}
    assert "[lost-reply, proven" in ended.text
    assert ended.junit["test_own::test_own"] == "passed"
    assert leaks() == []


@pytest.mark.parametrize(
    ("args", "ini", "told"),
    [
        (("--fsprobe-timeout", "soon"), "", "invalid fsprobe timeout 'soon' from option --fsprobe-timeout"),
        ((), "fsprobe_timeout = -1", "invalid fsprobe timeout '-1' from fsprobe_timeout in pytest.ini"),
        (("--fsprobe-select", "posix.renam.*"), "", "matches no check"),
        (("--fsprobe-baseline", "nowhere.toml"), "", "nowhere.toml cannot be read"),
        (("--fsprobe", "./nothing"), "", "./nothing, from option --fsprobe"),
        (("--fsprobe-inject", "MKDIR:erno=EIO"), "", "erno"),
        (("--fsprobe-json", "nowhere/r.json"), "", "'nowhere/r.json' from option --fsprobe-json cannot be written"),
    ],
)
def test_a_wrong_value_says_where_it_came_from(project: Project, args: tuple[str, ...], ini: str, told: str) -> None:
    """Options, a file and markers can all say it: which one is wrong is what has to be known."""
    project.write("pytest.ini", f"[pytest]\nfsprobe_target = vexfs:raw\n{ini}\n")
    ended = project.run(*args)
    assert ended.code == 4 and told in ended.text and "Traceback" not in ended.text
    assert "INTERNALERROR" not in ended.text


def test_markers_and_options_are_described(project: Project) -> None:
    """`pytest --markers` and `--help` are where people look first."""
    markers = project.run("--fsprobe", "vexfs", "--markers").text
    assert "@pytest.mark.fsprobe(target=None" in markers and "@pytest.mark.SETATTR: " in markers
    text = " ".join(project.run("--help").text.split())
    help_of = "Until one request or command counts as hung; 10 unless said."
    assert text.count(help_of) == 2 and help_of in " ".join(markers.split()), "option, ini key and marker say the same"
