"""Content: reading, writing, truncating, preallocating, finding holes, copying.

Owns every operation on the bytes of a file; knows nothing of names. Whether the caller may is decided when a
file is opened, not here: a file that was opened for writing stays writable (POSIX open).
"""

from __future__ import annotations

import errno
import os

from reference_fs.model import Store, exclusive
from reference_fs.model_data import SparseData
from reference_fs.model_inode import Caller, Inode, fail

SIZE_MAX = (1 << 63) - 1
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 0x01, 0x02, 0x10  # linux/falloc.h


def _data_of(inode: Inode) -> SparseData:
    if inode.data is None:
        raise fail(errno.EISDIR if inode.is_dir else errno.EINVAL)
    return inode.data


@exclusive
def read(store: Store, inode: Inode, offset: int, length: int, *, quiet: bool = False) -> bytes:
    """Up to `length` bytes; fewer only at the end of the file (read(2)). quiet: leave atime alone (O_NOATIME)."""
    data = _data_of(inode)
    if not quiet:
        store.accessed(inode)
    return data.read(offset, min(length, inode.size - offset))


@exclusive
def write(store: Store, inode: Inode, offset: int, content: bytes | memoryview, *, kill: Caller | None = None) -> int:
    """Store bytes and say how many; fewer only where the space ran out (write(2)).

    kill: the writer, where it is somebody whose writing takes set-id bits away (inode(7)).
    """
    data = _data_of(inode)
    if not content:
        return 0
    if offset + len(content) > SIZE_MAX:
        raise fail(errno.EFBIG)
    written = data.write(offset, content)
    inode.size = max(inode.size, offset + written)
    _modified(store, inode, kill)
    return written


@exclusive
def truncate(store: Store, inode: Inode, size: int, *, kill: Caller | None = None) -> None:
    """Make the file exactly this long; what is added reads as zeros and takes no space (truncate(2))."""
    data = _data_of(inode)
    if not 0 <= size <= SIZE_MAX:
        raise fail(errno.EINVAL)
    if size <= inode.size:  # the same size too: gives back what was allocated beyond the end
        data.cut(size)
    inode.size = size
    _modified(store, inode, kill)


@exclusive
def allocate(store: Store, inode: Inode, mode: int, offset: int, length: int, *, kill: Caller | None = None) -> None:
    """fallocate(2): reserve space, punch a hole, zero a range; other modes are OSError(EOPNOTSUPP)."""
    data = _data_of(inode)
    if mode not in (0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE, ZERO_RANGE | KEEP_SIZE):
        raise fail(errno.EOPNOTSUPP)
    if offset < 0 or length <= 0:
        raise fail(errno.EINVAL)
    end = offset + length
    if end > SIZE_MAX:
        raise fail(errno.EFBIG)
    if mode & PUNCH_HOLE:
        data.punch(offset, end)
    else:
        data.allocate(offset, end)
        if mode & ZERO_RANGE:
            data.punch(offset, end)
            data.allocate(offset, end)
        if not mode & KEEP_SIZE:
            inode.size = max(inode.size, end)
    _modified(store, inode, kill)


@exclusive
def seek(store: Store, inode: Inode, offset: int, whence: int) -> int:
    """lseek(2) with SEEK_DATA or SEEK_HOLE; the end is a hole, and OSError(ENXIO) from there on."""
    data = _data_of(inode)
    if whence not in (os.SEEK_DATA, os.SEEK_HOLE):
        raise fail(errno.EINVAL)
    if not 0 <= offset < inode.size:
        raise fail(errno.ENXIO)
    if whence == os.SEEK_HOLE:
        return min(data.next_hole(offset), inode.size)
    found = data.next_data(offset)
    if found is None or found >= inode.size:
        raise fail(errno.ENXIO)
    return found


@exclusive
def copy(
    store: Store, source: Inode, source_offset: int, target: Inode, target_offset: int, length: int,
    *, kill: Caller | None = None,
) -> int:
    """copy_file_range(2): up to `length` bytes, fewer at the end of the source. Returns how many."""
    _data_of(target)
    _data_of(source)
    length = min(length, max(0, source.size - source_offset))
    if source is target and abs(source_offset - target_offset) < length:
        raise fail(errno.EINVAL)
    done = 0
    while done < length:
        part = read(store, source, source_offset + done, min(1 << 20, length - done))
        try:
            written = write(store, target, target_offset + done, part, kill=kill)
        except OSError:
            if not done:
                raise
            break
        done += written
        if written < len(part):
            break
    return done


def _modified(store: Store, inode: Inode, kill: Caller | None) -> None:
    store.touch(inode, changed=True)
    if kill is not None:
        inode.drop_privileges(kill)
