"""VexFS beside the kernel's own file system: the same program on both has to be told the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.reference_fs.mounted import ROOT, on_mount
from tests.reference_fs.test_fronts import pytestmark as needs_a_mount

PROGRAMS = ROOT / "tests" / "programs"
COMPARE = (
    'mount -t tmpfs none "$OTHER" && mkdir "$OTHER/top" &&'
    '"$PYTHON" {program} "$OTHER/top" {more} > "$OTHER/told" 2>&1;'
    '"$PYTHON" {program} . {more} 2>&1 | diff "$OTHER/told" - | head -40; wc -l < "$OTHER/told"'
)
ASKED_FIRST = re.compile(r"\w+: device: EACCES")
"""Where the kernel does not check permissions it asks who may make devices before anything else."""
TOLD_ALIKE = re.compile(r"\w+: chown nothing: EPERM")
"""chown(2) of nothing comes as what a write by somebody else comes as, who may take set-id bits away."""


def beside_tmpfs(place: Path, program: str, more: str, *arguments: str) -> tuple[list[str], int]:
    """The lines of diff(1), and how many lines there were to compare."""
    other = place / "tmpfs"
    other.mkdir()
    work = f"OTHER={other};" + COMPARE.format(program=PROGRAMS / program, more=more)
    *differences, count = on_mount(place / "mnt", work, *arguments, seconds=60).lines
    return differences, int(count)


@pytest.mark.parametrize("mark", [pytest.param(None, marks=needs_a_mount)])
def test_locks(mark: None, tmp_path: Path) -> None:
    """Who is in the way, waiting that others do not notice, signals, and what a close or a death lets go of."""
    differences, count = beside_tmpfs(tmp_path, "lock_probe.py", "", "--front", "raw")
    assert (differences, count) == ([], 14)


@pytest.mark.parametrize("options", ["default_permissions", "no_default_permissions"])
@pytest.mark.parametrize("seed", [pytest.param(number, marks=needs_a_mount) for number in (3, 4)])
def test_permissions(options: str, seed: int, tmp_path: Path) -> None:
    """Root and three other users, their groups, every mode that matters: whether the kernel checks or VexFS does."""
    differences, count = beside_tmpfs(
        tmp_path, "permission_probe.py", f"{seed} 860", "--front", "raw", "-o", f"allow_other,{options}"
    )
    assert count == 860
    told = [line[2:] for line in differences if line.startswith("<")]
    known = [TOLD_ALIKE, ASKED_FIRST] if options.startswith("no_") else [TOLD_ALIKE]
    assert [line for line in told if not any(pattern.match(line) for pattern in known)] == []
    assert len(told) <= 10
