"""Handler names: the report's advice is worthless if it names what the author's library does not have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fsprobe.diagnose.handlers import (
    FAMILIES,
    TITLES,
    handler_names,
    handlers,
    in_every_library,
    in_the_best_known,
    missing_answers,
)
from fsprobe.diagnose.operations import OPERATIONS

SETATTR = {
    "libfuse2": ".chmod .chown .truncate .utimens",
    "libfuse3": ".chmod .chown .truncate .utimens",
    "libfuse-low": ".setattr",
    "libfuse2-low": ".setattr",
    "fuser": "Filesystem::setattr",
    "fuser-0.17": "Filesystem::setattr",
    "fuse-rs": "Filesystem::setattr",
    "fuse3-rs": "Filesystem::setattr",
    "polyfuse": "Operation::Setattr",
    "fuse-backend-rs": "FileSystem::setattr",
    "go-fuse": "NodeSetattrer",
    "go-fuse-raw": "RawFileSystem.SetAttr",
    "go-fuse-nodefs": "Node.Chmod Node.Chown Node.Truncate Node.Utimens",
    "go-fuse-pathfs": "FileSystem.Chmod FileSystem.Chown FileSystem.Truncate FileSystem.Utimens",
    "bazil": "NodeSetattrer",
    "jacobsa": "SetInodeAttributes",
    "cgofuse": "Chmod Chown Truncate Utimens",
    "pyfuse3": "Operations.setattr",
    "llfuse": "Operations.setattr",
    "fusepy": "chmod chown truncate utimens",
    "mfusepy": "chmod chown truncate utimens",
    "fuse-python": "chmod chown truncate ftruncate utimens utime",
    "reference-raw": "Operations.SETATTR",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_setattr_in_every_library(family: str) -> None:
    """Whoever asks for SETATTR gets the name that their own code must have."""
    assert handler_names(family, "SETATTR") == SETATTR[family]


# What the kernel never sends on an ordinary mount, or needs no handler.
SELDOM = (
    "INIT", "DESTROY", "CUSE_INIT", "NOTIFY_REPLY", "INTERRUPT", "BMAP", "SETUPMAPPING", "REMOVEMAPPING", "SYNCFS",
    "TMPFILE", "STATX", "COPY_FILE_RANGE_64",
)  # fmt: skip
# What each library has no handler for, by its sources.
NONE = {
    "libfuse2": "FORGET BATCH_FORGET READDIRPLUS RENAME2 LSEEK COPY_FILE_RANGE",
    "libfuse3": "FORGET BATCH_FORGET",
    "libfuse-low": "",
    "libfuse2-low": "READDIRPLUS RENAME2 LSEEK COPY_FILE_RANGE",
    "fuser": "",
    "fuser-0.17": "",
    "fuse-rs": "IOCTL POLL BATCH_FORGET FALLOCATE READDIRPLUS RENAME2 LSEEK COPY_FILE_RANGE",
    "fuse3-rs": "IOCTL",
    "polyfuse": "IOCTL LSEEK",
    "fuse-backend-rs": "COPY_FILE_RANGE",
    "go-fuse": "POLL",
    "go-fuse-raw": "POLL",
    "go-fuse-nodefs": "RELEASEDIR FSYNCDIR IOCTL POLL RENAME2 LSEEK COPY_FILE_RANGE",
    "go-fuse-pathfs": "FORGET RELEASEDIR FSYNCDIR IOCTL POLL BATCH_FORGET RENAME2 LSEEK COPY_FILE_RANGE",
    "bazil": "IOCTL READDIRPLUS RENAME2 LSEEK COPY_FILE_RANGE",
    "jacobsa": "GETLK SETLK SETLKW ACCESS IOCTL POLL RENAME2 LSEEK COPY_FILE_RANGE",
    "cgofuse": "FORGET GETLK SETLK SETLKW IOCTL POLL BATCH_FORGET FALLOCATE LSEEK COPY_FILE_RANGE",
    "pyfuse3": "GETLK SETLK SETLKW IOCTL FALLOCATE LSEEK COPY_FILE_RANGE",
    "llfuse": "GETLK SETLK SETLKW IOCTL POLL FALLOCATE READDIRPLUS RENAME2 LSEEK COPY_FILE_RANGE",
    "fusepy": "FORGET POLL BATCH_FORGET FALLOCATE READDIRPLUS RENAME2 LSEEK COPY_FILE_RANGE",
    "mfusepy": "FORGET BATCH_FORGET RENAME2 LSEEK COPY_FILE_RANGE",
    "fuse-python": "FORGET BATCH_FORGET FALLOCATE READDIRPLUS RENAME2 LSEEK COPY_FILE_RANGE",
    "reference-raw": "",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_table_is_whole_but_for_what_the_library_cannot_do(family: str) -> None:
    """A gap in a table reads "nothing to write there", and the author believes it."""
    gaps = [op for op in OPERATIONS if op not in SELDOM and op not in FAMILIES[family]]
    assert gaps == [op for op in OPERATIONS if op in NONE[family].split()]


_C = r"(?:int|off_t|ssize_t|void \*?)\s?\w+\(.+\)(?: /\* .+ \*/)?"
_RUST = r"(?:async )?fn [a-z_0-9]+\(&(?:mut )?self(?:, .+)?\)(?: -> .+)?"
_GO = r"func \([a-z]+ \*\w+\) [A-Z]\w+\(.*\)(?: .+)?"
_PYTHON = r"(?:async )?def [A-Za-z_0-9]+\(self(?:, .+)?\)"
SHAPES = {
    **dict.fromkeys(("libfuse2", "libfuse3", "libfuse-low", "libfuse2-low"), _C),
    **dict.fromkeys(("fuser", "fuser-0.17", "fuse-rs", "fuse3-rs", "fuse-backend-rs"), _RUST),
    "polyfuse": r"Operation::[A-Z]\w+\(op(?:, data)?\) => …",
    **dict.fromkeys(("go-fuse", "go-fuse-raw", "go-fuse-nodefs", "go-fuse-pathfs", "bazil", "jacobsa", "cgofuse"), _GO),
    **dict.fromkeys(("pyfuse3", "llfuse", "fusepy", "mfusepy", "fuse-python", "reference-raw"), _PYTHON),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_is_a_declaration_in_the_language_of_its_library(family: str) -> None:
    """The author pastes the line that the report prints."""
    for found in FAMILIES[family].values():
        for handler in found:
            assert re.fullmatch(SHAPES[family], handler.signature), handler
            assert handler.word in handler.signature.lower()


def test_rows_are_of_known_operations_and_whole() -> None:
    """A typing error in a table would leave an operation without advice."""
    for family, rows in FAMILIES.items():
        assert set(rows) <= set(OPERATIONS), family
        core = {row.name for row in OPERATIONS.values() if row.core} - {"INIT", "GETATTR", "LOOKUP", "OPENDIR"}
        assert core <= set(rows), family
        for found in rows.values():
            for handler in found:
                assert handler.signature.count("(") == handler.signature.count(")"), handler


@pytest.mark.parametrize(
    ("family", "op", "answers"),
    [
        ("libfuse3", "MKDIR", ("ENOSYS",)),
        ("libfuse2", "OPEN", ("ok",)),
        ("libfuse-low", "STATFS", ("ok",)),
        ("libfuse2-low", "OPENDIR", ("ok",)),
        ("go-fuse", "UNLINK", ("ok", "EROFS", "EOPNOTSUPP", "ENOSYS")),
        ("go-fuse-pathfs", "GETXATTR", ("ENODATA",)),
        ("cgofuse", "OPEN", ("ENOSYS",)),
        ("jacobsa", "OPEN", ("ENOSYS",)),
        ("fuser", "SYMLINK", ("ENOSYS", "EPERM")),
        ("fusepy", "MKDIR", ("EROFS",)),
        ("fusepy", "READ", ("EIO",)),
        ("bazil", "SETATTR", ("ok",)),
        ("bazil", "MKDIR", ("EPERM",)),
        ("", "MKDIR", ("ENOSYS",)),
    ],
)
def test_what_a_library_answers_by_itself(family: str, op: str, answers: tuple[str, ...]) -> None:
    """A hidden missing handler is told from a decision only by knowing the library's default."""
    assert missing_answers(family, op) == answers


def test_explain_lists_every_library() -> None:
    """`fsprobe explain SETATTR` serves an author of any library."""
    assert len(in_every_library("SETATTR")) == len(TITLES)
    assert handlers("unheard-of", "SETATTR") == ()


def test_the_documentation_lists_every_library() -> None:
    """Who looks whether their library is known finds it; a new one is not forgotten there."""
    page = (Path(__file__).parents[2] / "docs" / "how-it-works.md").read_text()
    for title in TITLES.values():
        for word in re.split(r" \(|, ", title.partition(" (")[0].replace("package ", "")):
            assert all(part in page for part in word.split() if part != "level"), title


def test_an_unknown_library_gets_names_to_recognise_its_own_by() -> None:
    """A question mark in place of a handler sends the author to the sources of libfuse."""
    told = in_the_best_known("SETATTR")
    assert told == "libfuse .chmod .chown .truncate .utimens, fuser setattr, go-fuse NodeSetattrer"
    assert in_the_best_known("NOTIFY_REPLY") == ""


def test_the_reference_has_every_handler_that_its_own_front_is_said_to_have() -> None:
    """Advice for `vexfs:before-fix` names methods that can be found in its source."""
    from reference_fs.raw_operations import Operations

    never = {"BMAP", "SETUPMAPPING", "REMOVEMAPPING"}  # these it does not offer, and could
    for op, (handler,) in FAMILIES["reference-raw"].items():
        assert handler.name == f"Operations.{op}"
        assert hasattr(Operations, op) == (op not in never), op
