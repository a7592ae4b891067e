"""What the plugin can be told: one table of which command-line options, ini keys and marker arguments are made.

Owns names, help texts, and where a value came from when it is wrong; knows nothing of what a value does. It imports
nothing of fsprobe: every pytest run on a machine that has fsprobe loads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

Kind = Literal["text", "texts", "flag", "seconds"]
INI_TYPES: dict[str, Any] = {"text": "string", "texts": "linelist", "flag": "bool", "seconds": "string"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: option `--fsprobe-NAME`, ini key `fsprobe_name`, and where `marker` is true `fsprobe(name=…)`."""

    name: str
    kind: Kind
    metavar: str
    help: str
    marker: bool = False
    option: str = ""

    @property
    def flag(self) -> str:
        """The command-line option."""
        return self.option or f"--fsprobe-{self.name.replace('_', '-')}"

    @property
    def key(self) -> str:
        """The ini key, which is also where the option's value is kept."""
        return f"fsprobe_{self.name}"


SETTINGS = (
    Setting("target", "text", "TARGET", "The FUSE file system to check: a binary, a command with {mountpoint}, a name "
            "of fsprobe.toml, or vexfs. {rootdir} is pytest's.", marker=True, option="--fsprobe"),
    Setting("suite", "texts", "NAME|PATH", "Only this suite of checks; again for more."),
    Setting("select", "texts", "GLOB", "Only checks whose id matches; again for more."),
    Setting("op", "texts", "OP", "Only checks of this operation; again for more."),
    Setting("quick", "flag", "", "Only the most telling checks."),
    Setting("timeout", "seconds", "S", "Until one request or command counts as hung; 10 unless said.", marker=True),
    Setting("start_timeout", "seconds", "S", "Until the target must serve; 10 unless said.", marker=True),
    Setting("inject", "texts", "RULE", "Alter the traffic, as in SETATTR:errno=ENOSYS; again for more.", marker=True),
    Setting("baseline", "text", "FILE", "Known failures: they are xfail(strict)."),
    Setting("json", "text", "FILE", "Write the result of the checks as JSON."),
    Setting("no_checks", "flag", "", "The target is for the fixtures only: its checks are no items."),
    Setting("mount_scope", "text", "SCOPE", "Scope of the fixture fuse_mount: function (as long as nothing is said), "
            "class, module, package or session."),
)  # fmt: skip
BY_NAME = {setting.name: setting for setting in SETTINGS}
SCOPES = ("function", "class", "module", "package", "session")


@dataclass(frozen=True, slots=True)
class Value:
    """A value and where it stands, in words: `option --fsprobe-timeout`, `fsprobe_timeout in pytest.ini`."""

    value: Any
    origin: str


def register(parser: pytest.Parser) -> None:
    """Add every option and ini key."""
    group = parser.getgroup("fsprobe", "fsprobe: checks of a FUSE file system, and fixtures that mount one")
    for setting in SETTINGS:
        more: dict[str, Any] = {"dest": setting.key, "help": setting.help, "default": None}
        if setting.kind == "flag":
            group.addoption(setting.flag, action="store_true", **more)
        elif setting.kind == "texts":
            group.addoption(setting.flag, action="append", metavar=setting.metavar, **more)
        else:
            group.addoption(setting.flag, metavar=setting.metavar, **more)
        parser.addini(setting.key, setting.help, type=INI_TYPES[setting.kind], default=None)


def marker_line() -> str:
    """The description of the marker, for `pytest --markers`."""
    names = [setting for setting in SETTINGS if setting.marker]
    told = " ".join(f"{setting.name}: {setting.help}" for setting in names)
    return f"fsprobe({', '.join(f'{setting.name}=None' for setting in names)}): what fuse_mount mounts. {told}"


def given(config: pytest.Config, name: str) -> Value | None:
    """The value from the command line, else from the configuration file; None where there is none.

    Raises pytest.UsageError for one that makes no sense.
    """
    setting = BY_NAME[name]
    typed = config.getoption(setting.key, None)
    if typed is not None:
        return checked(setting, Value(typed, f"option {setting.flag}"))
    written = config.getini(setting.key)
    if written in (None, "", [], False):
        return None
    file = config.inipath.name if config.inipath else "configuration"
    return checked(setting, Value(written, f"{setting.key} in {file}"))


def marked(node: Any, name: str) -> Value | None:
    """The value from a test's nearest marker that has it, else as `given`."""
    for mark in node.iter_markers("fsprobe"):
        found = _argument(mark, name, node.nodeid)
        if found is not None:
            return checked(BY_NAME[name], found)
    return given(node.config, name)


def _argument(mark: pytest.Mark, name: str, nodeid: str) -> Value | None:
    allowed = [setting.name for setting in SETTINGS if setting.marker]
    origin = f"marker fsprobe of {nodeid}"
    unknown = [key for key in mark.kwargs if key not in allowed]
    if unknown:
        raise pytest.UsageError(f"{origin}: unknown argument {unknown[0]!r}; there are: {', '.join(allowed)}")
    if len(mark.args) > 1 or (mark.args and "target" in mark.kwargs):
        raise pytest.UsageError(f"{origin}: its one argument without a name is the target")
    values = {**({"target": mark.args[0]} if mark.args else {}), **mark.kwargs}
    return Value(values[name], origin) if values.get(name) is not None else None


def checked(setting: Setting, value: Value) -> Value:
    """The value, converted. Raises pytest.UsageError, which says where it came from."""
    if setting.kind == "seconds":
        return Value(_seconds(setting, value), value.origin)
    if setting.kind == "texts":
        texts = [value.value] if isinstance(value.value, str) else value.value
        if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text for text in texts):
            raise _invalid(setting, value, "a text or a list of texts")
        return Value(tuple(texts), value.origin)
    if setting.kind == "text" and (not isinstance(value.value, str) or not value.value.strip()):
        raise _invalid(setting, value, "a text")
    if setting.name == "mount_scope" and value.value not in SCOPES:
        raise _invalid(setting, value, f"one of {', '.join(SCOPES)}")
    return value


def _seconds(setting: Setting, value: Value) -> float:
    try:
        seconds = float(value.value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise _invalid(setting, value, "a number of seconds above 0")
    return seconds


def _invalid(setting: Setting, value: Value, form: str) -> pytest.UsageError:
    return pytest.UsageError(f"invalid fsprobe {setting.name} {value.value!r} from {value.origin}: it is {form}")
