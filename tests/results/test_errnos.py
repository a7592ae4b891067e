"""Names of errors: two names for one error and no two results compare."""

from __future__ import annotations

import errno

import pytest

from fsprobe.results.errnos import errno_in, errno_name, errno_text


@pytest.mark.parametrize(
    ("number", "name"),
    [(38, "ENOSYS"), (95, "EOPNOTSUPP"), (11, "EAGAIN"), (61, "ENODATA"), (0, ""), (999, "999")],
)
def test_one_name_each(number: int, name: str) -> None:
    """Python's own table says ENOTSUP for what every man page of Linux calls EOPNOTSUPP."""
    assert errno_name(number) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("touch: setting times of 'f': Function not implemented", "ENOSYS"),
        ("got ENOTSUP", "EOPNOTSUPP"),
        ("EPERM, not EACCES", "EPERM"),
        ("cp: Input/output error", "EIO"),
        ("rm: Operation not permitted", "EPERM"),
        ("setfattr: Operation not supported", "EOPNOTSUPP"),
        ("ELF header, EXIT 3, EVERYTHING fine", ""),
        ("success", ""),
    ],
)
def test_found_in_text(text: str, name: str) -> None:
    """A command's message is all there is without the relay."""
    assert errno_in(text) == name


def test_text_says_both() -> None:
    """Users search the web for the words, authors for the name."""
    assert errno_text(errno.ENOSYS) == "ENOSYS (Function not implemented)"
