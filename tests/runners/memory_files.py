"""Locks, ranges and what else is rare: the part of the daemon in `memory_daemon` that needs no names.

Owns those answers; knows nothing of the wire's headers.
"""

import errno
import os
from dataclasses import replace

from fsprobe import wire

UNLOCK = 2


class Answer(Exception):
    """An errno, as an answer."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


def must(condition, number):
    if not condition:
        raise Answer(number)


class FileAnswers:
    """Operations on a node's data and locks."""

    # -- locks

    def _conflict(self, node, owner, lock):
        for other, held in node.locks:
            if other != owner and held.start <= lock.end and lock.start <= held.end and 1 in (held.type, lock.type):
                return held
        return None

    def _lock(self, node, owner, lock):
        kept = []
        for other, held in node.locks:
            if other != owner or held.end < lock.start or lock.end < held.start:
                kept.append((other, held))
                continue
            if held.start < lock.start:
                kept.append((other, replace(held, end=lock.start - 1)))
            if lock.end < held.end:
                kept.append((other, replace(held, start=lock.end + 1)))
        node.locks = kept if lock.type == UNLOCK else [*kept, (owner, lock)]

    def do_getlk(self, nodeid, body, header):
        held = self._conflict(self.node(nodeid), body.owner, body.lk)
        return wire.LkOut(held or replace(body.lk, type=UNLOCK))

    def do_setlk(self, nodeid, body, header):
        node = self.node(nodeid)
        must(body.lk.type == UNLOCK or not self._conflict(node, body.owner, body.lk), errno.EAGAIN)
        self._lock(node, body.owner, body.lk)
        self._grant()
        return True

    def do_setlkw(self, nodeid, body, header):
        if self._conflict(self.node(nodeid), body.owner, body.lk):
            self.waiting.append((nodeid, body, header))
            return None
        return self.do_setlk(nodeid, body, header)

    def _grant(self):
        for one in list(self.waiting):
            nodeid, body, header = one
            if not self._conflict(self.node(nodeid), body.owner, body.lk):
                self.waiting.remove(one)
                self._lock(self.node(nodeid), body.owner, body.lk)
                self.socket.send(wire.raw_reply(header.unique, 0))

    def do_interrupt(self, nodeid, body, header):
        for one in list(self.waiting):
            if one[2].unique == body.unique:
                self.waiting.remove(one)
                self.socket.send(wire.raw_reply(body.unique, -errno.EINTR))

    # -- newer ones

    def do_ioctl(self, nodeid, body, header):
        raise Answer(errno.ENOTTY)

    def do_poll(self, nodeid, body, header):
        return wire.PollOut(body.events)

    def do_bmap(self, nodeid, body, header):
        return wire.BmapOut(0)

    def do_fallocate(self, nodeid, body, header):
        node, end = self.node(nodeid), body.offset + body.length
        must(not body.mode & ~0x13, errno.EOPNOTSUPP)
        if not body.mode & 1:
            node.data.extend(bytes(max(0, end - len(node.data))))
        if body.mode & 0x12:
            end = min(end, len(node.data))
            node.data[body.offset : end] = bytes(max(0, end - body.offset))
        return True

    def do_lseek(self, nodeid, body, header):
        size = len(self.node(nodeid).data)
        must(body.offset < size, errno.ENXIO)
        return wire.LseekOut(body.offset if body.whence == os.SEEK_DATA else size)

    def _copy(self, nodeid, body):
        piece = self.node(nodeid).data[body.off_in : body.off_in + body.len]
        target = self.node(body.nodeid_out).data
        target.extend(bytes(max(0, body.off_out - len(target))))
        target[body.off_out : body.off_out + len(piece)] = piece
        return len(piece)

    def do_copy_file_range(self, nodeid, body, header):
        return wire.WriteOut(self._copy(nodeid, body))

    def do_copy_file_range_64(self, nodeid, body, header):
        return wire.CopyFileRangeOut(self._copy(nodeid, body))

    def do_statx(self, nodeid, body, header):
        attr = self.attr(nodeid)
        same = {name: getattr(attr, name) for name in ("ino", "mode", "nlink", "uid", "gid", "size", "blocks")}
        times = {
            name: wire.SxTime(getattr(attr, name), getattr(attr, f"{name}nsec")) for name in ("atime", "mtime", "ctime")
        }
        said = wire.Statx(mask=0x7FF, **same, **times)
        return wire.StatxOut(stat=said)
