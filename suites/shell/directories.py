"""Programs that make, remove and walk directories: mkdir, rmdir, rm -r, find, ls, du, df, tar."""

from __future__ import annotations

from fsprobe.checks import shell_check
from fsprobe.checks.shell import Shell


@shell_check(
    "shell.mkdir", op="MKDIR", also=("LOOKUP",), source="man 1 mkdir; catalogue 3.7.1", needs=("write",),
    quick=True, main=True, killers=("MKDIR:errno=ENOSYS", "MKDIR:errno=EIO"),
)
def mkdir(sh: Shell) -> None:
    """`mkdir` makes an empty directory that files can be put into; a second time it fails."""
    d = sh.name("d")
    sh.ok(f"mkdir {d}")
    sh.expect_equal(f"type of {d}", sh.ok(f"stat -c %F {d}").output, "directory")
    sh.expect_output(f"ls -A {d}", "")
    sh.ok(f"echo in > {d}/f")
    sh.expect_output(f"cat {d}/f", "in")
    sh.fails(f"mkdir {d}", matching="File exists")


@shell_check(
    "shell.mkdir-p", op="MKDIR", also=("LOOKUP",), source="man 1 mkdir", needs=("write",),
    killers=("MKDIR:errno=ENOSYS",),
)
def mkdir_p(sh: Shell) -> None:
    """`mkdir -p` makes a path of three, and has nothing to complain of the second time."""
    a = sh.name("a")
    sh.ok(f"mkdir -p {a}/b/c")
    sh.ok(f"mkdir -p {a}/b/c")
    sh.expect_equal("directories found", sorted(sh.ok(f"find {a} -type d").output.split()), [a, f"{a}/b", f"{a}/b/c"])


@shell_check(
    "shell.rmdir", op="RMDIR", also=("LOOKUP", "READDIR"), source="man 1 rmdir; catalogue 3.9.1",
    needs=("write",), quick=True, main=True, killers=("RMDIR:errno=ENOSYS", "RMDIR:fake"),
)
def rmdir(sh: Shell) -> None:
    """`rmdir` removes an empty directory: it is gone, by name and from the list, and can be made again."""
    d, keep = sh.name("d"), sh.name("keep")
    sh.must(f"mkdir {d} && : > {keep}")
    sh.ok(f"rmdir {d}")
    sh.expect_gone(d)
    names = sh.ok("ls -A").output.split()
    sh.expect_equal(f"whether {d} and {keep} are listed", [d in names, keep in names], [False, True])
    sh.ok(f"mkdir {d}")


@shell_check(
    "shell.rmdir-not-empty", op="RMDIR", source="man 1 rmdir; catalogue 3.9.1", needs=("write",),
    killers=("RMDIR:errno=EIO", "RMDIR:fake"),
)
def rmdir_not_empty(sh: Shell) -> None:
    """`rmdir` of a directory that holds a file fails, and the file is still there."""
    d = sh.name("d")
    sh.must(f"mkdir {d} && echo kept > {d}/f")
    sh.fails(f"rmdir {d}", matching="not empty", allowed=("File exists",))
    sh.expect_output(f"cat {d}/f", "kept")


@shell_check(
    "shell.rm-r", op="UNLINK", also=("RMDIR", "READDIR", "OPENDIR", "LOOKUP"), source="man 1 rm; catalogue 3.9.1",
    needs=("write",), quick=True, killers=("UNLINK:errno=ENOSYS", "UNLINK:fake", "RMDIR:errno=ENOSYS", "RMDIR:fake"),
)
def rm_r(sh: Shell) -> None:
    """`rm -r` removes a tree with all that is in it."""
    d = sh.name("d")
    sh.must(f"mkdir -p {d}/a/b {d}/c && for n in 1 2 3 4 5; do echo $n > {d}/a/b/$n; echo $n > {d}/$n; done")
    sh.ok(f"rm -r {d}")
    sh.expect_gone(d)
    sh.ok(f"mkdir {d}")
    sh.expect_output(f"ls -A {d}", "")


@shell_check(
    "shell.find", op="READDIR", also=("OPENDIR", "READDIRPLUS", "LOOKUP"), source="man 1 find; catalogue 3.21.2",
    needs=("write", "program:find"), killers=("READDIR:errno=EIO", "READDIR:entries=double"),
)
def find(sh: Shell) -> None:
    """`find` visits every entry of a tree once and knows files from directories."""
    d = sh.name("d")
    sh.must(f"mkdir -p {d}/a/b && for n in 1 2 3; do : > {d}/$n; echo $n > {d}/a/b/$n; done")
    files = sorted(f"{d}/{path}" for path in ("1", "2", "3", "a/b/1", "a/b/2", "a/b/3"))
    sh.expect_equal("files found", sorted(sh.ok(f"find {d} -type f").output.split()), files)
    sh.expect_equal("directories found", sorted(sh.ok(f"find {d} -type d").output.split()), [d, f"{d}/a", f"{d}/a/b"])
    sh.expect_equal("files of two bytes", len(sh.ok(f"find {d} -type f -size 2c").output.split()), 3)


@shell_check(
    "shell.find-delete", op="UNLINK", also=("RMDIR", "READDIR"), source="man 1 find; catalogue 3.21.5",
    needs=("write", "program:find"), killers=("UNLINK:errno=ENOSYS", "UNLINK:fake", "RMDIR:fake"),
)
def find_delete(sh: Shell) -> None:
    """`find -delete` empties a tree while it walks it."""
    d = sh.name("d")
    sh.must(f"mkdir -p {d}/a/b && for n in $(seq 20); do : > {d}/a/$n; done; : > {d}/a/b/f")
    sh.ok(f"find {d} -mindepth 1 -delete")
    sh.expect_output(f"ls -A {d}", "")


@shell_check(
    "shell.ls-many", op="READDIR", also=("OPENDIR", "READDIRPLUS"), source="man 1 ls; catalogue 3.21.1",
    needs=("write",), killers=("READDIR:errno=EIO", "READDIR:entries=lose", "READDIR:entries=double"),
)
def ls_many(sh: Shell) -> None:
    """`ls` lists 150 files once each, and `ls *` finds the same."""
    d = sh.name("d")
    sh.must(f"mkdir {d} && for n in $(seq 150); do : > {d}/file-with-a-name-$n; done")
    names = sorted(f"file-with-a-name-{n}" for n in range(1, 151))
    sh.expect_equal("names that `ls -1U` lists", _odd(sorted(sh.ok(f"ls -1U {d}").output.split()), names), "")
    sh.expect_equal("names that `*` becomes", sh.ok(f"set -- {d}/*; echo $#").output, "150")


def _odd(listed: list[str], names: list[str]) -> str:
    """What is wrong with a list of names, "" where nothing is."""
    missing = [name for name in names if name not in listed]
    extra = [name for name in listed if name not in names or listed.count(name) > 1]
    return "; ".join(text for text in (
        f"{len(missing)} missing, {missing[0]} first" if missing else "",
        f"{len(extra)} too many, {extra[0]} first" if extra else "",
    ) if text)


@shell_check(
    "shell.tar", op="SETATTR", also=("READ", "CREATE", "WRITE", "MKDIR", "READDIR"), source="man 1 tar; catalogue 3.36",
    needs=("write", "program:tar"), killers=("READ:flip", "SETATTR:errno=EIO", "SETATTR:fake"),
)
def tar(sh: Shell) -> None:
    """`tar c` and `tar x` bring a tree back with its content, modes and times."""
    d, archive = sh.name("d"), sh.name("a.tar")
    source = sh.private()
    sh.must(f"mkdir -p {source}/t/sub && seq 3000 > {source}/t/sub/f && echo x > {source}/t/g")
    sh.must(f"chmod 640 {source}/t/g && touch -d '2001-02-03 04:05:06' {source}/t/g && mkdir {d}")
    sh.ok(f"tar -C {source} -cf {archive} t")
    sh.ok(f"tar -C {d} -xf {archive}")
    sh.ok(f"diff -r {source}/t {d}/t")
    sh.expect_output(f"stat -c '%a %Y' {d}/t/g", "640 981173106")
    sh.expect_equal("archive of what was unpacked", *(
        sh.ok(f"tar -C {place} -cf - t/sub/f | tar -xOf - | sha256sum").output for place in (d, source)
    ))


@shell_check(
    "shell.cp-r", op="CREATE", also=("MKDIR", "READDIR", "WRITE", "READ"), source="man 1 cp", needs=("write",),
    killers=("MKDIR:errno=EIO", "CREATE:errno=EIO", "READ:flip"),
)
def cp_r(sh: Shell) -> None:
    """`cp -r` copies a tree into the file system, and `diff -r` finds no difference."""
    d, source = sh.name("d"), sh.private()
    sh.must(f"mkdir -p {source}/t/a/b && : > {source}/t/empty")
    sh.must(f"for n in 1 2 3; do seq $n$n$n > {source}/t/a/b/$n; done")
    sh.ok(f"cp -r {source}/t {d}")
    sh.ok(f"diff -r {source}/t {d}")
