"""The shape of the code: who may import whom, how long a file may be, that each says what it owns."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CLONE = Path(__file__).parent.parent

# A module may import those of its own row and of rows above it. Folders of one row do not know each other,
# but for what stands in BESIDE.
ROWS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "version"}),
    frozenset({"posix", "wire", "results"}),
    frozenset({"trace", "sandbox", "config"}),
    frozenset({"relay", "checks", "diagnose"}),
    frozenset({"runners", "report"}),
    frozenset({"bench"}),
    frozenset({"api"}),
    frozenset({"cli", "pytest_plugin", "__main__"}),
)
# The part that imports and the module of its own row that it may, each with a reason.
BESIDE: dict[tuple[str, str], str] = {
    ("report", "fsprobe.runners.events"): "live progress is what a run tells while it goes on",
    ("pytest_plugin", "fsprobe.cli.options"): "an option means the same on both command lines",
    ("__main__", "fsprobe.cli.start"): "`python -m fsprobe` is the command, and nothing else",
}

SANS_IO = frozenset({"os", "socket", "threading", "time", "select", "subprocess", "asyncio", "io", "pathlib"})
FUSE_LIBRARIES = frozenset({"fuse", "mfusepy", "pyfuse3", "fusepy"})
LONGEST = 400
# Longer files, each with a reason.
TABLES: dict[str, str] = {"fsprobe/wire/requests.py": "a table: one typed message for each opcode"}


@dataclass(frozen=True)
class Import:
    """One import statement: the module named, absolute, and where it stands."""

    importer: str
    imported: str
    place: str


def _files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (CLONE / folder).rglob("*.py"))


def _module(path: Path) -> str:
    parts = path.relative_to(CLONE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _imports(path: Path) -> Iterator[Import]:
    """Every import of a file, those inside functions and under TYPE_CHECKING too."""
    importer = _module(path)
    package = importer.split(".") if path.name == "__init__.py" else importer.split(".")[:-1]
    for node in ast.walk(_tree(path)):
        place = f"{path.relative_to(CLONE)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, alias.name, place)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = CLONE.joinpath(*source.split("."), alias.name)
                is_module = inner.with_suffix(".py").exists() or inner.is_dir()
                yield Import(importer, f"{source}.{alias.name}" if is_module else source, place)


def _folder(module: str) -> str:
    """The part of fsprobe that a module belongs to."""
    return module.split(".")[1] if module.count(".") else ""


def _row(folder: str) -> int:
    return next(i for i, row in enumerate(ROWS) if folder in row)


def _one_way(found: Import) -> str:
    """What is wrong with an import between parts of fsprobe; "" where nothing is."""
    here, there = _folder(found.importer), _folder(found.imported)
    if here == there or not there:
        return ""
    if not here:
        return "" if there == "errors" else "fsprobe/__init__.py imports nothing"
    if _row(there) < _row(here) or (here, found.imported) in BESIDE:
        return ""
    return f"{found.place}: {here} may not import {there}"


def test_every_part_has_its_row() -> None:
    """A new folder cannot slip past the rule that imports point one way."""
    known = frozenset().union(*ROWS)
    entries = {p.stem for p in (CLONE / "fsprobe").iterdir() if p.is_dir() or p.suffix == ".py"}
    assert entries - known - {"__init__", "__pycache__", "py"} == set()


def test_imports_point_one_way() -> None:
    """A change deep down stays deep down: nothing below knows what is built on it."""
    wrong = [
        text
        for path in _files("fsprobe")
        for found in _imports(path)
        if found.imported.split(".")[0] == "fsprobe" and (text := _one_way(found))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("fsprobe.relay.pump", "fsprobe.trace.exchange", True),
        ("fsprobe.relay.pump", "fsprobe.relay.rules", True),
        ("fsprobe.wire.layout", "fsprobe.errors", True),
        ("fsprobe.trace.exchange", "fsprobe.relay.pump", False),
        ("fsprobe.diagnose.rank", "fsprobe.checks.check", False),
        ("fsprobe.report.html", "fsprobe.cli.main", False),
    ],
)
def test_the_rule_itself(importer: str, imported: str, allowed: bool) -> None:
    """A rule that forbids nothing would pass every file."""
    assert (_one_way(Import(importer, imported, "here")) == "") is allowed


def test_no_cycles() -> None:
    """Any module can be read, and imported, before those that use it: not even types go round in a circle."""
    graph: dict[str, set[str]] = {}
    for path in _files("fsprobe", "reference_fs"):
        module = _module(path)
        inside = {i.imported for i in _imports(path) if i.imported.split(".")[0] in ("fsprobe", "reference_fs")}
        graph[module] = inside - {module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail("imports go round: " + " -> ".join(reversed(cycle.args[1])))


def test_suites_import_only_the_checks_api() -> None:
    """A user's own suite is written like ours: with `fsprobe.checks` and the standard library, nothing else."""
    wrong = [
        f"{found.place}: {found.imported}"
        for path in _files("suites")
        for found in _imports(path)
        if found.imported != "fsprobe.checks"
        and not found.imported.startswith("fsprobe.checks.")
        and found.imported.split(".")[0] not in sys.stdlib_module_names
    ]
    assert wrong == []


def test_wire_does_no_io() -> None:
    """The protocol can be tested, and used, without a kernel: it reads no clock, file or socket."""
    wrong = [
        f"{found.place}: {found.imported}"
        for path in _files("fsprobe/wire")
        for found in _imports(path)
        if found.imported.split(".")[0] in SANS_IO
    ]
    assert wrong == []


def test_reference_model_knows_no_fuse() -> None:
    """One model stands behind every front: it must not lean on a FUSE library or on fsprobe."""
    for path in _files("reference_fs"):
        if path.relative_to(CLONE).parts[1].startswith("model"):
            for found in _imports(path):
                assert found.imported.split(".")[0] not in FUSE_LIBRARIES | {"fsprobe"}, found.place


def test_reference_front_does_not_lean_on_checks() -> None:
    """What is right is decided by the catalogue, never by the reference: it knows no check."""
    for path in _files("reference_fs"):
        for found in _imports(path):
            assert _folder(found.imported) not in ("checks", "runners", "diagnose", "relay"), found.place


@pytest.mark.parametrize("path", _files("fsprobe", "reference_fs", "suites", "bench"), ids=_module)
def test_module_says_what_it_owns(path: Path) -> None:
    """A reader learns from the first lines what a file is for."""
    assert ast.get_docstring(_tree(path)), f"{path.relative_to(CLONE)} has no docstring"


def test_files_are_short() -> None:
    """One file owns one thing; tables may be long, with a reason."""
    lengths = {
        str(path.relative_to(CLONE)): len(path.read_text().splitlines())
        for path in _files("fsprobe", "reference_fs", "suites", "tests", "bench")
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST and name not in TABLES} == {}
    assert {name for name in TABLES if lengths.get(name, 0) <= LONGEST} == set(), "not long any more"


def test_nothing_happens_in_packages() -> None:
    """Importing a package runs no code but imports and constants."""
    harmless = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Expr)
    wrong = [
        f"{path.relative_to(CLONE)}:{node.lineno}"
        for path in _files("fsprobe", "reference_fs")
        if path.name == "__init__.py"
        for node in _tree(path).body
        if not isinstance(node, harmless) or (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant))
    ]
    assert wrong == []
