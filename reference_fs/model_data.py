"""The bytes of a file, kept in blocks so that holes cost nothing, and the pool the blocks come from.

Owns content and its allocation; knows nothing of sizes, names, times or permissions. Whoever calls keeps the
size of the file and never reads beyond it; bytes beyond the size are zero here, always.
"""

from __future__ import annotations

import errno
import os

BLOCK = 4096
_ZEROS = bytes(BLOCK)


class Pool:
    """A number of things to be had (blocks or inodes), counted so that statfs tells the truth."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.used = 0

    @property
    def free(self) -> int:
        """How many are left."""
        return self.total - self.used

    def take(self, count: int) -> None:
        """Raises OSError(ENOSPC) where fewer are left, and then takes none."""
        if count > self.free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.used += count

    def give(self, count: int) -> None:
        """Put some back."""
        self.used -= count


class SparseData:
    """Blocks by number. One that is absent is a hole. Immutable blocks are copied when first changed."""

    __slots__ = ("chunks", "pool")

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.chunks: dict[int, bytes | bytearray] = {}

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes, holes as zeros."""
        if length <= 0:
            return b""
        first, skip = divmod(offset, BLOCK)
        last = (offset + length - 1) // BLOCK
        if first == last:
            return bytes(self.chunks.get(first, _ZEROS)[skip : skip + length])
        data = b"".join([self.chunks.get(number, _ZEROS) for number in range(first, last + 1)])
        return data[skip : skip + length]

    def write(self, offset: int, data: bytes | memoryview) -> int:
        """Store bytes and say how many: fewer where the pool ran dry, OSError(ENOSPC) where none fitted."""
        view = memoryview(data)
        done, length = 0, len(view)
        while done < length:
            number, skip = divmod(offset + done, BLOCK)
            count = min(BLOCK - skip, length - done)
            try:
                if count == BLOCK:
                    self._own(number)
                    self.chunks[number] = bytes(view[done : done + BLOCK])
                else:
                    self._changeable(number)[skip : skip + count] = view[done : done + count]
            except OSError:
                if not done:
                    raise
                break
            done += count
        return done

    def cut(self, size: int) -> None:
        """Forget everything from `size` on, so that growing again shows zeros."""
        number, keep = divmod(size, BLOCK)
        self._release([n for n in self.chunks if n > number or (n == number and not keep)])
        if number in self.chunks:
            self._changeable(number)[keep:] = bytes(BLOCK - keep)

    def punch(self, start: int, end: int) -> None:
        """Make [start, end) zeros, giving whole blocks back."""
        first, last = -(-start // BLOCK), end // BLOCK  # whole blocks: [first, last)
        if last - first > len(self.chunks):
            self._release([n for n in self.chunks if first <= n < last])
        else:
            self._release([n for n in range(first, last) if n in self.chunks])
        self._zero_within(start, min(end, first * BLOCK))
        if last >= first:
            self._zero_within(last * BLOCK, end)

    def allocate(self, start: int, end: int) -> None:
        """Fill the holes of [start, end) with blocks of zeros, or take none: OSError(ENOSPC)."""
        first, last = start // BLOCK, -(-end // BLOCK)
        if last - first > self.pool.free + len(self.chunks):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        missing = [n for n in range(first, last) if n not in self.chunks]
        self.pool.take(len(missing))
        self.chunks.update(dict.fromkeys(missing, _ZEROS))

    def next_data(self, offset: int) -> int | None:
        """The first offset from here on that is not in a hole, None where only holes follow."""
        number = offset // BLOCK
        if number in self.chunks:
            return offset
        following = min((n for n in self.chunks if n > number), default=None)
        return None if following is None else following * BLOCK

    def next_hole(self, offset: int) -> int:
        """The first offset from here on that is in a hole."""
        number = offset // BLOCK
        if number not in self.chunks:
            return offset
        while number in self.chunks:
            number += 1
        return number * BLOCK

    def clear(self) -> None:
        """Give every block back."""
        self._release(list(self.chunks))

    def _own(self, number: int) -> None:
        if number not in self.chunks:
            self.pool.take(1)
            self.chunks[number] = _ZEROS

    def _changeable(self, number: int) -> bytearray:
        self._own(number)
        chunk = self.chunks[number]
        if not isinstance(chunk, bytearray):
            chunk = self.chunks[number] = bytearray(chunk)
        return chunk

    def _zero_within(self, start: int, end: int) -> None:
        """Zero a range that lies in one block, where there is one."""
        number = start // BLOCK
        if start < end and number in self.chunks:
            skip = start - number * BLOCK
            self._changeable(number)[skip : skip + end - start] = bytes(end - start)

    def _release(self, numbers: list[int]) -> None:
        for number in numbers:
            del self.chunks[number]
        self.pool.give(len(numbers))
