"""Loading suites: folders of plain Python files, by path, ours and the user's alike.

Owns finding and importing the files; knows nothing of running what they hold.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from fsprobe.checks.check import Check
from fsprobe.errors import UsageError

BUILT_IN = ("protocol", "posix", "shell", "apps")


def suites_root() -> Path:
    """Where the built-in suites lie: beside the package in a clone, inside it in a wheel."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "suites"
    return inside if inside.is_dir() else package.parent / "suites"


def suite_path(name: str) -> Path:
    """The folder (or single file) of a suite given by built-in name or by path.

    Raises UsageError where there is neither.
    """
    built_in = suites_root() / name
    if "/" not in name and built_in.is_dir():
        return built_in
    path = Path(name)
    if (name and path.is_dir()) or (path.is_file() and path.suffix == ".py"):
        return path.resolve()
    known = ", ".join(sorted(p.name for p in suites_root().iterdir() if p.is_dir() and p.name[0] not in "_."))
    raise UsageError(f"no suite {name!r}", causes=(f"built in: {known}; or give a folder of Python files",))


def load_suite(name: str) -> list[Check]:
    """Every check of a suite, in the order of files and then of lines.

    Raises UsageError for a file that cannot be imported or an id given twice.
    """
    path = suite_path(name)
    files = sorted(path.glob("*.py")) if path.is_dir() else [path]
    checks: list[Check] = []
    for file in files:
        if not file.name.startswith("_"):
            checks += _load_file(file, path.stem)
    return checks


def _load_file(file: Path, suite: str) -> list[Check]:
    module_name = f"fsprobe_suite_{suite}_{file.stem}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # a user's file may raise anything; it is told with its place
        causes = ("files of a suite are imported: what they do at once belongs under if __name__ == '__main__'",)
        ended = isinstance(error, SystemExit)
        raise UsageError(f"{file}: {type(error).__name__}: {error}", causes=causes if ended else ()) from error
    found = [value.__fsprobe_check__ for value in vars(module).values() if hasattr(value, "__fsprobe_check__")]
    return sorted(found, key=lambda check: check.line)


def unique_ids(checks: list[Check]) -> list[Check]:
    """The same checks. Raises UsageError where two share an id."""
    seen: dict[str, Check] = {}
    for check in checks:
        other = seen.setdefault(check.id, check)
        if other is not check:
            places = f"{other.path}:{other.line} and {check.path}:{check.line}"
            raise UsageError(f"check id {check.id!r} is used twice: {places}")
    return checks
