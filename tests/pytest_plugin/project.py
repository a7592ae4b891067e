"""A small project of somebody else whose tests use the plugin, and pytest run on it as that person would.

Owns writing the files, running, and reading the outcome; knows nothing of the plugin's inside.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.command import User, me

CLEAN = ("FSPROBE_RUN", "PYTEST_", "COV_", "CI", "BUILD_NUMBER")


@dataclass(frozen=True)
class Ended:
    """How a run of pytest ended. junit: outcome by `classname::name`: passed, failed, error or skipped."""

    code: int
    text: str
    junit: dict[str, str]
    messages: dict[str, str]

    def count(self, word: str) -> int:
        """The number before a word of the last line: `12 failed`."""
        found = re.findall(rf"(\d+) {word}", self.text.rstrip().rpartition("\n")[2])
        return int(found[0]) if found else 0


class Project:
    """`write` files, then `run`. `start` does not wait."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir()
        self.write("pytest.ini", "[pytest]\n")

    def write(self, name: str, text: str) -> None:
        """A file of the project."""
        (self.place / name).write_text(text)

    def start(
        self, *args: str, user: User | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """pytest, in a session of its own."""
        user = user or me()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(CLEAN)}
        junit = self.place / "junit.xml"
        junit.unlink(missing_ok=True)
        # Hypothesis's plugin takes four times as long to load as all the rest.
        command = [user.python, "-m", "pytest", f"--junitxml={junit}", "-p", "no:hypothesispytest", *args]
        return subprocess.Popen(
            user.wrap(command), cwd=self.place,
            env={**kept, "COLUMNS": "100", **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def run(
        self, *args: str, timeout: float = 60.0, user: User | None = None, env: Mapping[str, str] | None = None
    ) -> Ended:
        """pytest to its end, which has to come in time."""
        process = self.start(*args, user=user, env=env)
        try:
            text, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"pytest {' '.join(args)} did not end within {timeout} s") from None
        print(text[-8000:])
        outcomes, messages = _read(self.place / "junit.xml")
        return Ended(process.returncode, text, outcomes, messages)


def _read(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    outcomes: dict[str, str] = {}
    messages: dict[str, str] = {}
    if path.exists():
        for case in ElementTree.parse(path).iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            bad = [child for child in case if child.tag in ("failure", "error", "skipped")]
            outcomes[name] = {"failure": "failed"}.get(bad[0].tag, bad[0].tag) if bad else "passed"
            messages[name] = (bad[0].get("message") or "") + "\n" + (bad[0].text or "") if bad else ""
    return outcomes, messages


def has_xdist() -> bool:
    """Whether tests can be shared between workers."""
    return subprocess.run([sys.executable, "-c", "import xdist"], capture_output=True, check=False).returncode == 0
