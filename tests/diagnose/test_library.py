"""Which library a daemon is built on: a wrong guess, and the advice names functions that do not exist there."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from fsprobe.diagnose.handlers import FAMILIES
from fsprobe.diagnose.library import Library, marker_text, recognise

LIB2 = "7f0a-7f0b r-xp 00000000 08:01 1234 /usr/lib/x86_64-linux-gnu/libfuse.so.2.9.9"
LIB3 = "7f0a-7f0b r-xp 00000000 08:01 1234 /usr/lib/x86_64-linux-gnu/libfuse3.so.3.14.0"
PYTHON = "5500-5600 r-xp 00000000 08:01 99 /usr/bin/python3.11"
RCLONE = b"bazil.org/fuse github.com/hanwen/go-fuse github.com/winfsp/cgofuse/fuse.a"
DIST = "7f00-7f01 r-xp 0 08:01 9 /usr/lib/python3/dist-packages"
PYFUSE3 = "7f00-7f01 r-xp 0 08:01 9 /site-packages/pyfuse3/__init__.cpython-311-x86_64-linux-gnu.so"


@pytest.mark.parametrize(
    ("maps", "binary", "cmdline", "init", "label", "family"),
    [
        ([LIB2], b"fuse_main_real\0libfuse.so.2", ["bindfs"], None, "libfuse 2.9", "libfuse2"),
        ([LIB3], b"fuse_main_real", ["hello"], None, "libfuse 3.14", "libfuse3"),
        ([LIB3], b"fuse_session_new\0fuse_session_loop", ["ll"], None, "libfuse 3.14 (low level)", "libfuse-low"),
        ([LIB2], b"fuse_lowlevel_new", ["ll"], None, "libfuse 2.9 (low level)", "libfuse2-low"),
        (["/opt/libfuse3.so.3.17.2"], b"", [], None, "libfuse 3.17", "libfuse3"),
        ([], b"\0libfuse3.so.3\0fuse_main_real", [], None, "libfuse 3", "libfuse3"),
        ([LIB2, PYTHON], b"", ["python3", "-m", "fs"], None, "fusepy", "fusepy"),
        ([LIB2, PYTHON], b"", ["python3", "-m", "reference_fs", "/m"], None, "fusepy", "fusepy"),
        ([PYTHON], b"", ["python3", "-m", "reference_fs", "/m"], None, "reference_fs, raw front", "reference-raw"),
        ([PYTHON], b"", ["python3", "/bin/vexfs-fuse", "/m"], None, "reference_fs, raw front", "reference-raw"),
        ([PYTHON], b"", ["python3", "my_reference_fs.py", "/m"], None, "unknown", ""),
        ([LIB3, PYTHON], b"", ["python3", "fs.py"], None, "mfusepy", "mfusepy"),
        ([LIB2, PYTHON], b"import mfusepy", ["python3", "fs.py"], None, "mfusepy", "mfusepy"),
        ([LIB3, PYTHON, PYFUSE3], b"", ["python3", "fs.py"], None, "pyfuse3", "pyfuse3"),
        ([], b"dep\tgithub.com/hanwen/go-fuse/v2\tv2.5.1\th1:", [], None, "go-fuse 2.5.1", "go-fuse"),
        ([], b"\0github.com/hanwen/go-fuse/v2/fs.(*rawBridge).Lookup", [], None, "go-fuse", "go-fuse"),
        ([], b"github.com/hanwen/go-fuse/fuse.a github.com/hanwen/go-fuse/fuse/nodefs.b", [], None, "go-fuse",
         "go-fuse-nodefs"),
        ([], b"github.com/hanwen/go-fuse/v2/fuse.a\0github.com/hanwen/go-fuse/v2/fuse/nodefs.b\0"
             b"github.com/hanwen/go-fuse/v2/fuse/pathfs.c", [], None, "go-fuse", "go-fuse-pathfs"),
        ([], b"dep\tgithub.com/hanwen/go-fuse/v2\tv2.7.2\th1:\0github.com/hanwen/go-fuse/v2/fuse.(*Server).Serve",
         [], None, "go-fuse 2.7.2", "go-fuse-raw"),
        ([], b"bazil.org/fuse.(*Conn).ReadRequest", [], None, "bazil", "bazil"),
        ([], b"dep\tbazil.org/fuse\tv0.0.0-20230120002735-62a210ff1fd5\th1:A", [], None, "bazil 2023-01-20", "bazil"),
        ([], b"dep\tgithub.com/jacobsa/fuse\tv0.0.0-20240607092844-7285af0d05b0\th1:A", [], None,
         "jacobsa/fuse 2024-06-07", "jacobsa"),
        ([LIB2], b"dep\tgithub.com/winfsp/cgofuse\tv1.6.0\th1:A", [], None, "cgofuse 1.6.0", "cgofuse"),
        ([LIB3], b"\0github.com/billziss-gh/cgofuse/fuse.(*FileSystemHost).Mount", [], None, "cgofuse", "cgofuse"),
        ([], b"github.com/jacobsa/fuse@v0.0.0/fuseutil", [], None, "jacobsa/fuse 0.0.0", "jacobsa"),
        ([], b"bazil.org/fuse github.com/hanwen/go-fuse", ["rclone", "mount", "x:"], None, "bazil", "bazil"),
        ([], b"bazil.org/fuse github.com/hanwen/go-fuse", ["rclone", "mount2", "x:"], None, "go-fuse", "go-fuse"),
        ([LIB2], RCLONE, ["rclone", "cmount", "x:"], None, "cgofuse", "cgofuse"),
        ([], RCLONE, ["rclone", "mount", "x:"], None, "bazil", "bazil"),
        ([], b"/registry/src/index/fuser-0.15.1/src/lib.rs", [], None, "fuser 0.15", "fuser"),
        ([], b"/registry/src/index.crates.io-6f17d22bba15001f/fuser-0.17.0/src/lib.rs", [], None, "fuser 0.17",
         "fuser-0.17"),
        ([], b"/index/easy_fuser-0.4.4/src/a.rs\0/index/fuser-0.16.0/src/lib.rs", [], None, "fuser 0.16", "fuser"),
        ([], b"/index/easy_fuser-0.4.4/src/a.rs\0/index/libfuse3-0.8.1/src/b.rs", [], None, "unknown", ""),
        ([], b"[Not Implemented] setattr(ino: ", [], None, "fuser", "fuser"),
        ([], b"/registry/src/index/fuse3-0.8.1/src/raw/session.rs", [], None, "fuse3 (Rust) 0.8", "fuse3-rs"),
        ([], b"/registry/src/index/polyfuse-0.4.1/src/session.rs", [], None, "polyfuse (Rust) 0.4", "polyfuse"),
        ([LIB2], b"/registry/src/index/fuse-0.3.1/src/lib.rs", [], None, "fuse (Rust) 0.3", "fuse-rs"),
        ([], b"/src/fuse-backend-rs-0.12.0/src", [], None, "fuse-backend-rs 0.12", "fuse-backend-rs"),
        ([], b"", [], {"minor": 8, "max_write": 16 << 20}, "fuse (Rust)", "fuse-rs"),
        ([], b"", [], {"minor": 31, "max_write": 16 << 20}, "fuser", "fuser"),
        ([PYTHON], b"", [], {"minor": 31, "max_write": 16 << 20}, "unknown", ""),
        ([], b"nothing here", ["x"], {"minor": 31, "max_write": 131072}, "unknown", ""),
        ([PYTHON], b"", ["python3", "raw.py"], None, "unknown", ""),
        ([LIB2, PYTHON], b"from refuse.high import FUSE", ["python3", "fs.py"], None, "refuse", "fusepy"),
        ([LIB2, PYTHON, f"{DIST}/llfuse.cpython-311-x86_64-linux-gnu.so"], b"", [], None, "llfuse", "llfuse"),
        ([LIB2, PYTHON, f"{DIST}/fuseparts/_fuse.cpython-311-x86_64-linux-gnu.so"], b"", [], None, "fuse-python",
         "fuse-python"),
        ([], b"fuse internal error: node %llu not found", ["mergerfs"], None, "libfuse 2", "libfuse2"),
        ([], b"fuse internal error: node %llu not found\0fuse: empty argv passed to fuse_session_new", [], None,
         "libfuse 3", "libfuse3"),
        ([], b"fuse_lowlevel_new\0fuse_main_real\0fuse_session_new", [], None, "libfuse 2", "libfuse2"),
    ],
)  # fmt: skip
def test_recognise(
    maps: list[str], binary: bytes, cmdline: list[str], init: dict[str, int] | None, label: str, family: str
) -> None:
    """Every library that the handler tables know is found by the signs that its daemons carry."""
    found = recognise(maps, binary, cmdline, init)
    assert (found.label, found.family) == (label, family)
    assert family == "" or family in FAMILIES


def test_the_signs_are_found_wherever_they_lie_in_a_large_binary(tmp_path: Path) -> None:
    """A Go binary holds its module paths at its far end; reading the head alone would say unknown."""
    path = tmp_path / "binary"
    path.write_bytes(b"\x7fELF" + b"\0" * (8 << 20) + b"\0bazil.org/fuse\0libfuse.so.2\0fuse_main_real\0")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        assert marker_text(whole).split(b"\n") == [b"bazil.org/fuse", b"libfuse.so.2", b"fuse_main_real"]


def test_the_label_is_short() -> None:
    """The header of a report has one line for all of it."""
    assert Library("libfuse", "3.14", "low").label == "libfuse 3.14 (low level)"
    assert Library("fuser", "0.15").label == "fuser 0.15"
