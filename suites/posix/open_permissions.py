"""OPEN: who may, by the nine bits, the groups and the way there; and programs that are run."""

from __future__ import annotations

import errno
import functools
import os
import shutil
from collections.abc import Callable

from fsprobe.checks import Skip, mount_check
from fsprobe.checks.mount import Mount

OTHERS_GROUP = 4321


def can_open(path: str, flags: int) -> bool:
    """Whether open succeeds; False for a refusal by permission."""
    try:
        os.close(os.open(path, flags))
    except PermissionError:
        return False
    return True


@mount_check(
    "posix.open.denied-by-mode", op="OPEN", source="catalogue 3.13.4; POSIX open", needs=("write",),
    killers=("OPEN:errno=EACCES,path=*mine", "READ:flip"),
)
def denied_by_mode(m: Mount) -> None:
    """An owner is held to the mode: 0444 cannot be written, 0222 not read, 0 neither, 0077 not by the owner either."""
    path = m.file("mine", b"data")
    user = m.ordinary(path)
    ways = (os.O_RDONLY, os.O_WRONLY, os.O_RDWR)
    for mode, expected in ((0o644, [True, True, True]), (0o444, [True, False, False]), (0o222, [False, True, False]),
                           (0, [False] * 3), (0o077, [False] * 3)):
        m.chmod(path, mode)
        seen = m.fork(lambda: [can_open(path, flags) for flags in ways], uid=user)
        missing = any(wanted and not got for wanted, got in zip(expected, seen, strict=True))
        what = f"whether an owner can read, write and do both with mode {mode:#05o}"
        m.expect_equal(expected, seen, what, warn=user is None and not missing)
    m.chmod(path, 0o644)
    m.expect_equal(b"data", m.read(path), "the content afterwards")


@mount_check(
    "posix.open.truncate-denied", op="OPEN", source="catalogue 3.13.2, 3.13.4; POSIX open", also=("SETATTR",),
    needs=("write",), killers=("OPEN:errno=EIO,path=*mine", "READ:flip"),
)
def truncate_denied(m: Mount) -> None:
    """O_TRUNC of a file that may only be read is EACCES and leaves the content, also with O_RDONLY and O_CREAT."""
    path = m.file("mine", b"data")
    user = m.ordinary(path)
    m.chmod(path, 0o444)
    for flags in (os.O_WRONLY | os.O_TRUNC, os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
        refused = m.raises(errno.EACCES, what=f"open with flags {flags:#o} of a file with mode 0444",
                           success_warns=user is None)
        with refused:
            m.fork(functools.partial(_open, path, flags), uid=user)
    m.expect_equal(b"data", m.read(path), "the content afterwards")


def _open(path: str, flags: int) -> None:
    os.close(os.open(path, flags))


@mount_check(
    "posix.open.group", op="OPEN", source="catalogue 3.13.4; man 7 credentials", also=("ACCESS",),
    needs=("write", "root", "allow_other"),
    killers=("OPEN:errno=EACCES,path=*shared,nth=1", "GETATTR:attr.gid=77,path=*shared"),
)
def group(m: Mount) -> None:
    """A file with mode 0640 is read by who has its group as own or as supplementary group, and by nobody else."""
    path = m.file("shared", b"data")
    with m.setup():
        os.chown(path, -1, OTHERS_GROUP)
    m.chmod(path, 0o640)

    def can_read(own: int, others: tuple[int, ...]) -> bool:
        os.setgroups(others)
        os.setgid(own)
        os.setuid(65534)
        return can_open(path, os.O_RDONLY)

    seen = [m.fork(functools.partial(can_read, own, others))
            for own, others in ((OTHERS_GROUP, ()), (65534, (77, OTHERS_GROUP)), (65534, (77,)))]
    m.expect_equal([True, True, False], seen, "read by own group, by supplementary group, by a stranger:")


@mount_check(
    "posix.open.group-before-others", op="OPEN", source="catalogue 3.13.4; POSIX XBD 4.5",
    needs=("write", "root", "allow_other"), killers=("GETATTR:attr.gid=77,path=*shared", "OPEN:errno=EACCES,nth=1"),
)
def group_before_others(m: Mount) -> None:
    """A member of the group is held to the group's bits: mode 0604 is read by strangers and not by the group."""
    path = m.file("shared", b"data")
    with m.setup():
        os.chown(path, -1, OTHERS_GROUP)
    m.chmod(path, 0o604)

    def can_read(own: int) -> bool:
        os.setgroups([])
        os.setgid(own)
        os.setuid(65534)
        return can_open(path, os.O_RDONLY)

    seen = [m.fork(functools.partial(can_read, own)) for own in (65534, OTHERS_GROUP)]
    m.expect_equal([True, False], seen, "read by a stranger, by a member of the group:")


@mount_check(
    "posix.open.no-search", op="OPEN", source="catalogue 3.13.4; POSIX open", also=("LOOKUP", "OPENDIR"),
    needs=("write",), killers=("OPENDIR:errno=EACCES", "READ:flip"),
)
def no_search(m: Mount) -> None:
    """A directory with mode 0111 is passed through but not listed; with 0444 it is listed and not passed through."""
    top = m.subdir("top")
    path = m.file("top/file", b"data")
    user = m.ordinary(top, path)

    def ways() -> list[bool]:
        return [can_open(path, os.O_RDONLY), can_open(top, os.O_RDONLY | os.O_DIRECTORY)]

    cases = {0o111: [True, False], 0o444: [False, True], 0: [False, False], 0o700: [True, True]}
    try:
        for mode, expected in cases.items():
            os.chmod(top, mode)
            what = f"whether the file in it can be read, and it be listed, with mode {mode:#05o}"
            m.expect_equal(expected, m.fork(ways, uid=user), what, warn=user is None)
    finally:
        os.chmod(top, 0o755)
    m.expect_equal(b"data", m.read(path), "the content afterwards")


@mount_check(
    "posix.open.created-read-only", op="OPEN", source="catalogue 3.13.4; POSIX open", also=("CREATE", "WRITE"),
    needs=("write",), killers=("WRITE:errno=EACCES,path=*made", "CREATE:errno=EACCES,path=*made", "READ:flip"),
)
def created_read_only(m: Mount) -> None:
    """Who makes a file with mode 0444 or 0 can write it by the descriptor of its making: git does so to its objects."""
    top = m.subdir("top")
    user = m.ordinary(top)

    def make(mode: int) -> bool:
        fd = os.open(f"{top}/{mode}.made", os.O_CREAT | os.O_EXCL | os.O_RDWR, mode)
        written = os.write(fd, b"data") == 4
        again = os.pread(fd, 9, 0) == b"data"
        os.fsync(fd)
        os.close(fd)
        return written and again

    for mode in (0o444, 0):
        m.expect(m.fork(functools.partial(make, mode), uid=user), "the data to be written and read", "it is not")
        m.expect_equal(mode, m.stat(f"{top}/{mode}.made").permissions, "the mode", show=oct)
    if not os.geteuid():  # root alone can look into a file of another with mode 0
        m.expect_equal(b"data", m.read(f"{top}/0.made"), "the content")
    m.chmod(f"{top}/292.made", 0o644)
    m.expect_equal(b"data", m.read(f"{top}/292.made"), "the content")


def _program(m: Mount) -> str:
    """A copy of a real program on the mount. Raises Skip where it could not run."""
    if os.statvfs(m.root).f_flag & os.ST_NOEXEC:
        raise Skip("mounted noexec")
    cat = shutil.which("cat")
    if cat is None:
        raise Skip("there is no `cat` to copy")
    with open(cat, "rb") as file:
        path = m.file("program", file.read(), mode=0o755)
    m.chmod(path, 0o755)
    return path


@mount_check(
    "posix.open.run-binary", op="OPEN", source="catalogue 3.13.5; POSIX exec", also=("READ", "RELEASE"),
    needs=("write",), killers=("READ:errno=EIO,path=*program", "OPEN:errno=EACCES,path=*program"),
)
def run_binary(m: Mount) -> None:
    """A program copied to the mount runs from there, and is EACCES without execute permission."""
    path = _program(m)
    data = m.file("data", b"through a program on the mount")
    m.expect_equal(b"through a program on the mount", m.fork(lambda: _output(path, data)), "what the program wrote")
    m.chmod(path, 0o644)
    with m.raises(errno.EACCES, what="running a program without execute permission"):
        m.fork(lambda: _output(path, data))


def _output(program: str, argument: str) -> bytes:
    """What a program writes."""
    read, write = os.pipe()
    pid = os.posix_spawn(program, [program, argument], {}, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)])
    os.close(write)
    with os.fdopen(read, "rb") as file:
        data = file.read()
    os.waitpid(pid, 0)
    return data


@mount_check(
    "posix.open.text-busy", op="OPEN", source="catalogue 3.13.5; man 2 open", also=("READ", "SETATTR"),
    needs=("write",), killers=("READ:errno=EIO,path=*program", "OPEN:errno=EIO,path=*program"),
)
def text_busy(m: Mount) -> None:
    """A program that runs from the mount cannot be opened for writing or cut (ETXTBSY), and can when it has ended."""
    path = _program(m)
    calls: dict[str, Callable[[], None]] = {
        "open for writing": lambda: os.close(os.open(path, os.O_WRONLY)),
        "truncate": lambda: os.truncate(path, 9),
    }

    def run_and_write() -> None:
        read, write = os.pipe()
        told, tell = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, read, 0), (os.POSIX_SPAWN_DUP2, tell, 1), (os.POSIX_SPAWN_CLOSE, write)]
        pid = os.posix_spawn(path, [path], {}, file_actions=actions)
        os.write(write, b"x")
        os.read(told, 1)  # it runs
        try:
            for what, call in calls.items():
                try:
                    call()
                except OSError as error:
                    if error.errno != errno.ETXTBSY:
                        raise
                else:  # Linux 6.11 does not deny it any more, 6.13 does again (fs/exec.c)
                    raise Skip(f"this kernel allows {what} of a program that runs")
        finally:
            os.close(write)
            os.waitpid(pid, 0)
        os.close(os.open(path, os.O_WRONLY))

    m.fork(run_and_write)
