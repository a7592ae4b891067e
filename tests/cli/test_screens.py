"""What the verbs that start no daemon show. `FSPROBE_GOLDEN=write pytest tests/cli` writes the files anew."""

from __future__ import annotations

import io

import pytest

from fsprobe.cli.doctor import print_diagnosis
from fsprobe.cli.list import lines
from fsprobe.cli.main import main
from fsprobe.cli.selection import all_checks, matching
from fsprobe.sandbox import doctor
from fsprobe.sandbox.machine import Facts
from tests.report.golden_file import assert_golden

FACTS = Facts(
    uid=1000, admin=False, machine="x86_64", kernel="6.8", known_machine=True, device="Permission denied",
    hand_over=dict.fromkeys(("notify", "memory", "pidfd_getfd", "addfd", "addfd_send"), ""),
    private_mounts={"userns": "Operation not permitted"}, helper="/usr/bin/fusermount3", helper_setuid=True,
    sysctls={"userns_max": 1000, "userns_clone": None, "apparmor_userns": 1, "yama": 1, "wmem_max": 212992},
    missing_programs=("setfattr", "flock"), python={"fuse": True, "libfuse.so.2": False}, cgroup="",
)  # fmt: skip


def test_explain_an_operation(capsys):
    """The author of a file system learns here what to write; its list of checks may grow."""
    assert main(["explain", "SETATTR"]) == 0
    shown, heading, checks = capsys.readouterr().out.partition("WHAT IS CHECKED (")
    assert_golden("explain-setattr", shown)
    assert heading and "protocol.setattr.mode  MUST\n    A new mode is answered" in checks


def test_explain_a_check_says_how_to_see_it_fail(capsys):
    """Whoever doubts a check wants to see it red on a file system that is right."""
    assert main(["explain", "shell.touch"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "fsprobe run vexfs --select shell.touch --inject SETATTR:errno=ENOSYS" in told


@pytest.mark.parametrize("width", [80, 140, None])
def test_list_fits_the_terminal_and_is_whole_in_a_pipe(width):
    """A list whose lines wrap cannot be read; one that is cut cannot be searched."""
    checks = matching(all_checks(), ["protocol.setattr.*"])
    shown = list(lines(checks, width))
    assert max(map(len, shown)) <= (width or 1000)
    whole = any(line.endswith("nor allocates it.") for line in shown)
    assert whole == (width is None or width == 140) and shown[0].startswith(checks[0].id)


def test_doctor_from_fixed_facts():
    """What is missing is told with the command that mends it, on one screen."""
    found = doctor.Diagnosis(tuple(doctor.examine(FACTS)), tuple(doctor.ways(FACTS)), FACTS)
    stream = io.StringIO()
    print_diagnosis(found, stream)
    assert_golden("doctor", stream.getvalue())
