"""Handler names: the report's advice is worthless if it names what the author's library does not have."""

from __future__ import annotations

import re
import subprocess
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


@pytest.mark.parametrize(
    ("family", "names"),
    [
        ("libfuse2", ".chmod .chown .truncate .utimens"),
        ("libfuse3", ".chmod .chown .truncate .utimens"),
        ("libfuse-low", ".setattr"),
        ("fuser", "Filesystem::setattr"),
        ("fuse-rs", "Filesystem::setattr"),
        ("go-fuse", "NodeSetattrer"),
        ("bazil", "NodeSetattrer"),
        ("jacobsa", "SetInodeAttributes"),
        ("pyfuse3", "Operations.setattr"),
        ("fusepy", "chmod chown truncate utimens"),
        ("mfusepy", "chmod chown truncate utimens"),
    ],
)
def test_setattr_in_every_library(family: str, names: str) -> None:
    """Whoever asks for SETATTR gets the name that their own code must have."""
    assert handler_names(family, "SETATTR") == names


def test_rows_are_of_known_operations_and_whole() -> None:
    """A typing error in a table would leave an operation without advice."""
    for family, rows in FAMILIES.items():
        assert set(rows) <= set(OPERATIONS), family
        core = {row.name for row in OPERATIONS.values() if row.core} - {"INIT", "GETATTR", "LOOKUP", "OPENDIR"}
        assert core <= set(rows), family
        for found in rows.values():
            for handler in found:
                assert handler.signature.count("(") == handler.signature.count(")"), handler


def test_python_rows_are_methods_of_the_real_classes() -> None:
    """The signatures follow the packages that are installed, not memory."""
    import fuse
    import mfusepy

    for family, module in (("fusepy", fuse), ("mfusepy", mfusepy)):
        for found in FAMILIES[family].values():
            for handler in found:
                assert hasattr(module.Operations, handler.name), handler


HEADERS = [
    ("libfuse2", "/usr/include/fuse/fuse.h", "fuse_operations", "26"),
    ("libfuse3", "/usr/include/fuse3/fuse.h", "fuse_operations", "35"),
    ("libfuse-low", "/usr/include/fuse3/fuse_lowlevel.h", "fuse_lowlevel_ops", "35"),
]


@pytest.mark.parametrize(("family", "header", "struct", "version"), HEADERS)
def test_c_rows_have_the_types_of_the_installed_header(family: str, header: str, struct: str, version: str) -> None:
    """What the report prints compiles: same function, same argument types in the same order."""
    if not Path(header).exists():
        pytest.skip(f"{header} is not installed")
    argv = ["gcc", "-E", "-P", "-D_FILE_OFFSET_BITS=64", f"-DFUSE_USE_VERSION={version}", header]
    try:
        text = subprocess.run(argv, capture_output=True, text=True, timeout=30).stdout
    except FileNotFoundError:
        pytest.skip("gcc is not installed")
    body = re.search(rf"struct {struct} \{{(.*?)\}};", text, re.DOTALL)
    assert body
    real = {name: _types(arguments) for name, arguments in re.findall(r"\(\*(\w+)\)\s*\(([^;]*)\);", body[1])}
    newer = {"tmpfile", "statx", "syncfs"} - set(real)
    for found in FAMILIES[family].values():
        for handler in found:
            if handler.word not in newer:
                arguments = handler.signature.partition("(")[2].rstrip(")")
                assert _types(arguments) == real[handler.word], handler.signature


def _types(arguments: str) -> list[str]:
    """`const char *path, size_t size` as [`const char *`, `size_t`], names dropped."""
    return [_type(argument) for argument in arguments.split(",")]


def _type(argument: str) -> str:
    text = re.sub(r"\[\d*\]", "", " ".join(argument.split()))
    array = " *" if "tv" in text and "*" not in text else ""
    bare = re.sub(r"(?<=[\s*])(?!int\b|char\b|unsigned\b|\w+_t\b)(?:[a-z_0-9]+)$", "", text).strip()
    kept = text if re.search(r"(?:struct|enum) \w+$", text) else bare or text
    return re.sub(r"\bunsigned int\b", "unsigned", re.sub(r"\s*\*\s*", " *", kept + array)).strip()


@pytest.mark.parametrize(
    ("family", "op", "answers"),
    [
        ("libfuse3", "MKDIR", ("ENOSYS",)),
        ("libfuse2", "OPEN", ("ok",)),
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
