"""mv and cp in their ways: without replacing, with backups, across directories and file systems, in storms."""

from __future__ import annotations

from fsprobe.checks import OPTIONAL, shell_check
from fsprobe.checks.shell import Shell

STAT = "stat --cached=never"
"""cp and mv set modes as ACLs, of which the kernel learns no mode: what it has cached is old for a second."""


@shell_check(
    "shell.mv-n", op="LOOKUP", also=("RENAME2", "RENAME"), source="man 1 mv (-n); catalogue 3.11.1", needs=("write",),
    killers=("LOOKUP:errno=ENOENT,path=*/b", "RENAME:fake,path=*/c"),
)
def mv_n(sh: Shell) -> None:
    """`mv -n` leaves a file that is there alone, and takes a name that is free."""
    a, b, c = sh.name("a"), sh.name("b"), sh.name("c")
    sh.must(f"echo one > {a} && echo two > {b}")
    sh.run(f"mv -n {a} {b}")  # its exit status differs between versions
    sh.expect_output(f"cat {a} {b}", "one\ntwo")
    sh.ok(f"mv -n {a} {c}")
    sh.expect_gone(a)
    sh.expect_output(f"cat {c}", "one")


@shell_check(
    "shell.mv-b", op="RENAME", also=("LOOKUP",), source="man 1 mv (-b)", needs=("write",),
    killers=("RENAME:errno=EIO", "RENAME:fake"),
)
def mv_b(sh: Shell) -> None:
    """`mv -b` keeps what it replaces under another name, and `cp -b` too."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"echo one > {a} && echo two > {b}")
    sh.ok(f"mv -b {a} {b}")
    sh.expect_output(f"cat {b} {b}~", "one\ntwo")
    sh.expect_gone(a)
    sh.must(f"echo three > {a}")
    sh.ok(f"cp --backup=numbered {a} {b}")
    sh.expect_output(f"cat {b} {b}.~1~", "three\none")


@shell_check(
    "shell.mv-exchange", op="RENAME2", level=OPTIONAL, source="man 1 mv (--exchange, coreutils 9.5); catalogue 3.11.2",
    needs=("write", "program:python3"), killers=("RENAME2:errno=EIO", "RENAME2:fake"),
)
def mv_exchange(sh: Shell) -> None:
    """`mv --exchange` swaps a file and a directory; where mv cannot ask for it, renameat2 is called as it would."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"echo file > {a} && mkdir {b} && echo inner > {b}/f")
    if sh.run("mv --help | grep -q -e --exchange").status == 0:
        sh.ok(f"mv -T --exchange {a} {b}")
    else:
        # AT_FDCWD is -100, RENAME_EXCHANGE 2 (include/uapi/linux/fs.h)
        call = (
            "import ctypes, os, sys; c = ctypes.CDLL(None, use_errno=True); "
            "r = c.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2); "
            "sys.exit(r and \\\"mv: cannot exchange: \\\" + os.strerror(ctypes.get_errno()))"
        )
        sh.ok(f'python3 -c "{call}" {a} {b}')
    sh.expect_output(f"cat {a}/f {b}", "inner\nfile")


@shell_check(
    "shell.mv-across", op="RENAME", also=("LOOKUP", "READDIR"), source="man 1 mv; catalogue 3.10.1", needs=("write",),
    killers=("RENAME:errno=EIO", "RENAME:fake", "READDIR:errno=EIO"),
)
def mv_across(sh: Shell) -> None:
    """`mv` of several files from one directory into another empties the one and fills the other."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"mkdir -p {a}/deep {b} && for n in 1 2 3 4 5; do echo $n > {a}/deep/$n; done")
    sh.ok(f"mv {a}/deep/[1-4] {b}")
    sh.expect_output(f"ls {a}/deep; cat {b}/*", "5\n1\n2\n3\n4")
    sh.ok(f"mv -t {b} {a}/deep/5 && rmdir {a}/deep {a}")
    sh.expect_output(f"ls {b} | wc -l", "5")


@shell_check(
    "shell.mv-in-and-out", op="CREATE", also=("WRITE", "SETATTR", "UNLINK", "MKDIR", "RMDIR", "READ"),
    source="man 1 mv (EXDEV)", needs=("write",),
    killers=("CREATE:errno=EIO", "SETATTR:errno=EIO", "UNLINK:errno=EIO", "READ:flip", "UNLINK:fake"),
)
def mv_in_and_out(sh: Shell) -> None:
    """`mv` brings a tree here from another file system and takes it out again, with modes and times."""
    p, d = sh.private(), sh.name("d")
    sh.must(f"mkdir -p {p}/t/sub && seq 2000 > {p}/t/sub/f && chmod 640 {p}/t/sub/f && touch -d 2001-02-03 {p}/t/sub/f")
    sh.ok(f"mv {p}/t {d}")
    sh.expect_output(f"{STAT} -c '%a %Y' {d}/sub/f", "640 981158400")
    sh.ok(f"mv {d} {p}/back")
    sh.expect_gone(d)
    sh.expect_output(f"seq 2000 | cmp - {p}/back/sub/f; stat -c %a {p}/back/sub/f", "640")


@shell_check(
    "shell.mv-into-itself", op="LOOKUP", also=("RENAME",), source="man 1 mv; catalogue 3.10.6", needs=("write",),
    killers=("GETATTR:errno=EIO",),
)
def mv_into_itself(sh: Shell) -> None:
    """`mv` of a directory into one below it is refused, and all is still in its place."""
    d = sh.name("d")
    sh.must(f"mkdir -p {d}/a/b && echo x > {d}/f")
    sh.fails(f"mv {d} {d}/a/b", matching="cannot move")
    sh.expect_output(f"find {d} | sort", f"{d}\n{d}/a\n{d}/a/b\n{d}/f")
    sh.expect_output(f"stat -c %F {d}/a/b", "directory")


@shell_check(
    "shell.rename-storm", op="RENAME", also=("LOOKUP", "READDIR"), source="catalogue 3.10.1, 3.10.11", needs=("write",),
    parallel=True, killers=("RENAME:errno=EIO", "RENAME:errno=EIO,nth=33", "RENAME:fake"),
)
def rename_storm(sh: Shell) -> None:
    """Seventy-two renames of files between two directories, in four processes: each file is there once at the end."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"mkdir {a} {b} && for n in $(seq 24); do echo $n > {a}/$n; done")
    move = f"for n in $(seq $w 4 24); do mv {a}/$n {b}/$n && mv {b}/$n {a}/x$n && mv {a}/x$n {b}/$n || exit; done"
    sh.ok(f"( for w in 1 2 3 4; do ( {move} ) & done; for job in $(jobs -p); do wait $job || exit; done )")
    sh.expect_output(f"ls -A {a}; cat {b}/* | sort -n", "\n".join(str(n) for n in range(1, 25)))


@shell_check(
    "shell.cp-p", op="SETATTR", also=("CREATE", "WRITE", "READ"), source="man 1 cp (-p, -u, -n)", needs=("write",),
    killers=("SETATTR:errno=EIO", "SETATTR:fake"),
)
def cp_p(sh: Shell) -> None:
    """`cp -p` keeps mode and time, `cp -u` leaves what is newer and `cp -n` what is there."""
    a, b, c = sh.name("a"), sh.name("b"), sh.name("c")
    sh.must(f"echo one > {a}")
    sh.ok(f"chmod 604 {a} && touch -d 2001-02-03 {a}")
    sh.ok(f"cp -p {a} {b}")
    sh.expect_output(f"{STAT} -c '%a %Y' {b}", "604 981158400")
    sh.must(f"echo newer > {c}")
    sh.ok(f"cp -u {a} {c}")
    sh.run(f"cp -n {a} {c}")
    sh.expect_output(f"cat {c}", "newer")


@shell_check(
    "shell.cp-reflink", op="READ", also=("COPY_FILE_RANGE", "WRITE", "CREATE"),
    source="man 1 cp (--reflink); catalogue 3.32.2", needs=("write",),
    killers=("READ:flip", "COPY_FILE_RANGE:fake", "CREATE:errno=EIO,path=*/b"),
)
def cp_reflink(sh: Shell) -> None:
    """`cp --reflink=auto` and `--reflink=never` give the same bytes, and the copy is a file of its own."""
    a, b, c = sh.name("a"), sh.name("b"), sh.name("c")
    sh.must(f"seq 30000 > {a}")
    sh.ok(f"cp --reflink=auto {a} {b} && cp --reflink=never {a} {c}")
    sh.ok(f"echo more >> {b}")
    sh.expect_output(f"seq 30000 | cmp - {a}; seq 30000 | cmp - {c}; cmp -n 168894 {a} {b}; tail -n 1 {b}", "more")


@shell_check(
    "shell.cp-over-open", op="OPEN", also=("SETATTR", "WRITE", "READ"), source="man 1 cp; catalogue 3.13.2",
    needs=("write",), killers=("OPEN:errno=EIO", "WRITE:fake", "READ:errno=EIO"),
)
def cp_over_open(sh: Shell) -> None:
    """`cp` over a file that another program reads changes that file: the reader goes on in the new content."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"printf 'old1\\nold2\\n' > {a} && printf 'new1\\nnew2\\n' > {b}")
    sh.ok(f"cp {b} {a}")
    sh.expect_output(f"( exec 3< {a}; printf 'last\\n' > {b}; cp {b} {a}; read -r line <&3; echo $line )", "last")


@shell_check(
    "shell.ln-s-kinds", op="SYMLINK", also=("READLINK", "LOOKUP"), level=OPTIONAL, source="man 1 ln (-r, -f)",
    needs=("write",), killers=("SYMLINK:errno=EIO", "READLINK:errno=EIO"),
)
def ln_s_kinds(sh: Shell) -> None:
    """`ln -sr` makes a relative link, `ln -sf` turns one, and a dangling one is there but leads nowhere."""
    d, e = sh.name("d"), sh.name("e")
    sh.must(f"mkdir {d} {e} && echo x > {e}/f")
    sh.ok(f"ln -s -r {e}/f {d}/rel")
    sh.expect_output(f"readlink {d}/rel; cat {d}/rel", f"../{e}/f\nx")
    sh.ok(f"ln -s -f no/where {d}/rel")
    sh.expect_output(f"readlink {d}/rel; [ -L {d}/rel ] && [ ! -e {d}/rel ] && echo dangling", "no/where\ndangling")
    sh.fails(f"cat {d}/rel", matching="No such file or directory")
