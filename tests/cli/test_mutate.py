"""`fsprobe mutate`, `list --killers` and `list --rules` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fsprobe.cli.main import main
from tests.command import Command
from tests.leaks import LeakWatch


@pytest.mark.mount
def test_the_score_on_the_screen_and_in_a_file(fsprobe: Command, leaks: LeakWatch, tmp_path: Path) -> None:
    """What was found must be read without a program, and compared with one; and nothing may be left behind."""
    file = tmp_path / "score.json"
    result = fsprobe("mutate", "vexfs:raw", "--op", "statfs", "--kind", "errno", "--kind", "drop", "--kind", "stale",
                     "--json", str(file))  # fmt: skip
    assert result.exit_code == 0, str(result)
    document = json.loads(file.read_text())
    assert document["summary"]["faults"] == document["summary"]["blamed_right"] >= 5
    assert "SCORE  " in result.stdout and "blamed on the right operation (100.0 %)" in result.stdout
    assert "free space changes by other hands" in result.stdout
    assert "faults: " in result.stderr and "without a fault: " in result.stderr
    assert leaks() == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--op", "SETATR"), "did you mean SETATTR"),
        (("--json", "/does/not/exist/score.json"), "there is no directory"),
        (("--select", "nothing.*"), "matches no check"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_a_slip_of_the_pen_is_told_before_anything_starts(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A minute of work would be for nothing."""
    assert main(["mutate", "vexfs:raw", *words]) == 2
    assert told in capsys.readouterr().err


def test_killers_of_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever doubts a check looks up how to see it fail."""
    assert main(["list", "--killers", "posix.statfs.*"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["posix.statfs.sane", "STATFS:errno=EIO"] for line in lines)
    assert main(["list", "--killers", "--json", "posix.statfs.*"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert {(check, killer) for check, killers in table.items() for killer in killers} == {
        tuple(line.split(maxsplit=1)) for line in lines
    }


def test_the_language_of_rules_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody should have to read the parser to write a rule."""
    assert main(["list", "--rules"]) == 0
    told = capsys.readouterr().out
    assert "errno=NAME" in told and ",p=0..1" in told and "--inject 'READDIR:entries=lose'" in told
    assert main(["list", "--rules", "--json"]) == 0
    assert "entries" in {row["kind"] for row in json.loads(capsys.readouterr().out)["kinds"]}
    assert main(["list", "--rules", "--op", "READ"]) == 2
    assert main(["run", "--help"]) == 0 and "list --rules" in " ".join(capsys.readouterr().out.split())
