"""Programs that set and show who else may: setfacl, getfacl."""

from __future__ import annotations

from fsprobe.checks import OPTIONAL, Skip, shell_check
from fsprobe.checks.shell import Shell

NEEDS = ("write", "xattr", "program:setfacl", "program:getfacl")


def offered(sh: Shell, f: str) -> None:
    """Whoever stores ACLs like any other attribute, so that the mode does not change, is told so by the mount layer."""
    sh.ok(f"setfacl -m u:$(id -u):rw {f}")
    if sh.ok(f"stat --cached=never -c %a {f}").output != "660":
        raise Skip("ACLs are stored here and do nothing: see posix.acl.round-trip")


@shell_check(
    "shell.setfacl", op="SETXATTR", also=("GETXATTR", "SETATTR"), level=OPTIONAL, needs=NEEDS,
    source="man 1 setfacl; catalogue 3.19.9",
    killers=("SETXATTR:errno=EIO", "GETXATTR:errno=EIO", "SETATTR:errno=EIO,nth=2"),
)
def setfacl(sh: Shell) -> None:
    """`setfacl -m` lets one more user in, `getfacl` and `ls -l` show it, `chmod` limits it, `setfacl -b` takes it back.
    """
    f = sh.name("f")
    sh.must(f"echo x > {f} && chmod 600 {f}")
    offered(sh, f)
    us = sh.ok("id -u").output
    sh.expect_output(f"getfacl -cn {f}", f"user::rw-\nuser:{us}:rw-\ngroup::---\nmask::rw-\nother::---\n")
    sh.expect_output(f"ls -l {f} | cut -c 1-11", "-rw-rw----+")
    sh.ok(f"chmod 640 {f}")
    sh.expect_output(f"getfacl -cn {f} | grep mask", "mask::r--")
    sh.ok(f"setfacl -b {f}")
    sh.expect_output(f"getfacl -cn {f} | wc -l; cat {f}", "4\nx")


@shell_check(
    "shell.setfacl-default", op="CREATE", also=("MKDIR", "SETXATTR", "GETXATTR"), level=OPTIONAL,
    needs=(*NEEDS, "mkdir"), source="man 1 setfacl; catalogue 3.19.9",
    killers=("SETXATTR:errno=EIO", "GETXATTR:errno=ENODATA,path=*/new"),
)
def setfacl_default(sh: Shell) -> None:
    """`setfacl -d` on a directory: what is made in it lets the same user in."""
    d = sh.name("d")
    sh.must(f"mkdir {d} && echo x > {d}/f && chmod 600 {d}/f")
    offered(sh, f"{d}/f")
    sh.ok(f"setfacl -d -m u:$(id -u):rw {d}")
    sh.ok(f"echo x > {d}/new && mkdir {d}/sub")
    sh.expect_output(f"getfacl -cn {d}/new | grep -c user:$(id -u):rw-", "1")
    sh.expect_output(f"getfacl -cnd {d}/sub | grep -c user:$(id -u):rw-", "1")
