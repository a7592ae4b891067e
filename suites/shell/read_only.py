"""Commands that a file system which cannot be written has to refuse, with the words for just that.

None of them would change a file that was there before: they make a new name, or set what is set already.
"""

from __future__ import annotations

from fsprobe.checks import OPTIONAL, shell_check
from fsprobe.checks.shell import Shell

REFUSAL = "Read-only file system"
SURPRISING = ("Permission denied", "Operation not permitted")
SOURCE = "catalogue 3.36 (read-only profile); man 2 open (EROFS)"


def _refused(sh: Shell, command: str, new: str = "") -> None:
    """The command is refused as on a read-only file system, and the new name does not exist."""
    sh.fails(command, matching=REFUSAL, allowed=SURPRISING)
    if new:
        sh.expect_gone(new)


@shell_check(
    "shell.read-only.touch", op="CREATE", also=("MKNOD", "LOOKUP"), source=SOURCE, needs=("read-only",), quick=True,
    killers=("CREATE:errno=EIO",),
)
def touch(sh: Shell) -> None:
    """`touch` of a new name is refused."""
    f = sh.name("new")
    _refused(sh, f"touch {f}", f)


@shell_check(
    "shell.read-only.redirect", op="CREATE", also=("MKNOD", "LOOKUP"), source=SOURCE, needs=("read-only",),
    killers=("CREATE:errno=EIO",),
)
def redirect(sh: Shell) -> None:
    """`>` to a new name is refused."""
    f = sh.name("new")
    _refused(sh, f"echo words > {f}", f)


@shell_check(
    "shell.read-only.mkdir", op="MKDIR", source=SOURCE, needs=("read-only",), quick=True, killers=("MKDIR:errno=EIO",),
)
def mkdir(sh: Shell) -> None:
    """`mkdir` is refused."""
    d = sh.name("new")
    _refused(sh, f"mkdir {d}", d)


@shell_check(
    "shell.read-only.ln-s", op="SYMLINK", level=OPTIONAL, source=SOURCE, needs=("read-only",),
    killers=("SYMLINK:errno=EIO",),
)
def ln_s(sh: Shell) -> None:
    """`ln -s` is refused."""
    link = sh.name("new")
    _refused(sh, f"ln -s target {link}", link)


@shell_check(
    "shell.read-only.mkfifo", op="MKNOD", level=OPTIONAL, source=SOURCE, needs=("read-only", "program:mkfifo"),
    killers=("MKNOD:errno=EIO",),
)
def mkfifo(sh: Shell) -> None:
    """`mkfifo` is refused."""
    f = sh.name("new")
    _refused(sh, f"mkfifo {f}", f)


@shell_check(
    "shell.read-only.append", op="OPEN", source=SOURCE, needs=("read-only", "regular-file"),
    killers=("OPEN:errno=EIO",),
)
def append(sh: Shell) -> None:
    """`>>` to an existing file is refused."""
    _refused(sh, f": >> {sh.sample()}")


@shell_check(
    "shell.read-only.chmod", op="SETATTR", source=SOURCE, needs=("read-only", "regular-file"),
    killers=("SETATTR:errno=EIO",),
)
def chmod(sh: Shell) -> None:
    """`chmod` of an existing file is refused, even to the mode that it has."""
    f = sh.sample()
    _refused(sh, f"chmod --reference={f} {f}")


@shell_check(
    "shell.read-only.touch-r", op="SETATTR", source=SOURCE, needs=("read-only", "regular-file"),
    killers=("SETATTR:errno=EIO",),
)
def touch_r(sh: Shell) -> None:
    """`touch` of an existing file is refused, even to the times that it has."""
    f = sh.sample()
    _refused(sh, f"touch -c -r {f} {f}")


@shell_check(
    "shell.read-only.rm", op="UNLINK", also=("LOOKUP",), source="man 1 rm", needs=("read-only",),
    killers=("LOOKUP:errno=EIO,path=*no-such-file",),
)
def rm(sh: Shell) -> None:
    """`rm` of a name that does not exist says so: a file that exists is never tried."""
    sh.fails(f"rm {sh.name('no-such-file')}", matching="No such file or directory", allowed=(REFUSAL,))
