"""Content: a file that loses, invents or double-counts bytes makes every other verdict of the reference worthless."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_fs import model_files
from reference_fs.model import Store
from reference_fs.model_data import BLOCK, Pool, SparseData
from reference_fs.model_inode import ROOT, Inode
from reference_fs.model_names import make

MOST = 5 * BLOCK
OFFSETS = st.integers(0, MOST)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["write", "cut", "punch", "allocate"]), OFFSETS, st.integers(1, 2 * BLOCK))))
def test_any_mixture_of_changes_reads_as_a_plain_buffer_would(steps: list[tuple[str, int, int]]) -> None:
    """Blocks, holes and zeroed edges never show: the content is what a flat array would hold."""
    pool = Pool(64)
    data, plain = SparseData(pool), bytearray(MOST + 2 * BLOCK)
    for number, (step, offset, length) in enumerate(steps):
        end = offset + length
        if step == "write":
            text = bytes([number % 255 + 1]) * length
            assert data.write(offset, text) == length
            plain[offset:end] = text
        elif step == "cut":
            data.cut(offset)
            plain[offset:] = bytes(len(plain) - offset)
        elif step == "punch":
            data.punch(offset, end)
            plain[offset:end] = bytes(length)
        else:
            data.allocate(offset, end)
    assert data.read(0, len(plain)) == bytes(plain)
    assert pool.used == len(data.chunks), "what statfs says is used is what is used"


@pytest.fixture
def store() -> Store:
    return Store(size=16 * BLOCK)


@pytest.fixture
def file(store: Store) -> Inode:
    return make(store, store.root, b"file", ROOT, 0o644)


def test_a_hole_of_5_gib_takes_no_space(store: Store, file: Inode) -> None:
    """A test of large offsets would otherwise eat the machine's memory."""
    model_files.write(store, file, 5 << 30, b"end")
    assert (file.size, file.blocks) == ((5 << 30) + 3, 8)
    assert model_files.read(store, file, (5 << 30) - 2, 100) == b"\0\0end"
    model_files.truncate(store, file, (1 << 63) - 1)
    assert store.space().blocks_free == 15


def test_shrinking_and_growing_shows_zeros(store: Store, file: Inode) -> None:
    """The classic bug: old content comes back when a file grows again."""
    model_files.write(store, file, 0, b"abcdef")
    model_files.truncate(store, file, 3)
    model_files.truncate(store, file, 6)
    assert model_files.read(store, file, 0, 100) == b"abc\0\0\0"


def test_a_full_store_takes_what_fits_and_says_so(store: Store, file: Inode) -> None:
    """Data lost at the limit without an error would be the worst of lies."""
    assert model_files.write(store, file, 0, b"x" * 17 * BLOCK) == 16 * BLOCK
    for change in (
        lambda: model_files.write(store, file, 16 * BLOCK, b"x"),
        lambda: model_files.allocate(store, file, 0, 0, 1 << 60),
    ):
        with pytest.raises(OSError) as caught:
            change()
        assert caught.value.errno == errno.ENOSPC
    assert file.size == 16 * BLOCK
    model_files.truncate(store, file, 0)
    assert store.space().blocks_free == 16


def test_holes_are_found(store: Store, file: Inode) -> None:
    """`cp --sparse` and backups ask where the data is."""
    model_files.write(store, file, 2 * BLOCK, b"x" * BLOCK)
    model_files.truncate(store, file, 8 * BLOCK)
    assert model_files.seek(store, file, 0, os.SEEK_DATA) == 2 * BLOCK
    assert model_files.seek(store, file, 2 * BLOCK + 5, os.SEEK_DATA) == 2 * BLOCK + 5
    assert model_files.seek(store, file, 2 * BLOCK, os.SEEK_HOLE) == 3 * BLOCK
    assert model_files.seek(store, file, 0, os.SEEK_HOLE) == 0
    for offset in (3 * BLOCK, 8 * BLOCK, 9 * BLOCK):
        with pytest.raises(OSError) as caught:
            model_files.seek(store, file, offset, os.SEEK_DATA)
        assert caught.value.errno == errno.ENXIO


def test_preallocation_and_punching(store: Store, file: Inode) -> None:
    """fallocate(2) in all the modes that FUSE passes on."""
    model_files.write(store, file, 0, b"x" * 3 * BLOCK)
    model_files.allocate(store, file, model_files.PUNCH_HOLE | model_files.KEEP_SIZE, BLOCK - 1, BLOCK + 2)
    assert model_files.read(store, file, BLOCK - 2, BLOCK + 4) == b"x" + bytes(BLOCK + 2) + b"x"
    assert (file.size, file.blocks) == (3 * BLOCK, 16)
    model_files.allocate(store, file, model_files.KEEP_SIZE, 0, 6 * BLOCK)
    assert (file.size, file.blocks) == (3 * BLOCK, 48)
    model_files.allocate(store, file, model_files.ZERO_RANGE, 0, 4 * BLOCK)
    assert (file.size, model_files.read(store, file, 0, 8 * BLOCK)) == (4 * BLOCK, bytes(4 * BLOCK))
    with pytest.raises(OSError) as caught:
        model_files.allocate(store, file, 0x08, 0, BLOCK)  # FALLOC_FL_COLLAPSE_RANGE
    assert caught.value.errno == errno.EOPNOTSUPP


def test_copying_between_files_and_within_one(store: Store, file: Inode) -> None:
    """copy_file_range(2): short at the end of the source, EINVAL where the ranges overlap."""
    other = make(store, store.root, b"other", ROOT, 0o644)
    model_files.write(store, file, 0, b"0123456789")
    assert model_files.copy(store, file, 8, other, 1, 100) == 2
    assert model_files.read(store, other, 0, 9) == b"\x0089"
    assert model_files.copy(store, file, 10, other, 0, 5) == 0
    with pytest.raises(OSError) as caught:
        model_files.copy(store, file, 0, file, 3, 5)
    assert caught.value.errno == errno.EINVAL
