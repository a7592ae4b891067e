"""The wheel: what a user gets by `pip install`, against what a clone has."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CLONE = Path(__file__).parent.parent
IDS = (
    "from fsprobe.checks.suite import BUILT_IN, load_suite\n"
    "print(*sorted(check.id for name in BUILT_IN for check in load_suite(name)), sep='\\n')"
)
LATE = (
    "jinja2", "tomlkit", "psutil", "pexpect", "pytest", "fuse",
    "jsonschema", "junitparser", "hypothesis", "numpy", "yaml",
)  # fmt: skip
LIST = "import sys; from fsprobe.cli.start import entry; sys.argv = ['fsprobe', 'list']; entry()"


def _run(*argv: str | Path, cwd: Path) -> str:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this clone, built by the backend itself: no isolation, so no network."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed")
    place = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place), cwd=CLONE)
    return next(place.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh venv's Python with the wheel. What fsprobe needs is lent by the venv of the tests.

    A path file lends folders, not the path files in them: an editable install there stays unseen.
    """
    place = tmp_path_factory.mktemp("venv")
    _run(sys.executable, "-m", "venv", "--without-pip", place, cwd=place)
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", str(python)]
    _run(*pip, "install", "--no-deps", "--no-index", str(wheel), cwd=place)
    packages = next(place.glob("lib/python*/site-packages"))
    lent = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    (packages / "lent.pth").write_text(f"{lent}\n")
    return python


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """The files in the wheel."""
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize(
    "name",
    ["fsprobe/__init__.py", "fsprobe/py.typed", "fsprobe/cli/main.py", "reference_fs/__main__.py"],
)
def test_wheel_has(name: str, names: set[str]) -> None:
    """An installed fsprobe can start, is typed, and brings its reference file system."""
    assert name in names


def test_wheel_has_every_file_of_the_clone(names: set[str]) -> None:
    """No module, suite or data file that works in a clone is missing after an install."""
    files = [path for name in ("fsprobe", "reference_fs", "suites") for path in (CLONE / name).rglob("*")]
    kept = [str(p.relative_to(CLONE)) for p in files if p.is_file() and p.parent.name != "__pycache__"]
    expected = {f"fsprobe/{name}" if name.startswith("suites/") else name for name in kept}
    assert expected - names == set()


def test_wheel_has_the_schema(wheel: Path, names: set[str]) -> None:
    """Whoever reads a result file can check it against the schema of the same release."""
    schemas = [name for name in names if name.startswith("fsprobe/") and name.endswith(".json")]
    archive = zipfile.ZipFile(wheel)
    assert [name for name in schemas if b"fsprobe.result/1" in archive.read(name)]


def test_wheel_takes_no_common_names(names: set[str]) -> None:
    """An install puts nothing called `suites`, `tests` or `bench` beside other people's packages."""
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith((".dist-info", ".data"))} == {"fsprobe", "reference_fs"}


def test_installed_man_pages_are_found(installed: Path) -> None:
    """After an install `man fsprobe-run` shows the manual: man looks beside the folder of the command."""
    found = {path.name for path in (installed.parent.parent / "share" / "man" / "man1").glob("*.1")}
    assert found == {path.name for path in (CLONE / "man").glob("*.1")} != set()


def test_wheel_has_the_licence(names: set[str]) -> None:
    """The licence travels with the code."""
    assert [name for name in names if ".dist-info/" in name and name.endswith("LICENSE")]


@pytest.mark.parametrize("code", [IDS, LIST], ids=["suites", "fsprobe list"])
def test_installed_has_the_same_checks_as_the_clone(code: str, installed: Path, tmp_path: Path) -> None:
    """An installed fsprobe asks the same questions as a clone."""
    where = _run(installed, "-P", "-c", "import fsprobe; print(fsprobe.__file__)", cwd=tmp_path)
    assert where.startswith(str(installed.parent.parent)), where
    ours = _run(sys.executable, "-c", code, cwd=CLONE)
    theirs = _run(installed, "-P", "-c", code, cwd=tmp_path)
    assert ours.strip()
    assert theirs == ours


def test_console_scripts_start(installed: Path, tmp_path: Path) -> None:
    """`fsprobe` is a command after an install."""
    assert "fsprobe" in _run(installed.parent / "fsprobe", "--version", cwd=tmp_path)


def test_starting_imports_nothing_that_only_developers_have(installed: Path, tmp_path: Path) -> None:
    """`pip install fsprobe` brings all that the verbs import; what is slow waits for the verb that needs it."""
    code = (
        "import sys; sys.argv = ['fsprobe', '--help']\n"
        "from fsprobe.cli.start import entry\n"
        "try: entry()\n"
        "except SystemExit: pass\n"
        f"print('LATE', *sorted({{*sys.modules}} & {set(LATE)!r}))"
    )
    assert _run(installed, "-P", "-c", code, cwd=tmp_path).splitlines()[-1] == "LATE"
