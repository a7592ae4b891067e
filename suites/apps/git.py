"""git: what developers do all day. Every object is a new file that is renamed or linked to its place."""

from __future__ import annotations

from fsprobe.checks import SHOULD, shell_check
from fsprobe.checks.shell import Shell

NEEDS = ("write", "program:git")
SOURCE = "catalogue 3.36 (application recipes); man 1 git"
CONFIG = r"""[user]\n\tname = fsprobe\n\temail = fsprobe@localhost\n[safe]\n\tdirectory = *\n[gc]\n\tauto = 0\n"""


def _git(sh: Shell) -> str:
    """The command, with a configuration of its own: nobody's settings and hooks take part."""
    home = sh.private()
    sh.must(f"printf '{CONFIG}' > {home}/.gitconfig")
    return f"env HOME={home} XDG_CONFIG_HOME={home} GIT_CONFIG_NOSYSTEM=1 git --no-pager"


def _repository(sh: Shell, git: str) -> str:
    """A repository with one commit of three files, each step of it a question of its own."""
    repo = sh.name("repo")
    sh.ok(f"{git} init -q {repo}")
    sh.ok(f"mkdir {repo}/sub && seq 300 > {repo}/numbers && echo words > {repo}/sub/words && : > {repo}/empty")
    sh.ok(f"{git} -C {repo} add -A")
    sh.ok(f"{git} -C {repo} commit -q -m first")
    return repo


@shell_check(
    "apps.git.commit", op="CREATE", also=("MKDIR", "WRITE", "RENAME", "LINK", "UNLINK", "SETATTR", "READ", "READDIR"),
    source=SOURCE, needs=NEEDS,
    killers=("CREATE:errno=EIO", "WRITE:errno=EIO", "RENAME:errno=ENOSYS", "MKDIR:errno=EIO", "READ:flip"),
)
def commit(sh: Shell) -> None:
    """`git init`, `git add` and `git commit` keep three files, and `git fsck` finds the store sound."""
    git = _git(sh)
    repo = _repository(sh, git)
    sh.expect_output(f"{git} -C {repo} status --porcelain", "")
    sh.ok(f"{git} -C {repo} fsck --strict --no-progress")
    sh.expect_output(f"{git} -C {repo} show HEAD:sub/words", "words")
    sh.expect_output(f"{git} -C {repo} show HEAD:numbers | cmp - {repo}/numbers", "")


@shell_check(
    "apps.git.diff-files", op="GETATTR", also=("LOOKUP", "READ"), level=SHOULD, source="man 1 git-update-index",
    needs=NEEDS, killers=("GETATTR:attr.size=+1",),
)
def diff_files(sh: Shell) -> None:
    """`git diff-files` takes no file for changed: size, times, inode and owner are those of a moment ago."""
    git = _git(sh)
    repo = _repository(sh, git)
    sh.must(f"touch -d 2001-02-03 {repo}/numbers {repo}/sub/words {repo}/empty")
    sh.must(f"{git} -C {repo} update-index -q --refresh")
    sh.ok(f"stat {repo}/numbers {repo}/sub/words {repo}/empty && {git} -C {repo} diff-files --name-only")
    sh.expect_output(f"{git} -C {repo} diff-files --name-only", "")


@shell_check(
    "apps.git.checkout", op="RENAME", also=("UNLINK", "RMDIR", "CREATE", "WRITE", "READ"), source=SOURCE, needs=NEEDS,
    killers=("RENAME:errno=EIO", "UNLINK:errno=EIO", "UNLINK:fake"),
)
def checkout(sh: Shell) -> None:
    """`git checkout` of another branch and back changes, removes and brings back files and their directory."""
    git = _git(sh)
    repo = _repository(sh, git)
    sh.ok(f"{git} -C {repo} checkout -q -b other")
    sh.ok(f"{git} -C {repo} rm -q sub/words && echo more >> {repo}/numbers && {git} -C {repo} commit -q -a -m second")
    sh.ok(f"{git} -C {repo} checkout -q -")
    sh.expect_output(f"cat {repo}/sub/words; tail -n 1 {repo}/numbers", "words\n300")
    sh.ok(f"{git} -C {repo} checkout -q other")
    sh.expect_gone(f"{repo}/sub")
    sh.expect_output(f"{git} -C {repo} status --porcelain; tail -n 1 {repo}/numbers", "more")


@shell_check(
    "apps.git.clone", op="CREATE", also=("MKDIR", "LINK", "WRITE", "RENAME", "READ"), source="man 1 git-clone",
    needs=NEEDS, killers=("CREATE:errno=EIO", "READ:flip", "RENAME:errno=EIO"),
)
def clone(sh: Shell) -> None:
    """`git clone`, with hard links where there are some and without, gives a clean tree of the same commit."""
    git = _git(sh)
    repo = _repository(sh, git)
    head = sh.ok(f"{git} -C {repo} rev-parse HEAD").output
    for other, options in ((sh.name("linked"), ""), (sh.name("copied"), "--no-hardlinks")):
        sh.ok(f"{git} clone -q {options} {repo} {other}")
        sh.expect_output(f"{git} -C {other} rev-parse HEAD; {git} -C {other} status --porcelain", head)
        sh.ok(f"cmp {repo}/numbers {other}/numbers")


@shell_check(
    "apps.git.gc", op="UNLINK", also=("RENAME", "RMDIR", "READDIR", "CREATE", "READ"), source="man 1 git-gc",
    needs=NEEDS, killers=("UNLINK:fake", "UNLINK:errno=EIO", "RENAME:errno=EIO"),
)
def gc(sh: Shell) -> None:
    """`git gc` packs every loose object, removes them, and every commit can still be read."""
    git = _git(sh)
    repo = _repository(sh, git)
    sh.ok(f"for n in 1 2; do echo $n >> {repo}/numbers; {git} -C {repo} commit -q -a -m $n || exit; done")
    sh.ok(f"{git} -C {repo} gc --quiet --prune=now")
    sh.expect_output(f"find {repo}/.git/objects -type f -path '*/objects/??/*'", "")
    sh.expect_output(f"{git} -C {repo} log --format=%s", "2\n1\nfirst")
    sh.ok(f"{git} -C {repo} fsck --strict --no-progress")
    sh.expect_output(f"{git} -C {repo} status --porcelain", "")
