"""Real programs on VexFS: what they make there is what they make anywhere, and it stays what it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.reference_fs.mounted import ROOT, on_mount
from tests.reference_fs.test_fronts import pytestmark as needs_a_mount

FRONTS = ("raw", "fusepy")
SECONDS = 90  # for one application, on a busy machine

pytestmark = needs_a_mount


@pytest.fixture(params=FRONTS)
def front(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def told_by(work: str, place: Path, front: str, *programs: str) -> list[str]:
    """What a script printed. Skips where a program is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")
    done = on_mount(place / "mnt", f"set -e; export HOME={place}; mkdir work; cd work\n{work}", "--front", front,
                    seconds=SECONDS)  # fmt: skip
    assert done.status == 0
    return [line.strip() for line in done.lines]


GIT = r"""
exec 2>&1
g() { git -c user.name=n -c user.email=n@example.org -c init.defaultBranch=main "$@"; }
g init -q one; cd one
for i in $(seq 60); do mkdir -p d$((i % 7)); seq $i 400 > d$((i % 7))/f$i; done
chmod +x d1/f1; ln -s d1/f1 link; g add -A; g commit -q -m first
seq 1000 > d2/f2; g rm -q d3/f3; g mv d4 moved; g commit -q -a -m second
git checkout -q -b side HEAD~1; echo side > side; g add side; g commit -q -m side; git checkout -q main
g merge -q -m merged side; git gc -q --prune=now; git fsck --full --strict; git status --short
cd ..; git clone -q one two; git clone -q --no-hardlinks --bare one three
diff -r --exclude=.git one two && echo same
git -C three rev-list --count HEAD; git -C two log --format=%s | sort | head -1;
git -C one count-objects -v | grep -E '^(count|packs)'; git -C two status --short; rm -rf two three; ls
"""


def test_git(front: str, tmp_path: Path) -> None:
    """Locks by O_EXCL, objects by link and rename, packs by mmap: repositories stay whole through gc and clone."""
    assert told_by(GIT, tmp_path, front, "git") == ["same", "4", "first", "count: 0", "packs: 1", "one"]


@pytest.mark.parametrize("journal", ["delete", "truncate", "persist", "wal"])
def test_sqlite(front: str, journal: str, tmp_path: Path) -> None:
    """Byte-range locks between processes, journals made and removed, and the shared memory of WAL."""
    work = f'"$PYTHON" {ROOT}/tests/programs/sqlite_workload.py "$PWD/db" {journal}'
    left = ["db", "db-journal"] if journal in ("truncate", "persist") else ["db"]
    (line,) = told_by(work, tmp_path, front)
    start, _, files = line.partition(" [")
    assert start == f"{journal} 0 80 80 ok"
    assert sorted(files.strip("]").replace("'", "").split(", ")) == left


TREE = r"""
mkdir -p tree/a/b tree/empty; seq 5000 > tree/a/file; cp tree/a/file tree/a/b/copy; ln tree/a/file tree/hard
ln -s a/file tree/soft; ln -s nowhere tree/dangling; truncate -s 3M tree/sparse; echo end >> tree/sparse
mkfifo tree/fifo; chmod 4750 tree/a/b/copy; chmod 2775 tree/a; chmod 1777 tree/empty; chown 12:34 tree/hard
setfattr -n user.note -v kept tree/a/file; touch -d @1.123456789 tree/a/file; touch -h -d @7 tree/soft
printf x > "tree/$(printf 'odd\n\377name')"; touch -d @9 tree/a tree/a/b tree/empty tree
"""
RSYNC = TREE + r"""
rsync -aHAX --numeric-ids tree/ copy/
rsync -aHAX --numeric-ids --itemize-changes tree/ copy/; echo 'second time: nothing'
rsync -aHAX --numeric-ids --checksum --itemize-changes --delete copy/ tree/
echo more >> tree/a/file; rsync -aHAX --numeric-ids --itemize-changes tree/ copy/
rsync -a --inplace --sparse tree/sparse copy/; cmp tree/sparse copy/sparse; stat -c '%h %.9Y' copy/hard | cut -c1
"""


def test_rsync(front: str, tmp_path: Path) -> None:
    """A backup taken twice copies nothing the second time: times, owners, links, attributes are all kept."""
    lines = told_by(RSYNC, tmp_path, front, "rsync", "setfattr")
    assert lines == ["second time: nothing", ">f.st...... hard", "hf.st...... a/file => hard", "2"]


TAR = TREE + r"""
tar --xattrs --sparse -C tree -cf t.tar .; mkdir out; tar --xattrs --same-owner -C out -xpf t.tar
tar --xattrs -C out -df t.tar && echo no difference; stat -c '%s %h' out/sparse out/hard
test $(stat -c %b out/sparse) -lt 100 && echo sparse; readlink out/soft; rm -r out tree; ls
"""


def test_tar(front: str, tmp_path: Path) -> None:
    """What is packed, unpacked and compared is the same, holes included."""
    assert told_by(TAR, tmp_path, front, "tar", "setfattr") == [
        "no difference", "3145732 1", "23893 2", "sparse", "a/file", "t.tar",
    ]  # fmt: skip


MAKE = r"""
unset MAKEFLAGS MAKELEVEL MFLAGS  # the tests themselves may run under make
cat > Makefile <<'EOF'
all: prog
prog: main.o other.o ; cc -o $@ $^
%.o: %.c other.h ; cc -c -o $@ $<
EOF
echo 'int other(void);' > other.h; echo '#include "other.h"
int other(void) { return 42; }' > other.c
echo '#include <stdio.h>
#include "other.h"
int main(void) { printf("%d\n", other()); return 0; }' > main.c
make -s -j2; ./prog; make -q && echo up to date; touch main.c; make -n | wc -l; make -s; make -q && echo up to date
touch other.h; make -n | wc -l
"""


def test_make(front: str, tmp_path: Path) -> None:
    """Programs are built, run from the mount, and rebuilt only where a time says so."""
    assert told_by(MAKE, tmp_path, front, "make", "cc") == ["42", "up to date", "2", "up to date", "3"]


PIP = r"""
"$PYTHON" - <<'EOF'
import zipfile
with zipfile.ZipFile("tiny-1-py3-none-any.whl", "w") as wheel:
    files = {
        "tiny/__init__.py": 'def main():\n    print("tiny works")\n',
        "tiny-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n",
        "tiny-1.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny-1.dist-info/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
    }
    files["tiny-1.dist-info/RECORD"] = "".join(f"{name},,\n" for name in [*files, "tiny-1.dist-info/RECORD"])
    for name, text in files.items():
        wheel.writestr(name, text)
EOF
pip() {
    "$PYTHON" -m pip --python venv/bin/python -q --disable-pip-version-check "$@" 2>&1 | grep -v 'the .root. user' || :
}
"$PYTHON" -m venv --without-pip venv
pip install --no-index --no-deps ./tiny-1-py3-none-any.whl
venv/bin/tiny; venv/bin/python -c 'import tiny, os; print(os.path.exists(tiny.__cached__))'
pip uninstall -y tiny
venv/bin/python -c 'import tiny' 2>&1 | tail -1; test -e venv/bin/tiny || echo gone
"""


def test_pip_into_a_venv(front: str, tmp_path: Path) -> None:
    """A package is installed, compiled, started by its script, and removed without a trace."""
    pytest.importorskip("pip")
    assert told_by(PIP, tmp_path, front) == [
        "tiny works", "True", "ModuleNotFoundError: No module named 'tiny'", "gone",
    ]  # fmt: skip
