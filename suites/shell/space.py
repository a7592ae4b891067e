"""Programs that write at places, reserve and give back space: dd, truncate, fallocate, shred, tee; and two at once."""

from __future__ import annotations

import errno

from fsprobe.checks import OPTIONAL, Finding, Unsupported, shell_check
from fsprobe.checks.shell import Shell


@shell_check(
    "shell.dd-seek", op="WRITE", also=("OPEN", "SETATTR", "READ"), source="man 1 dd (seek, skip); catalogue 3.15.3",
    needs=("write",), killers=("WRITE:errno=EIO", "WRITE:fake", "READ:flip", "SETATTR:errno=EIO"),
)
def dd_seek(sh: Shell) -> None:
    """`dd seek=` leaves zeros before what it writes, cuts what is behind, and `skip=` reads from the middle."""
    f = sh.name("f")
    sh.ok(f"printf tail | dd of={f} bs=1000 seek=3 status=none")
    sh.expect_output(f"stat -c %s {f}; head -c 3000 {f} | tr -d '\\0' | wc -c", "3004\n0")
    sh.ok(f"printf ABCDE | dd of={f} bs=5 seek=2 status=none")
    sh.expect_output(f"stat -c %s {f}; dd if={f} bs=1 skip=11 count=3 status=none", "15\nBCD")


@shell_check(
    "shell.dd-append", op="WRITE", also=("OPEN", "GETATTR"), source="man 1 dd (oflag=append); catalogue 3.13.3",
    needs=("write",), killers=("WRITE:errno=EIO", "WRITE:fake"),
)
def dd_append(sh: Shell) -> None:
    """`dd oflag=append conv=notrunc` and two programs with the file open by `>>` all write at its end."""
    f = sh.name("f")
    sh.ok(f"printf one > {f} && printf two | dd of={f} oflag=append conv=notrunc status=none")
    sh.ok(f"( set -e; exec 3>> {f} 4>> {f}; printf three >&3; printf four >&4; printf five >&3 )")
    sh.expect_output(f"cat {f}", "onetwothreefourfive")


@shell_check(
    "shell.truncate-relative", op="SETATTR", also=("READ", "OPEN"), source="man 1 truncate; catalogue 3.4.9",
    needs=("write", "program:truncate"), killers=("SETATTR:errno=EIO", "SETATTR:fake"),
)
def truncate_relative(sh: Shell) -> None:
    """`truncate` by +, -, <, >, / and %, and to the size of another file."""
    f, g = sh.name("f"), sh.name("g")
    sh.must(f"seq 1000 > {f} && seq 100 > {g}")
    steps = (("-893", 3000), ("+96", 3096), ("%4096", 4096), ("<2000", 2000), (">2500", 2500), ("/1000", 2000))
    for size, result in steps:
        sh.ok(f"truncate -s '{size}' {f}")
        sh.expect_equal(f"size after `truncate -s {size}`", sh.ok(f"stat -c %s {f}").output, str(result))
    sh.ok(f"truncate -r {g} {f}")
    sh.expect_output(f"seq 1000 | head -c 292 | cmp - {f}; stat -c %s {f}", "292")


@shell_check(
    "shell.sparse", op="SETATTR", also=("READ", "LSEEK", "WRITE"), source="catalogue 3.4.10, 3.14.4", needs=("write",),
    killers=("SETATTR:errno=EIO", "READ:errno=EIO", "WRITE:fake"),
)
def sparse(sh: Shell) -> None:
    """A file of 64 MiB that holds six bytes has its size, the bytes at their place, and zeros before and behind."""
    f = sh.name("f")
    sh.ok(f"truncate -s 64M {f} && printf behind | dd of={f} bs=1 seek=33554430 conv=notrunc status=none")
    sh.expect_output(f"stat -c %s {f}", "67108864")
    seen = f"dd if={f} bs=1 skip=33554428 count=10 status=none"
    sh.expect_output(f"{seen} | od -An -c | tr -d ' '", "\\0\\0behind\\0\\0")
    sh.expect_output(f"tail -c 1000 {f} | tr -d '\\0' | wc -c", "0")


@shell_check(
    "shell.fallocate", op="FALLOCATE", also=("GETATTR", "READ"), level=OPTIONAL,
    source="man 1 fallocate; catalogue 3.30.1", needs=("write", "program:fallocate"), main=True,
    killers=("FALLOCATE:errno=EIO", "FALLOCATE:fake"),
)
def fallocate(sh: Shell) -> None:
    """`fallocate -l` makes a file of that size, of zeros; with -n the size stays."""
    f = sh.name("f")
    sh.must(f"printf data > {f}")
    _allocate(sh, f"fallocate -l 100000 {f}")
    sh.expect_output(f"stat -c %s {f}; head -c 4 {f}; tail -c +5 {f} | tr -d '\\0' | wc -c", "100000\ndata0")
    _allocate(sh, f"fallocate -n -l 200000 {f}")
    sh.expect_output(f"stat -c %s {f}", "100000")


def _allocate(sh: Shell, command: str) -> None:
    done = sh.run(command)
    if done.status and "mode is unsupported" in done.output:  # its words for EOPNOTSUPP, without strerror's
        raise Unsupported(done.told(), errno.EOPNOTSUPP)
    if done.status and not done.errno:
        raise Finding(f"`{command}` exits with 0", done.told())
    if done.status:
        sh.ok(command)


@shell_check(
    "shell.fallocate-punch", op="FALLOCATE", also=("READ", "GETATTR"), level=OPTIONAL,
    source="man 1 fallocate (-p, -z); catalogue 3.30.1", needs=("write", "program:fallocate"),
    killers=("FALLOCATE:errno=EIO", "FALLOCATE:fake", "READ:flip"),
)
def fallocate_punch(sh: Shell) -> None:
    """`fallocate -p` makes a hole of zeros in the middle and leaves the rest and the size as they are."""
    p, f = sh.private(), sh.name("f")
    sh.must(f"seq 10000 > {p}/in && cp {p}/in {f}")
    _allocate(sh, f"fallocate -p -o 8192 -l 8192 {f}")
    sh.expect_output(f"stat -c %s {f}; tail -c +8193 {f} | head -c 8192 | tr -d '\\0' | wc -c", "48894\n0")
    sh.ok(f"cmp -n 8192 {p}/in {f} && cmp -i 16384 {p}/in {f}")


@shell_check(
    "shell.shred", op="WRITE", also=("OPEN", "RENAME", "UNLINK", "FSYNC"), source="man 1 shred",
    needs=("write", "program:shred"), killers=("WRITE:errno=EIO,nth=5", "UNLINK:fake", "OPEN:errno=EIO"),
)
def shred(sh: Shell) -> None:
    """`shred -u` overwrites a file, gives it shorter and shorter names and removes it."""
    f = sh.name("secret")
    before = sh.ok("ls -A").output
    sh.must(f"seq 2000 > {f}")
    sh.ok(f"shred -n 1 -z {f}")
    sh.expect_output(f"tr -d '\\0' < {f} | wc -c", "0")
    sh.ok(f"shred -n 1 -u {f}")
    sh.expect_output("ls -A", before)


@shell_check(
    "shell.tee-many", op="WRITE", also=("CREATE", "OPEN", "READ"), source="man 1 tee (-a)", needs=("write",),
    killers=("WRITE:errno=EIO", "WRITE:fake", "READ:flip"),
)
def tee_many(sh: Shell) -> None:
    """`tee` writes ten files at once and `tee -a` adds to all of them: `sha256sum` and `wc` find them equal."""
    f = sh.name("f")
    sh.ok(f"seq 5000 | tee {f}-{{0..9}} > /dev/null && seq 5001 6000 | tee -a {f}-{{0..9}} > /dev/null")
    wanted = sh.must("seq 6000 | sha256sum").output.split()[0]
    sh.expect_output(f"sha256sum {f}-? | cut -d ' ' -f 1 | sort | uniq -c | tr -s ' '", f" 10 {wanted}")
    sh.expect_output(f"cat {f}-? | wc -lc | tr -s ' '", " 60000 288930")


@shell_check(
    "shell.read-write", op="WRITE", also=("READ", "OPEN"), source="POSIX XCU 2.7.7 (<>)", needs=("write",),
    killers=("WRITE:fake", "READ:errno=EIO"),
)
def read_write(sh: Shell) -> None:
    """A file open for both (`<>`) is read, overwritten behind what was read, and keeps its end."""
    f = sh.name("f")
    sh.must(f"printf 'one\\ntwo\\nthree\\n' > {f}")
    sh.expect_output(f"( exec 3<> {f}; head -c 4 <&3; printf TWO >&3; cat <&3 )", "one\n\nthree")
    sh.expect_output(f"cat {f}", "one\nTWO\nthree")


@shell_check(
    "shell.open-unlinked", op="UNLINK", also=("READ", "WRITE", "GETATTR"), source="catalogue 3.8.2; POSIX unlink",
    needs=("write",), killers=("UNLINK:errno=EIO", "UNLINK:fake", "WRITE:fake"),
)
def open_unlinked(sh: Shell) -> None:
    """A file that is removed while it is open can still be written and read: what every temporary file does."""
    f = sh.name("f")
    listed = f"ls -A | grep -x -F {f} || true"
    sh.expect_output(f"( set -e; exec 3<> {f} 4< {f}; rm {f}; echo unseen >&3; {listed}; cat <&4 )", "unseen")
    sh.expect_gone(f)


@shell_check(
    "shell.sync-kinds", op="FSYNC", also=("FSYNCDIR", "WRITE"), source="man 1 sync (-d)",
    needs=("write", "program:sync"), killers=("FSYNC:errno=EIO", "FSYNCDIR:errno=EIO"),
)
def sync_kinds(sh: Shell) -> None:
    """`sync` of a file, of its data alone and of a directory."""
    f = sh.name("f")
    sh.must(f"echo x > {f}")
    for words in (f, f"-d {f}", "."):
        sh.ok(f"sync {words}")
    sh.expect_output(f"cat {f}", "x")


@shell_check(
    "shell.mkfifo-two", op="MKNOD", also=("OPEN", "UNLINK"), level=OPTIONAL, source="man 1 mkfifo; catalogue 3.6.3",
    needs=("write", "program:mkfifo"), killers=("MKNOD:errno=EIO", "UNLINK:fake"),
)
def mkfifo_two(sh: Shell) -> None:
    """Two programs speak through a named pipe, and `rm` removes it."""
    f = sh.name("pipe")
    sh.ok(f"mkfifo -m 600 {f}")
    sh.expect_output(f"( timeout 5 seq 2000 > {f} & timeout 5 wc -l < {f}; wait )", "2000")
    sh.ok(f"rm {f}")
    sh.expect_gone(f)


@shell_check(
    "shell.mkdir-deep", op="MKDIR", also=("LOOKUP", "RMDIR", "READDIR"), source="man 1 mkdir (-p); catalogue 3.7.6",
    needs=("write",), killers=("MKDIR:errno=EIO", "MKDIR:errno=EIO,path=*/20", "RMDIR:errno=EIO", "RMDIR:fake"),
)
def mkdir_deep(sh: Shell) -> None:
    """`mkdir -p` makes forty levels, a file at their end is read, and `rm -rf` removes them all."""
    d = sh.name("deep")
    path = f"{d}/" + "/".join(str(n) for n in range(1, 41))
    sh.ok(f"mkdir -p {path}")
    sh.expect_output(f"echo end > {path}/f && cat {path}/f; find {d} -type d | wc -l", "end\n41")
    sh.ok(f"rm -rf {d}")
    sh.expect_gone(d)


@shell_check(
    "shell.rmdir-p", op="RMDIR", also=("LOOKUP",), source="man 1 rmdir (-p, -v)", needs=("write",),
    killers=("RMDIR:errno=EIO", "RMDIR:fake"),
)
def rmdir_p(sh: Shell) -> None:
    """`rmdir -p` removes a path of empty directories, and stops at the first that is not empty."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"mkdir -p {a}/x/y/z {b}/x/y && : > {b}/f")
    sh.ok(f"rmdir -p {a}/x/y/z")
    sh.expect_gone(a)
    sh.fails(f"rmdir -p {b}/x/y", matching="not empty")
    if sh.ok(f"ls -A {b}").output != "f":
        raise Finding("only f left", sh.ok(f"ls -A {b}").output)
