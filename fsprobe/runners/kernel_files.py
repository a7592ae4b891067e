"""The operations on open files and directories, as a kernel asks them.

Owns one method per operation on a handle; knows nothing of names or of checks. Every method raises OSError
with the daemon's errno. Offsets and lengths are bytes.
"""

from __future__ import annotations

from errno import ENOSYS
from typing import Any

from fsprobe import wire
from fsprobe.checks.check import Finding
from fsprobe.checks.kernel import Handle
from fsprobe.runners.kernel_link import Declined
from fsprobe.runners.kernel_nodes import NodeOps
from fsprobe.wire import Opcode

_PAGE = 4096
_READ = 128 << 10
F_RDLCK, F_WRLCK, F_UNLCK = 0, 1, 2
_ENTRY_OUT = 128  # what each entry of READDIRPLUS has before it
_DOTS = (b".", b"..")


class FileOps(NodeOps):
    """Operations whose subject is an open handle."""

    LONGEST_READ = 4 << 20
    """Bytes up to which a file that is not ours is read whole."""

    def read(self, handle: Handle, size: int, offset: int = 0) -> bytes:
        """One READ: up to `size` bytes, fewer at the end of the file only."""
        body = wire.ReadIn(fh=handle.fh, offset=offset, size=size, flags=handle.flags)
        data: bytes = self.request(Opcode.READ, handle.node, body).data
        return data

    def read_all(self, handle: Handle, chunk: int = _READ) -> bytes:
        """The whole file in pieces of `chunk`, until one is short."""
        data = b""
        while True:
            piece = self.read(handle, chunk, len(data))
            data += piece
            if len(piece) < chunk or len(data) > 4 * self.LONGEST_READ:
                return data

    def write(self, handle: Handle, data: bytes, offset: int = 0) -> int:
        """WRITE, in pieces that the daemon takes. Returns the bytes taken, up to the first short count."""
        done, most = 0, max(_PAGE, min(self.negotiated.max_write, self.negotiated.max_pages * _PAGE))
        while True:
            piece = data[done : done + most]
            body = wire.WriteIn(fh=handle.fh, offset=offset + done, flags=handle.flags, data=piece)
            taken = int(self.request(Opcode.WRITE, handle.node, body).size)
            done += taken
            if taken < len(piece) or done >= len(data):
                return done

    def flush(self, handle: Handle, owner: int = 0) -> None:
        """FLUSH, as at close(2), by a lock owner."""
        self.request(Opcode.FLUSH, handle.node, wire.FlushIn(fh=handle.fh, lock_owner=owner))

    def release(self, handle: Handle) -> None:
        """RELEASE or RELEASEDIR. Nothing is asked for a handle that the daemon does not know."""
        if handle.released or handle.stateless:
            return
        handle.released = True
        opcode = Opcode.RELEASEDIR if handle.directory else Opcode.RELEASE
        self.request(opcode, handle.node, wire.ReleaseIn(fh=handle.fh, flags=handle.flags))

    def fsync(self, handle: Handle, *, data_only: bool = False) -> None:
        """FSYNC or FSYNCDIR."""
        opcode = Opcode.FSYNCDIR if handle.directory else Opcode.FSYNC
        self.request(opcode, handle.node, wire.FsyncIn(handle.fh, int(data_only)))

    def fallocate(self, handle: Handle, mode: int, offset: int, length: int) -> None:
        """FALLOCATE; mode 1 FALLOC_FL_KEEP_SIZE, 2 FALLOC_FL_PUNCH_HOLE, 16 FALLOC_FL_ZERO_RANGE."""
        self.request(Opcode.FALLOCATE, handle.node, wire.FallocateIn(handle.fh, offset, length, mode))

    def lseek(self, handle: Handle, offset: int, whence: int) -> int:
        """LSEEK; whence SEEK_DATA or SEEK_HOLE."""
        return int(self.request(Opcode.LSEEK, handle.node, wire.LseekIn(handle.fh, offset, whence)).offset)

    def copy_file_range(
        self, source: Handle, offset: int, target: Handle, target_offset: int, length: int, *, wide: bool = False
    ) -> int:
        """COPY_FILE_RANGE, or with `wide` COPY_FILE_RANGE_64. Returns the bytes copied."""
        body = wire.CopyFileRangeIn(source.fh, offset, target.node, target.fh, target_offset, length)
        if wide:
            return int(self.request(Opcode.COPY_FILE_RANGE_64, source.node, body).bytes_copied)
        return int(self.request(Opcode.COPY_FILE_RANGE, source.node, body).size)

    def ioctl(self, handle: Handle, command: int, argument: int = 0, out_size: int = 0) -> wire.IoctlOut:
        """IOCTL of a restricted kind: the command's own size says what goes in and out."""
        body = wire.IoctlIn(fh=handle.fh, cmd=command, arg=argument, out_size=out_size)
        answer: wire.IoctlOut = self.request(Opcode.IOCTL, handle.node, body)
        if answer.result < 0:  # what ioctl(2) returns then, though the reply is no error (fuse_do_ioctl)
            raise Declined(-answer.result, Opcode.IOCTL)
        return answer

    def poll(self, handle: Handle, events: int) -> int:
        """POLL, without asking to be told later."""
        return int(self.request(Opcode.POLL, handle.node, wire.PollIn(fh=handle.fh, events=events)).revents)

    # -- directories

    @property
    def plus_only(self) -> bool:
        """Whether READDIR is never asked (fs/fuse/readdir.c fuse_use_readdirplus)."""
        return self.has("DO_READDIRPLUS") and not self.has("READDIRPLUS_AUTO")

    def readdir(self, handle: Handle, offset: int = 0, size: int = _PAGE) -> tuple[wire.Dirent, ...]:
        """One READDIR: the entries behind an offset that fit. Where the kernel asks READDIRPLUS only, so do we."""
        if self.plus_only:
            more = _ENTRY_OUT if size < _PAGE else 0
            return tuple(one.dirent for one in self.readdirplus(handle, offset, size + more))
        body = wire.ReadIn(fh=handle.fh, offset=offset, size=size, flags=handle.flags)
        entries: tuple[wire.Dirent, ...] = self.request(Opcode.READDIR, handle.node, body).entries
        return entries

    def readdirplus(self, handle: Handle, offset: int = 0, size: int = _PAGE) -> tuple[wire.DirentPlus, ...]:
        """One READDIRPLUS. Every entry with a nodeid but `.` and `..` counts as a lookup."""
        body = wire.ReadIn(fh=handle.fh, offset=offset, size=size, flags=handle.flags)
        found: tuple[wire.DirentPlus, ...] = self.request(Opcode.READDIRPLUS, handle.node, body).entries
        for one in found:
            if one.entry.nodeid and one.dirent.name not in _DOTS:
                self.ledger.handed(one.entry.nodeid, one.entry.attr.mode)
        return found

    def read_directory(self, handle: Handle, size: int = _PAGE) -> list[wire.Dirent]:
        """Every entry from the start, following the offsets. Raises Finding where that does not end."""
        entries: list[wire.Dirent] = []
        offset, seen = 0, {0}
        while True:
            piece = self.readdir(handle, offset, size)
            if not piece:
                return entries
            entries += piece
            offset = piece[-1].off
            if offset in seen:
                said = f"{piece[-1].name!r} has offset {offset}, where reading has been: it never ends"
                raise Finding("an offset that leads on", said)
            seen.add(offset)

    # -- locks

    def _lock(self, handle: Handle, owner: int, kind: int, start: int, end: int, pid: int = 0) -> wire.LkIn:
        # A pid goes with a lock that is set, not with a question or an unlock (fs/fuse/file.c fuse_setlk).
        return wire.LkIn(handle.fh, owner, wire.FileLock(start, end, kind, 0 if kind == F_UNLCK else pid))

    def getlk(self, handle: Handle, owner: int, kind: int, start: int = 0, end: int = 2**63 - 1) -> wire.FileLock:
        """GETLK: the lock in the way of this one, or type F_UNLCK 2."""
        answer: wire.LkOut = self.request(Opcode.GETLK, handle.node, self._lock(handle, owner, kind, start, end))
        return answer.lk

    def setlk(self, handle: Handle, owner: int, kind: int, start: int = 0, end: int = 2**63 - 1) -> None:
        """SETLK of F_RDLCK 0, F_WRLCK 1 or F_UNLCK 2."""
        self.request(Opcode.SETLK, handle.node, self._lock(handle, owner, kind, start, end, self.link.pid))

    def setlkw_later(self, handle: Handle, owner: int, kind: int, start: int = 0, end: int = 2**63 - 1) -> int:
        """SETLKW, not waited for: its unique, for `answered`, `answer` and `interrupt`."""
        return self.link.send(Opcode.SETLKW, handle.node, self._lock(handle, owner, kind, start, end, self.link.pid))

    # -- requests that are not waited for at once

    def answered(self, unique: int, seconds: float) -> bool:
        """Whether the answer to a request is there, waiting so long for it."""
        return self.link.answered(unique, seconds)

    def answer(self, unique: int) -> Any:
        """The body of the answer to a request."""
        return self.link.wait(unique)

    def interrupt(self, unique: int | None = None) -> None:
        """INTERRUPT of a request, or of one that never was."""
        self.link.interrupt(self.link.unused_unique() if unique is None else unique)

    # -- whole files and directories, as a program uses them

    def close_file(self, handle: Handle) -> None:
        """What close(2) sends: FLUSH, whose ENOSYS is success for ever, and RELEASE, whose error nobody sees."""
        if Opcode.FLUSH not in self.link.absent:
            try:
                self.flush(handle)
            except OSError as error:
                if error.errno != ENOSYS:
                    raise
                self.link.absent.add(Opcode.FLUSH)
        self.release_quietly(handle)

    def close_quietly(self, handle: Handle) -> None:
        """The same where nobody looks at what close(2) returns."""
        try:
            self.close_file(handle)
        except OSError:
            self.release_quietly(handle)

    def content(self, node: int) -> bytes:
        """Open, read all, release."""
        handle = self.open(node)
        data = self.read_all(handle)
        self.close_quietly(handle)
        return data

    def entries(self, node: int) -> list[wire.Dirent]:
        """Every entry of a directory, dots included, as it came."""
        handle = self.opendir(node)
        found = self.read_directory(handle)
        self.release_quietly(handle)
        return found

    def release_quietly(self, handle: Handle) -> None:
        """Release; an error is nobody's business, as in the kernel."""
        try:
            self.release(handle)
        except OSError:
            return
