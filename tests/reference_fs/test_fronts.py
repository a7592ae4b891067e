"""The fronts on a real mount: what programs see is what the model does, and nothing stays behind."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.reference_fs.mounted import on_mount

pytestmark = [
    pytest.mark.mount,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting in namespaces of our own needs root"),
    pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="no /dev/fuse"),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare"),
]
FRONTS = ("fusepy", "mfusepy", "raw")


@pytest.fixture(params=FRONTS)
def front(request: pytest.FixtureRequest) -> str:
    if request.param == "mfusepy":
        pytest.importorskip("mfusepy")
    return str(request.param)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "mnt"


DAILY = r"""
echo hi > a; cat a; ln a b; stat -c '%h %s' b; mkdir d; mv a d/; ls -A -I _vexfs . d; ln -s x y; readlink y
touch -d @5.000000007 b; stat -c '%.9Y' b; touch -a -d @9 b; stat -c '%X %Y' b
setfattr -n user.k -v v b; getfattr --only-values -n user.k b; echo
rmdir d; echo $?; rm -r d; mkfifo p; stat -c %F p; truncate -s 5G big; stat -c '%s %b' big
printf '\377\n' | xargs -0 touch; ls -A -I _vexfs | wc -l; df --output=used . | tail -1
"""
DAILY_OUTPUT = """\
hi
2 3
.:
b
d

d:
a
x
5.000000007
9 5
v
rmdir: failed to remove 'd': Directory not empty
1
fifo
5368709120 0
6
4"""


def test_daily_work(front: str, place: Path) -> None:
    """Coreutils on every front; a clean exit when unmounted."""
    done = on_mount(place, DAILY, "--front", front)
    assert [line.strip() for line in done.lines] == DAILY_OUTPUT.splitlines()
    assert done.status == 0


REMOVED = r"""
echo old > f; ln f g; exec 3<>f; rm f; ls -A -I _vexfs; stat -L -c %h /dev/fd/3; rm g; stat -L -c '%h %s' /dev/fd/3
echo new > f; cat <&3; echo more >&3; chmod 600 /dev/fd/3; stat -L -c '%a %s' /dev/fd/3; cat f
echo newest > n; exec 4<f; mv n f; cat <&4; cat f; ls -A -I _vexfs; exec 3>&- 4<&-; sleep 0.1
df --output=used . | tail -1
"""


def test_removed_files_that_are_open_live_on(front: str, place: Path) -> None:
    """Unseen in any directory, link count 0, content and space kept until closed: libfuse needs help for that."""
    done = on_mount(place, REMOVED, "--front", front)
    assert [line.strip() for line in done.lines] == [
        "g", "1", "0 4", "old", "600 9", "new", "new", "newest", "f", "4",
    ]  # fmt: skip


REPLACED = r"""
echo whole > f
(for i in $(seq 150); do echo whole > n; mv n f; done; touch stop) &
while ! test -e stop; do IFS= read -r line < f; echo "$line"; done 2>&1 | sort | uniq -c | sed 's/.* //'
"""


@pytest.mark.parametrize("front", ["fusepy", "raw"])  # libfuse 3 says ESTALE, and the kernel tries again but once
def test_who_reads_a_file_that_is_being_replaced_finds_one(front: str, place: Path) -> None:
    """rename(2) is atomic: a reader never sees no file, whoever is between its lookup and its open."""
    assert on_mount(place, REPLACED, "--front", front).lines == ["whole"]


def test_an_open_directory_that_is_removed_can_be_asked(place: Path) -> None:
    """`rm -r` of somebody's working directory leaves them one that answers stat."""
    work = "mkdir d; cd d; rmdir ../d; stat -c '%h %F' .; touch f 2>&1 | sed 's/.*: //'"
    assert on_mount(place, work, "--front", "fusepy").lines == ["0 directory", "No such file or directory"]


STRANGER = r"""
as() { setpriv --reuid 1234 --regid 1234 --groups 77 "$@"; }
chmod 1777 .; mkdir -m 2777 shared; chgrp 77 shared; echo x > mine; chmod 600 mine; mkdir -m 700 closed
as bash -c 'echo y > shared/file; stat -c "%u %g" shared/file; cat mine; rm mine; chown 0 shared/file; ls closed'
as chgrp 77 shared/file; as chgrp 78 shared/file; cp /bin/true shared/prog; chmod 6777 shared/prog
as bash -c 'echo > shared/prog'; stat -c %a shared/prog
"""
STRANGER_OUTPUT = """\
1234 77
cat: mine: Permission denied
rm: cannot remove 'mine': Operation not permitted
chown: changing ownership of 'shared/file': Operation not permitted
ls: cannot open directory 'closed': Permission denied
chgrp: changing group of 'shared/file': Operation not permitted
777"""


@pytest.mark.parametrize("options", ["default_permissions", "no_default_permissions"])
def test_other_users_may_do_what_the_bits_say(front: str, options: str, place: Path) -> None:
    """Whether the kernel checks or VexFS does; new files belong to who made them."""
    done = on_mount(place, STRANGER, "--front", front, "-o", options)
    assert done.lines == STRANGER_OUTPUT.splitlines()


def test_limits_are_honoured(front: str, place: Path) -> None:
    """A full file system says so, and df agrees."""
    done = on_mount(place, "dd if=/dev/zero of=f bs=64k count=32 2>&1 | tail -1 | cut -d' ' -f1;"
                    "df --output=avail . | tail -1; rm f; touch a b c d e f 2>&1 | sort -u | head -1",
                    "--front", front, "-o", "size=1m,inodes=5")  # fmt: skip
    assert [line.strip() for line in done.lines] == ["1048576", "0", "touch: cannot touch 'e': No space left on device"]


NEWER = r"""
fallocate -l 1M f; stat -c '%s %b' f; fallocate -p -o 4096 -l 8192 f; stat -c '%s %b' f; stat -c '%W' f | cut -c1-2
"$PYTHON" - <<'EOF'
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def renameat2(old, new, flags):
    return 0 if libc.renameat2(-100, old, -100, new, flags) == 0 else ctypes.get_errno()
os.mkdir("d"); open("g", "w").write("0123456789")
print(renameat2(b"g", b"d", 2), os.path.isdir("g"), os.path.isfile("d"), renameat2(b"g", b"d", 1))
fd = os.open(".", os.O_TMPFILE | os.O_RDWR); os.write(fd, b"unnamed")
libc.linkat(-100, b"/proc/self/fd/%d" % fd, -100, b"named", 0x400); print(open("named").read())
source, target = os.open("d", os.O_RDONLY), os.open("copy", os.O_CREAT | os.O_RDWR)
print(os.copy_file_range(source, target, 100, 5), os.pread(target, 9, 0), os.lseek(target, 0, os.SEEK_HOLE))
EOF
"""


def test_what_only_the_raw_front_can_do(place: Path) -> None:
    """Space reserved and punched, names exchanged, files without a name, times of birth, copies inside."""
    done = on_mount(place, NEWER, "--front", "raw")
    assert done.lines[:2] == ["1048576 2048", "1048576 2032"]
    assert done.lines[3:] == ["0 True True 17", "unnamed", "5 b'56789' 5"]
    assert done.lines[2] == str(int(time.time()))[:2]


@pytest.mark.parametrize("signal", ["TERM", "INT"])
def test_a_signal_unmounts(front: str, signal: str, place: Path) -> None:
    """Nobody should need `umount` after stopping a daemon."""
    done = on_mount(place, f"cd /; kill -{signal} $DAEMON; sleep 0.3; grep -c fuse.vexfs /proc/self/mountinfo",
                    "--front", front)  # fmt: skip
    assert (done.lines, done.status) == (["0"], 0)
