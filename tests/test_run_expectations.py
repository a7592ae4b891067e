"""The main job on targets that are fine in their own way: a report that their authors would call fair."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.command import Command
from tests.reading import document_of, operations, verdicts, with_verdict

pytestmark = pytest.mark.mount

CLONE = Path(__file__).parent.parent
ASKED = (
    "protocol.*link*", "protocol.*xattr*", "protocol.setattr.*", "protocol.rename.*", "posix.*link.*", "posix.*xattr.*",
    "posix.setattr.*", "posix.rename.*", "posix.write.*", "shell.ln*", "shell.chmod*", "apps.sqlite.*",
)  # fmt: skip
SOME = tuple(f"--select={glob}" for glob in ASKED)


def variant(kind: str) -> str:
    program = CLONE / "tests" / "programs" / "vexfs_variant.py"
    return f"env PYTHONPATH={CLONE} {sys.executable} {program} {kind} {{mountpoint}}"


def test_an_object_store_that_says_what_it_cannot_do_is_fine(fsprobe: Command) -> None:
    """A hundred failures for what no object store has would bury the one that matters."""
    result = fsprobe("run", variant("object-store"), "--expect", "object-store", *SOME)
    document = document_of(result)
    assert with_verdict(document, "FAIL", "WARN", "HANG", "CRASH", "ERROR", "NOTRUN") == []
    assert result.exit_code == 0, str(result)
    assert document["environment"]["expect"] == "object-store"
    assert "expected  an object store" in result.stdout and "none is at fault" in result.stdout
    declined = [check for check in document["checks"] if check["verdict"] == "UNSUPPORTED"]
    assert any("without changes of mode" in check["reason"] for check in declined)


def test_the_same_without_the_word_fails(fsprobe: Command) -> None:
    """A file system on which chmod does nothing would be called sound where nobody said that it may."""
    result = fsprobe("run", variant("object-store"), "--select=shell.chmod*", "--select=posix.rename.*directory*")
    document = document_of(result)
    assert result.exit_code == 1 and verdicts(document)["shell.chmod"] == "FAIL"


def test_an_object_store_that_gives_wrong_data_is_not_excused(fsprobe: Command) -> None:
    """Lost data is lost data, wherever it was to be kept."""
    options = ("--select=shell.cp", "--select=posix.read.random", "--select=posix.write.one-large")
    result = fsprobe("run", variant("object-store"), "--expect", "object-store", "--inject", "READ:flip", *options)
    document = document_of(result)
    assert len(with_verdict(document, "FAIL")) == 3, str(result)
    assert next(one["cause"] for one in document["diagnoses"] if one["confidence"] != "note") == "wrong-data"


def test_no_hard_links_and_no_xattrs_are_a_line_each(fsprobe: Command) -> None:
    """An author who left out two features on purpose would be told that the file system is broken."""
    result = fsprobe("run", variant("no-links"), *SOME)
    document = document_of(result)
    assert with_verdict(document, "FAIL", "WARN", "HANG", "CRASH", "ERROR", "NOTRUN") == []
    assert result.exit_code == 0 and "none is at fault; 5 optional ones are not offered" in result.stdout, str(result)
    lines = result.stdout.splitlines()
    for op in ("LINK", "SETXATTR", "GETXATTR", "LISTXATTR", "REMOVEXATTR"):  # a line each, and none that accuses
        assert operations(document)[op] == "ENOSYS"
        assert sum(line.split()[:1] == [op] for line in lines) == 1, str(result)
    assert "WHY, AND WHAT TO DO" not in result.stdout


@pytest.mark.parametrize("name", ["squashfuse", "hello"])
def test_a_read_only_target_that_says_so_is_fine(name: str, target_command, fsprobe: Command) -> None:
    """An archive or a snapshot is not at fault for what cannot be written; without `ro` it is one cause, not twenty."""
    command = target_command(name)
    mounted = fsprobe("run", command.replace(" -f ", " -o ro -f "))
    assert mounted.exit_code == 0 and with_verdict(document_of(mounted), "FAIL", "HANG", "CRASH", "ERROR") == []
    assert "none is at fault" in mounted.stdout
    told = document_of(fsprobe("run", command))
    causes = [one for one in told["diagnoses"] if one["confidence"] != "note"]
    assert [one["cause"] for one in causes] == ["read-only"]
    assert {id for id, verdict in verdicts(told).items() if verdict == "FAIL"} <= set(causes[0]["checks"])


def test_an_expectation_that_there_is_not_is_named(fsprobe: Command) -> None:
    """A slip of the pen would be a run with the wrong expectation."""
    result = fsprobe("run", "vexfs", "--expect", "bucket")
    assert result.exit_code == 2 and "object-store" in result.stderr
