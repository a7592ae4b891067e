"""Daemons that hang or end in every way there is: one table for the tests and for `bench/hang_times.py`.

Owns the table and the building of the C programs; knows nothing of how they are asked.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
VERSIONS = {"2": ("fuse", "26"), "3": ("fuse3", "31")}
READING = ("--select", "posix.existing.read-twice")


class Missing(Exception):
    """This machine cannot build it; the reason says why."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """One daemon. target: its command, where `{hangs2}` and the like are programs to build. narrow: options that ask
    few checks, of which one meets it. ops: the operations that may be blamed, the first one if there are several.
    """

    name: str
    target: str
    ops: tuple[str, ...]
    cause: str
    proven: bool
    narrow: tuple[str, ...]
    exit_code: int = 1


def _vexfs(profile: str, op: str, cause: str, *narrow: str) -> Hanging:
    return Hanging(f"vexfs:{profile}", f"vexfs:{profile}", (op,), cause, True, narrow)


def _program(fault: str, cause: str, proven: bool, variants: tuple[str, ...]) -> list[Hanging]:
    """`hangs.c` with libfuse 2 and 3; `s` is one thread."""
    return [
        Hanging(f"{fault}, libfuse {one}", f"{{hangs{one[0]}}} {fault} {{mountpoint}} -f{' -s' * one.endswith('s')}",
                ("READ",), cause, proven, READING)
        for one in variants
    ]  # fmt: skip


_EACH = ("2", "2s", "3", "3s")
_LOCKS = "{locks3} {source} {mountpoint} -f"
_SETATTR = ("--op", "SETATTR", "--no-mount")
TABLE = [
    _vexfs("lost-reply", "SETATTR", "lost-reply", *_SETATTR),
    _vexfs("positive-errno", "SETATTR", "malformed-reply", *_SETATTR),
    _vexfs("wrong-length", "SETATTR", "malformed-reply", *_SETATTR),
    _vexfs("wrong-unique", "SETATTR", "malformed-reply", *_SETATTR),
    _vexfs("own-mount", "STATFS", "deadlock-own-mount", "--select", "posix.statfs.*"),
    _vexfs("stderr-pipe", "WRITE", "blocked-output", "--no-mount"),
    _vexfs("search-relock", "WRITE", "deadlock-lock", "--suite", "vexfs"),
    _vexfs("raw:search-relock", "WRITE", "deadlock-lock", "--select", "vexfs.search-all.*"),
    Hanging("never answers INIT", f"{sys.executable} {PROGRAMS}/never_answers_init.py {{mountpoint}}", ("",),
            "never-mounted", True, ("--no-mount",), exit_code=4),
    *_program("relock", "deadlock-lock", True, _EACH),
    *_program("abba", "deadlock-lock", True, _EACH),
    *_program("own-mount", "deadlock-own-mount", True, ("2s", "3s")),  # else another thread answers
    *_program("stderr", "blocked-output", True, _EACH),
    *_program("stop", "stopped", True, _EACH),
    *_program("busy", "busy-loop", False, ("2s", "3")),
    *_program("sleep", "blocked-io", False, ("2s", "3")),
    *_program("pipe", "blocked-io", False, ("2s", "3")),
    *_program("fifo", "blocked-io", False, ("2s", "3")),
    *_program("socket", "blocked-io", False, ("2s", "3")),
    *_program("file-lock", "blocked-io", False, ("2s", "3")),
    Hanging("locks, libfuse 3", _LOCKS, ("SETLKW",), "deadlock-lock", True,
            ("--select", "posix.setlkw.many-waiters")),
    Hanging("locks, libfuse 3s", f"{_LOCKS} -s", ("SETLKW",), "deadlock-lock", True,
            ("--select", "posix.setlkw.wakes")),
    *(Hanging(f"{kind}, pyfuse3", f"{sys.executable} {PROGRAMS}/pyfuse3_hangs.py {kind} {{mountpoint}}",
              ("SETATTR",), cause, proven, ("--select", "posix.setattr.chmod-bits"))
      for kind, cause, proven in (("lost", "lost-reply", True), ("lock", "deadlock-lock", True))),
    *_program("segv", "crashed", True, ("2", "3")),
    *_program("abort", "crashed", True, ("2", "3")),
    *_program("exit", "crashed", True, ("2", "3")),
    *_program("memory", "crashed", True, ("2", "3")),
    *_program("descriptors", "out-of-files", True, ("2", "3")),
]  # fmt: skip


def command(target: str, place: Path) -> str:
    """The target with its programs built below `place`, once for all test processes. Raises Missing."""
    if "pyfuse3" in target and find_spec("pyfuse3") is None:
        raise Missing("the Python package pyfuse3 is not installed")
    for program in ("hangs", "locks"):
        for version in VERSIONS:
            mark = f"{{{program}{version}}}"
            if mark in target:
                target = target.replace(mark, str(built(program, version, place)))
    return target


def built(program: str, version: str, place: Path) -> Path:
    """One of the C programs for a version of libfuse. Raises Missing."""
    package, number = VERSIONS[version]
    binary = place / "bin" / f"{program}{version}"
    binary.parent.mkdir(exist_ok=True)
    with open(place / "lock-hanging", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            if shutil.which("gcc") is None or shutil.which("pkg-config") is None:
                raise Missing("gcc and pkg-config are not installed")
            flags = subprocess.run(["pkg-config", "--cflags", "--libs", package], capture_output=True, text=True)
            if flags.returncode:
                raise Missing(f"the development files of {package} are not installed")
            source = place / f"{program}.c"  # beside the binary: every user can read it, and debuggers name it
            shutil.copyfile(PROGRAMS / source.name, source)
            command = ["gcc", "-g", "-O1", "-w", f"-DFUSE_USE_VERSION={number}", "-D_FILE_OFFSET_BITS=64", str(source)]
            subprocess.run([*command, "-o", f"{binary}.new", "-lpthread", *flags.stdout.split()], check=True)
            os.rename(f"{binary}.new", binary)
    return binary
