"""The script that began it all, first in the layer: is it mounted, `ls -la`, `touch`, `echo > file`, `cat`."""

from __future__ import annotations

import shlex

from fsprobe.checks import Finding, shell_check
from fsprobe.checks.shell import Shell


@shell_check(
    "shell.historic.mounted", op="GETATTR", also=("INIT",), source="man 1 mountpoint",
    needs=("mount-point",), quick=True, killers=("GETATTR:errno=EIO",),
)
def mounted(sh: Shell) -> None:
    """The directory is a mount point, and stat of it gets an answer."""
    line = sh.mount_line()
    if not line:
        raise Finding(f"{sh.root} in /proc/self/mountinfo", "it is not mounted any more")
    sh.info(line)
    done = sh.run(f"stat -c %F -- {shlex.quote(sh.root)}", anywhere=True)
    if done.status or done.output != "directory":
        raise Finding("stat says: directory", done.told() if done.status else done.output)


@shell_check(
    "shell.historic.ls-la", op="READDIR", also=("OPENDIR", "READDIRPLUS", "LOOKUP", "GETATTR"),
    source="man 1 ls; catalogue 3.21.1", quick=True, main=True,
    killers=("READDIR:errno=EIO", "READDIR:entries=lose", "READDIR:entries=double"),
)
def ls_la(sh: Shell) -> None:
    """`ls -la` lists the directory: each entry once, with `.` and `..`."""
    names = ["."]
    if sh.writable:
        names = [sh.name(base) for base in ("one", "two", "three")]
        for name in names:
            sh.must(f": > {name}")
    lines = sh.ok("ls -la").output.splitlines()
    listed = [line.split()[-1] for line in lines if line[:1] in "-dlcbps" and len(line.split()) >= 9]
    if sh.writable:
        for name in names:
            sh.expect_equal(f"times that `ls -la` lists {name}", listed.count(name), 1)
    for dot in (".", ".."):
        if listed.count(dot) != 1:
            raise sh.warn(f"`ls -la` lists {dot} once", f"{listed.count(dot)} times")


@shell_check(
    "shell.historic.touch", op="SETATTR", also=("LOOKUP", "CREATE", "MKNOD", "FLUSH", "RELEASE"),
    source="man 1 touch; man 2 utimensat; catalogue 3.4.15", needs=("write",), quick=True, main=True,
    killers=("SETATTR:errno=ENOSYS", "CREATE:errno=EIO"),
)
def touch(sh: Shell) -> None:
    """`touch` creates an empty file."""
    f = sh.name("test.txt")
    sh.ok(f"touch {f}")
    sh.expect_equal(f"size of {f}", sh.ok(f"stat -c '%s %F' {f}").output, "0 regular empty file")


@shell_check(
    "shell.historic.echo-write", op="WRITE", also=("CREATE", "FLUSH", "RELEASE", "READ"),
    source="POSIX XCU 2.7.2; catalogue 3.15.1", needs=("write",), quick=True, main=True,
    killers=("WRITE:errno=EIO", "WRITE:fake", "CREATE:errno=EIO"),
)
def echo_write(sh: Shell) -> None:
    """`echo > file` creates a file that holds the words."""
    f = sh.name("hello.txt")
    sh.ok(f"echo 'Hello FUSE' > {f}")
    sh.expect_output(f"cat {f}", "Hello FUSE")
    sh.expect_equal(f"size of {f}", sh.ok(f"stat -c %s {f}").output, "11")


@shell_check(
    "shell.historic.cat", op="READ", also=("OPEN", "LOOKUP", "FLUSH", "RELEASE"),
    source="man 1 cat; catalogue 3.14.1", needs=("regular-file",), quick=True, main=True,
    killers=("READ:errno=EIO", "READ:short", "OPEN:errno=EIO"),
)
def cat(sh: Shell) -> None:
    """`cat` prints the whole file, as many bytes as `ls` says it has."""
    f = sh.sample()
    size = sh.ok(f"stat -c %s {f}").output
    sh.expect_equal(f"bytes that `cat {f}` prints", str(len(sh.ok(f"cat {f}").data)), size)
    if sh.writable:
        sh.expect_equal(f"the last line of {f}", sh.ok(f"cat {f}").output.rpartition("\n")[2], "2000")
