"""Transfers that are under way at once: a wrong layout would call every file system wrong, or none."""

from __future__ import annotations

import errno
import mmap
import os

import pytest

from fsprobe.posix.aio import Transfer, transfer

PAGE = 4096


@pytest.fixture
def offered(tmp_path):
    """A file with room for four pages, and a buffer of as many."""
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    buffer = mmap.mmap(-1, 4 * PAGE)
    try:
        transfer(fd, [Transfer(True, memoryview(buffer)[:PAGE], 0)], 5.0)
    except OSError as error:
        pytest.skip(f"no io_submit here: {error}")
    yield fd, buffer
    os.close(fd)


def test_each_goes_to_its_own_place(offered):
    """Buffers and offsets mixed up would be laid at the file system's door."""
    fd, buffer = offered
    for page in range(4):
        buffer[page * PAGE : page * PAGE + PAGE] = bytes([65 + page]) * PAGE
    view = memoryview(buffer)
    pages = {page: view[page * PAGE : page * PAGE + PAGE] for page in range(4)}
    assert transfer(fd, [Transfer(True, pages[page], (3 - page) * PAGE) for page in (2, 0, 3, 1)], 5.0) == [PAGE] * 4
    assert os.pread(fd, 5 * PAGE, 0) == b"".join(bytes([letter]) * PAGE for letter in b"DCBA")
    places = ((pages[1][:10], 0), (pages[0], 4 * PAGE), (pages[2], 3 * PAGE))
    wanted = [Transfer(False, place, offset) for place, offset in places]
    assert transfer(fd, wanted, 5.0) == [10, 0, PAGE]
    assert bytes(pages[1][:11]) == b"D" * 10 + b"B" and bytes(pages[2]) == b"A" * PAGE


def test_a_failed_one_is_told_by_its_number(offered, tmp_path):
    """One EIO of sixteen would be lost."""
    _, buffer = offered
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        view = memoryview(buffer)[:PAGE]
        with pytest.raises(OSError) as told:
            transfer(fd, [Transfer(True, view, 0)], 5.0)
        assert told.value.errno == errno.EBADF
        directory = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(OSError):
            transfer(directory, [Transfer(False, view, 0)], 5.0)
        os.close(directory)
    finally:
        os.close(fd)
