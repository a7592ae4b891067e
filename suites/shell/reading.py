"""Programs that only read, on a file of known content, or on an existing one where nothing can be written.

Where the content is not known, two ways of reading it have to agree.
"""

from __future__ import annotations

from fsprobe.checks import Finding, shell_check
from fsprobe.checks.shell import Shell

READ = "regular-file"
MOST_LISTED = 300
"""Lines of a recursive listing that are looked at: the tree of a target that was there before has no bound."""


def _number(sh: Shell, command: str) -> int:
    """The first word of what a command prints, as a number."""
    words = sh.ok(command).output.split()
    if not words or not words[0].isdigit():
        raise Finding(f"a number from `{command}`", " ".join(words) or "nothing")
    return int(words[0])


def _same(sh: Shell, one: str, other: str) -> None:
    """Two commands print the same."""
    first, second = sh.ok(one), sh.ok(other)
    if first.data != second.data:
        raise Finding(f"`{one}` prints what `{other}` prints", f"{first.output[:80]!r} and {second.output[:80]!r}")


def _no_complaint(lines: list[str]) -> None:
    """ls exits with 0 where only an extended attribute could not be read, but it says so."""
    complaints = [line for line in lines if line.startswith("ls: ")]
    if complaints:
        raise Finding("no complaint from `ls`", f"{len(complaints)}, the first: {complaints[0]}")


@shell_check(
    "shell.read.ls-la", op="GETATTR", also=("LOOKUP", "READDIR"), source="man 1 ls; catalogue 3.14.3", needs=(READ,),
    killers=("GETATTR:attr.size=+1", "READ:errno=EIO"),
)
def ls_la(sh: Shell) -> None:
    """`ls -la FILE` shows the size that reading the file gives."""
    f = sh.sample()
    lines = sh.ok(f"ls -la {f}").output.splitlines()
    _no_complaint(lines)
    fields = lines[-1].split() if lines else []
    size = fields[4] if len(fields) > 4 else ""
    sh.expect_equal(f"size that `ls -la {f}` shows", size, str(_number(sh, f"cat {f} | wc -c")))


@shell_check(
    "shell.read.ls-lR", op="READDIR", also=("OPENDIR", "LOOKUP", "GETATTR"), source="man 1 ls; catalogue 3.21.1",
    needs=(READ,), quick=True, killers=("READDIR:errno=EIO",),
)
def ls_lr(sh: Shell) -> None:
    """`ls -lR` walks the tree without a complaint."""
    f = sh.sample()
    listing = sh.ok(f"ls -lR . 2>&1 | head -n {MOST_LISTED}").output.splitlines()
    _no_complaint(listing)
    sh.expect_output(f'ls -A "$(dirname {f})" | grep -cxF -e "$(basename {f})"', "1")


@shell_check(
    "shell.read.cat-twice", op="READ", also=("OPEN",), source="man 1 cat; catalogue 3.14.1", needs=(READ,),
    quick=True, killers=("READ:errno=EIO", "OPEN:errno=EIO"),
)
def cat_twice(sh: Shell) -> None:
    """`cat` prints the same the second time, and `cat < FILE` too."""
    f = sh.sample()
    _same(sh, f"cat {f} | sha256sum", f"cat {f} | sha256sum")
    _same(sh, f"cat {f} | sha256sum", f"cat < {f} | sha256sum")
    _number(sh, f"cat {f} > /dev/null && echo 0")


@shell_check(
    "shell.read.stat", op="GETATTR", also=("LOOKUP", "READ"), source="man 1 stat; catalogue 3.14.3", needs=(READ,),
    quick=True, killers=("GETATTR:attr.size=+1", "READ:short"),
)
def stat(sh: Shell) -> None:
    """`stat` shows a regular file of the size that reading gives, the same on both asks."""
    f = sh.sample()
    _same(sh, f"stat -c '%i %s %a %Y' {f}", f"stat -c '%i %s %a %Y' {f}")
    sh.expect_equal(f"size of {f}", _number(sh, f"stat -c %s {f}"), _number(sh, f"cat {f} | wc -c"))
    sh.expect_output(f"stat -c %h {f} | grep -c '^[1-9]'", "1")


@shell_check(
    "shell.df", op="STATFS", source="man 1 df; catalogue 3.16.1", quick=True, main=True,
    killers=("STATFS:errno=EIO", "STATFS:errno=ENOSYS"),
)
def df(sh: Shell) -> None:
    """`df` of the directory shows a file system of some size with no more free than there is."""
    sh.ok("df -P .")
    blocks, free, available, size, names = (int(n) for n in sh.ok("stat -f -c '%b %f %a %S %l' .").output.split())
    if not free <= blocks or not available <= blocks:
        raise Finding("no more blocks free than there are", f"{blocks} blocks, {free} free, {available} available")
    if not blocks or not size:
        shown = f"{blocks} blocks of {size} bytes: `df` hides it, installers refuse"
        raise sh.warn("a file system of some size", shown)
    if not names:
        raise sh.warn("a longest name", "0")


@shell_check(
    "shell.du", op="GETATTR", also=("READDIR", "LOOKUP"), source="man 1 du; catalogue 3.3.6", needs=(READ,),
    killers=("GETATTR:attr.size=+1",),
)
def du(sh: Shell) -> None:
    """`du` sums the file up: its apparent size is what reading gives."""
    f = sh.sample()
    sh.ok(f"du {f}")
    apparent = _number(sh, f"du --apparent-size -B1 {f}")
    sh.expect_equal(f"apparent size of {f}", apparent, _number(sh, f"cat {f} | wc -c"))


@shell_check(
    "shell.read.find", op="READDIR", also=("OPENDIR", "LOOKUP"), source="man 1 find; catalogue 3.21.2",
    needs=(READ, "program:find"), killers=("READDIR:errno=EIO", "READDIR:entries=double"),
)
def find(sh: Shell) -> None:
    """`find -type f` finds the file, once."""
    f = sh.sample()
    found = sh.ok(f'find "$(dirname {f})" -maxdepth 1 -type f').output.splitlines()
    wanted = sh.ok(f'echo "$(dirname {f})/$(basename {f})"').output
    sh.expect_equal(f"times that find finds {f}", found.count(wanted), 1)


@shell_check(
    "shell.head", op="READ", also=("OPEN",), source="man 1 head; catalogue 3.14.1", needs=(READ,),
    killers=("READ:errno=EIO",),
)
def head(sh: Shell) -> None:
    """`head` prints the beginning of the file."""
    f = sh.sample()
    _same(sh, f"head -c 5 {f} | od -An -tx1", f"dd if={f} bs=1 count=5 2>/dev/null | od -An -tx1")
    if sh.writable:
        sh.expect_output(f"head -n 3 {f}", "1\n2\n3")


@shell_check(
    "shell.tail", op="READ", also=("OPEN", "GETATTR"), source="man 1 tail; catalogue 3.14.1", needs=(READ,),
    killers=("READ:errno=EIO",),
)
def tail(sh: Shell) -> None:
    """`tail` finds the end of the file and prints it."""
    f = sh.sample()
    _same(sh, f"tail -c 5 {f} | od -An -tx1", f"cat {f} | tail -c 5 | od -An -tx1")
    if sh.writable:
        sh.expect_output(f"tail -n 2 {f}", "1999\n2000")
        sh.expect_output(f"tail -c +8885 {f}", "999\n2000")


@shell_check(
    "shell.read.cmp", op="READ", also=("OPEN",), source="man 1 cmp; catalogue 3.14.1", needs=(READ, "program:cmp"),
    killers=("READ:errno=EIO",),
)
def cmp(sh: Shell) -> None:
    """`cmp` finds the file equal to what `cat` prints of it."""
    f = sh.sample()
    sh.ok(f"cat {f} | cmp - {f}")


@shell_check(
    "shell.read.sha256sum", op="READ", also=("OPEN",), source="man 1 sha256sum; catalogue 3.14.2",
    needs=(READ, "program:sha256sum"), quick=True, killers=("READ:errno=EIO",),
)
def sha256sum(sh: Shell) -> None:
    """`sha256sum` is the same whether the file is read in blocks of 512 bytes, of 1 MiB, or its own way."""
    f = sh.sample()
    wanted = sh.ok(f"sha256sum < {f}").output
    for size in ("512", "1M"):
        sh.expect_output(f"dd if={f} bs={size} 2>/dev/null | sha256sum", wanted)


@shell_check(
    "shell.wc", op="READ", also=("GETATTR",), source="man 1 wc; catalogue 3.14.3", needs=(READ,),
    killers=("READ:short", "READ:errno=EIO"),
)
def wc(sh: Shell) -> None:
    """`wc` counts the bytes that are there, by size and by reading."""
    f = sh.sample()
    sh.expect_equal(f"bytes of {f} by `wc -c`", _number(sh, f"wc -c {f}"), _number(sh, f"cat {f} | wc -c"))
    if sh.writable:
        sh.expect_equal(f"lines of {f}", _number(sh, f"wc -l {f}"), 2000)


@shell_check(
    "shell.od", op="READ", also=("OPEN",), source="man 1 od; catalogue 3.14.1", needs=(READ, "program:od"),
    killers=("READ:errno=EIO",),
)
def od(sh: Shell) -> None:
    """`od` shows the same bytes as they are read by `head`."""
    f = sh.sample()
    _same(sh, f"od -An -tx1 -N 16 {f}", f"head -c 16 {f} | od -An -tx1")
    if sh.writable:
        sh.expect_equal("the first bytes", sh.ok(f"od -An -tx1 -N 4 {f}").output.split(), ["31", "0a", "32", "0a"])


@shell_check(
    "shell.test-r", op="ACCESS", also=("LOOKUP", "GETATTR"), source="man 1 test; catalogue 3.23.3", needs=(READ,),
    killers=("READ:errno=EIO",),
)
def test_r(sh: Shell) -> None:
    """`test -r` agrees with reading: a file that `cat` can read is readable."""
    f = sh.sample()
    sh.ok(f"cat {f} > /dev/null")
    sh.ok(f"[ -r {f} ]")
    sh.ok(f"[ -f {f} ]")


@shell_check(
    "shell.read.tar", op="READ", also=("GETATTR", "OPEN"), source="man 1 tar; catalogue 3.36",
    needs=(READ, "program:tar"), killers=("READ:errno=EIO",),
)
def tar(sh: Shell) -> None:
    """`tar c` packs the file whole: it does not change or shrink while it is read."""
    f = sh.sample()
    sh.ok(f"tar -cf - {f} > /dev/null")
    sh.ok(f"tar -cf - {f} | tar -xOf - | cmp - {f}")


@shell_check(
    "shell.read.cp", op="READ", also=("OPEN", "GETATTR"), source="man 1 cp; catalogue 3.14.1", needs=(READ,),
    killers=("READ:errno=EIO",),
)
def cp(sh: Shell) -> None:
    """`cp` brings the file out of the file system whole."""
    f, p = sh.sample(), sh.private()
    sh.ok(f"cp {f} {p}/copy")
    sh.ok(f"cmp {f} {p}/copy")


@shell_check(
    "shell.read.missing", op="LOOKUP", source="man 1 cat; catalogue 3.1.1", quick=True,
    killers=("LOOKUP:errno=EIO,path=*no-such-file",),
)
def missing(sh: Shell) -> None:
    """`cat` of a name that does not exist says that there is no such file."""
    sh.fails(f"cat {sh.name('no-such-file')}", matching="No such file or directory")
    sh.fails(f"ls -l {sh.name('no-such-file')}", matching="No such file or directory")
