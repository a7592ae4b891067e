"""Completion, in a real bash on a terminal: ids are long, and nobody types them twice."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pexpect
import pytest

from fsprobe.cli.main import main

PROMPT = "ready> "
CASES = [
    ("fsprobe expl", "fsprobe explain "),
    ("fsprobe run vexfs:missing", "fsprobe run vexfs:missing-setattr "),
    ("fsprobe run mi", "fsprobe run mine "),
    ("fsprobe run --select posix.rename.over-full", "fsprobe run --select posix.rename.over-full-directory "),
    ("fsprobe run --op SETA", "fsprobe run --op SETATTR "),
    ("fsprobe explain shell.historic.tou", "fsprobe explain shell.historic.touch "),
    ("fsprobe run --start-t", "fsprobe run --start-timeout "),
    ("fsprobe run ./daem", "fsprobe run ./daemon "),
]


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> pexpect.spawn:
    """A shell on a terminal that has read the script, in a directory with a configuration and a daemon."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    here = tmp_path_factory.mktemp("completion")
    command = here / "bin" / "fsprobe"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\nexec {sys.executable} -P -m fsprobe.cli.main \"$@\"\n")
    (here / "fsprobe.toml").write_text('[targets.mine]\ncommand = "./daemon"\n')
    for path in (command, here / "daemon"):
        path.touch()
        path.chmod(0o755)
    clone = str(Path(__file__).parent.parent.parent)
    env = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": clone, "PS1": PROMPT}
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile"], cwd=here, env=env, encoding="utf-8", timeout=20, dimensions=(40, 200)
    )
    shell.sendline("bind 'set bell-style none'; bind 'set enable-bracketed-paste off'")
    shell.sendline("eval \"$(fsprobe completion bash)\"")
    shell.sendline("printf 'lo%s\\n' aded")
    shell.expect_exact("loaded\r\n")
    yield shell
    shell.close(force=True)


@pytest.mark.parametrize(("typed", "wanted"), CASES)
def test_a_word_is_completed(bash: pexpect.spawn, typed: str, wanted: str) -> None:
    """A target with a colon, a check id, an option, a configured name, a file."""
    bash.expect_exact(PROMPT)
    bash.send(typed + "\t#")
    bash.expect_exact(wanted + "#")
    bash.sendline("\x15")  # take the line back: nothing is run


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_have_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever does not use bash would type everything."""
    assert main(["completion", shell]) == 0
    assert "_FSPROBE_COMPLETE" in capsys.readouterr().out
