"""The system calls Python lacks: a wrong layout would make every check that uses them lie."""

from __future__ import annotations

import errno
import fcntl
import os
import stat

import pytest

from fsprobe.posix import files


def test_errno_names_are_the_ones_of_the_man_pages():
    """A report would speak of ENOTSUP and EWOULDBLOCK, which nobody greps for."""
    assert files.errno_name(95) == "EOPNOTSUPP"
    assert files.errno_name(11) == "EAGAIN"
    assert files.errno_name(35) == "EDEADLK"
    assert files.errno_name(0) == "success"
    assert files.errno_name(512) == "errno 512"
    assert files.errno_number("EWOULDBLOCK") == 11
    assert files.errno_number("path") is None


def test_statx_agrees_with_stat(tmp_path):
    """Every attribute check compares what this decodes."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 5000)
    path.chmod(0o640)
    os.link(path, tmp_path / "second")
    os.utime(path, ns=(1_234_567_890_123_456_789, -1_500_000_000))
    plain = path.stat()
    for got in (files.statx(str(path)), files.statx(os.open(path, os.O_RDONLY))):
        assert (got.mode, got.nlink, got.uid, got.gid) == (plain.st_mode, 2, plain.st_uid, plain.st_gid)
        assert (got.ino, got.dev, got.size, got.blocks) == (plain.st_ino, plain.st_dev, 5000, plain.st_blocks)
        assert (got.atime_ns, got.mtime_ns, got.ctime_ns) == (plain.st_atime_ns, plain.st_mtime_ns, plain.st_ctime_ns)
        assert got.blksize == plain.st_blksize
        assert got.permissions == 0o640


def test_statx_does_not_follow_when_told(tmp_path):
    """A check of symbolic links would look at their targets."""
    (tmp_path / "link").symlink_to("nowhere")
    got = files.statx(str(tmp_path / "link"), flags=files.AT_SYMLINK_NOFOLLOW)
    assert files.type_name(got.mode) == "symbolic link"
    with pytest.raises(FileNotFoundError):
        files.statx(str(tmp_path / "link"))


def test_device_numbers_are_decoded():
    """mknod of a device could not be judged."""
    assert files.statx("/dev/null").rdev == os.stat("/dev/null").st_rdev


def test_getdents_gives_every_entry_with_its_type(tmp_path):
    """Listing checks would miss entries or types."""
    (tmp_path / "folder").mkdir()
    (tmp_path / os.fsdecode(b"\xff\xfe")).touch()
    fd = os.open(tmp_path, os.O_RDONLY)
    entries = {entry.name: entry for entry in files.getdents64(fd)}
    assert set(entries) == {b".", b"..", b"folder", b"\xff\xfe"}
    assert files.DIRENT_TYPES[entries[b"folder"].type] == "directory"
    assert entries[b"folder"].ino == (tmp_path / "folder").stat().st_ino
    assert files.getdents64(fd) == []
    with pytest.raises(OSError) as caught:
        os.lseek(fd, 0, os.SEEK_SET)
        files.getdents64(fd, 16)
    assert caught.value.errno == errno.EINVAL


def test_renameat2_exchanges_and_refuses(tmp_path):
    """RENAME2 would look unsupported everywhere."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    files.renameat2(str(one), bytes(two), files.RENAME_EXCHANGE)
    assert (one.read_text(), two.read_text()) == ("2", "1")
    with pytest.raises(FileExistsError):
        files.renameat2(str(one), str(two), files.RENAME_NOREPLACE)


def test_fallocate_punches(tmp_path):
    """A wrong order of arguments would punch elsewhere."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 12288)
    fd = os.open(path, os.O_RDWR)
    files.fallocate(fd, files.FALLOC_PUNCH_HOLE | files.FALLOC_KEEP_SIZE, 4096, 4096)
    assert path.read_bytes() == b"x" * 4096 + bytes(4096) + b"x" * 4096
    with pytest.raises(OSError) as caught:
        files.fallocate(fd, files.FALLOC_PUNCH_HOLE, 0, 1)
    assert caught.value.errno == errno.EOPNOTSUPP


def test_a_nameless_file_gets_its_name(tmp_path):
    """TMPFILE's second half could not be asked."""
    fd = os.open(tmp_path, files.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b"data")
    files.linkat(f"/proc/self/fd/{fd}", str(tmp_path / "named"), files.AT_SYMLINK_FOLLOW)
    assert (tmp_path / "named").read_bytes() == b"data"


def test_utimensat_omits_and_sets(tmp_path):
    """UTIME_OMIT would set the time it shall leave."""
    path = tmp_path / "file"
    path.touch()
    os.utime(path, ns=(5, 5))
    files.utimensat(str(path), (0, files.UTIME_OMIT), (7, 9))
    assert (path.stat().st_atime_ns, path.stat().st_mtime_ns) == (5, 7_000_000_009)
    files.utimensat(os.open(path, os.O_RDONLY), (0, files.UTIME_NOW), (0, files.UTIME_OMIT))
    assert path.stat().st_atime > 1_000_000_000
    assert path.stat().st_mtime_ns == 7_000_000_009


def test_xattr_buffers_are_as_short_as_asked(tmp_path):
    """ERANGE could not be provoked."""
    path = str(tmp_path / "file")
    os.close(os.open(path, os.O_CREAT))
    os.setxattr(path, "user.one", b"value")
    assert files.getxattr(path, "user.one", 0) == (5, b"")
    assert files.getxattr(path, "user.one", 100) == (5, b"value")
    assert files.listxattr(path, 100)[1] == b"user.one\0"
    with pytest.raises(OSError) as caught:
        files.getxattr(path, "user.one", 2)
    assert caught.value.errno == errno.ERANGE


def test_flock_layout_is_the_kernels(tmp_path):
    """Lock checks would lock the wrong bytes."""
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    fcntl.fcntl(fd, files.F_OFD_SETLK, files.Flock(fcntl.F_WRLCK, start=10, length=5).pack())
    other = os.open(tmp_path / "file", os.O_RDWR)
    found = files.Flock.unpack(fcntl.fcntl(other, files.F_OFD_GETLK, files.Flock(fcntl.F_WRLCK).pack()))
    assert (found.type, found.start, found.length, found.pid) == (fcntl.F_WRLCK, 10, 5, -1)


def test_fchmodat2_and_syncfs_answer(tmp_path):
    """A wrong number would call something else."""
    path = tmp_path / "file"
    path.touch()
    files.syncfs(os.open(path, os.O_RDONLY))
    try:
        files.fchmodat2(str(path), 0o600)
    except OSError as error:
        assert error.errno == errno.ENOSYS  # a kernel before 6.6
    else:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_unknown_processor_is_said(monkeypatch):
    """On another machine a number of this one would call something else."""
    monkeypatch.setattr(files.platform, "machine", lambda: "riscv64")
    with pytest.raises(OSError, match="riscv64"):
        files.statx("/")


def test_two_names_of_one_file_are_one_inode_to_the_kernel(tmp_path):
    """A node for each name would pass for a wrong answer of LINK, or the other way round."""
    for name in ("first", "other"):
        (tmp_path / name).touch()
    os.link(tmp_path / "first", tmp_path / "second")
    first, second, other = (str(tmp_path / name) for name in ("first", "second", "other"))
    assert files.same_inode(first, second)
    assert not files.same_inode(first, other)
    with pytest.raises(FileNotFoundError):
        files.same_inode(first, str(tmp_path / "absent"))
