"""VexFS beside the kernel's own file system: the same program on both has to be told the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.reference_fs.mounted import ROOT, on_mount
from tests.reference_fs.test_fronts import pytestmark as needs_a_mount

PROGRAMS = ROOT / "tests" / "programs"
COMPARE = (
    'mount -t tmpfs -o nosuid,nodev none "$OTHER" && mkdir "$OTHER/top" &&'
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


KIND_FIRST = re.compile(r"1001 rename (out|below) \((full, \w+|\w+, full)\): (EACCES|ENOTDIR|EISDIR)")
"""Where the kernel does not check permissions it compares the kinds of two files before anything else."""


@pytest.mark.parametrize("front", [pytest.param(name, marks=needs_a_mount) for name in ("raw", "fusepy")])
@pytest.mark.parametrize("options", ["default_permissions", "no_default_permissions"])
def test_names(front: str, options: str, tmp_path: Path) -> None:
    """Each operation on each kind of file, by odd names: the same errno, and the same times moved."""
    differences, count = beside_tmpfs(
        tmp_path, "names_probe.py", "17", "--front", front, "-o", f"allow_other,{options}"
    )
    assert count > 200
    told = [line[2:] for line in differences if line.startswith("<")]
    assert [line for line in told if not (options.startswith("no_") and KIND_FIRST.match(line))] == []


IN_A_REMOVED_DIRECTORY = """
import os
print(os.listdir("."), os.getxattr(".", "user.k"), os.listxattr("."), os.stat(".").st_nlink)
"""
CHOWN_OF_NOTHING = """
import os, time
for path in (".", "file", "directory", "link"):
    before = os.lstat(path).st_ctime_ns
    time.sleep(0.02)
    os.chown(path, -1, -1, follow_symlinks=False)
    print(path, os.lstat(path).st_ctime_ns > before)
"""


@pytest.mark.parametrize("front", [pytest.param(name, marks=needs_a_mount) for name in ("raw", "fusepy")])
def test_standing_in_what_is_removed(front: str, tmp_path: Path) -> None:
    """A shell in a directory that somebody else removes: it lists nothing, and says nothing of it."""
    work = (
        "mkdir gone; cd gone; \"$PYTHON\" -c 'import os; os.setxattr(\".\", \"user.k\", b\"v\")';"
        "rmdir ../gone; ls -la .;"
        f"\"$PYTHON\" -P -c '{IN_A_REMOVED_DIRECTORY}'; touch new; cd ..; mkdir gone; touch gone/other; ls gone"
    )
    assert on_mount(tmp_path / "mnt", work, "--front", front).lines == [
        "total 0", "[] b'v' ['user.k'] 0", "touch: cannot touch 'new': No such file or directory", "other",
    ]  # fmt: skip


@pytest.mark.parametrize("front", [pytest.param(name, marks=needs_a_mount) for name in ("raw", "fusepy")])
def test_chown_of_nothing(front: str, tmp_path: Path) -> None:
    """chown(2) with -1 for both is a change all the same, and backups go by ctime."""
    work = f"touch file; mkdir directory; ln -s x link; \"$PYTHON\" -c '{CHOWN_OF_NOTHING}'"
    told = on_mount(tmp_path / "mnt", work, "--front", front).lines
    assert told == [". True", "file True", "directory True", "link True"]
