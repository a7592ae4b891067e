"""The names of packages on other distributions."""

from __future__ import annotations

import pytest

from fsprobe.checks.suite import BUILT_IN, load_suite
from fsprobe.sandbox import packages


@pytest.mark.parametrize(("text", "family"), [
    ('ID=debian\nVERSION_ID="13"', "Debian"), ('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"', "Debian"),
    ('ID="rocky"\nID_LIKE="rhel centos fedora"', "Fedora"),
    ("ID=alpine", "Alpine"), ("ID=manjaro\nID_LIKE=arch", "Arch"),
    ("ID=nixos", ""), ("", ""),
])  # fmt: skip
def test_family_by_os_release(text, family):
    """apt-get on Fedora, and no advice at all on Mint, send the user to a search engine."""
    assert packages.family_of(text) == family


def test_every_program_that_a_check_needs_is_looked_for():
    """A check that is skipped for a program of which the doctor says nothing leaves the user to guess."""
    needed = {need.removeprefix("program:") for suite in BUILT_IN for check in load_suite(suite)
              for need in check.needs if need.startswith("program:")}  # fmt: skip
    tables = (packages.SHELL_PROGRAMS, packages.APP_PROGRAMS)
    assert needed - {name for table in tables for names in table.values() for name in names} == set()


def test_every_name_can_be_installed_everywhere():
    """No family lacks a column."""
    names = [*packages.SHELL_PROGRAMS, *packages.APP_PROGRAMS, "fuse3", "libfuse2", "elfutils"]
    for family in packages.FAMILIES:
        assert packages.install(names, family.name).startswith(f"sudo {family.command} ")
    assert packages.install(["libfuse2", "gcc"], "Alpine") == "sudo apk add fuse gcc musl-dev"
