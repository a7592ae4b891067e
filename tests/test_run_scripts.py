"""The programs that show a failure without fsprobe, run by plain python3 and bash on faulty and sound mounts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import Command
from tests.reading import document_of

pytestmark = [
    pytest.mark.mount,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting in a namespace of the test's own needs root"),
]
CLONE = Path(__file__).parent.parent
SELECT = ("posix.setattr.*", "posix.unlink.*", "posix.rmdir.*", "shell.touch*", "shell.rm*", "shell.chmod*")
# In namespaces of its own: the mount goes with them, whatever comes. $1 is the profile or "", the rest are programs.
AROUND = """
mount -t tmpfs none "$TMPDIR/m" || exit 9
mkdir "$TMPDIR/m/at"; "$PYTHON" -m reference_fs "$TMPDIR/m/at" -f --front raw $1 & daemon=$!
for _ in $(seq 100); do grep -q "$TMPDIR/m/at " /proc/self/mountinfo && break; sleep 0.05; done
shift
for program in "$@"; do
    case "$program" in *.py) with=python3;; *) with=bash;; esac
    timeout 20 "$with" "$program" "$TMPDIR/m/at" >"$program.said" 2>&1; echo "$?" >"$program.status"
done
kill $daemon; wait $daemon
"""


def statuses(programs: list[Path], profile: str, scratch: Path) -> dict[str, int]:
    """The exit status of each program on a mount of the reference with that profile."""
    (scratch / "m").mkdir(exist_ok=True)
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "bash", "-c", AROUND, "bash", profile]
    environment = {**os.environ, "TMPDIR": str(scratch), "PYTHON": sys.executable, "PYTHONPATH": str(CLONE)}
    done = subprocess.run(
        [*command, *map(str, programs)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode in (0, 143), done.stderr
    return {one.name: int(Path(f"{one}.status").read_text()) for one in programs}


@pytest.mark.parametrize("profile", ["missing-setattr", "after-fix"])
def test_they_fail_on_the_faulty_and_succeed_on_the_sound(profile: str, fsprobe: Command, scratch: Path) -> None:
    """An author sends one to a colleague, who has no fsprobe: it must show the failure, and vanish with the fault."""
    selected = [word for name in SELECT for word in ("--select", name)]
    document = document_of(fsprobe("run", f"vexfs:raw:{profile}", *selected))
    failed = [one for one in document["checks"] if one["verdict"] == "FAIL" and one["layer"] != "wire"]
    having = [one for one in failed if one["script"]]
    assert len(having) >= len(failed) * 0.7 and {one["layer"] for one in having} == {"mount", "shell"}
    programs = []
    for one in having:
        ending = "py" if one["script"].startswith("#!/usr/bin/env python3") else "sh"
        programs.append(scratch / f"{one['id']}.{ending}")
        programs[-1].write_text(one["script"])
    for kind, right in ((f"--profile {profile}", 1), ("", 0)):
        wrong = [name for name, status in statuses(programs, kind, scratch).items() if status != right]
        assert wrong == [], {name: (scratch / f"{name}.said").read_text()[-400:] for name in wrong}


def test_a_script_is_shown_and_what_has_none_says_why(fsprobe: Command, scratch: Path) -> None:
    """It is found by the check's id; a misspelt one is no empty file."""
    result = scratch / "result.json"
    ids = ("shell.touch", "protocol.setattr.mode")
    selected = [word for name in ids for word in ("--select", name)]
    fsprobe("run", "vexfs:raw:missing-setattr", *selected, "--json", str(result))
    shown = fsprobe("report", str(result), "--script", "shell.touch")
    assert shown.exit_code == 0 and shown.stdout.startswith("#!/bin/bash\n# shell.touch: ")
    for name, told in (("protocol.setattr.mode", "wire layer"), ("shell.tuch", "did you mean shell.touch?")):
        refused = fsprobe("report", str(result), "--script", name)
        assert refused.exit_code == 2 and told in refused.stderr
