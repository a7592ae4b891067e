"""`fsprobe summary`, and the words of `fsprobe bench`: what is no result, no place or no option is told as that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fsprobe.bench import document
from tests.bench.made import bench_of, cell
from tests.command import Command
from tests.report import documents


@pytest.fixture
def bench(scratch: Path) -> Path:
    path = scratch / "bench.json"
    path.write_text(document.dumps(bench_of(fs={**cell(2.0), "to_native": 2.0}, native=cell(1.0))))
    return path


@pytest.fixture
def run(scratch: Path) -> Path:
    path = scratch / "run.json"
    path.write_text(json.dumps(documents.good()))
    return path


@pytest.mark.parametrize(("words", "said"), [
    (("summary",), "no result"), (("summary", "nowhere.json"), "cannot be read"), (("summary", "."), "cannot be read"),
    (("summary", "broken.json"), "not JSON"), (("summary", "run.json"), "fsprobe report run.json"),
    (("summary", "bench.json", "-o", "/nowhere/page.md"), "cannot be written"),
    (("report", "bench.json"), "fsprobe summary bench.json"), (("baseline", "bench.json"), "is a benchmark"),
    (("bench",), "no TARGET"), (("bench", "vexfs", "--against", "run.json"), "fsprobe run writes this one"),
    (("bench", "vexfs", "--tolerance", "much"), "no percentage"), (("bench", "vexsf"), "vexfs"),
    (("bench", "vexfs", "--json", "/nowhere/x.json"), "no directory"), (("bench", "vexfs", "--timeout", "nan"), "nan"),
    (("bench", "vexfs", "--quick", "--native", "nowhere"), "no directory can be made there"),
    (("bench", "vexfs", "--inject", "RENAME:never"), "rule"), (("bench", "vexfs", "--rounds", "0"), "0"),
    (("bench", "vectors", "--against", "bench.json"), "not vectors"),
])  # fmt: skip
def test_misuse_is_told(
    words: tuple[str, ...], said: str, fsprobe: Command, scratch: Path, bench: Path, run: Path
) -> None:
    """It would end in a traceback, or with a page of nothing."""
    (scratch / "broken.json").write_text("{")
    result = fsprobe(*words)
    assert result.exit_code == 2 and said in result.stderr, str(result)
    assert "Traceback" not in result.stderr and result.stdout == ""


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
def test_conformance_stands_beside_speed(form: str, fsprobe: Command, bench: Path, run: Path, scratch: Path) -> None:
    """A fast file system that loses data would look like the better one."""
    told = json.loads(run.read_text())
    told["target"]["name"] = "fs"
    run.write_text(json.dumps(told))
    page = scratch / "page"
    assert fsprobe("summary", str(bench), str(run), "--format", form, "-o", str(page)).exit_code == 0
    said = page.read_text()
    assert "2.00×" in said and f"PASS {told['summary']['counts']['PASS']}" in said and "conformance" in said.lower()


def test_targets_of_the_configuration_have_their_names(fsprobe: Command, scratch: Path) -> None:
    """A table of three long commands is no table."""
    (scratch / "fsprobe.toml").write_text('[targets.mine]\ncommand = "/bin/false {mountpoint}"\n')
    result = fsprobe("bench", "mine", "--quick", "--only", "files", "--json", "-", "-q", cwd=scratch)
    assert result.exit_code == 4, str(result)
    assert [target["name"] for target in json.loads(result.stdout)["targets"]] == ["mine", "native"]
