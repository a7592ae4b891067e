"""Programs that change or show what a file's attributes are: touch, chmod, chown, chgrp, truncate, stat, test."""

from __future__ import annotations

from fsprobe.checks import OPTIONAL, Finding, shell_check
from fsprobe.checks.shell import Shell

OLD, OLD_SECONDS = "2001-02-03 04:05:06", "981173106"
"""A time in UTC, which is the terminal's zone, and the same in seconds since 1970."""


@shell_check(
    "shell.touch", op="SETATTR", also=("LOOKUP", "OPEN"), source="man 1 touch; catalogue 3.4.14",
    needs=("write",), quick=True, killers=("SETATTR:errno=ENOSYS", "SETATTR:fake"),
)
def touch_existing(sh: Shell) -> None:
    """`touch` of an old file makes it new, and leaves its content alone."""
    f = sh.name("f")
    sh.must(f"echo keep > {f}")
    sh.ok(f"touch -d '{OLD}' {f}")
    before = sh.ok(f"stat -c %Y {f}").output
    sh.expect_equal(f"mtime of {f} after `touch -d`", before, OLD_SECONDS)
    sh.ok(f"touch {f}")
    mtime, now = sh.ok(f"stat -c %Y {f}; date +%s").output.split()
    if abs(int(now) - int(mtime)) > 120:
        raise Finding(f"mtime of {f} is about now, {now}", mtime)
    sh.expect_output(f"cat {f}", "keep")


@shell_check(
    "shell.touch-d", op="SETATTR", source="man 1 touch; catalogue 3.4.14", needs=("write",),
    killers=("SETATTR:errno=ENOSYS", "SETATTR:fake", "GETATTR:attr.mtime=+1"),
)
def touch_d(sh: Shell) -> None:
    """`touch -d` sets the times that it is given, and `touch -r` takes them from another file."""
    f, g = sh.name("f"), sh.name("g")
    sh.must(f": > {f} && : > {g}")
    sh.ok(f"touch -d '{OLD}' {f}")
    sh.expect_equal(f"mtime of {f}", sh.ok(f"stat -c %Y {f}").output, OLD_SECONDS)
    sh.ok(f"touch -r {f} {g}")
    sh.expect_equal(f"mtime of {g}", sh.ok(f"stat -c %Y {g}").output, OLD_SECONDS)


@shell_check(
    "shell.touch-m", op="SETATTR", source="man 1 touch; man 2 utimensat (UTIME_OMIT); catalogue 3.4.15",
    needs=("write",), killers=("SETATTR:errno=EIO,nth=2", "GETATTR:attr.mtime=+1"),
)
def touch_m(sh: Shell) -> None:
    """`touch -m` sets the time of the last change and no other, `touch -a` that of the last access."""
    f = sh.name("f")
    sh.must(f": > {f}")
    sh.ok(f"touch -d 2010-01-01 {f}")
    sh.ok(f"touch -m -d '{OLD}' {f}")
    sh.expect_equal(f"mtime and atime of {f}", sh.ok(f"stat -c '%Y %X' {f}").output, f"{OLD_SECONDS} 1262304000")
    sh.ok(f"touch -a -d 2011-01-01 {f}")
    sh.expect_equal(f"mtime and atime of {f}", sh.ok(f"stat -c '%Y %X' {f}").output, f"{OLD_SECONDS} 1293840000")


@shell_check(
    "shell.touch-c", op="LOOKUP", also=("SETATTR",), source="man 1 touch", needs=("write",),
    killers=("LOOKUP:errno=EIO,path=*never",),
)
def touch_c(sh: Shell) -> None:
    """`touch -c` of a name that does not exist makes no file and no complaint."""
    f = sh.name("never")
    sh.ok(f"touch -c {f}")
    sh.expect_gone(f)


@shell_check(
    "shell.chmod", op="SETATTR", source="man 1 chmod; catalogue 3.4.1", needs=("write",), quick=True,
    killers=("SETATTR:errno=ENOSYS", "SETATTR:fake"),
)
def chmod(sh: Shell) -> None:
    """`chmod 640`, then `chmod u+x`, and `stat` shows both."""
    f = sh.name("f")
    sh.must(f": > {f}")
    sh.ok(f"chmod 640 {f}")
    sh.expect_equal(f"mode of {f} after `chmod 640`", sh.ok(f"stat -c %a {f}").output, "640")
    sh.ok(f"chmod u+x,g-r {f}")
    sh.expect_equal(f"mode of {f} after `chmod u+x,g-r`", sh.ok(f"stat -c %a {f}").output, "700")


@shell_check(
    "shell.chown", op="SETATTR", level=OPTIONAL, source="man 1 chown; catalogue 3.4.5", needs=("write",),
    killers=("SETATTR:errno=EIO",),
)
def chown(sh: Shell) -> None:
    """`chown` gives the file to the user, and `stat` shows it."""
    f = sh.name("f")
    owner = "12345" if sh.is_root else sh.must("id -u").output
    sh.must(f": > {f}")
    sh.ok(f"chown {owner} {f}")
    sh.expect_equal(f"owner of {f}", sh.ok(f"stat -c %u {f}").output, owner)


@shell_check(
    "shell.chgrp", op="SETATTR", level=OPTIONAL, source="man 1 chgrp; catalogue 3.4.5", needs=("write",),
    killers=("SETATTR:errno=EIO",),
)
def chgrp(sh: Shell) -> None:
    """`chgrp` gives the file to the group, and `stat` shows it."""
    f = sh.name("f")
    group = "12345" if sh.is_root else sh.must("id -G").output.split()[-1]
    sh.must(f": > {f}")
    sh.ok(f"chgrp {group} {f}")
    sh.expect_equal(f"group of {f}", sh.ok(f"stat -c %g {f}").output, group)


@shell_check(
    "shell.truncate", op="SETATTR", also=("OPEN", "READ"), source="man 1 truncate; catalogue 3.4.9",
    needs=("write", "program:truncate"), quick=True, killers=("SETATTR:errno=ENOSYS", "SETATTR:fake"),
)
def truncate(sh: Shell) -> None:
    """`truncate -s` shrinks and grows a file; what it grows by is zeros, not the old bytes."""
    f = sh.name("f")
    sh.must(f"printf abcdef > {f}")
    sh.ok(f"truncate -s 3 {f}")
    sh.expect_output(f"cat {f}", "abc")
    sh.ok(f"truncate -s 6 {f}")
    sh.expect_equal(f"bytes of {f}", sh.ok(f"od -An -tx1 {f}").output.split(), ["61", "62", "63", "00", "00", "00"])
    sh.ok(f"truncate -s 0 {f}")
    sh.expect_equal(f"size of {f}", sh.ok(f"stat -c %s {f}").output, "0")


@shell_check(
    "shell.stat", op="GETATTR", also=("LOOKUP",), source="man 1 stat; catalogue 3.3.2", needs=("write",),
    quick=True, main=True, killers=("GETATTR:attr.size=+1",),
)
def stat_after_write(sh: Shell) -> None:
    """`stat` shows a file's type and its size right after each write."""
    f = sh.name("f")
    sh.must(f"printf 12345 > {f}")
    sh.expect_output(f"stat -c '%F %s' {f}", "regular file 5")
    sh.must(f"printf 6789 >> {f}")
    sh.expect_output(f"stat -c '%F %s' {f}", "regular file 9")


@shell_check(
    "shell.test", op="LOOKUP", also=("GETATTR", "ACCESS"), source="man 1 test; catalogue 3.1.6", needs=("write",),
    killers=("LOOKUP:errno=EIO,path=*none",),
)
def test_operators(sh: Shell) -> None:
    """`test` tells files, directories, empty ones and missing ones apart."""
    f, d, none = sh.name("f"), sh.name("d"), sh.name("none")
    sh.must(f"echo x > {f} && mkdir {d}")
    for words in (f"-f {f}", f"-s {f}", f"-r {f}", f"-d {d}", f"! -d {f}", f"! -f {d}", f"! -e {none}", f"{f} -ef {f}"):
        sh.ok(f"[ {words} ]")
    sh.must(f"rm -f {f}")
    sh.ok(f"[ ! -e {f} ]")
    sh.fails(f"stat {none}", matching="No such file or directory")
