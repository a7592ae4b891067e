"""action.yml: the steps of the GitHub action, run as GitHub runs them. No GitHub is needed, and no network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

CLONE = Path(__file__).parent.parent
ACTION: dict[str, Any] = yaml.safe_load((CLONE / "action.yml").read_text())
INSTALL, RUN = ACTION["runs"]["steps"]
NEEDS_FUSE = pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="/dev/fuse cannot be opened")


@dataclass(frozen=True)
class Job:
    """A step's end: its status, what it printed, and what it told GitHub."""

    code: int
    text: str
    outputs: dict[str, str]
    summary: str


def step(one: dict[str, Any], place: Path, given: dict[str, str]) -> Job:
    """Run a step's script with the inputs of a `with:`, defaults for the others, and expressions filled in."""
    unknown = given.keys() - ACTION["inputs"].keys()
    assert not unknown, f"no such inputs: {unknown}"
    values = {f"inputs.{name}": given.get(name, row["default"]) for name, row in ACTION["inputs"].items()}
    values |= {"github.action_path": str(CLONE), "runner.temp": str(place / "temp")}
    env = {key: re.sub(r"\$\{\{ (.*?) \}\}", lambda m: values[m[1]], text) for key, text in one["env"].items()}
    outputs, summary = place / "outputs", place / "summary.md"
    for file in (outputs, summary):
        file.touch()
    script = place / "step.sh"
    script.write_text(one["run"])
    kept = {key: value for key, value in os.environ.items() if not key.startswith("INPUT_")}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)], cwd=place, text=True, timeout=110,
        env={**kept, **env, "GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    told = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return Job(done.returncode, done.stdout, told, summary.read_text())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A checkout, and a runner whose fsprobe is this clone's: what the first step would have installed."""
    scripts = tmp_path / "temp" / "fsprobe" / "venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "fsprobe").write_text(f'#!/bin/sh\nPYTHONPATH={CLONE} exec {sys.executable} -P -m fsprobe "$@"\n')
    (scripts / "fsprobe").chmod(0o755)
    return tmp_path


@NEEDS_FUSE
def test_a_sound_target_is_green(place: Path) -> None:
    """Somebody's workflow goes on, with a summary, and with files to upload."""
    job = step(RUN, place, {"target": "vexfs", "select": "posix.rename.* posix.mkdir.*", "options": "--quick"})
    assert job.code == 0, job.text
    assert job.outputs["exit-code"] == "0"
    assert "posix.mkdir" in Path(job.outputs["result"]).read_text()
    assert ElementTree.parse(job.outputs["junit"]).getroot().tag == "testsuites"
    assert "vexfs" in job.summary
    assert "::notice" in job.text
    assert "::error" not in job.text


@NEEDS_FUSE
def test_a_fault_fails_the_step_and_annotates_the_commit(place: Path) -> None:
    """A broken file system turns the job red, and the reason stands at the commit and in the summary."""
    job = step(RUN, place, {"target": "vexfs", "select": "posix.rename.*", "options": "--inject RENAME:errno=ENOSYS"})
    assert job.code == 1, job.text
    assert job.outputs["exit-code"] == "1"
    assert re.search(r"^::error title=RENAME is not implemented", job.text, re.M), job.text
    assert "RENAME" in job.summary


@NEEDS_FUSE
def test_words_reach_the_daemon_and_a_baseline_is_used(place: Path) -> None:
    """Arguments of the daemon, and known failures, are what the workflow says."""
    (place / "known.toml").write_text('[[known]]\ncheck = "posix.rename.*"\nreason = "not yet"\n')
    given = {"target": "vexfs", "select": "posix.rename.moves*", "baseline": "known.toml", "sudo": "false",
             "args": "-o fsname=word", "options": "--inject RENAME:errno=ENOSYS"}  # fmt: skip
    job = step(RUN, place, given)
    assert job.code == 0, job.text
    assert "XFAIL" in job.text
    assert "fsname=word" in Path(job.outputs["result"]).read_text()


def test_a_target_that_is_not_there_is_an_error_with_its_status(place: Path) -> None:
    """A wrong path in a workflow is told as that, and not by a later step that misses a file."""
    job = step(RUN, place, {"target": "./build/no-such-binary"})
    assert job.code == 4 or job.code == 2, job.text
    assert job.outputs["exit-code"] == str(job.code)
    assert "no-such-binary" in job.text


def test_the_first_step_installs_from_the_checkout(place: Path, tmp_path: Path) -> None:
    """The action runs the fsprobe of the version that the workflow names, and leaves the runner's Python alone."""
    if shutil.which("fusermount3") is None or shutil.which("setfattr") is None:
        pytest.skip("fuse3 and attr are not here, and a test installs no system packages")
    python = tmp_path / "python"  # records the words: an install would need the network
    python.write_text('#!/bin/sh\necho "made: $*"\n')
    python.chmod(0o755)
    (tmp_path / "temp" / "fsprobe" / "venv" / "bin" / "python").symlink_to(python)
    job = step(INSTALL, place, {"python": str(python)})
    assert job.code == 0, job.text
    assert f"made: -m venv {place}/temp/fsprobe/venv" in job.text
    assert f"install {CLONE}[stacks]\n" in job.text
    assert "fsprobe works here" in job.text or "fsprobe cannot work here" in job.text


@pytest.mark.parametrize(("schema", "file"), [
    ("vendor.github-actions", "action.yml"), ("vendor.github-workflows", "docs/examples/workflow.yml"),
])  # fmt: skip
def test_files_are_what_github_reads(schema: str, file: str) -> None:
    """GitHub takes the action and the workflow of the documentation."""
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(CLONE / file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_input_is_used_and_documented() -> None:
    """No input is without effect, and the documentation names them all."""
    given = [text for one in (INSTALL, RUN) for text in one["env"].values()]
    used = {name for text in given for name in re.findall(r"inputs\.(\w+)", text)}
    assert used == ACTION["inputs"].keys()
    page = (CLONE / "docs" / "ci.md").read_text()
    assert [name for name in (*ACTION["inputs"], *ACTION["outputs"]) if f"`{name}`" not in page] == []


def test_the_workflow_of_the_documentation_gives_inputs_that_there_are() -> None:
    """Whoever copies the example gets a job that runs."""
    workflow = yaml.safe_load((CLONE / "docs" / "examples" / "workflow.yml").read_text())
    steps = workflow["jobs"]["fsprobe"]["steps"]
    ours = next(one for one in steps if one.get("uses", "").startswith("fsprobe/"))
    assert ours["with"].keys() <= ACTION["inputs"].keys()
    asked = re.findall(r"steps\.fsprobe\.outputs\.([\w-]+)", str(steps))
    assert asked
    assert set(asked) <= ACTION["outputs"].keys()
