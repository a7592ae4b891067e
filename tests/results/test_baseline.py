"""The file of known failures: only what was accepted, with its reason, stops being red."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from fsprobe.errors import UsageError
from fsprobe.results.baseline import Baseline, Known, load, mark_known
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause, Verdict

TODAY = datetime.date(2030, 6, 15)


def result(verdict: str, id: str = "posix.link.creates") -> CheckResult:
    return CheckResult(id, "mount", "LINK", "link(2) works.", "MUST", Verdict(verdict))


def baseline(*entries: Known) -> Baseline:
    return Baseline("known.toml", entries, TODAY)


def read(tmp_path: Path, text: str) -> Baseline:
    path = tmp_path / "known.toml"
    path.write_text(text)
    return load(path)


@pytest.mark.parametrize(
    ("known", "seen", "counts"),
    [
        (None, "FAIL", "XFAIL"),
        (None, "WARN", "XFAIL"),
        (None, "UNSUPPORTED", "XFAIL"),
        (None, "PASS", "XPASS"),
        (None, "INFO", "XPASS"),
        (None, "HANG", "HANG"),
        (None, "CRASH", "CRASH"),
        (None, "NOTRUN", "NOTRUN"),
        (None, "SKIP", "SKIP"),
        (None, "ERROR", "ERROR"),
        ("HANG", "HANG", "XFAIL"),
        ("HANG", "FAIL", "FAIL"),
        ("FAIL", "CRASH", "CRASH"),
        ("FAIL", "WARN", "WARN"),
        ("NOTRUN", "NOTRUN", "XFAIL"),
        ("CRASH", "PASS", "XPASS"),
    ],
)
def test_a_known_verdict_is_expected_and_no_other(known: str | None, seen: str, counts: str) -> None:
    """A known FAIL that turns into a CRASH would hide behind its entry."""
    entry = Known("posix.link.creates", "later", Verdict(known) if known else None)
    got = baseline(entry).applied(result(seen))
    assert got.verdict == counts
    assert got.seen == (seen if counts in ("XFAIL", "XPASS") else "")
    assert ("later" in got.reason) == (counts in ("XFAIL", "XPASS"))


def test_an_expired_entry_excuses_nothing() -> None:
    """What was accepted until a day would be accepted for ever."""
    entry = Known("posix.link.creates", "until then", expires=TODAY)
    assert baseline(entry).applied(result("FAIL")).verdict is Verdict.XFAIL
    late = Baseline("known.toml", (entry,), TODAY + datetime.timedelta(days=1))
    assert late.applied(result("FAIL")).verdict is Verdict.FAIL
    assert late.report(["posix.link.creates"])["expired"] == ["posix.link.creates"]


def test_the_exact_entry_goes_before_a_glob() -> None:
    """The reason of one check would be that of all."""
    entries = (Known("posix.link.*", "none at all"), Known("posix.link.creates", "this one"))
    assert baseline(*entries).applied(result("FAIL")).reason == "this one"
    assert baseline(*entries).applied(result("FAIL", "posix.link.other")).reason == "none at all"


def test_stale_is_an_entry_that_no_check_has_among_the_suites_that_were_loaded() -> None:
    """Entries would outlive the checks they are about, or a run of one suite would condemn those of the others."""
    entries = (Known("posix.gone.check", "old"), Known("shell.touch", "of a suite not loaded"), Known("posix.l*", "ok"))
    assert baseline(*entries).report(["posix.link.creates"])["stale"] == ["posix.gone.check"]


def test_a_diagnosis_is_known_when_all_behind_it_is() -> None:
    """A known fault would be told as news, or news as known."""
    rows = [result("FAIL", "a"), result("FAIL", "b"), result("FAIL", "c")]
    applied = [baseline(Known("a", "x"), Known("b", "x")).applied(row) for row in rows]
    diagnoses = [Diagnosis(Cause.WRONG_DATA, "READ", "proven", name, checks=checks)
                 for name, checks in (("known", ("a", "b")), ("half", ("b", "c")), ("none", ("d",)))]
    marked = mark_known(diagnoses, applied)
    assert [(d.summary, d.known) for d in marked] == [("half", False), ("none", False), ("known", True)]


def test_a_file_is_read(tmp_path: Path) -> None:
    """Everything that may stand in it means something."""
    got = read(tmp_path, """
        schema = "fsprobe.baseline/1"
        target = "myfs"
        [[known]]
        check = "posix.link.creates"
        verdict = "FAIL"
        reason = "FAT has no hard links"
        expires = 2031-01-01
        link = "https://example.org/1"
    """)  # fmt: skip
    expires = datetime.date(2031, 1, 1)
    assert got.entries == (
        Known("posix.link.creates", "FAT has no hard links", Verdict.FAIL, expires, "https://example.org/1"),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[known]]\ncheck = 'a.b'", "has no reason"),
        ("[[known]]\ncheck = 'a.b'\nreason = ' '", "has no reason"),
        ("[[known]]\nreason = 'x'", "does not say which check"),
        ("[[known]]\ncheck = 'a.b'\nreson = 'x'", "did you mean 'reason'"),
        ("[[knwon]]\ncheck = 'a.b'", "did you mean 'known'"),
        ("[known]\ncheck = 'a.b'\nreason = 'x'", r"\[\[known\]\]"),
        ("[[known]]\ncheck = 'a.b'\nreason = 'x'\nverdict = 'PASS'", "cannot be known"),
        ("[[known]]\ncheck = 'a.b'\nreason = 'x'\nexpires = 'soon'", "no date"),
        ("[[known]]\ncheck = 'a.b'\nreason = 'x'\n[[known]]\ncheck = 'a.b'\nreason = 'y'", "two entries"),
        ("schema = 'fsprobe.baseline/9'", "its schema is"),
        ("known = ", "not TOML"),
    ],
)
def test_a_bad_file_says_what_is_wrong(tmp_path: Path, text: str, told: str) -> None:
    """A misspelt key would accept nothing, silently, or everything."""
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text)
    import re

    assert re.search(told, "\n".join(caught.value.lines()))


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    """The first use of --baseline would end in the dark."""
    with pytest.raises(UsageError, match="cannot be read") as caught:
        load(tmp_path / "none.toml")
    assert "fsprobe baseline" in str(caught.value.command)
