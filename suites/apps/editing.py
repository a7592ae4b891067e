"""How editors, logs and scripts treat files that matter: new file and rename, backups, locks, logs that turn over."""

from __future__ import annotations

from fsprobe.checks import Finding, shell_check
from fsprobe.checks.shell import Shell

SOURCE = "catalogue 3.36 (application recipes)"


@shell_check(
    "apps.save.atomic", op="RENAME", also=("CREATE", "WRITE", "FSYNC", "FSYNCDIR", "OPENDIR"),
    source=SOURCE + "; catalogue 3.10.3", needs=("write", "program:sync"),
    killers=("RENAME:errno=EIO", "RENAME:fake", "WRITE:errno=EIO,path=*.tmp", "FSYNC:errno=EIO"),
)
def save_atomic(sh: Shell) -> None:
    """The careful save: write a new file, make it durable, rename it over the old one, make the name durable."""
    f = sh.name("document")
    sh.must(f"echo 'version 0' > {f}")
    for number in (1, 2, 3):
        sh.ok(f"echo 'version {number}' > {f}.tmp && sync {f}.tmp && mv -f {f}.tmp {f} && sync .")
        sh.expect_output(f"cat {f}", f"version {number}")
    sh.expect_gone(f"{f}.tmp")


@shell_check(
    "apps.save.backup", op="RENAME", also=("LOOKUP", "CREATE", "WRITE", "SETATTR", "UNLINK", "GETATTR"),
    source=SOURCE + "; vim: help backupcopy", needs=("write",),
    killers=("RENAME:errno=EIO", "RENAME:fake", "UNLINK:errno=EIO", "UNLINK:fake", "SETATTR:errno=EIO,nth=2"),
)
def save_backup(sh: Shell) -> None:
    """As vim saves: the old file becomes the backup, a new one takes its name and mode, then the backup goes."""
    f = sh.name("notes.txt")
    sh.must(f"echo old > {f} && chmod 640 {f}")
    sh.ok(f"mv {f} {f}~")
    sh.expect_gone(f)
    sh.ok(f"echo new > {f} && chmod --reference={f}~ {f} && sync {f}")
    sh.expect_output(f"cat {f}~ {f}", "old\nnew")
    sh.expect_equal(f"mode of {f}", sh.ok(f"stat -c %a {f}").output, "640")
    sh.ok(f"rm {f}~")
    sh.expect_gone(f"{f}~")
    sh.expect_output(f"cat {f}", "new")


@shell_check(
    "apps.vim", op="WRITE", also=("CREATE", "RENAME", "UNLINK", "FSYNC", "SETATTR", "READ", "LOOKUP"),
    source="vim: help backupcopy, help swap-file", needs=("write", "mkdir", "program:vim"),
    killers=("READ:flip", "READ:errno=EIO", "WRITE:fake", "UNLINK:fake"),
)
def vim(sh: Shell) -> None:
    """`vim` edits a file with a swap file beside it and keeps the old one as a backup."""
    f = sh.name("document")
    sh.must(f"seq 1000 > {f} && chmod 640 {f}")
    options = "set backup backupcopy=no backupdir=. backupskip= directory=. fsync"
    edit = f"env HOME={sh.private()} vim -N -u NONE -i NONE -e -s -c '{options}' -c '500s/500/FIVE/' -c 'wq' {f}"
    sh.ok(f"{edit} < /dev/null")
    sh.ok(f"seq 1000 | cmp - {f}~")
    sh.ok(f"seq 1000 | sed s/^500$/FIVE/ | cmp - {f}")
    sh.expect_equal(f"mode of {f}", sh.ok(f"stat -c %a {f}").output, "640")
    sh.expect_equal("swap files left", sh.ok("ls -A | grep -c '[.]sw.$' || true").output, "0")


@shell_check(
    "apps.perl.in-place", op="UNLINK", also=("RENAME", "CREATE", "WRITE", "READ", "OPEN"),
    source="perlrun (-i); catalogue 3.8.2", needs=("write", "program:perl"),
    killers=("RENAME:errno=EIO", "READ:flip", "CREATE:errno=EIO,nth=3"),
)
def perl_in_place(sh: Shell) -> None:
    """`perl -pi` reads a file that it has removed or renamed already, and writes the one that replaces it."""
    f, g = sh.name("f"), sh.name("g")
    sh.must(f"seq 3000 > {f} && seq 3000 > {g}")
    sh.ok(f"perl -pi -e 's/^7$/SEVEN/' {f}")
    sh.ok(f"perl -pi.bak -e 's/^7$/SEVEN/' {g}")
    for file in (f, g):
        sh.ok(f"seq 3000 | sed 's/^7$/SEVEN/' | cmp - {file}")
    sh.ok(f"seq 3000 | cmp - {g}.bak")


@shell_check(
    "apps.ed", op="WRITE", also=("OPEN", "READ", "SETATTR"), source="man 1 ed", needs=("write", "program:ed"),
    killers=("WRITE:fake", "READ:flip", "OPEN:errno=EIO"),
)
def ed(sh: Shell) -> None:
    """`ed` edits a file in place: what is shorter afterwards has nothing left of what was there."""
    f = sh.name("f")
    sh.must(f"seq 2000 > {f}")
    sh.ok(f"printf '11,$d\\n3s/3/three/\\nw\\nq\\n' | ed -s {f}")
    sh.expect_output(f"cat {f}", "1\n2\nthree\n" + "\n".join(str(n) for n in range(4, 11)))


@shell_check(
    "apps.log.rotate", op="RENAME", also=("WRITE", "CREATE", "OPEN", "LOOKUP"),
    source="logrotate(8); catalogue 3.10.8", needs=("write",),
    killers=("RENAME:errno=EIO", "RENAME:fake", "WRITE:errno=EIO", "WRITE:fake"),
)
def log_rotate(sh: Shell) -> None:
    """A log is renamed while a program has it open: its lines follow the file, later ones go to the new log."""
    log = sh.name("app.log")
    sh.ok(
        f"( set -e; exec 3>> {log}; echo one >&3; mv {log} {log}.1; echo two >&3; exec 3>> {log}; echo three >&3; "
        f"mv {log}.1 {log}.2; mv {log} {log}.1; echo four >&3; : > {log} )"
    )
    sh.expect_output(f"cat {log}.2", "one\ntwo")
    sh.expect_output(f"cat {log}.1", "three\nfour")
    sh.expect_equal(f"size of the new {log}", sh.ok(f"stat -c %s {log}").output, "0")


@shell_check(
    "apps.log.copytruncate", op="SETATTR", also=("OPEN", "WRITE", "READ"),
    source="logrotate(8) copytruncate; catalogue 3.13.3", needs=("write",),
    killers=("WRITE:errno=EIO", "WRITE:fake", "READ:flip", "OPEN:errno=EIO"),
)
def log_copytruncate(sh: Shell) -> None:
    """A log is copied and emptied while a program appends to it: the next line stands at its beginning."""
    log = sh.name("app.log")
    sh.ok(f"( set -e; exec 3>> {log}; seq 500 >&3; cp {log} {log}.1; : > {log}; echo after >&3 )")
    sh.expect_output(f"cat {log}", "after")
    sh.ok(f"seq 500 | cmp - {log}.1")


@shell_check(
    "apps.tail-f", op="READ", also=("GETATTR", "WRITE", "OPEN"), source="man 1 tail (--follow)", needs=("write",),
    parallel=True, killers=("READ:errno=EIO", "WRITE:fake", "GETATTR:attr.size=+0x40000000000000"),
)
def tail_follow(sh: Shell) -> None:
    """`tail -f` sees every line that another program appends."""
    f = sh.name("growing.log")
    sh.must(f"echo first > {f}")
    writer = f"for n in $(seq 20); do echo $n >> {f}; done"
    # With --pid tail ends by itself, after a last look, once the writer has ended.
    sh.expect_output(
        f"( ( {writer} ) & timeout 8 tail ---disable-inotify -s 0.02 --pid=$! -n +1 -f {f}; wait )",
        "first\n" + "\n".join(str(n) for n in range(1, 21)),
    )


@shell_check(
    "apps.symlink-swap", op="RENAME", also=("SYMLINK", "READLINK", "LOOKUP"), source="man 1 mv (-T); catalogue 3.5.4",
    needs=("write", "symlink"), killers=("RENAME:errno=EIO", "RENAME:fake", "READLINK:errno=EIO"),
)
def symlink_swap(sh: Shell) -> None:
    """A release is switched: a new link is renamed over the one called current, forth and back."""
    one, two, link = sh.name("v1"), sh.name("v2"), sh.name("current")
    sh.must(f"mkdir {one} {two} && echo 1 > {one}/version && echo 2 > {two}/version && ln -s {one} {link}")
    for place, version in ((two, "2"), (one, "1"), (two, "2")):
        sh.ok(f"ln -s {place} {link}.new && mv -T {link}.new {link}")
        sh.expect_output(f"readlink {link}; cat {link}/version", f"{place}\n{version}")


@shell_check(
    "apps.install", op="SETATTR", also=("MKDIR", "CREATE", "WRITE", "UNLINK"), source="man 1 install",
    needs=("write", "program:install"),
    killers=("SETATTR:errno=EIO", "SETATTR:fake", "MKDIR:errno=EIO", "WRITE:fake", "UNLINK:errno=EIO"),
)
def install(sh: Shell) -> None:
    """`install` makes directories, puts programs and data into them, over older ones too, and compares with -C."""
    p, d = sh.private(), sh.name("usr")
    sh.must(f"seq 200 > {p}/prog && seq 9 > {p}/data")
    for _ in range(2):
        sh.ok(f"install -d -m 755 {d}/bin && install -D -m 755 -t {d}/bin {p}/prog")
        sh.ok(f"install -D -m 644 {p}/data {d}/share/x/data")
    sh.expect_output(f"stat -c %a {d}/bin/prog {d}/share/x/data {d}/bin", "755\n644\n755")
    sh.ok(f"cmp {p}/prog {d}/bin/prog && cmp {p}/data {d}/share/x/data")


@shell_check(
    "apps.sort", op="READ", also=("CREATE", "WRITE", "UNLINK"), source="man 1 sort (-T)", needs=("write",),
    killers=("READ:flip", "WRITE:errno=EIO,path=*/sort*", "UNLINK:fake", "CREATE:errno=EIO,path=*/sort*"),
)
def sort_large(sh: Shell) -> None:
    """`sort` of more than its memory holds writes temporary files here, merges them, and removes them."""
    d, f = sh.name("tmp"), sh.name("f")
    sh.must(f"mkdir {d} && seq 20000 | sort -R --random-source=/bin/sh > {f}")
    sh.ok(f"sort -n -S 100K -T {d} -o {f} {f}")
    sh.ok(f"seq 20000 | cmp - {f}")
    sh.expect_output(f"ls -A {d}", "")


@shell_check(
    "apps.xargs", op="UNLINK", also=("READDIR", "CREATE", "RENAME"), source="man 1 xargs; man 1 find (-print0)",
    needs=("write", "program:find", "program:xargs"), parallel=True,
    killers=("UNLINK:errno=EIO", "UNLINK:fake", "READDIR:entries=lose", "RENAME:errno=EIO"),
)
def xargs(sh: Shell) -> None:
    """`find -print0 | xargs -P4` renames and then removes sixty files, with spaces and newlines in their names."""
    d = sh.name("d")
    sh.must(f"mkdir {d} && for n in $(seq 60); do : > {d}/\"a name\"$'\\n'\"$n\"; done")
    sh.ok(f"find {d} -type f -print0 | xargs -0 -n 5 -P 4 sh -c 'for f; do mv \"$f\" \"$f.moved\" || exit 255; done' -")
    sh.expect_output(f"find {d} -type f -name '*.moved' -printf x | wc -c", "60")
    sh.ok(f"find {d} -type f -print0 | xargs -0 -n 5 -P 4 rm")
    sh.expect_output(f"ls -A {d}", "")


@shell_check(
    "apps.mktemp", op="MKDIR", also=("CREATE", "RMDIR", "UNLINK", "WRITE"), source="man 1 mktemp", needs=("write",),
    killers=("MKDIR:errno=EIO", "RMDIR:errno=EIO", "RMDIR:fake", "UNLINK:errno=EIO", "CREATE:errno=EIO"),
)
def mktemp(sh: Shell) -> None:
    """A script works in a directory by `mktemp -d`, for its owner alone, and removes it in its trap at the end."""
    d = sh.name("tmp")
    made = sh.ok(
        f"( t=$(mktemp -d ./{d}.XXXXXX) && trap 'rm -rf $t' EXIT && stat -c %a $t && "
        f"for n in 1 2 3; do mktemp -p $t > /dev/null || exit; done && ls $t | wc -l )"
    ).output.split()
    sh.expect_equal("mode and number of files", made, ["700", "3"])
    sh.expect_output(f"ls -A | grep -c ^{d}[.] || true", "0")


@shell_check(
    "apps.flock", op="SETLKW", also=("OPEN", "WRITE", "READ", "RELEASE"), source="man 1 flock; catalogue 3.22.5",
    needs=("write", "program:flock"), parallel=True, killers=("WRITE:fake", "READ:errno=EIO"),
)
def flock(sh: Shell) -> None:
    """Four programs count up one number under `flock`, ten times each: none of the forty is lost."""
    lock, f = sh.name("lock"), sh.name("counter")
    sh.must(f"echo 0 > {f} && : > {lock}")
    one = f"for n in $(seq 10); do ( flock 9 && read -r x < {f} && echo $((x + 1)) > {f} ) 9>> {lock} || exit; done"
    sh.ok(f"( for i in 1 2 3 4; do ( {one} ) & done; for job in $(jobs -p); do wait $job || exit; done )")
    sh.expect_output(f"cat {f}", "40")


@shell_check(
    "apps.mkdir-lock", op="MKDIR", also=("LOOKUP",), source="catalogue 3.24.1 (one winner); man 2 mkdir",
    needs=("write", "program:xargs"), parallel=True,
    killers=("MKDIR:errno=EEXIST,path=*lock-3", "MKDIR:errno=EIO,path=*lock-*"),
)
def mkdir_lock(sh: Shell) -> None:
    """Of six programs that `mkdir` the same lock directory exactly one succeeds, ten times over."""
    d = sh.name("lock")
    race = f"seq 6 | xargs -P 6 -I{{}} sh -c 'mkdir {d}-$0 2>/dev/null && echo won || true' "
    won = sh.ok(f"for n in $(seq 10); do {race} $n; done").output.split()
    if len(won) != 10:
        raise Finding("one winner in each of 10 races", f"{len(won)} winners")


@shell_check(
    "apps.noclobber", op="CREATE", also=("LOOKUP", "WRITE"), source="POSIX XCU 2.7.2 (noclobber); catalogue 3.24.1",
    needs=("write",), killers=("CREATE:errno=EIO", "WRITE:errno=EIO", "WRITE:fake"),
)
def noclobber(sh: Shell) -> None:
    """A lock file by `set -C; > FILE`: the first makes it, the second is told that it exists and changes nothing."""
    f = sh.name("pid")
    sh.ok(f"( set -C; echo first > {f} )")
    sh.fails(f"( set -C; echo second > {f} )", matching="cannot overwrite existing file")
    sh.expect_output(f"cat {f}", "first")
