"""The command that repeats a check, as words."""

from __future__ import annotations

import shlex

from fsprobe.config.target import Target
from fsprobe.runners.options import RunOptions
from fsprobe.runners.reproduce import reproduce


def test_arguments_and_faults_are_part_of_the_command():
    """An author who pastes the line gets the same failure, not another run."""
    target = Target("./my fs", ("/x/my fs", "{mountpoint}", "-f", "-o", "ro"), args=("-o", "ro"))
    line = reproduce(RunOptions(target=target, inject=("READ:flip",), no_relay=True), "posix.read.all", 7)
    assert shlex.split(line) == [
        "fsprobe", "run", "./my fs", "--select", "posix.read.all", "--seed", "7", "--inject", "READ:flip", "--no-relay",
        "--", "-o", "ro",
    ]  # fmt: skip


def test_a_directory_is_named_by_its_option():
    """A native run is repeated on the same directory."""
    assert reproduce(RunOptions(native="/mnt/a b"), "shell.touch", 1) == (
        "fsprobe run --native '/mnt/a b' --select shell.touch --seed 1"
    )
