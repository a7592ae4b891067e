"""A project's own configuration: `fsprobe.toml`, or `[tool.fsprobe]` in `pyproject.toml`.

Owns finding the file, reading it, and saying where in it a mistake is; knows nothing of what a run does with it.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from fsprobe.config.built_in import REFERENCE, is_built_in, parse_built_in
from fsprobe.config.program import find_program
from fsprobe.config.settings import KINDS, RUN, START, TOP, Setting
from fsprobe.config.target import MOUNTPOINT, Target, check_places
from fsprobe.errors import UsageError

OWN_FILE, SHARED_FILE = "fsprobe.toml", "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Named:
    """A target of the file: what starts it, or the directory to look at, and its settings by option."""

    table: Mapping[str, Any]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Project:
    """What one file says. settings: for all targets, by option. path: of the file, "" where there is none."""

    path: str = ""
    default: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    targets: Mapping[str, Named] = field(default_factory=dict)

    def settings_of(self, name: str | None) -> dict[str, Any]:
        """The settings that hold for a target: its own before those for all. name: None or unknown: those for all."""
        own = self.targets[name].settings if name is not None and name in self.targets else {}
        return {**self.settings, **own}

    def native_of(self, name: str | None) -> str | None:
        """The directory, where the name is that of a mounted one."""
        table = self.targets[name].table if name is not None and name in self.targets else {}
        return os.path.join(os.path.dirname(self.path), table["native"]) if "native" in table else None

    def target(self, name: str, args: tuple[str, ...] = ()) -> Target:
        """The target of that name. args: what was typed behind `--`. Raises UsageError or TargetError."""
        table = self.targets[name].table
        env = {key: str(value) for key, value in table.get("env", {}).items()}
        if "profile" in table:
            built_in = parse_built_in(f"{REFERENCE}:{table['profile']}")
            return Target(
                name, (*built_in.argv, *table.get("args", ()), *args), env={**built_in.env, **env},
                suites=built_in.suites, profile=built_in.profile, args=args,
            )  # fmt: skip
        here = os.path.dirname(self.path)
        command = table["command"]
        words = shlex.split(command) if isinstance(command, str) else list(command)
        program = os.path.join(here, words[0]) if "/" in words[0] else words[0]
        argv = [find_program(program), *words[1:], *table.get("args", ())]
        if not any(MOUNTPOINT in word for word in argv):
            argv[1:] = [MOUNTPOINT, "-f", *argv[1:]]
        cwd = os.path.normpath(os.path.join(here, table.get("cwd", "")))
        if not os.path.isdir(cwd):
            raise UsageError(f"{self.path}, in [targets.{name}]: cwd {cwd} is no directory")
        return Target(name, (*argv, *args), env=env, args=args, cwd=cwd)


def find(start: str | Path = ".") -> Project:
    """The configuration that holds in a directory: the nearest file upwards, an empty one where there is none.

    In one directory `fsprobe.toml` goes before `pyproject.toml`. Raises UsageError for a file with a mistake.
    """
    here = Path(os.path.abspath(start))
    for directory in (here, *here.parents):
        own, shared = directory / OWN_FILE, directory / SHARED_FILE
        if own.is_file():
            return load(own)
        if shared.is_file() and "tool.fsprobe" in shared.read_text(encoding="utf-8", errors="replace"):
            project = load(shared)
            if project.path:
                return project
    return Project()


def load(path: str | Path) -> Project:
    """Read one file. Raises UsageError with the line and the table where the mistake is."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the configuration {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the configuration {path} is not text") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the configuration {path} is not TOML: {error}") from error
    root: tuple[str, ...] = ()
    if os.path.basename(path) == SHARED_FILE:
        tool = table.get("tool", {})
        if "fsprobe" not in tool:
            return Project()
        table, root = tool["fsprobe"], ("tool", "fsprobe")
    shown = min(str(path), os.path.relpath(path), key=len)
    return _Reader(os.path.abspath(path), shown, text, root).project(table)


class _Reader:
    """Checks every key and value of one file, and knows where each stands."""

    def __init__(self, path: str, shown: str, text: str, root: tuple[str, ...]) -> None:
        self.path, self.shown, self.lines, self.root = path, shown, text.splitlines(), root

    def project(self, table: Mapping[str, Any]) -> Project:
        if not isinstance(table, dict):
            self._bad((), "fsprobe", "it is no table")
        self._require_keys((), table, [*TOP, *(setting.key for setting in RUN)])
        default, listed = table.get("default"), table.get("targets", {})
        if not isinstance(listed, dict):
            self._bad((), "targets", "targets are tables, each headed [targets.NAME]")
        targets = {name: self._named(name, one) for name, one in listed.items()}
        if default is not None and default not in targets and not is_built_in(str(default)):
            self._bad((), "default", f"there is no target {default!r}", _near(str(default), [*targets, REFERENCE]))
        return Project(self.path, default, self._settings((), table), targets)

    def _named(self, name: str, table: Any) -> Named:
        place = ("targets", name)
        if not isinstance(table, dict):
            self._bad(("targets",), name, f"a target is a table, headed [targets.{name}]")
        if is_built_in(name):
            self._bad(("targets",), name, f"{name!r} is built in already: choose another name")
        self._require_keys(place, table, [*START, *(setting.key for setting in RUN)])
        kinds = [key for key in ("command", "profile", "native") if key in table]
        if len(kinds) != 1:
            cause = 'command = "./myfs {mountpoint} -f", profile = "before-fix" (the reference), or native = "/mnt/x"'
            self._bad(place, kinds[1] if kinds else "", "a target has one of command, profile and native", (cause,))
        for key in ("profile", "native", "cwd"):
            if key in table and not isinstance(table[key], str):
                self._bad(place, key, f"{key} is a text")
        self._check_command(place, table)
        env = table.get("env", {})
        if not isinstance(env, dict) or not all(isinstance(value, str | int | float) for value in env.values()):
            self._bad(place, "env", "env is a table of texts, as in env = { RUST_LOG = \"debug\" }")
        return Named(table, self._settings(place, table))

    def _check_command(self, place: tuple[str, ...], table: Mapping[str, Any]) -> None:
        for key in ("command", "args"):
            value = table.get(key, ["x"])
            texts = isinstance(value, list) and all(isinstance(word, str) for word in value)
            if not (texts and (value or key == "args")) and not (key == "command" and isinstance(value, str)):
                self._bad(place, key, f"{key} is a list of texts" + (" or one text" if key == "command" else ""))
        command = table.get("command", ["x"])
        try:
            words = shlex.split(command) if isinstance(command, str) else command
        except ValueError as error:
            self._bad(place, "command", f"it cannot be split into words: {error}")
        if not words:
            self._bad(place, "command", "it is empty")
        try:
            check_places(" ".join([*words, *table.get("args", ())]))
        except UsageError as error:
            self._bad(place, "command", error.fact, error.causes)

    def _settings(self, place: tuple[str, ...], table: Mapping[str, Any]) -> dict[str, Any]:
        return {s.option: self._value(place, s, table[s.key]) for s in RUN if s.key in table}

    def _value(self, place: tuple[str, ...], setting: Setting, value: Any) -> Any:
        here = os.path.dirname(self.path)
        texts = [value] if isinstance(value, str) else value
        is_texts = isinstance(texts, list) and all(isinstance(one, str) for one in texts)
        match setting.kind:
            case "flag" if isinstance(value, bool):
                return value
            case "number" if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
                return float(value)
            case "whole" if isinstance(value, int) and not isinstance(value, bool):
                return value
            case "text" if isinstance(value, str):
                return value
            case "path" if isinstance(value, str):
                return os.path.join(here, value)
            case "texts" if is_texts:
                return tuple(texts)
            case "paths" if is_texts:
                return tuple(os.path.join(here, one) if "/" in one else one for one in texts)
            case _:
                return self._bad(place, setting.key, f"{setting.key} is {KINDS[setting.kind]}, not {value!r}")

    def _require_keys(self, place: tuple[str, ...], table: Mapping[str, Any], allowed: list[str]) -> None:
        for key in table:
            if key not in allowed:
                causes = _near(key.replace("_", "-"), allowed) or (f"there are: {', '.join(allowed)}",)
                self._bad(place, key, f"unknown key {key!r}", causes)

    def _bad(self, place: tuple[str, ...], key: str, fact: str, causes: tuple[str, ...] = ()) -> NoReturn:
        inside = ".".join((*self.root, *place))
        line = self._line((*self.root, *place), key)
        where = f"{self.shown}{f', line {line}' if line else ''}{f', in [{inside}]' if inside else ''}"
        raise UsageError(f"{where}: {fact}", causes=causes)

    def _line(self, place: tuple[str, ...], key: str) -> int:
        """The line, from 1, where a key of a table stands; 0 where it is written in a way that is not looked for."""
        current: tuple[str, ...] = ()
        for number, line in enumerate(self.lines, 1):
            header = re.match(r"\s*\[([^\[\]]+)\]", line)
            if header:
                current = tuple(part.strip().strip("'\"") for part in header[1].split("."))
                if current in (place, (*place, key)) and (not key or current != place):
                    return number
                continue
            word = re.match(r"\s*([\w'\"-]+)\s*[=.]", line)
            if word and current == place and word[1].strip("'\"") == key:
                return number
        return 0


def _near(word: str, known: list[str]) -> tuple[str, ...]:
    close = difflib.get_close_matches(word, known, 1)
    return (f"did you mean {close[0]!r}?",) if close else ()
