"""From the words of `fsprobe run`, and the project's configuration, to the options of a run.

Owns what goes before what (command line, the target's table, the file's top, the defaults) and what contradicts what;
knows nothing of click, and leaves it to the plan whether a filter matches.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, get_args

from fsprobe.config import project as projects
from fsprobe.config.project import Project
from fsprobe.config.target import resolve
from fsprobe.errors import UsageError
from fsprobe.results import baseline
from fsprobe.runners.options import Expectation, RunOptions

# Two that exclude each other, and why.
_EXCLUDE = (
    ("no_mount", "no_relay", "without a mount the relay is all there is"),
    ("native", "no_mount", "a directory can only be checked through its mount"),
    ("native", "inject", "traffic is altered by the relay, and --native has none"),
    ("no_relay", "inject", "it is the relay that alters the traffic"),
)


def options_of(target: str | None, behind: Sequence[str], typed: Collection[str], **given: Any) -> RunOptions:
    """The options, the target resolved. typed: names of options that stand on the command line; given: all of them.

    Raises UsageError or TargetError.
    """
    if given["native"] is not None and (target is not None or behind):
        raise UsageError("--native DIR stands in place of TARGET", command=f"fsprobe run --native {given['native']}")
    config = given.pop("config")
    project = projects.find() if config is None else projects.load(config)
    if target is None and given["native"] is None:
        target = project.default
    settings = project.settings_of(target)
    given |= {option: value for option, value in settings.items() if option not in typed}
    if project.native_of(target) is not None:
        if behind:
            raise UsageError(f"{target!r} is a mounted directory: no daemon is started for it to give arguments to")
        given["native"] = project.native_of(target)
    for one, other, why in _EXCLUDE:
        if given[one] and given[other]:
            raise UsageError(f"{_flag(one)} and {_flag(other)} exclude each other", causes=(why,))
    if given["expect"] is not None and given["expect"] not in get_args(Expectation):
        known = ", ".join(get_args(Expectation))
        raise UsageError(f"expect = {given['expect']!r} in {project.path}", causes=(f"there are: {known}",))
    given["ops"] = tuple(op.upper() for op in given["ops"])
    given["baseline"] = baseline.load(given["baseline"]) if given["baseline"] is not None else None
    resolved = None if given["native"] is not None else _resolved(project, target, behind)
    return RunOptions(target=resolved, **given)


def _resolved(project: Project, target: str | None, behind: Sequence[str]) -> Any:
    if target is not None and target in project.targets:
        return project.target(target, tuple(behind))
    return resolve(target, behind, tuple(project.targets))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
