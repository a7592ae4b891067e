"""From the plugin's settings to the options of a run.

Owns how a value of a configuration file is found from its directory; everything else is as on the command line.
"""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fsprobe.cli.options import options_of
from fsprobe.errors import FsprobeError
from fsprobe.pytest_plugin.settings import Value, given
from fsprobe.relay.rules import parse
from fsprobe.runners.options import RunOptions

# Name of the setting: name of the run's option, and whether it is a path or the names of some.
_OPTIONS = {
    "suite": ("suites", True), "select": ("select", False), "op": ("ops", False), "quick": ("quick", False),
    "timeout": ("timeout", False), "start_timeout": ("start_timeout", False), "inject": ("inject", False),
    "baseline": ("baseline", True),
}  # fmt: skip
_DEFAULTS: dict[str, Any] = {one.name: one.default for one in fields(RunOptions) if one.name != "target"}


def options_for(config: pytest.Config, target: Value, values: dict[str, Value | None]) -> RunOptions:
    """The options of a run on a target. values: by name of the setting, None where it is not given.

    Raises pytest.UsageError, with where the target comes from.
    """
    options = {**_DEFAULTS, "config": None}
    typed = set()
    for name, value in values.items():
        if value is not None:
            option, is_path = _OPTIONS[name]
            options[option] = _from_file(config, value) if is_path else value.value
            typed.add(option)
    try:
        for rule in options["inject"]:
            parse(rule)
        return options_of(_command(config, target), (), typed, **options)
    except FsprobeError as error:
        raise usage(error, target) from error


def checks_options(config: pytest.Config, target: Value) -> RunOptions:
    """The options under which the checks of the configured target are items."""
    return options_for(config, target, {name: given(config, name) for name in _OPTIONS})


def usage(error: FsprobeError, target: Value) -> pytest.UsageError:
    """An error of fsprobe in pytest's manner."""
    return pytest.UsageError("\n".join([f"fsprobe: {error.fact}", *error.lines()[1:],
                                        f"  target: {target.value}, from {target.origin}"]))  # fmt: skip


def json_path(config: pytest.Config) -> str | None:
    """Where the result is to be written, None where it is not. Raises pytest.UsageError where it cannot be."""
    value = given(config, "json")
    if value is None:
        return None
    from_file = not value.origin.startswith("option") and config.inipath is not None
    path = Path(config.inipath.parent if from_file and config.inipath else config.invocation_params.dir, value.value)
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise pytest.UsageError(f"fsprobe json {value.value!r} from {value.origin} cannot be written to")
    return str(path)


def slug(name: str) -> str:
    """A target's name as part of a nodeid: the same wherever the project lies, and without what ids are split at."""
    words = name.split()
    scripts = [word for word in words[1:] if word.endswith((".py", ".sh", ".js"))]
    word = scripts[0] if scripts else words[0] if words else "target"
    word = word.rstrip("/").rpartition("/")[2] or "target"
    return "".join(char if char.isalnum() or char in "._:=+-" else "_" for char in word).replace("::", ":")


def _command(config: pytest.Config, target: Value) -> str:
    """The words of the target. A program named by a relative path in a file is looked for from its directory."""
    text = str(target.value).replace("{rootdir}", str(config.rootpath))
    program, space, rest = text.partition(" ")
    if target.origin.startswith("option") or "/" not in program or os.path.isabs(program) or os.path.exists(program):
        return text
    beside = config.rootpath / program
    return f"{beside}{space}{rest}" if beside.exists() else text


def _from_file(config: pytest.Config, value: Value) -> Any:
    """Paths of a configuration file, from its directory; names of built-in suites stay."""
    if value.origin.startswith("option") or config.inipath is None:
        return value.value

    def placed(text: str) -> str:
        path = Path(config.inipath.parent, text)  # type: ignore[union-attr]
        return str(path) if path.exists() or text.endswith(".toml") else text

    return placed(value.value) if isinstance(value.value, str) else tuple(map(placed, value.value))
