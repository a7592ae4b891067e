"""`fsprobe run … --inject` does what it says, for each kind: one check, one fault, one verdict."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fsprobe.relay import kinds
from tests.command import Command
from tests.leaks import LeakWatch
from tests.reading import document_of

pytestmark = pytest.mark.mount

# By kind: the rule, the check that is asked, what it comes to, whom it blames, and words of what it observed.
SEEN: dict[str, tuple[str, str, str, str, str]] = {
    "errno": ("MKDIR:errno=ENOSPC", "posix.mkdir.creates", "FAIL", "MKDIR", "ENOSPC"),
    "map": ("LOOKUP:map=ENOENT>EIO,path=*absent", "posix.lookup.missing-name", "FAIL", "LOOKUP", "EIO"),
    "drop": ("STATFS:drop", "posix.statfs.sane", "HANG", "STATFS", "STATFS"),
    "delay": ("STATFS:delay=30", "posix.statfs.sane", "HANG", "STATFS", "STATFS"),
    "crash": ("STATFS:crash", "posix.statfs.sane", "CRASH", "STATFS", "SIGKILL"),
    "fake": ("UNLINK:fake", "posix.lookup.sees-changes", "FAIL", "", "it exists"),
    "short": ("READ:short", "protocol.read.exact", "FAIL", "READ", ""),
    "torn": ("WRITE:torn", "protocol.write.count", "FAIL", "WRITE", ""),
    "zero": ("READ:zero", "protocol.read.exact", "FAIL", "READ", r"\\x00"),
    "flip": ("READ:flip", "protocol.read.exact", "FAIL", "READ", ""),
    "stale": ("GETXATTR:stale", "protocol.getxattr.fresh", "FAIL", "GETXATTR", "5"),
    "attr.FIELD": ("GETATTR:attr.uid=+1", "protocol.getattr.agrees", "FAIL", "GETATTR", "uid"),
    "ignore.FIELD": ("SETATTR:ignore.mode", "protocol.setattr.mode", "FAIL", "SETATTR", ""),
    "neighbour": ("GETATTR:neighbour", "protocol.getattr.agrees", "FAIL", "GETATTR", "ino"),
    "statfs.FIELD": ("STATFS:statfs.bsize=0", "posix.statfs.sane", "FAIL", "STATFS", "0"),
    "entries": ("READDIR:entries=lose", "protocol.readdir.complete", "FAIL", "READDIR", ""),
    "nodeid": ("SYMLINK:nodeid", "protocol.symlink.agrees", "FAIL", "SYMLINK", r"1000\d\d\d"),
    "generation": ("MKDIR:generation", "protocol.mkdir.agrees", "FAIL", "MKDIR", ""),
    "unique": ("STATFS:unique", "posix.statfs.sane", "HANG", "STATFS", "not open"),
    "positive-errno": ("STATFS:positive-errno", "posix.statfs.sane", "HANG", "STATFS", "refused"),
    "length": ("STATFS:length", "posix.statfs.sane", "HANG", "STATFS", "refused"),
    "body": ("STATFS:body", "posix.statfs.sane", "FAIL", "STATFS", "EIO"),
    "withhold": ("STATFS:withhold", "posix.statfs.sane", "NOTRUN", "STATFS", ""),
}

SUITE = '''
import subprocess
from fsprobe.checks import Finding, mount_check

@mount_check("mine.counts", op="READ", source="my program", killers=("READ:errno=EIO",))
def counts(m):
    """wc counts every line of a file."""
    path = m.file("text", b"line\\n" * 4000)
    done = subprocess.run(["wc", "-l"], stdin=open(path), capture_output=True, text=True, timeout=20)
    if done.returncode or done.stdout.strip() != "4000":
        raise Finding("4000", f"exit {done.returncode}: {done.stdout}{done.stderr}".strip())
'''


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_kind_of_fault_shows(kind: str, fsprobe: Command) -> None:
    """A person who injects a fault to see how a program bears it must get that fault, and no other."""
    rule, check, verdict, op, words = SEEN[kind]
    result = fsprobe("run", "vexfs:raw", "--select", check, "--inject", rule, "--timeout", "1.5")
    (found,) = document_of(result)["checks"]
    assert (found["verdict"], found["op"]) == (verdict, op or found["op"]), found
    assert re.search(words, found["observed"]), found
    assert rule in found["reproduce"]


def own_suite(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(SUITE)
    return str(path)


@pytest.mark.parametrize(
    ("rule", "verdict", "words"),
    [
        ("", "PASS", ""),
        ("READ:errno=EIO", "FAIL", "Input/output error"),
        ("READ:errno=EIO,p=0,seed=1", "PASS", ""),
        ("READ:zero", "FAIL", r"exit 0: \d+"),
        ("WRITE:torn", "FAIL", "exit 0: "),
    ],
)
def test_how_a_users_own_program_bears_it(
    rule: str, verdict: str, words: str, fsprobe: Command, leaks: LeakWatch, tmp_path: Path
) -> None:
    """Whoever writes on a FUSE mount wants to know what a failing one does to the program."""
    inject = ("--inject", rule) if rule else ()
    result = fsprobe("run", "vexfs:raw", "--suite", own_suite(tmp_path), *inject)
    (found,) = document_of(result)["checks"]
    assert found["verdict"] == verdict and re.search(words, found["observed"]), found
    assert leaks() == []


def test_chances_come_again_with_the_seed(fsprobe: Command) -> None:
    """A fault that came by chance and cannot be had again cannot be mended."""
    words = ("run", "vexfs:raw", "--no-mount", "--select", "protocol.read.*", "--select", "protocol.lookup.*",
             "--inject", "LOOKUP:errno=EIO,p=0.2")  # fmt: skip
    first, second, other = (document_of(fsprobe(*words, "--seed", seed)) for seed in ("5", "5", "6"))

    def told(document: dict) -> list:
        return [(check["id"], check["verdict"], check["observed"]) for check in document["checks"]]

    assert told(first) == told(second) != told(other)
    assert {verdict for _, verdict, _ in told(first)} >= {"FAIL", "PASS"}


def test_a_bad_rule_starts_nothing(fsprobe: Command) -> None:
    """Minutes of a run that injected nothing would look like a pass."""
    result = fsprobe("run", "vexfs", "--inject", "WRITE:falke")
    assert result.exit_code == 2 and result.seconds < 20
    assert "did you mean fake" in result.stderr and "list --rules" in result.stderr
