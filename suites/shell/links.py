"""Programs that make what is neither file nor directory: ln, ln -s, readlink, mkfifo, setfattr, getfattr."""

from __future__ import annotations

from fsprobe.checks import OPTIONAL, shell_check
from fsprobe.checks.shell import Shell


@shell_check(
    "shell.ln", op="LINK", also=("LOOKUP", "GETATTR"), level=OPTIONAL, source="man 1 ln; catalogue 3.12.1",
    needs=("write",), main=True, killers=("LINK:errno=EIO",),
)
def ln(sh: Shell) -> None:
    """`ln` gives a file a second name: one inode, two links, and words written to one are read by the other."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"echo one > {a}")
    sh.ok(f"ln {a} {b}")
    sh.ok(f"echo two >> {b}")
    sh.expect_output(f"cat {a}", "one\ntwo")
    sh.expect_equal("number of links", sh.ok(f"stat -c %h {a} {b}").output.split(), ["2", "2"])
    if sh.run(f"[ {a} -ef {b} ]").status:
        raise sh.warn(f"{a} and {b} are the same inode", "two different inode numbers")
    sh.ok(f"rm -f {a}")
    sh.expect_output(f"cat {b}", "one\ntwo")


@shell_check(
    "shell.ln-directory", op="LINK", also=("LOOKUP",), level=OPTIONAL, source="man 1 ln; catalogue 3.12.2",
    needs=("write",), killers=("LINK:errno=EIO",),
)
def ln_directory(sh: Shell) -> None:
    """`ln FILE DIRECTORY` links the file into the directory under its own name."""
    f, d = sh.name("f"), sh.name("d")
    sh.must(f"echo x > {f} && mkdir {d}")
    sh.ok(f"ln {f} {d}")
    sh.expect_output(f"cat {d}/{f}", "x")
    sh.expect_output(f"ls -A {d}", f)


@shell_check(
    "shell.ln-s", op="SYMLINK", also=("READLINK", "LOOKUP"), level=OPTIONAL, source="man 1 ln; catalogue 3.5.3",
    needs=("write",), main=True, killers=("SYMLINK:errno=EIO", "READLINK:errno=EIO"),
)
def ln_s(sh: Shell) -> None:
    """`ln -s` makes a link that leads to the file, and `rm` of it leaves the file."""
    f, link = sh.name("f"), sh.name("link")
    sh.must(f"echo through > {f}")
    sh.ok(f"ln -s {f} {link}")
    sh.expect_equal(f"type of {link}", sh.ok(f"stat -c %F {link}", optional=False).output, "symbolic link")
    sh.expect_equal(f"words behind {link}", sh.ok(f"cat {link}", optional=False).output, "through")
    sh.ok(f"rm {link}", optional=False)
    sh.expect_gone(link)
    sh.expect_output(f"cat {f}", "through")


@shell_check(
    "shell.ln-s-directory", op="SYMLINK", also=("READLINK", "LOOKUP", "UNLINK"), level=OPTIONAL,
    source="man 1 ln; catalogue 3.5.1", needs=("write",), killers=("SYMLINK:errno=EIO", "READLINK:errno=EIO"),
)
def ln_s_directory(sh: Shell) -> None:
    """A link to a directory leads into it, and `ln -sfn` turns it to another one."""
    one, two, link = sh.name("one"), sh.name("two"), sh.name("link")
    sh.must(f"mkdir {one} {two} && echo 1 > {one}/f && echo 2 > {two}/f")
    sh.ok(f"ln -s {one} {link}")
    sh.expect_output(f"cat {link}/f", "1")
    sh.ok(f"ln -sfn {two} {link}")
    sh.expect_output(f"cat {link}/f", "2")


@shell_check(
    "shell.readlink", op="READLINK", also=("SYMLINK", "LOOKUP"), source="man 1 readlink; catalogue 3.5.1",
    needs=("write",), main=True, killers=("READLINK:errno=EIO", "READLINK:errno=ENOSYS"),
)
def readlink(sh: Shell) -> None:
    """`readlink` prints the target as it was given, also one that does not exist; of a file it prints none."""
    a, b, f = sh.name("a"), sh.name("b"), sh.name("f")
    sh.must(f"ln -s /no/such/target {a} && ln -s ../up/and/away {b} && : > {f}")
    sh.expect_output(f"readlink {a}", "/no/such/target")
    sh.expect_output(f"readlink {b}", "../up/and/away")
    sh.expect_equal("size of the link", sh.ok(f"stat -c %s {a}").output, "15")
    sh.fails(f"readlink {f}")


@shell_check(
    "shell.cp-a-link", op="SYMLINK", also=("READLINK", "SETATTR"), source="man 1 cp",
    needs=("write",), killers=("SYMLINK:errno=EIO,nth=2", "READLINK:errno=EIO"),
)
def cp_a_link(sh: Shell) -> None:
    """`cp -a` copies a symbolic link as a link."""
    p, link, other = sh.private(), sh.name("link"), sh.name("other")
    sh.must(f"ln -s some/where {p}/link && ln -s else/where {other}")
    sh.ok(f"cp -a {p}/link {link}")
    sh.expect_output(f"readlink {link}", "some/where")


@shell_check(
    "shell.mkfifo", op="MKNOD", also=("LOOKUP",), level=OPTIONAL, source="man 1 mkfifo; catalogue 3.6.3",
    needs=("write", "program:mkfifo"), killers=("MKNOD:errno=EIO",),
)
def mkfifo(sh: Shell) -> None:
    """`mkfifo` makes a pipe with a name, and what goes in comes out."""
    f = sh.name("pipe")
    sh.ok(f"mkfifo {f}")
    sh.expect_equal(f"type of {f}", sh.ok(f"stat -c %F {f}").output, "fifo")
    # Opened for both directions, it waits for nobody (man 7 fifo).
    sh.expect_output(f"exec 3<>{f} && echo flows >&3 && read -t 5 -r word <&3; exec 3>&-; echo $word", "flows")


@shell_check(
    "shell.setfattr", op="SETXATTR", also=("GETXATTR",), level=OPTIONAL, source="man 1 setfattr; catalogue 3.19.1",
    needs=("write", "program:setfattr", "program:getfattr"), main=True,
    killers=("SETXATTR:errno=EIO", "SETXATTR:fake"),
)
def setfattr(sh: Shell) -> None:
    """`setfattr` stores an extended attribute, changes it and removes it; `getfattr` reads it back."""
    f = sh.name("f")
    sh.must(f"echo x > {f}")
    for value in ("first", "the second, longer"):
        sh.ok(f"setfattr -n user.fsprobe -v '{value}' {f}")
        sh.expect_output(f"getfattr --only-values -n user.fsprobe {f}", value)
    sh.ok(f"setfattr -x user.fsprobe {f}")
    sh.fails(f"getfattr --only-values -n user.fsprobe {f}", matching="No such attribute")
    sh.expect_output(f"cat {f}", "x")


@shell_check(
    "shell.getfattr", op="LISTXATTR", also=("GETXATTR", "SETXATTR"), level=OPTIONAL,
    source="man 1 getfattr; catalogue 3.19.3", needs=("write", "program:setfattr", "program:getfattr"),
    killers=("LISTXATTR:errno=EIO", "GETXATTR:errno=EIO"),
)
def getfattr(sh: Shell) -> None:
    """`getfattr -d` lists every extended attribute of the user with its value."""
    f = sh.name("f")
    sh.must(f": > {f}")
    sh.ok(f"setfattr -n user.one -v 1 {f}")
    sh.ok(f"setfattr -n user.two -v 2 {f}")
    lines = [line for line in sh.ok(f"getfattr -d {f}").output.splitlines() if line.startswith("user.")]
    sh.expect_equal("attributes listed", sorted(lines), ['user.one="1"', 'user.two="2"'])
