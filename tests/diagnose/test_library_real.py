"""Recognising the library in what compilers and interpreters really make: strings of memory are no proof of that."""

from __future__ import annotations

import mmap
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fsprobe.diagnose.library import Library, marker_text, recognise

_HIGH = """
#define _FILE_OFFSET_BITS 64
#include <fuse.h>
static struct fuse_operations all;
int main(int count, char **words) { return fuse_main(count, words, &all, 0); }
"""
_LOW2 = """
#define _FILE_OFFSET_BITS 64
#include <fuse_lowlevel.h>
static struct fuse_lowlevel_ops all;
int main(int count, char **words) {
    struct fuse_args args = FUSE_ARGS_INIT(count, words);
    return fuse_session_loop(fuse_lowlevel_new(&args, &all, sizeof all, 0));
}
"""
_LOW3 = _LOW2.replace("fuse_lowlevel_new", "fuse_session_new")


def _of(program: str, *words: str) -> Library:
    """What is seen of a program that runs: its binary, and the libraries that it is linked with."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=30).stdout
    maps = [os.path.realpath(path) for path in re.findall(r"(/\S+) \(0x", linked)]
    with open(program, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return recognise(maps, marker_text(view), words or (program,))


@pytest.mark.parametrize("linked", ["shared", "static", "static and stripped"])
@pytest.mark.parametrize(
    ("package", "version", "source", "family", "kind"),
    [
        ("fuse", 26, _HIGH, "libfuse2", "high"),
        ("fuse3", 35, _HIGH, "libfuse3", "high"),
        ("fuse", 26, _LOW2, "libfuse2-low", "low"),
        ("fuse3", 35, _LOW3, "libfuse-low", "low"),
    ],
)
def test_a_c_program(
    package: str, version: int, source: str, family: str, kind: str, linked: str, tmp_path: Path
) -> None:
    """The handlers of the other version or level have other names and arguments: nothing that is printed would fit."""
    if shutil.which("gcc") is None or shutil.which("pkg-config") is None:
        pytest.skip("gcc and pkg-config are needed")
    flags = subprocess.run(["pkg-config", package, "--cflags", "--libs"], capture_output=True, text=True, timeout=30)
    if flags.returncode:
        pytest.skip(f"no headers of {package}: {flags.stderr.strip()}")
    program = tmp_path / "daemon"
    more = [] if linked == "shared" else ["-static", "-Wl,-w"] + (["-s"] if "stripped" in linked else [])
    argv = ["gcc", f"-DFUSE_USE_VERSION={version}", "-x", "c", "-", "-o", str(program), *more, *flags.stdout.split()]
    built = subprocess.run([*argv, "-lpthread", "-ldl"], input=source, capture_output=True, text=True, timeout=120)
    if built.returncode and more:
        pytest.skip("there is no static library")
    assert built.returncode == 0, built.stderr
    found = _of(str(program))
    if linked == "shared":
        assert (found.name, found.kind, found.family) == ("libfuse", kind, family)
    else:  # both levels are built in then; the high one is the more common
        assert (found.name, found.family) == ("libfuse", "libfuse3" if package == "fuse3" else "libfuse2")


INSTALLED = [
    (("bindfs",), "libfuse2"),
    (("unionfs",), "libfuse2"),
    (("squashfuse",), "libfuse3"),
    (("squashfuse_ll",), "libfuse-low"),
    (("sshfs",), "libfuse3"),
    (("fuse-overlayfs",), "libfuse-low"),
    (("ntfs-3g",), "libfuse2"),
    (("rclone", "mount"), "bazil"),
    (("rclone", "mount2"), "go-fuse"),
    (("gocryptfs",), "go-fuse"),
]


@pytest.mark.parametrize(("words", "family"), INSTALLED)
def test_a_daemon_that_is_installed(words: tuple[str, ...], family: str) -> None:
    """Binaries of distributions are stripped, and Go's have no symbols at all."""
    program = shutil.which(words[0])
    if program is None:
        pytest.skip(f"{words[0]} is not installed")
    found = _of(os.path.realpath(program), *words)
    if words[0] == "bindfs" and found.version.startswith("3"):
        family = "libfuse3"  # newer releases of it
    assert found.family == family


_MAPS = "print(open('/proc/self/maps').read())"


@pytest.mark.parametrize(
    ("code", "family"),
    [
        ("import pyfuse3", "pyfuse3"),
        ("import mfusepy", "mfusepy"),
        ("import fuse", "fusepy"),
        ("import llfuse", "llfuse"),
        ("import fuseparts._fuse", "fuse-python"),
    ],
)
def test_a_python_program(code: str, family: str) -> None:
    """The bindings share the interpreter, and some share the library below."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python):
            done = subprocess.run([python, "-c", f"{code}\n{_MAPS}"], capture_output=True, text=True, timeout=60)
            if done.returncode == 0:
                break
    else:
        pytest.skip(f"no Python here can {code}")
    found = recognise(done.stdout.splitlines(), code.encode(), ["python3", "fs.py"])
    assert found.family == family
