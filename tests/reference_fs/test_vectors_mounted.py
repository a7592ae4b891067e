"""The vector interface through each front: what a shell sees of it, and that nothing else notices it."""

from __future__ import annotations

from pathlib import Path

from tests.reference_fs.mounted import on_mount
from tests.reference_fs.test_fronts import FRONTS, front, place, pytestmark

__all__ = ["FRONTS", "front", "place", "pytestmark"]

WORK = r"""
mkdir c; echo 1,0,0 > c/a.vec; echo 0,1,0 > c/b.vec; echo words > c/d.vec
printf '0.9,' > c/c.vec; printf '0.1,0' >> c/c.vec
getfattr --only-values -n user.vexfs.dimension c/c.vec; echo
printf 'vector: 1,0,0\nk: 2\n' > c/q.search; cut -f1 c/q.search.results
mv c/a.vec c/z.vec; rm c/b.vec; echo 1,0,0 > _vexfs/search; cut -f1 _vexfs/search
echo 1,2 > e; dd if=e of=c/e.vec 2>&1 | grep -o 'Invalid argument'; cat c/e.vec
(echo k=0 > _vexfs/control) 2>&1 | cut -d: -f3-; echo model=m1 > _vexfs/control; grep -c . _vexfs/control
grep -E '^(vectors|searches|refused)=' _vexfs/stats
grep -c '^error=c/e.vec: 2 dimensions' _vexfs/stats
"""
SEEN = """\
3
a.vec
c.vec
c/z.vec
c/c.vec
Invalid argument
1,2
 echo: write error: Invalid argument
3
vectors=2
searches=2
refused=2
1"""

FIXED = r"""
ls -A; stat -c '%a %F %h' _vexfs _vexfs/stats
rm -rf _vexfs; rmdir _vexfs; mv _vexfs v; touch _vexfs/x; ln _vexfs/stats l
chmod 700 _vexfs; chown 5 _vexfs/stats; setfattr -n user.x -v y _vexfs; mkdir _vexfs; ls _vexfs
df --output=iused,used . | tail -1
cp -r _vexfs copy; ls copy; exec 3>_vexfs/stats; echo x >&3
"""


def test_a_shell_uses_it(front: str, place: Path) -> None:
    """Writing files is all that anybody needs to know to use it."""
    done = on_mount(place, WORK, "--front", front)
    assert done.lines == SEEN.splitlines()
    assert done.status == 0


def test_the_directory_cannot_be_changed(front: str, place: Path) -> None:
    """`rm -rf *` or a curious program must find a directory that refuses, and nothing odd in it."""
    done = on_mount(place, FIXED, "--front", front)
    names = ["control", "search", "stats"]
    assert done.lines[:3] == ["_vexfs", "555 directory 2", "444 regular file 1"]
    refused = [line for line in done.lines if line.endswith("Operation not permitted")]
    assert [line.partition(":")[0] for line in refused] == [
        *["rm"] * 3, "rmdir", "mv", "touch", "ln", "chmod", "chown", "setfattr", "bash",
    ]  # fmt: skip
    assert [line for line in done.lines[3:] if line not in refused] == [
        "mkdir: cannot create directory '_vexfs': File exists", *names, *[done.lines[-5]], *names,
    ]  # fmt: skip
    assert done.lines[-5].split() == ["1", "0"], "it takes no inode and no space"


def test_vectors_survive_a_mount(front: str, place: Path, tmp_path: Path) -> None:
    """A kept store whose vectors are forgotten would answer every query with nothing."""
    store = ("--front", front, "--store", str(tmp_path / "store"))
    on_mount(place, "mkdir c; echo 1,0 > c/a.vec; setfattr -n user.vexfs.model -v m c/a.vec; ls", *store)
    again = "ls; getfattr -n user.vexfs.model --only-values c/a.vec; echo; echo 1,0 > _vexfs/search; cat _vexfs/search"
    done = on_mount(place, again, *store)
    assert done.lines == ["_vexfs", "c", "m", "c/a.vec\t1.000000000"]
    assert done.status == 0
