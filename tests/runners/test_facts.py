"""What is known of the target before any check: a wrong library, and every fix names what is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fsprobe.runners.facts import library_of

PROTOCOL = {"protocol": "7.31", "max_write": 16 << 20, "init_flags": []}


def process(exe: str = "/nowhere", maps: tuple[str, ...] = ("/bin/daemon",)) -> dict[str, Any]:
    """A process of the daemon as the sandbox tells of it."""
    return {"exe": exe, "maps": list(maps), "cmdline": []}


def test_a_binary_that_tells_nothing_is_told_by_its_traffic() -> None:
    """A Rust binary that was built with its paths remapped and stripped has no sign but its INIT reply."""
    assert library_of([process()], ["./fs"]).name == "unknown"
    assert library_of([process()], ["./fs"], PROTOCOL).family == "fuser"
    assert library_of([process()], ["./fs"], PROTOCOL | {"protocol": "7.8"}).family == "fuse-rs"
    assert library_of([process()], ["./fs"], PROTOCOL | {"max_write": 131072}).name == "unknown"
    assert library_of([process()], ["./fs"], {}).name == "unknown"


def test_what_any_process_shows_goes_before_the_traffic(tmp_path: Path) -> None:
    """A shell that starts the daemon shows nothing; what it started does."""
    binary = tmp_path / "fs"
    binary.write_bytes(b"\x7fELF\0github.com/hanwen/go-fuse/v2/fs.(*rawBridge)\0")
    found = library_of([process("/bin/sh"), process(str(binary))], ["sh", "-c", "fs"], PROTOCOL)
    assert found.family == "go-fuse"


def test_a_script_names_its_library_by_an_import(tmp_path: Path) -> None:
    """mfusepy on libfuse 2 looks like fusepy but for the import."""
    script = tmp_path / "fs.py"
    script.write_text("import mfusepy\n")
    maps = ("/usr/bin/python3.11", "/usr/lib/x86_64-linux-gnu/libfuse.so.2.9.9")
    assert library_of([process(maps=maps)], ["python3", str(script)]).family == "mfusepy"
    assert library_of([process(maps=maps)], ["python3", "other.py"]).family == "fusepy"
