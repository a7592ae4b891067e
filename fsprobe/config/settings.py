"""What a project's configuration file can say, and of which kind each value is.

Owns the table of keys, named as the options of the command line; knows nothing of files or of what a run does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One key. option: the parameter of `fsprobe run` that it stands for. kind: one of `KINDS`."""

    key: str
    option: str
    kind: str


KINDS = {
    "flag": "true or false",
    "number": "a number of seconds above 0",
    "whole": "a whole number",
    "text": "a text",
    "texts": "a text or a list of texts",
    "path": "the path of a file, from the directory of this file",
    "paths": "names of suites or paths, from the directory of this file",
}

RUN = (
    Setting("suite", "suites", "paths"),
    Setting("select", "select", "texts"),
    Setting("op", "ops", "texts"),
    Setting("quick", "quick", "flag"),
    Setting("no-mount", "no_mount", "flag"),
    Setting("no-relay", "no_relay", "flag"),
    Setting("expect", "expect", "text"),
    Setting("strict", "strict", "flag"),
    Setting("start-timeout", "start_timeout", "number"),
    Setting("timeout", "timeout", "number"),
    Setting("inject", "inject", "texts"),
    Setting("baseline", "baseline", "path"),
    Setting("seed", "seed", "whole"),
)
"""For every target, or at the top of the file for all of them."""

TOP = ("default", "targets")
"""Keys of the file itself: the target that is meant where none is named, and the table of targets."""

START = ("command", "args", "env", "cwd", "profile", "native")
"""Keys that say what a target is: a command, the built-in reference with a profile, or a mounted directory."""
