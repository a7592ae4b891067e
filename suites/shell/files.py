"""Programs that make, copy, change, move and remove files."""

from __future__ import annotations

from fsprobe.checks import Finding, shell_check
from fsprobe.checks.shell import Shell

LINES = 40000
"""`seq 40000` makes 228894 bytes: more than one WRITE of 128 KiB, and no multiple of a page."""


def _sum(sh: Shell, command: str) -> str:
    """The SHA-256 of what a command prints."""
    return sh.ok(f"{command} | sha256sum").output.split()[0]


@shell_check(
    "shell.rm", op="UNLINK", also=("LOOKUP", "READDIR"), source="man 1 rm; catalogue 3.8.1", needs=("write",),
    quick=True, main=True, killers=("UNLINK:errno=ENOSYS", "UNLINK:fake"),
)
def rm(sh: Shell) -> None:
    """`rm` removes a file: it is gone, by name and from the list; a second time it fails."""
    f, keep = sh.name("f"), sh.name("keep")
    sh.must(f"echo x > {f} && echo y > {keep}")
    sh.ok(f"rm {f}")
    sh.expect_gone(f)
    names = sh.ok("ls -A").output.split()
    sh.expect_equal(f"whether {f} and {keep} are listed", [f in names, keep in names], [False, True])
    sh.fails(f"rm {f}", matching="No such file or directory")


@shell_check(
    "shell.rm-recreate", op="UNLINK", also=("CREATE", "WRITE", "READ"), source="man 1 rm; catalogue 3.8.3",
    needs=("write",), killers=("UNLINK:errno=EIO", "READ:flip"),
)
def rm_recreate(sh: Shell) -> None:
    """A file that is removed and made again holds the new words only."""
    f = sh.name("f")
    sh.must(f"echo 'the first, longer words' > {f}")
    sh.ok(f"rm {f}")
    sh.ok(f"echo second > {f}")
    sh.expect_output(f"cat {f}", "second")


@shell_check(
    "shell.cp", op="WRITE", also=("CREATE", "READ", "COPY_FILE_RANGE", "IOCTL", "GETATTR"), source="man 1 cp",
    needs=("write",), quick=True, killers=("WRITE:errno=EIO", "CREATE:errno=EIO", "WRITE:fake", "READ:flip"),
)
def cp(sh: Shell) -> None:
    """`cp` into the file system, within it and out of it copies every byte."""
    p, a, b = sh.private(), sh.name("a"), sh.name("b")
    wanted = sh.must(f"seq {LINES} | tee {p}/in | sha256sum").output.split()[0]
    sh.ok(f"cp {p}/in {a}")
    sh.expect_equal(f"SHA-256 of {a}", _sum(sh, f"cat {a}"), wanted)
    sh.ok(f"cp {a} {b}")
    sh.ok(f"cp {b} {p}/out")
    sh.expect_equal(f"SHA-256 of the copy of {b}", _sum(sh, f"cat {p}/out"), wanted)


@shell_check(
    "shell.cp-a", op="SETATTR", also=("CREATE", "WRITE", "MKDIR", "LISTXATTR"), source="man 1 cp; catalogue 3.4.14",
    needs=("write",), killers=("SETATTR:errno=ENOSYS", "SETATTR:fake"),
)
def cp_a(sh: Shell) -> None:
    """`cp -a` copies content, mode and time."""
    p, f = sh.private(), sh.name("f")
    sh.must(f"seq 100 > {p}/in && chmod 604 {p}/in && touch -d '2001-02-03 04:05:06' {p}/in")
    sh.ok(f"cp -a {p}/in {f}")
    sh.ok(f"cmp {p}/in {f}")
    sh.expect_equal(f"mode and mtime of {f}", sh.ok(f"stat -c '%a %Y' {f}").output, "604 981173106")


@shell_check(
    "shell.cp-sparse", op="WRITE", also=("LSEEK", "SETATTR", "READ"), source="man 1 cp; catalogue 3.15.3",
    needs=("write",), killers=("READ:flip", "WRITE:errno=EIO", "SETATTR:errno=EIO"),
)
def cp_sparse(sh: Shell) -> None:
    """`cp --sparse=always` of a file with holes gives the same bytes: zeros where the holes are."""
    p, f = sh.private(), sh.name("f")
    sh.must(f"truncate -s 300000 {p}/in && printf middle | dd of={p}/in bs=1 seek=150000 conv=notrunc 2>/dev/null")
    sh.ok(f"cp --sparse=always {p}/in {f}")
    sh.ok(f"cmp {p}/in {f}")
    sh.ok(f"cp --sparse=always {f} {p}/out")
    sh.ok(f"cmp {p}/in {p}/out")


@shell_check(
    "shell.mv", op="RENAME", also=("RENAME2", "LOOKUP"), source="man 1 mv; catalogue 3.10.1", needs=("write",),
    quick=True, main=True, killers=("RENAME:errno=ENOSYS", "RENAME:fake"),
)
def mv(sh: Shell) -> None:
    """`mv` gives a file its new name: the old one is gone, the content is the same."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"echo moved > {a}")
    sh.ok(f"mv {a} {b}")
    sh.expect_gone(a)
    sh.expect_output(f"cat {b}", "moved")
    names = sh.ok("ls -A").output.split()
    sh.expect_equal(f"whether {a} and {b} are listed", [a in names, b in names], [False, True])


@shell_check(
    "shell.mv-over", op="RENAME", also=("UNLINK",), source="man 1 mv; catalogue 3.10.2", needs=("write",),
    quick=True, killers=("RENAME:errno=ENOSYS", "RENAME:fake"),
)
def mv_over(sh: Shell) -> None:
    """`mv -f` over an existing file replaces it."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"echo new > {a} && echo 'old and longer' > {b}")
    sh.ok(f"mv -f {a} {b}")
    sh.expect_gone(a)
    sh.expect_output(f"cat {b}", "new")


@shell_check(
    "shell.mv-directory", op="RENAME", also=("LOOKUP", "READDIR"), source="man 1 mv; catalogue 3.10.7",
    needs=("write",), killers=("RENAME:errno=ENOSYS", "RENAME:fake"),
)
def mv_directory(sh: Shell) -> None:
    """`mv` of a directory into another one takes along all that is in it."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"mkdir -p {a}/sub {b} && echo deep > {a}/sub/f")
    sh.ok(f"mv {a} {b}")
    sh.expect_gone(a)
    sh.expect_output(f"cat {b}/{a}/sub/f", "deep")


@shell_check(
    "shell.dd", op="WRITE", also=("CREATE", "FSYNC", "READ"), source="man 1 dd; catalogue 3.15.6", needs=("write",),
    killers=("WRITE:errno=EIO", "WRITE:fake", "READ:flip"),
)
def dd(sh: Shell) -> None:
    """`dd` writes blocks, flushes them and overwrites a few bytes in the middle of a file."""
    f = sh.name("f")
    sh.ok(f"dd if=/dev/zero of={f} bs=64k count=3 conv=fsync")
    sh.expect_equal(f"size of {f}", sh.ok(f"stat -c %s {f}").output, "196608")
    sh.ok(f"printf WORDS | dd of={f} bs=1 seek=4094 conv=notrunc")
    sh.expect_equal(f"size of {f} after a write in the middle", sh.ok(f"stat -c %s {f}").output, "196608")
    sh.expect_output(f"dd if={f} bs=1 skip=4094 count=5 2>/dev/null", "WORDS")
    sh.expect_equal("zeros beside them", sh.ok(f"tr -d '\\0' < {f} | wc -c").output.strip(), "5")


@shell_check(
    "shell.append", op="WRITE", also=("OPEN", "GETATTR", "READ"), source="POSIX XCU 2.7.3; catalogue 3.13.3",
    needs=("write",), killers=("WRITE:errno=EIO", "WRITE:fake"),
)
def append(sh: Shell) -> None:
    """`>>` adds to the end of a file, again and again."""
    f = sh.name("f")
    sh.must(f": > {f}")
    for word in ("one", "two", "three"):
        sh.ok(f"echo {word} >> {f}")
    sh.expect_output(f"cat {f}", "one\ntwo\nthree")


@shell_check(
    "shell.redirect", op="OPEN", also=("SETATTR", "WRITE", "READ"), source="POSIX XCU 2.7.2; catalogue 3.13.2",
    needs=("write",), killers=("OPEN:errno=EIO", "WRITE:fake"),
)
def redirect(sh: Shell) -> None:
    """`>` on an existing file empties it first: nothing of longer old words is left."""
    f = sh.name("f")
    sh.must(f"echo 'old and much longer words' > {f}")
    sh.ok(f"echo new > {f}")
    sh.expect_output(f"cat {f}", "new")
    sh.ok(f": > {f}")
    sh.expect_equal(f"size of {f} after `: >`", sh.ok(f"stat -c %s {f}").output, "0")


@shell_check(
    "shell.tee", op="WRITE", also=("OPEN", "CREATE", "READ"), source="man 1 tee", needs=("write",),
    killers=("WRITE:errno=EIO", "WRITE:fake", "CREATE:errno=EIO"),
)
def tee(sh: Shell) -> None:
    """`tee` writes what it passes on, and `tee -a` adds to it."""
    f = sh.name("f")
    sh.expect_output(f"echo first | tee {f}", "first")
    sh.expect_output(f"echo second | tee -a {f}", "second")
    sh.expect_output(f"cat {f}", "first\nsecond")


@shell_check(
    "shell.sort-o", op="OPEN", also=("READ", "SETATTR", "WRITE"), source="man 1 sort", needs=("write",),
    killers=("OPEN:errno=EIO", "READ:flip", "READ:short"),
)
def sort_o(sh: Shell) -> None:
    """`sort -o f f` sorts a file in place."""
    f = sh.name("f")
    sh.must(f"printf 'c\\na\\nd\\nb\\n' > {f}")
    sh.ok(f"sort -o {f} {f}")
    sh.expect_output(f"cat {f}", "a\nb\nc\nd")


@shell_check(
    "shell.sed-i", op="RENAME", also=("CREATE", "WRITE", "READ", "SETATTR"), source="man 1 sed", needs=("write",),
    killers=("RENAME:errno=ENOSYS", "RENAME:fake"),
)
def sed_i(sh: Shell) -> None:
    """`sed -i` edits a file in place and leaves no other file behind."""
    f = sh.name("f")
    sh.must(f"echo 'one two three' > {f}")
    sh.ok(f"sed -i s/two/TWO/ {f}")
    sh.expect_output(f"cat {f}", "one TWO three")
    sh.expect_equal("temporary files left", [n for n in sh.ok("ls -A").output.split() if n.startswith("sed")], [])


@shell_check(
    "shell.mktemp", op="CREATE", also=("LOOKUP", "MKDIR"), source="man 1 mktemp; catalogue 3.24.1", needs=("write",),
    killers=("CREATE:errno=EIO", "GETATTR:attr.size=+1"),
)
def mktemp(sh: Shell) -> None:
    """`mktemp` makes a new file each time, for its owner alone."""
    template = sh.name("tmp.XXXXXX")
    one, two = (sh.ok(f"mktemp ./{template}").output for _ in range(2))
    if one == two:
        raise Finding("two different names", f"{one} twice")
    done = sh.ok(f"stat -c '%s %a' {one} {two}").output.split()
    sh.expect_equal("sizes", done[::2], ["0", "0"])
    if done[1::2] != ["600", "600"]:
        raise sh.warn("mode 600 of both files", f"modes {' and '.join(done[1::2])}")


@shell_check(
    "shell.install", op="SETATTR", also=("CREATE", "WRITE", "UNLINK"), source="man 1 install; catalogue 3.4.1",
    needs=("write", "program:install"), killers=("SETATTR:errno=ENOSYS", "SETATTR:fake", "WRITE:fake"),
)
def install(sh: Shell) -> None:
    """`install -m 750` copies a file and sets its mode, also over an older one."""
    p, f = sh.private(), sh.name("f")
    sh.must(f"seq 100 > {p}/in && echo old > {f}")
    sh.ok(f"install -m 750 {p}/in {f}")
    sh.ok(f"cmp {p}/in {f}")
    sh.expect_equal(f"mode of {f}", sh.ok(f"stat -c %a {f}").output, "750")


@shell_check(
    "shell.sync", op="FSYNC", also=("WRITE", "OPEN"), source="man 1 sync; catalogue 3.18.1",
    needs=("write", "program:sync"), main=True, killers=("FSYNC:errno=EIO",),
)
def sync(sh: Shell) -> None:
    """`sync FILE` flushes a file, and what was written is there."""
    f = sh.name("f")
    sh.must(f"echo durable > {f}")
    sh.ok(f"sync {f}")
    sh.expect_output(f"cat {f}", "durable")


@shell_check(
    "shell.flock", op="SETLKW", also=("SETLK", "CREATE", "OPEN", "RELEASE"), source="man 1 flock; catalogue 3.22.1",
    needs=("write", "program:flock"), killers=("CREATE:errno=EIO",),
)
def flock(sh: Shell) -> None:
    """`flock` runs a command under a lock that a second one cannot take until the first is done."""
    f = sh.name("lock")
    sh.expect_output(f"flock {f} echo locked", "locked")
    sh.expect_output(f"flock {f} flock -n {f} echo both; echo $?", "1")
    sh.expect_output(f"flock -n {f} echo free", "free")


@shell_check(
    "shell.sha256sum", op="READ", also=("WRITE", "FLUSH"), source="man 1 sha256sum; catalogue 3.14.1",
    needs=("write", "program:sha256sum"), killers=("READ:flip", "READ:short", "WRITE:fake"),
)
def sha256sum(sh: Shell) -> None:
    """`sha256sum` of a file of several WRITEs is that of what was written, and `sha256sum -c` agrees."""
    f, sums = sh.name("f"), sh.name("sums")
    wanted = sh.ok(f"seq {LINES} | tee {f} | sha256sum").output.split()[0]
    sh.expect_equal(f"SHA-256 of {f}", sh.ok(f"sha256sum {f}").output.split()[0], wanted)
    sh.ok(f"sha256sum {f} > {sums} && sha256sum -c {sums}")


@shell_check(
    "shell.cmp", op="READ", also=("WRITE",), source="man 1 cmp; catalogue 3.14.7", needs=("write", "program:cmp"),
    killers=("READ:errno=EIO", "WRITE:fake"),
)
def cmp(sh: Shell) -> None:
    """`cmp` finds equal files equal, and one changed byte by its place."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"seq 3000 | tee {a} > {b}")
    sh.ok(f"cmp {a} {b}")
    sh.must(f"printf X | dd of={b} bs=1 seek=5000 conv=notrunc 2>/dev/null")
    sh.fails(f"cmp {a} {b}", matching="5001")
