"""What copies whole trees and looks at every attribute doing so: rsync, tar, cp -a, zip."""

from __future__ import annotations

from fsprobe.checks import shell_check
from fsprobe.checks.shell import Shell

SOURCE = "catalogue 3.36 (application recipes)"
FILES = "find {tree} -mindepth 1 -type f -printf '%P %m %s %TY-%Tm-%Td %TH:%TM:%.2TS\\n' | sort"


def _tree(sh: Shell, place: str) -> str:
    """A tree of three levels: a large file, an empty one, one with spaces in its name; old and of several modes."""
    sh.must(
        f"mkdir -p {place}/a/b {place}/none && seq 30000 > {place}/a/large && echo small > {place}/a/b/small && "
        f": > {place}/empty && echo x > '{place}/two words' && chmod 600 {place}/empty && chmod 750 {place}/a/b && "
        f"chmod 444 {place}/a/b/small && find {place} -exec touch -d '2001-02-03 04:05:06' {{}} +"
    )
    return place


@shell_check(
    "apps.rsync.twice", op="SETATTR", also=("MKDIR", "CREATE", "WRITE", "RENAME", "READDIR", "GETATTR"),
    source=SOURCE + "; man 1 rsync", needs=("write", "program:rsync"),
    killers=("SETATTR:errno=EIO", "SETATTR:fake", "RENAME:errno=EIO", "WRITE:errno=EIO", "CREATE:errno=EIO"),
)
def rsync_twice(sh: Shell) -> None:
    """`rsync -a` copies a tree here, and finds nothing left to copy when it is asked again."""
    source, d = _tree(sh, sh.private() + "/t"), sh.name("d")
    sh.ok(f"rsync -a {source}/ {d}/")
    sh.ok(f"diff -r {source} {d}")
    changed = sh.ok(f"rsync -a -i {source}/ {d}/").output
    sh.expect_equal("attributes that `rsync -a -i` finds changed", changed, "")


@shell_check(
    "apps.rsync.delete", op="UNLINK", also=("RMDIR", "RENAME", "WRITE", "READ", "READDIR"),
    source=SOURCE + "; man 1 rsync", needs=("write", "program:rsync"),
    killers=("UNLINK:errno=EIO", "UNLINK:fake", "RMDIR:errno=EIO", "READ:flip", "RENAME:errno=EIO"),
)
def rsync_delete(sh: Shell) -> None:
    """`rsync -a --delete` brings changed files up to date and removes what its source has no more."""
    source, d = _tree(sh, sh.private() + "/t"), sh.name("d")
    sh.must(f"mkdir -p {d}/a/gone/deep && seq 30000 | sed s/^1/2/ > {d}/a/large && : > {d}/a/gone/deep/f && : > {d}/g")
    sh.ok(f"rsync -a -c --delete --no-whole-file {source}/ {d}/")
    sh.ok(f"diff -r {source} {d}")
    sh.expect_gone(f"{d}/a/gone")


@shell_check(
    "apps.rsync.in-place", op="WRITE", also=("OPEN", "READ", "SETATTR"), source="man 1 rsync (--inplace, --append)",
    needs=("write", "program:rsync"), killers=("WRITE:fake", "READ:flip"),
)
def rsync_in_place(sh: Shell) -> None:
    """`rsync --inplace` changes the blocks that differ, `--append` adds what a file lacks."""
    p, f, g = sh.private(), sh.name("f"), sh.name("g")
    sh.must(f"seq 30000 > {p}/in && sed 's/^15000$/FIFTEEN/' {p}/in > {f} && head -c 99999 {p}/in > {g}")
    sh.ok(f"rsync -t --inplace --no-whole-file {p}/in {f}")
    sh.ok(f"cmp {p}/in {f}")
    sh.ok(f"rsync -t --append {p}/in {g}")
    sh.ok(f"cmp {p}/in {g}")


@shell_check(
    "apps.rsync.out", op="READ", also=("READDIR", "GETATTR", "OPEN"), source=SOURCE + "; man 1 rsync",
    needs=("write", "program:rsync"), killers=("READ:errno=EIO", "READ:flip", "GETATTR:attr.size=+1"),
)
def rsync_out(sh: Shell) -> None:
    """`rsync -a` takes a tree out of here, and by checksum the two are the same."""
    p, d = sh.private(), _tree(sh, sh.name("d"))
    sh.ok(f"rsync -a {d}/ {p}/out/")
    sh.expect_output(f"rsync -a -c -n -i --no-owner --no-group {d}/ {p}/out/", "")
    sh.ok(f"seq 30000 | cmp - {p}/out/a/large")


@shell_check(
    "apps.tar.compare", op="SETATTR", also=("CREATE", "MKDIR", "WRITE", "READ", "GETATTR"),
    source=SOURCE + "; man 1 tar (--compare)", needs=("write", "program:tar"),
    killers=("SETATTR:errno=EIO", "SETATTR:fake", "WRITE:errno=EIO", "MKDIR:errno=EIO,path=*/t/a", "READ:flip"),
)
def tar_compare(sh: Shell) -> None:
    """`tar x` unpacks a tree, and `tar --compare` finds content, mode and time of every file as in the archive."""
    p, d = sh.private(), sh.name("d")
    _tree(sh, f"{p}/t")
    sh.must(f"tar -C {p} -cf {p}/t.tar t && mkdir {d}")
    sh.ok(f"tar -C {d} -xpf {p}/t.tar")
    # Who owns the files is for chown's own checks to say.
    differences = sh.ok(f"tar -C {d} --compare -f {p}/t.tar 2>&1 | sed '/: [UG]id differs$/d'").output
    told = "content" if "Contents differ" in differences else "attributes"
    sh.expect_equal(f"{told} that `tar --compare` finds different", differences, "")


@shell_check(
    "apps.tar.links", op="LINK", also=("SYMLINK", "READLINK", "GETATTR"), source=SOURCE + "; man 1 tar",
    needs=("write", "symlink", "hardlink", "program:tar"), killers=("LINK:errno=EIO", "SYMLINK:errno=EIO"),
)
def tar_links(sh: Shell) -> None:
    """`tar` packs hard and symbolic links as what they are, and unpacks them so."""
    d, out, archive = sh.name("d"), sh.name("out"), sh.name("links.tar")
    sh.ok(f"mkdir {d} {out} && echo x > {d}/f && ln {d}/f {d}/hard && ln -s f {d}/soft && ln -s no/where {d}/dangling")
    sh.ok(f"stat --cached=never {d}/f {d}/hard")  # two inodes for the kernel with libfuse's high-level interface
    one_file = sh.ok(f"[ {d}/f -ef {d}/hard ] && echo one || echo two").output == "one"
    sh.ok(f"tar -C {d} -cf {archive} . && tar -C {out} -xf {archive}")
    sh.expect_output(f"readlink {out}/soft {out}/dangling", "f\nno/where")
    sh.expect_output(f"cat {out}/hard", "x")
    if not one_file:
        raise sh.warn("hard links, which `tar` packs once", "two inode numbers: it packs the file twice")
    sh.ok(f"stat --cached=never {out}/f")
    sh.expect_output(f"stat -c %h {out}/f", "2")


@shell_check(
    "apps.tar.gzip", op="READ", also=("WRITE", "CREATE", "MKDIR", "READDIR"), source="man 1 tar (--gzip)",
    needs=("write", "program:tar", "program:gzip"), killers=("READ:flip", "WRITE:errno=EIO,path=*.gz", "WRITE:fake"),
)
def tar_gzip(sh: Shell) -> None:
    """`tar cz` packs and `tar xz` unpacks a tree that lies here, through archives that lie here."""
    d, out, archive = _tree(sh, sh.name("d")), sh.name("out"), sh.name("t.tar.gz")
    sh.ok(f"tar -czf {archive} {d}")
    sh.ok(f"mkdir {out} && tar -C {out} -xzf {archive}")
    sh.ok(f"diff -r {d} {out}/{d}")


@shell_check(
    "apps.cp-a.tree", op="SETATTR", also=("MKDIR", "CREATE", "WRITE", "READ", "READDIR", "GETATTR"),
    source=SOURCE + "; man 1 cp", needs=("write",),
    killers=("SETATTR:errno=EIO", "SETATTR:fake", "MKDIR:errno=EIO", "READ:flip", "READDIR:entries=lose"),
)
def cp_a_tree(sh: Shell) -> None:
    """`cp -a` of a tree within the file system: `diff -r` and a list of all modes, sizes and times agree."""
    source, d, e = _tree(sh, sh.private() + "/t"), sh.name("d"), sh.name("e")
    sh.ok(f"cp -a {source} {d}")
    sh.ok(f"cp -a {d} {e}")
    sh.ok(f"diff -r {source} {e}")
    folders = "find {tree} -type d -printf '%P %m\\n' | sort"
    for what, command in (("modes, sizes and mtimes of the files", FILES), ("modes of the directories", folders)):
        wanted = sh.ok(command.format(tree=source)).output
        sh.expect_equal(what, sh.ok(command.format(tree=e)).output, wanted)


@shell_check(
    "apps.zip", op="RENAME", also=("CREATE", "WRITE", "READ", "MKDIR", "SETATTR"), source="man 1 zip; man 1 unzip",
    needs=("write", "program:zip", "program:unzip"),
    killers=("RENAME:errno=EIO", "READ:flip", "WRITE:errno=EIO,path=*/zi*", "MKDIR:errno=EIO,path=*out*"),
)
def zip_unzip(sh: Shell) -> None:
    """`zip` packs a tree, adds to the archive, and `unzip` tests it and brings all of it back."""
    d, out, archive = _tree(sh, sh.name("d")), sh.name("out"), sh.name("archive.zip")
    sh.ok(f"zip -q -r {archive} {d}")
    sh.ok(f"echo added > {d}/more && zip -q -g {archive} {d}/more")
    sh.ok(f"unzip -q -t {archive}")
    sh.ok(f"unzip -q -d {out} {archive}")
    sh.ok(f"diff -r {d} {out}/{d}")


@shell_check(
    "apps.gzip", op="UNLINK", also=("CREATE", "WRITE", "SETATTR", "READ"), source="man 1 gzip",
    needs=("write", "program:gzip"), killers=("UNLINK:errno=EIO", "UNLINK:fake", "READ:flip", "SETATTR:fake"),
)
def gzip(sh: Shell) -> None:
    """`gzip` puts a packed file in the place of a file, `gunzip` brings it back as old as it was."""
    f = sh.name("f")
    sh.must(f"seq 5000 > {f} && touch -d '2001-02-03 04:05:06' {f}")
    sh.ok(f"gzip {f}")
    sh.expect_gone(f)
    sh.ok(f"gunzip {f}.gz")
    sh.expect_gone(f"{f}.gz")
    sh.ok(f"seq 5000 | cmp - {f}")
    sh.expect_equal(f"mtime of {f}", sh.ok(f"stat -c %Y {f}").output, "981173106")


@shell_check(
    "apps.dd.fsync", op="FSYNC", also=("WRITE", "CREATE", "READ"), source="man 1 dd (conv=fsync); catalogue 3.18.1",
    needs=("write",), killers=("FSYNC:errno=EIO", "WRITE:errno=EIO", "WRITE:fake", "READ:flip"),
)
def dd_fsync(sh: Shell) -> None:
    """`dd` with conv=fsync, conv=fdatasync and oflag=sync: each says that all is durable, and all is there."""
    p, f = sh.private(), sh.name("f")
    sh.must(f"seq 30000 > {p}/in")
    for how in ("conv=fsync", "conv=fdatasync", "oflag=sync"):
        sh.ok(f"dd if={p}/in of={f} bs=50000 {how}")
        sh.ok(f"cmp {p}/in {f}")


@shell_check(
    "apps.split", op="CREATE", also=("WRITE", "READ", "READDIR", "UNLINK"), source="man 1 split; man 1 cat",
    needs=("write", "program:split"), killers=("CREATE:errno=EIO", "READ:flip", "READDIR:entries=lose", "WRITE:fake"),
)
def split(sh: Shell) -> None:
    """`split` cuts a file into forty pieces, and `cat` puts them together again."""
    p, f = sh.private(), sh.name("piece-")
    sh.must(f"seq 8000 > {p}/in")
    sh.ok(f"split -b 1000 -d -a 3 {p}/in {f}")
    sh.expect_output(f"ls -d {f}* | wc -l", "39")
    sh.ok(f"cat {f}* | cmp - {p}/in")


@shell_check(
    "apps.patch", op="RENAME", also=("CREATE", "WRITE", "READ", "UNLINK", "SETATTR"), source="man 1 patch",
    needs=("write", "program:patch"),
    killers=("RENAME:errno=EIO", "RENAME:fake", "CREATE:errno=EIO,path=*added*", "READ:flip", "UNLINK:fake"),
)
def patch(sh: Shell) -> None:
    """`patch` changes one file, makes one and removes one; `patch -R` takes it all back."""
    p, d = sh.private(), sh.name("d")
    sh.must(
        f"mkdir {p}/old {d} && seq 900 > {p}/old/numbers && echo bye > {p}/old/removed && cp -r {p}/old {p}/new && "
        f"sed -i s/^450$/FOUR/ {p}/new/numbers && rm {p}/new/removed && echo hi > {p}/new/added"
    )
    sh.run(f"(cd {p} && diff -ruN old new > change)")
    sh.must(f"cp {p}/old/* {d} && [ -s {p}/change ]")
    sh.ok(f"patch -s -p1 -d {d} < {p}/change")
    sh.ok(f"diff -r {p}/new {d}")
    sh.ok(f"patch -s -R -p1 -d {d} < {p}/change")
    sh.ok(f"diff -r {p}/old {d}")
