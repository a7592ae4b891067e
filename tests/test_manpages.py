"""The man pages, man/*.1: made from the commands' own help by tools/manpages."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fsprobe.cli.main import cli

CLONE = Path(__file__).parent.parent
PAGES = sorted((CLONE / "man").glob("*.1"))


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=CLONE, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False
    )


def test_pages_say_what_the_commands_say() -> None:
    """`man fsprobe-run` and `fsprobe run --help` are one."""
    if importlib.util.find_spec("click_man") is None:
        pytest.skip("click-man is not installed")
    done = _run(sys.executable, "tools/manpages", "--check")
    assert done.returncode == 0, f"run tools/manpages and commit man/:\n{done.stdout}{done.stderr}"


def test_every_verb_has_a_page() -> None:
    """No verb is left out of the manual."""
    assert {path.name for path in PAGES} == {"fsprobe.1", *(f"fsprobe-{name}.1" for name in cli.commands)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_can_be_read(page: Path) -> None:
    """man shows every page without a complaint, its name and its options in it."""
    if shutil.which("mandoc"):
        lint = _run("mandoc", "-Tlint", "-Werror", str(page))
        assert lint.returncode == 0, lint.stdout
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    shown = _run("groff", "-man", "-Tutf8", "-ww", "-P-c", "-P-b", "-P-u", str(page))
    assert shown.returncode == 0, shown.stderr
    assert shown.stderr == ""
    assert page.stem.replace("-", " ", 1) in shown.stdout.replace("‐", "-")
    if page.stem != "fsprobe":
        assert "OPTIONS" in shown.stdout
