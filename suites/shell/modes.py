"""Programs about modes, owners and times in their further uses, and the attributes beside them (xattrs)."""

from __future__ import annotations

from fsprobe.checks import OPTIONAL, SHOULD, Finding, shell_check
from fsprobe.checks.shell import Shell

OLD, OLD_SECONDS = "2001-02-03 04:05:06", "981173106"


@shell_check(
    "shell.chmod-R", op="SETATTR", also=("READDIR", "LOOKUP"), source="man 1 chmod (-R, X)", needs=("write",),
    killers=("SETATTR:errno=EIO", "SETATTR:fake", "READDIR:entries=lose"),
)
def chmod_r(sh: Shell) -> None:
    """`chmod -R u=rwX,go=rX` gives every directory of a tree 755 and every file 644."""
    d = sh.name("d")
    sh.must(f"mkdir -p {d}/a/b && for p in . a a/b; do : > {d}/$p/f; : > {d}/$p/g; done")
    sh.ok(f"chmod -R 700 {d}")
    sh.ok(f"chmod -R u=rwX,go=rX {d}/a && find {d}/a -type f -exec chmod a-x {{}} +")
    modes = f"find {d}/a -type d -printf '%m\\n' -o -printf '%f:%m\\n'"
    sh.expect_output(f"{modes} | sort | tr '\\n' ' '", "755 755 f:644 f:644 g:644 g:644 ")
    sh.expect_output(f"stat -c %a {d} {d}/f", "700\n700")


@shell_check(
    "shell.chmod-symbolic", op="SETATTR", source="man 1 chmod; catalogue 3.4.1", needs=("write",),
    killers=("SETATTR:errno=EIO", "SETATTR:fake"),
)
def chmod_symbolic(sh: Shell) -> None:
    """Symbolic modes add, take away, copy and set, one after the other, and `--reference` takes another file's."""
    f, g = sh.name("f"), sh.name("g")
    sh.must(f": > {f} && : > {g}")
    steps = (("600", "600"), ("a+r", "644"), ("g=u", "664"), ("o-r", "660"), ("u+x,g-w", "740"), ("=", "0"))
    for mode, result in steps:
        sh.ok(f"chmod {mode} {f}")
        sh.expect_equal(f"mode of {f} after `chmod {mode}`", sh.ok(f"stat -c %a {f}").output, result)
    sh.ok(f"chmod 751 {g} && chmod --reference={g} {f}")
    sh.expect_output(f"stat -c %a {f}", "751")


@shell_check(
    "shell.chmod-special", op="SETATTR", level=SHOULD, source="man 1 chmod; catalogue 3.4.1", needs=("write",),
    killers=("SETATTR:errno=EIO", "SETATTR:fake"),
)
def chmod_special(sh: Shell) -> None:
    """`chmod` sets the set-user-ID and sticky bits, and `ls -l` shows them."""
    f, d = sh.name("f"), sh.name("d")
    sh.must(f": > {f} && mkdir {d}")
    sh.ok(f"chmod 4755 {f} && chmod 1777 {d}")
    sh.expect_output(f"stat -c '%a %A' {f} {d}", "4755 -rwsr-xr-x\n1777 drwxrwxrwt")


@shell_check(
    "shell.umask", op="CREATE", also=("MKDIR",), source="POSIX umask; catalogue 3.24.2", needs=("write",),
    killers=("CREATE:errno=EIO", "MKDIR:errno=EIO"),
)
def umask(sh: Shell) -> None:
    """What is made under `umask 027` has mode 640, a directory 750; `mkdir -m` and `install -m` choose their own."""
    f, d, e = sh.name("f"), sh.name("d"), sh.name("e")
    sh.ok(f"( umask 027 && : > {f} && mkdir {d} && mkdir -m 711 {e} )")
    sh.expect_output(f"stat -c %a {f} {d} {e}", "640\n750\n711")


@shell_check(
    "shell.test-x", op="LOOKUP", also=("ACCESS", "GETATTR", "SETATTR"), source="man 1 test; catalogue 3.23.1",
    needs=("write",), killers=("SETATTR:errno=EIO", "SETATTR:fake"),
)
def test_x(sh: Shell) -> None:
    """`test -x`, `-w`, `-s`, `-L`, `-nt` and `-O` answer by mode, size, type, time and owner."""
    f, g = sh.name("f"), sh.name("g")
    sh.must(f"echo x > {f} && : > {g}")
    sh.ok(f"[ -w {f} ] && [ -s {f} ] && [ ! -s {g} ] && [ ! -L {f} ] && [ -O {f} ]")
    sh.ok(f"chmod 755 {f} && touch -d '{OLD}' {g}")
    sh.ok(f"[ -x {f} ] && [ {f} -nt {g} ] && [ {g} -ot {f} ]")
    if sh.run(f"[ -x {g} ]").status == 0:  # root, where nobody looks at modes: as access(2) has it
        raise sh.warn("`test -x` to refuse a file of mode 644", "it says yes: access is granted to everybody")


@shell_check(
    "shell.touch-kinds", op="SETATTR", also=("CREATE", "LOOKUP"), source="man 1 touch (-r, -t, -h); catalogue 3.4.14",
    needs=("write",), killers=("SETATTR:errno=EIO", "SETATTR:fake", "GETATTR:attr.mtime=+1"),
)
def touch_kinds(sh: Shell) -> None:
    """`touch -t` sets the time of a file and of a directory, and `touch -r` takes it from there."""
    f, d, g = sh.name("f"), sh.name("d"), sh.name("g")
    sh.must(f": > {f} && mkdir {d} && : > {g}")
    sh.ok(f"touch -t 200102030405.06 {f} {d}")
    sh.expect_output(f"stat -c %Y {f} {d}", f"{OLD_SECONDS}\n{OLD_SECONDS}")
    sh.ok(f"touch -r {d} {g}")
    sh.expect_output(f"stat -c '%X %Y' {g}", f"{OLD_SECONDS} {OLD_SECONDS}")


@shell_check(
    "shell.touch-far", op="SETATTR", level=SHOULD, source="man 1 touch; catalogue 3.4.16", needs=("write",),
    killers=("SETATTR:errno=EIO", "SETATTR:fake"),
)
def touch_far(sh: Shell) -> None:
    """Times before 1970, after 2038 and in fractions of a second come back as they were set."""
    f = sh.name("f")
    sh.must(f": > {f}")
    steps = (("1969-12-31 23:59:50", "-10"), ("2100-01-01", "4102444800"), ("@1234567890.5", "1234567890"))
    for when, seconds in steps:
        sh.ok(f"touch -d '{when}' {f}")
        sh.expect_equal(f"mtime after `touch -d '{when}'`", sh.ok(f"stat -c %Y {f}").output, seconds)
    shown = sh.ok(f"stat -c %.1Y {f}").output
    if shown != "1234567890.5":
        raise Finding("mtime 1234567890.5", shown, warn=True)


@shell_check(
    "shell.chown-R", op="SETATTR", also=("READDIR",), level=OPTIONAL, source="man 1 chown (-R, -h)",
    needs=("write", "root"), killers=("SETATTR:errno=EIO", "SETATTR:fake"),
)
def chown_r(sh: Shell) -> None:
    """`chown -R` gives a tree to a user and a group, and `chown --from` only what is somebody's."""
    d = sh.name("d")
    sh.must(f"mkdir -p {d}/a && : > {d}/f && : > {d}/a/g")
    sh.ok(f"chown -R 12345:23456 {d}")
    sh.expect_output(f"find {d} -printf '%U:%G\\n' | sort | uniq -c | tr -s ' '", " 4 12345:23456")
    sh.ok(f"chown --from=0 1 {d}/f && chown --from=12345 34567 {d}/a/g")
    sh.expect_output(f"stat -c %u {d}/f {d}/a/g", "12345\n34567")


@shell_check(
    "shell.setfattr-directory", op="SETXATTR", also=("GETXATTR", "LISTXATTR", "REMOVEXATTR"), level=OPTIONAL,
    source="man 1 setfattr; man 1 getfattr (-R, --dump)", needs=("write", "program:setfattr", "program:getfattr"),
    killers=("SETXATTR:errno=EIO", "SETXATTR:fake", "REMOVEXATTR:errno=EIO"),
)
def setfattr_directory(sh: Shell) -> None:
    """A dump by `getfattr -R -d` of a tree is restored by `setfattr --restore`, also binary values."""
    d, dump = sh.name("d"), sh.private()
    sh.must(f"mkdir -p {d}/sub && : > {d}/sub/f")
    sh.ok(f"setfattr -n user.color -v blue {d}")
    sh.ok(f"setfattr -n user.raw -v 0x00ff0a00 {d}/sub/f")
    sh.ok(f"getfattr -R -d -e hex {d} > {dump}/attributes")
    sh.ok(f"setfattr -x user.color {d} && setfattr -x user.raw {d}/sub/f")
    sh.expect_output(f"getfattr -R -d {d} | grep -c user || true", "0")
    sh.ok(f"setfattr --restore={dump}/attributes")
    sh.expect_output(f"getfattr -e hex --only-values -n user.raw {d}/sub/f | od -An -tx1", " 00 ff 0a 00")
    sh.expect_output(f"getfattr --only-values -n user.color {d}", "blue")


@shell_check(
    "shell.cp-xattr", op="GETXATTR", also=("SETXATTR", "LISTXATTR"), level=OPTIONAL,
    source="man 1 cp (--preserve=xattr)", needs=("write", "xattr", "program:setfattr", "program:getfattr"),
    killers=("SETXATTR:errno=EIO,nth=2", "LISTXATTR:errno=EIO", "GETXATTR:errno=EIO"),
)
def cp_xattr(sh: Shell) -> None:
    """`cp --preserve=xattr` copies the extended attributes of a file."""
    f, g = sh.name("f"), sh.name("g")
    sh.must(f"echo x > {f}")
    sh.ok(f"setfattr -n user.note -v kept {f}")
    sh.ok(f"cp --preserve=xattr {f} {g}")
    sh.expect_output(f"getfattr --only-values -n user.note {g}", "kept")
