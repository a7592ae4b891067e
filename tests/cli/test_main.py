"""The command as it is typed: what is printed where, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from fsprobe import __version__
from fsprobe.results.document import load
from tests.report import documents

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START = "import sys; from fsprobe.cli.main import entry; entry()"


def fsprobe(*words, code=START, **more):
    """Run the command in a process of its own, without a terminal."""
    env = {**os.environ, "PYTHONPATH": ROOT, "COLUMNS": "80"} | more.pop("env", {})
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], env=env, capture_output=True, text=True, timeout=30,
        check=False, **more,
    )  # fmt: skip


def with_run(body):
    """The command with `api.run` replaced by this function body: the session has tests of its own."""
    return (
        "import sys, types\n"
        "api = types.ModuleType('fsprobe.api')\n"
        "sys.modules['fsprobe.api'] = api\n"
        "import fsprobe; fsprobe.api = api\n"
        f"sys.path.insert(0, {ROOT!r})\n"
        "from tests.report import documents\n"
        "from fsprobe.errors import *\n"
        "def run(options, emit):\n" + textwrap.indent(textwrap.dedent(body), "    ") + "\n"
        "api.run = run\n" + START
    )


def test_help_and_version_load_little():
    """The first thing anyone types has to answer at once (bench/startup.py measures it)."""
    shown = fsprobe("--version")
    assert shown.stdout == f"fsprobe {__version__}\n" and shown.returncode == 0
    shown = fsprobe("--help")
    assert "explain" in shown.stdout and shown.returncode == 0
    code = "import sys; from fsprobe.cli.main import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30).stderr.split()
    heavy = {"fsprobe.wire", "fsprobe.api", "fsprobe.relay", "pexpect", "psutil", "pytest"}
    assert "fsprobe.cli.main" in loaded and not heavy & set(loaded)


@pytest.mark.parametrize(("words", "told"), [
    (["rnu"], "fsprobe run"),
    (["./vexfs_fuse"], "fsprobe run ./vexfs_fuse"),
    (["run", "vexfs", "-o", "ro"], "go behind --"),
    (["run", "vexfs", "--no-mount", "--no-relay"], "exclude each other"),
    (["run", "vexfs", "--native", "/tmp"], "in place of TARGET"),
    (["run", "vexfs:befor-fix"], "fsprobe run vexfs:before-fix"),
    (["run", "--json", "/no/such/dir/x.json"], "no directory"),
    (["run", "--timeout", "0"], "--timeout"),
    (["list", "*.no-such-check"], "no check matches"),
    (["explain", "SETATR"], "fsprobe explain SETATTR"),
    (["report", "/no/such/file"], "cannot be read"),
])  # fmt: skip
def test_wrong_usage_is_told_on_stderr_with_exit_2(words, told):
    """A slip of the fingers must not look like a broken file system, nor like fsprobe's own fault."""
    shown = fsprobe(*words)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert told in shown.stderr and "Traceback" not in shown.stderr


def test_target_that_does_not_exist_is_exit_4_with_a_result(tmp_path):
    """CI would find no result file and report a broken job instead of a broken path."""
    path = tmp_path / "result.json"
    shown = fsprobe("run", "./no-such-daemon", "--json", path)
    assert shown.returncode == 4 and "does not exist" in shown.stderr
    assert load(path)["summary"]["exit_code"] == 4
    assert load(path)["target"]["name"] == "./no-such-daemon"


def test_report_on_stdout_progress_on_stderr_exit_code_of_the_run():
    """`fsprobe run x > report.txt` would hold half the progress and no verdict."""
    code = with_run("""
        from fsprobe.runners.events import RunStarted
        emit(RunStarted(options, options.target_name))
        assert options.quick and options.ops == ('SETATTR',) and options.target.argv[-1] == 'size=1m'
        return documents.before_fix()
    """)
    shown = fsprobe("run", "vexfs", "--quick", "--op", "setattr", "--", "-o", "size=1m", code=code)
    assert shown.returncode == 1
    assert shown.stdout.startswith("fsprobe 0.1.0 · vexfs:before-fix\n8 operations are not implemented")
    assert shown.stdout.endswith("exit 1: unexpected verdicts\n") and "\x1b" not in shown.stdout
    assert shown.stderr == "fsprobe: vexfs\n"
    assert fsprobe("run", "vexfs", "--quick", "--op", "setattr", "-q", "--", "-o", "size=1m", code=code).stderr == ""


def test_json_on_stdout_is_json_alone():
    """`fsprobe run --json - | jq` would choke on the report."""
    shown = fsprobe("run", "--json", "-", code=with_run("return documents.good()"))
    assert json.loads(shown.stdout) == documents.good()
    assert "exit 0: all as expected" in shown.stderr and shown.returncode == 0


def test_target_error_brings_its_partial_report(tmp_path):
    """The daemon's last words are what the author needs."""
    code = with_run("""
        error = TargetError("never mounted")
        error.document = documents.not_mounted()
        raise error
    """)
    shown = fsprobe("run", "--json", tmp_path / "r.json", code=code)
    assert shown.returncode == 4 and load(tmp_path / "r.json")["diagnoses"]
    assert "its last words: vexfs: waiting for configuration" in shown.stdout
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_run_still_reports(tmp_path, number):
    """Minutes of checks would be lost by one Ctrl-C, or by a CI job's time limit."""
    code = with_run("""
        import time
        try:
            print("running", file=sys.stderr, flush=True)
            time.sleep(20)
        except KeyboardInterrupt:
            document = documents.hang()
            document["summary"]["exit_code"] = 130
            return document
    """)
    child = subprocess.Popen(
        [sys.executable, "-c", code, "run", "-q", "--json", str(tmp_path / "r.json")], text=True,
        env={**os.environ, "PYTHONPATH": ROOT}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stderr and child.stderr.readline() == "running\n"
    child.send_signal(number)
    out, err = child.communicate(timeout=10)
    assert child.returncode == 130, err
    assert "Interrupted, so this is partial" in out and load(tmp_path / "r.json")["summary"]["exit_code"] == 130


def test_own_fault_is_exit_3_without_a_traceback(tmp_path):
    """A user would read a traceback as their file system's fault, and CI find no result."""
    code = with_run("raise ZeroDivisionError('oops')")
    shown = fsprobe("run", "--json", tmp_path / "r.json", code=code, env={"FSPROBE_DEBUG": ""})
    assert shown.returncode == 3 and "fault of fsprobe itself" in shown.stderr
    assert "Traceback" not in shown.stderr and load(tmp_path / "r.json")["summary"]["exit_code"] == 3
    assert "Traceback" in fsprobe("run", code=code, env={"FSPROBE_DEBUG": "1"}).stderr


def test_reader_that_leaves_early_is_no_error():
    """`fsprobe run | head -1` would end in a complaint about a broken pipe."""
    code = with_run("return documents.before_fix()")
    for words in (["run"], ["list"]):
        child = subprocess.Popen(
            [sys.executable, "-c", code, *words], env={**os.environ, "PYTHONPATH": ROOT}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdout
        child.stdout.close()
        _, err = child.communicate(timeout=20)
        assert "BrokenPipe" not in err and "Traceback" not in err
        assert child.returncode == (1 if words == ["run"] else 0)


def test_list_explain_and_report_show_what_they_are_asked_for(tmp_path):
    """A user who cannot find a check cannot run it alone."""
    listed = json.loads(fsprobe("list", "--json", "--op", "setattr").stdout)
    assert listed and all("SETATTR" in (one["op"], *one["also"]) for one in listed)
    one = listed[0]
    told = fsprobe("explain", one["id"]).stdout
    assert one["title"].split()[0] in told and f"fsprobe run TARGET --select {one['id']}" in told
    told = fsprobe("explain", "setattr").stdout
    assert "opcode 4" in told and "utimens" in told and one["id"] in told
    (tmp_path / "r.json").write_text(json.dumps(documents.hang()))
    assert "SETATTR hangs: its reply is lost." in fsprobe("report", tmp_path / "r.json").stdout
    again = fsprobe("report", tmp_path / "r.json", "--format", "json").stdout
    assert json.loads(again) == documents.hang()


def test_doctor_agrees_with_its_exit_code():
    """A script that gates on `fsprobe doctor` would start runs that cannot work."""
    shown = fsprobe("doctor", "--json")
    found = json.loads(shown.stdout)
    assert found["exit_code"] == shown.returncode == (0 if found["best"] not in (None, "wire only") else 6)
    plain = fsprobe("doctor")
    assert plain.returncode == shown.returncode and "seccomp notification" in plain.stdout
    assert all(len(line) <= 80 for line in plain.stdout.splitlines())
