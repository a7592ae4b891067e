"""Programs that show what is there, each beside another one that has to agree: stat, ls, find, du, df, realpath."""

from __future__ import annotations

from fsprobe.checks import OPTIONAL, SHOULD, Finding, shell_check
from fsprobe.checks.shell import Shell


@shell_check(
    "shell.stat-formats", op="GETATTR", also=("LOOKUP",), source="man 1 stat; catalogue 3.3.1", needs=("write",),
    killers=("GETATTR:attr.size=+1",),
)
def stat_formats(sh: Shell) -> None:
    """`stat -c` shows name, type, size, mode and owner of a file, and the same through its path and its directory."""
    f = sh.name("f")
    sh.must(f"umask 022 && printf 1234567 > {f}")
    sh.expect_output(f"stat -c '%n|%F|%s|%A|%u' {f}", f"{f}|regular file|7|-rw-r--r--|{sh.must('id -u').output}")
    seen = sh.ok(f"stat -c '%i %s %a %h %X %Y %Z' {f}").output
    sh.expect_output(f"stat -c '%i %s %a %h %X %Y %Z' \"$PWD\"/{f}", seen)
    sh.expect_output(f"stat -c '%i %s %a %h %X %Y %Z' - < {f}", seen)


@shell_check(
    "shell.stat-blocks", op="GETATTR", also=("WRITE", "FSYNC"), level=SHOULD, source="man 1 du; catalogue 3.3.6",
    needs=("write", "program:sync"), killers=("GETATTR:attr.blocks=0",),
)
def stat_blocks(sh: Shell) -> None:
    """`du` and `stat` count the blocks of a file that was written whole: no fewer than its bytes fill."""
    f = sh.name("f")
    sh.must(f"head -c 65536 /dev/urandom > {f} && sync {f}")
    blocks = int(sh.ok(f"stat -c %b {f}").output)
    shown = int(sh.ok(f"du -B512 {f}").output.split()[0])
    if blocks != shown:
        raise Finding(f"`du -B512 {f}` shows the {blocks} blocks of `stat -c %b`", str(shown))
    if blocks < 128:
        raise Finding("at least 128 blocks of 512 bytes for 65536 bytes", f"{blocks}: `du` shows too little")


@shell_check(
    "shell.ls-lR", op="READDIR", also=("GETATTR", "LOOKUP", "OPENDIR", "READDIRPLUS"), source="man 1 ls",
    needs=("write",), killers=("READDIR:errno=EIO", "READDIR:entries=lose", "OPENDIR:errno=EIO,path=*/b"),
)
def ls_lr(sh: Shell) -> None:
    """`ls -lR` shows every file of a tree of five directories with its size."""
    d = sh.name("d")
    sh.must(f"mkdir -p {d}/a/b {d}/c/d && for n in 1 2 3; do for p in . a a/b c c/d; do seq $n > {d}/$p/$n; done; done")
    lines = [line.split() for line in sh.ok(f"ls -lR {d}").output.splitlines() if line.startswith("-")]
    sizes = sorted((fields[-1], fields[4]) for fields in lines)
    sh.expect_equal("files and sizes", sizes, sorted([("1", "2"), ("2", "4"), ("3", "6")] * 5))


@shell_check(
    "shell.ls-thousand", op="READDIR", also=("OPENDIR", "READDIRPLUS", "CREATE"), source="man 1 ls (-U)",
    needs=("write",), killers=("READDIR:errno=EIO,nth=2", "READDIR:entries=lose", "READDIR:entries=double"),
)
def ls_thousand(sh: Shell) -> None:
    """`ls -U` lists a thousand files once each, over many READDIRs."""
    d = sh.name("d")
    sh.must(f"mkdir {d} && (cd {d} && seq -f 'a-file-of-some-length-%g' 1000 | xargs touch)")
    listed = sorted(sh.ok(f"ls -1U {d}").output.split())
    wanted = {f"a-file-of-some-length-{n}" for n in range(1, 1001)}
    if len(listed) != 1000 or set(listed) != wanted:
        lost, twice = sorted(wanted - set(listed)), sorted({n for n in listed if listed.count(n) > 1})
        told = f"{len(listed)} names, {len(lost)} missing {lost[:2]}, {len(twice)} twice {twice[:2]}"
        raise Finding("1000 names, each once", told)


@shell_check(
    "shell.ls-t", op="SETATTR", also=("GETATTR", "READDIR"), source="man 1 ls (-t, -S)", needs=("write",),
    killers=("SETATTR:errno=EIO", "SETATTR:fake", "GETATTR:attr.size=4096"),
)
def ls_t(sh: Shell) -> None:
    """`ls -t` sorts by time, and `ls -S` by size."""
    d = sh.name("d")
    sh.must(f"mkdir {d} && seq 5 > {d}/mid && seq 99 > {d}/big && seq 1 > {d}/tiny")
    sh.ok(f"touch -d 2003-01-01 {d}/mid && touch -d 2001-01-01 {d}/big && touch -d 2002-01-01 {d}/tiny")
    sh.expect_output(f"ls -1t {d}", "mid\ntiny\nbig")
    sh.expect_output(f"stat -c %s {d}/big {d}/mid; ls -1S {d}", "288\n10\nbig\nmid\ntiny")


@shell_check(
    "shell.ls-i", op="READDIR", also=("GETATTR", "LOOKUP", "READDIRPLUS"), level=SHOULD,
    source="man 1 ls (-i); catalogue 3.3.1", needs=("write",), killers=("READDIR:errno=EIO",),
)
def ls_i(sh: Shell) -> None:
    """The inode number that `ls -i` takes from the directory is that of `stat`."""
    d = sh.name("d")
    sh.must(f"mkdir {d} {d}/sub && : > {d}/f")
    listed = {name: number for number, name in (line.split() for line in sh.ok(f"ls -1i {d}").output.splitlines())}
    for name in ("f", "sub"):
        sh.expect_equal(f"inode of {name}", listed.get(name, "not listed"), sh.ok(f"stat -c %i {d}/{name}").output)


@shell_check(
    "shell.odd-names", op="LOOKUP", also=("CREATE", "READDIR", "UNLINK"), source="catalogue 3.1.3; POSIX XBD 3.170",
    needs=("write",), killers=("CREATE:errno=EILSEQ", "READDIR:errno=EIO", "UNLINK:errno=EIO"),
)
def odd_names(sh: Shell) -> None:
    """Names with spaces, newlines, quotes, stars, bytes that are no UTF-8, and a leading dash are kept as they are."""
    d = sh.name("d")
    names = (
        "' lead' 'trail ' $'new\\nline' $'tab\\t' \"it's\" '*' '?[x]' 'back\\slash' -dash ... $'\\xff\\xfe' ünïcödé :"
    )
    sh.must(f"mkdir {d}")
    sh.ok(f"( cd {d} && for n in {names}; do echo \"$n\" > \"./$n\" || exit; done )")
    sh.expect_output(f"ls -1bA {d} | wc -l", "13")
    sh.ok(f"( cd {d} && for n in {names}; do [ \"$(cat -- \"./$n\")\" = \"$n\" ] && rm -- \"./$n\" || exit; done )")
    sh.expect_output(f"ls -A {d}", "")


@shell_check(
    "shell.long-name", op="CREATE", also=("LOOKUP", "READDIR", "STATFS"), source="catalogue 3.1.2; man 3 pathconf",
    needs=("write", "mkdir"), killers=("CREATE:errno=ENAMETOOLONG", "CREATE:errno=EIO"),
)
def long_name(sh: Shell) -> None:
    """A name as long as `getconf NAME_MAX` says can be made and listed; one byte more is refused as too long."""
    sh.dir  # noqa: B018 - made before the question
    longest = int(sh.must("getconf NAME_MAX .").output)
    if not 0 < longest <= 1024:
        raise Finding("a longest name of 1 to 1024 bytes", str(longest), warn=True)
    sh.ok(f": > $(printf '%0{longest}d' 7)")
    sh.expect_output("ls -A | wc -c", str(longest + 1))
    sh.fails(f": > $(printf '%0{longest + 1}d' 7)", matching="File name too long")


@shell_check(
    "shell.find-tests", op="GETATTR", also=("LOOKUP", "READDIR", "SETATTR"), source="man 1 find",
    needs=("write", "program:find"), killers=("GETATTR:attr.size=+9000", "SETATTR:errno=EIO", "SETATTR:fake"),
)
def find_tests(sh: Shell) -> None:
    """`find` by -size, -newer, -mtime, -perm, -inum, -empty and -type finds each file by what it is."""
    d = sh.name("d")
    sh.must(f"mkdir {d} {d}/sub && seq 2000 > {d}/large && echo x > {d}/old && : > {d}/none && echo y > {d}/sub/new")
    sh.ok(f"touch -d 2001-01-01 {d}/old && touch -d 2002-02-02 {d}/large && chmod 604 {d}/none")
    for words, found in (
        ("-size +8k", "large"), (f"-type f -newer {d}/large", "new none"), ("-type f -mtime +1000", "large old"),
        ("-perm 604", "none"), ("-type f -empty", "none"), ("-mindepth 1 -type d", "sub"),
    ):
        done = sh.ok(f"find {d} {words} -printf '%f\\n'").output.split()
        sh.expect_equal(f"what `find {words}` finds", " ".join(sorted(done)), found)
    inode = sh.ok(f"stat -c %i {d}/none").output
    if sh.ok(f"find {d} -inum {inode} -printf '%f\\n'").output != "none":  # find goes by the number in the listing
        raise sh.warn(f"`find -inum {inode}` finds none", "nothing: the listing has other inode numbers than stat")


@shell_check(
    "shell.find-links", op="LINK", also=("GETATTR", "LOOKUP"), level=OPTIONAL, source="man 1 find (-links, -samefile)",
    needs=("write", "program:find"), killers=("LINK:errno=EIO",),
)
def find_links(sh: Shell) -> None:
    """`find -links` and `find -samefile` find both names of a file."""
    d = sh.name("d")
    sh.must(f"mkdir {d} && : > {d}/a && : > {d}/c")
    sh.ok(f"ln {d}/a {d}/b")
    sh.ok(f"stat --cached=never {d}/a {d}/b")  # two inodes for the kernel with libfuse's high-level interface
    sh.expect_output(f"find {d} -links 2 -type f -printf '%f\\n' | sort", "a\nb")
    if sh.ok(f"find {d} -samefile {d}/b -printf '%f\\n' | sort").output != "a\nb":
        raise sh.warn("`find -samefile` finds both names", "two different inode numbers")


@shell_check(
    "shell.du-tree", op="GETATTR", also=("READDIR", "LOOKUP"), source="man 1 du", needs=("write",),
    killers=("GETATTR:attr.size=+1", "READDIR:entries=lose"),
)
def du_tree(sh: Shell) -> None:
    """`du --apparent-size` adds up the files of a tree to what they hold."""
    d = sh.name("d")
    sh.must(f"mkdir -p {d}/a/b && for p in . a a/b; do seq 1000 > {d}/$p/f; done")
    shown = int(sh.ok(f"du -s --apparent-size -B1 {d}").output.split()[0])
    folders = sum(int(size) for size in sh.ok(f"find {d} -type d -printf '%s\\n'").output.split())
    if shown not in (3 * 3893, 3 * 3893 + folders):  # newer coreutils count no directories
        raise Finding(f"{3 * 3893} bytes, or {3 * 3893 + folders} with the directories", str(shown))
    sh.expect_equal("files counted", len(sh.ok(f"du -a {d}").output.splitlines()), 6)


@shell_check(
    "shell.df-i", op="STATFS", source="man 1 df (-i, -T)", killers=("STATFS:errno=EIO", "STATFS:errno=ENOSYS"),
)
def df_i(sh: Shell) -> None:
    """`df -i` and `df -T` of the directory work, and show no more inodes free than there are."""
    sh.ok("df -T .")
    words = sh.ok("df --output=itotal,iused,iavail .").output.split()[-3:]
    total, used, free = (int(word) if word.isdigit() else 0 for word in words)
    if free > total or used > total:
        raise Finding("no more inodes used or free than there are", f"{total} in all, {used} used, {free} free")


@shell_check(
    "shell.realpath", op="READLINK", also=("LOOKUP", "SYMLINK"), source="man 1 realpath; man 1 readlink (-f)",
    needs=("write", "symlink"), killers=("READLINK:errno=EIO", "LOOKUP:errno=EIO,path=*/none"),
)
def realpath(sh: Shell) -> None:
    """`realpath` and `readlink -f` follow relative links through directories to the file itself."""
    d = sh.name("d")
    sh.must(f"mkdir -p {d}/a/b && echo x > {d}/a/b/f && ln -s a/b {d}/short && ln -s ../short/f {d}/a/up")
    for program in ("realpath", "readlink -f"):
        sh.expect_output(f"{program} {d}/a/up", f"{sh.dir}/{d}/a/b/f")
    sh.expect_output(f"cat {d}/a/up", "x")
    sh.fails(f"realpath -e {d}/short/none", matching="No such file or directory")


@shell_check(
    "shell.cd", op="LOOKUP", also=("RENAME", "GETATTR", "ACCESS"), source="catalogue 3.10.8; POSIX cd, pwd",
    needs=("write",), killers=("LOOKUP:errno=EIO,path=*/b", "RENAME:errno=EIO", "RENAME:fake"),
)
def cd(sh: Shell) -> None:
    """A shell that works in a directory goes on there while it is renamed, and `pwd -P` shows the new name."""
    a, b = sh.name("a"), sh.name("b")
    sh.must(f"mkdir {a}")
    sh.expect_output(
        f"( cd {a} && mv ../{a} ../{b} && echo x > f && cd . && pwd -P && cat ../{b}/f )", f"{sh.dir}/{b}\nx",
    )


@shell_check(
    "shell.removed-directory", op="RMDIR", also=("CREATE", "LOOKUP"), source="catalogue 3.9.3", needs=("write",),
    killers=("RMDIR:errno=EIO", "RMDIR:fake"),
)
def removed_directory(sh: Shell) -> None:
    """In a directory that was removed nothing can be made any more."""
    d = sh.name("d")
    sh.must(f"mkdir {d}")
    sh.ok(f"( cd {d} && rmdir ../{d} )")
    sh.expect_gone(d)
    sh.must(f"mkdir {d}")
    done = sh.run(f"( cd {d} && rmdir ../{d} && : > f )")
    if done.status == 0:
        raise Finding("no new file in a removed directory", "`: > f` succeeds there")
    sh.expect_gone(d)
