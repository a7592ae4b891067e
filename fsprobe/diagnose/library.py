"""Which FUSE library a daemon is built on: a best guess, from what can be read without touching it.

Owns the signs of each library; knows nothing of /proc (the caller reads) or of a run.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Every sign below but one holds this word: one fast search for it, then the pattern close by. The pattern
# alone took 2 s over the 54 MB of rclone.
_WORD = re.compile(rb"fuse")
_BEFORE, _AFTER = 32, 48
_TRAIT_WARNING = b"[Not Implemented] setattr("  # what fuser's default method logs
_MARKERS = re.compile(
    rb"fuse_main_real|fuse_session_new|fuse_lowlevel_new|\bfuse_new\b|\blibfuse3?\.so\.\d[\d.]*"
    # what a libfuse that is built in and stripped still has: messages of both, and of version 3 alone
    rb"|fuse internal error: node %llu not found|fuse: empty argv passed to fuse_session_new"
    # a Go binary names its modules, and each function by its package, symbols or none
    rb"|github\.com/hanwen/go-fuse(?:/v2)?(?:[@\t]v[\d.]+|/fs\.|/fuse/nodefs\.|/fuse/pathfs\.|/fuse\.)?"
    rb"|(?:bazil\.org|github\.com/jacobsa)/fuse(?:[@\t]v[\d.]+(?:-\d{8})?)?"
    rb"|github\.com/(?:winfsp|billziss-gh)/cgofuse(?:[@\t]v[\d.]+|/fuse\.)"
    # a Rust binary names the source of whatever can panic; a fork's name ends in that of its origin
    rb"|(?<![\w-])fuser-\d+\.\d+\.\d+|(?<![\w-])fuse-0\.\d+\.\d+|\bfuse-backend-rs-\d+\.\d+\.\d+"
    rb"|(?<![\w-])fuse3-0\.\d+\.\d+|\bpolyfuse-\d+\.\d+\.\d+"
    rb"|(?:import|from)\s+(?:mfusepy|refuse)\b"
)
_REFERENCE = re.compile(r"(?:^|[/ ])(?:reference_fs|vexfs-fuse)\b")
_INTERPRETER = re.compile(r"/(?:lib)?python3?[\d.]*(?:\.so[\d.]*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Library:
    """A guess.

    name: "libfuse", "fuser", "go-fuse", …, "unknown". version: "" where it does not show. kind:
    "high" or "low" level for libfuse, else "". family: key of the handler tables, "" where there are none.
    """

    name: str
    version: str = ""
    kind: str = ""
    family: str = ""

    @property
    def label(self) -> str:
        """`libfuse 2.9`, `libfuse 3.14 (low level)`, `fuser 0.15`."""
        text = f"{self.name} {self.version}".strip()
        return f"{text} (low level)" if self.kind == "low" else text


UNKNOWN = Library("unknown")


def marker_text(binary: bytes | mmap.mmap) -> bytes:
    """The telling strings of an executable, one a line: what `recognise` wants of a large file."""
    found: dict[bytes, None] = {}
    for word in _WORD.finditer(binary):
        window = binary[max(0, word.start() - _BEFORE) : word.start() + _AFTER]
        for match in _MARKERS.finditer(window):
            found.setdefault(match[0])
    if binary.find(_TRAIT_WARNING) >= 0:
        found.setdefault(_TRAIT_WARNING)
    return b"\n".join(found)


def recognise(
    maps: Sequence[str],
    exe_head_strings: bytes,
    cmdline: Sequence[str],
    init: Mapping[str, int] | None = None,
) -> Library:
    """The library behind a daemon.

    maps: lines of /proc/PID/maps, or the paths in them. exe_head_strings: bytes of the executable, best
    the result of `marker_text` over the whole of it; for an interpreter the script's source may be added.
    cmdline: the daemon's arguments. init: fields of its INIT reply (major, minor, max_write, …), the
    weakest sign.
    """
    paths = "\n".join(_path(line) for line in maps)
    text = marker_text(exe_head_strings).decode("ascii", "replace")
    command = " ".join(cmdline)
    return (
        _python(paths, text, command)
        or _go(text, command, init)
        or _rust(text)
        or _libfuse(paths, text)
        or (None if _INTERPRETER.search(paths) else _by_init(init))
        or UNKNOWN
    )


def _path(line: str) -> str:
    at = line.find("/")
    return line[at:] if at >= 0 else ""


def _version(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else ""


def _python(paths: str, text: str, command: str) -> Library | None:
    if "/pyfuse3" in paths:
        return Library("pyfuse3", family="pyfuse3")
    if "/llfuse" in paths:
        return Library("llfuse", family="llfuse")
    if "_fusemodule" in paths or "/fuseparts/" in paths:
        return Library("fuse-python", family="fuse-python")
    if not _INTERPRETER.search(paths):
        return None
    if "libfuse" not in paths:  # the reference loads libfuse but for its own front, which speaks the protocol itself
        return Library("reference_fs, raw front", family="reference-raw") if _REFERENCE.search(command) else None
    says_mfusepy = "mfusepy" in text or "mfusepy" in command
    # fusepy never loads libfuse 3; mfusepy takes it where it is there.
    if says_mfusepy or "libfuse3.so" in paths:
        return Library("mfusepy", family="mfusepy")
    return Library("refuse" if re.search(r"\brefuse\b", text) else "fusepy", family="fusepy")


_INTERFACES = (
    (r"/fs\.", "go-fuse"), (r"/fuse/pathfs\.", "go-fuse-pathfs"), (r"/fuse/nodefs\.", "go-fuse-nodefs"),
    (r"/fuse\.", "go-fuse-raw"),
)  # fmt: skip
"""The packages of go-fuse and the handlers that each calls; pathfs is built on nodefs, and all on the raw interface."""


def _go(text: str, command: str, init: Mapping[str, int] | None) -> Library | None:
    hanwen, bazil, jacobsa, cgofuse = (
        re.search(sign, text) is not None
        for sign in (r"hanwen/go-fuse", r"bazil\.org/fuse", r"jacobsa/fuse", r"/cgofuse[@\t/]")
    )
    # rclone carries two or three: `mount` uses bazil's, `mount2` go-fuse, `cmount` cgofuse, which loads libfuse then
    verb = re.search(r"\b(c?mount2?)\b", command)
    if cgofuse and (not (hanwen or bazil or jacobsa) or (verb is not None and verb[1] == "cmount")):
        return Library("cgofuse", _version(r"/cgofuse[@\t]v([\d.]+)", text), family="cgofuse")
    if hanwen and bazil:
        minor = init.get("minor", 0) if init else 0
        hanwen = (verb is not None and verb[1] == "mount2") or minor > 17
        bazil = not hanwen
    if jacobsa:
        return Library("jacobsa/fuse", _dated(r"jacobsa/fuse", text), family="jacobsa")
    if hanwen:
        version = _version(r"hanwen/go-fuse(?:/v2)?[@\t]v([\d.]+)", text)
        called = (family for sign, family in _INTERFACES if re.search(rf"hanwen/go-fuse(?:/v2)?{sign}", text))
        return Library("go-fuse", version, family=next(called, "go-fuse"))
    if bazil:
        return Library("bazil", _dated(r"bazil\.org/fuse", text), family="bazil")
    return None


def _dated(module: str, text: str) -> str:
    """The version of a module that has had no release yet: the day of its commit, which Go puts behind v0.0.0."""
    day = re.search(module + r"[@\t]v0\.0\.0-(\d{4})(\d\d)(\d\d)", text)
    return f"{day[1]}-{day[2]}-{day[3]}" if day else _version(module + r"[@\t]v([\d.]+)", text)


def _rust(text: str) -> Library | None:
    if version := _version(r"(?<![\w-])fuser-(\d+\.\d+)", text):
        major, minor = map(int, version.split("."))
        return Library("fuser", version, family="fuser-0.17" if (major, minor) >= (0, 17) else "fuser")
    if version := _version(r"\bfuse-backend-rs-(\d+\.\d+)", text):
        return Library("fuse-backend-rs", version, family="fuse-backend-rs")
    if version := _version(r"(?<![\w-])fuse3-(\d+\.\d+)", text):
        return Library("fuse3 (Rust)", version, family="fuse3-rs")
    if version := _version(r"\bpolyfuse-(\d+\.\d+)", text):
        return Library("polyfuse (Rust)", version, family="polyfuse")
    if version := _version(r"(?<![\w-])fuse-(0\.\d+)\.\d", text):
        return Library("fuse (Rust)", version, family="fuse-rs")
    return Library("fuser", family="fuser") if "[Not Implemented] setattr(" in text else None


def _libfuse(paths: str, text: str) -> Library | None:
    found = re.search(r"/libfuse(3?)\.so\.(\d+)(?:\.(\d+))?", paths)
    linked = found or re.search(r"libfuse(3?)\.so\.(\d+)(?:\.(\d+))?", text)
    high = "fuse_main_real" in text or re.search(r"\bfuse_new", text) is not None
    low = "fuse_session_new" in text or "fuse_lowlevel_new" in text
    built_in = "fuse internal error: node" in text or "fuse: empty argv" in text
    if linked is None and not (high or low or built_in):
        return None
    kind = "low" if low and not high and not built_in else "high" if high else ""
    if linked is None:  # built in statically: what version 3 has no more tells the version
        three = "fuse_session_new" in text and "fuse_lowlevel_new" not in text
        version = "3" if three else "2"
    else:
        three = linked[1] == "3"
        version = f"{linked[2]}.{linked[3]}" if linked[3] and found else ("3" if three else linked[2])
    family = ("libfuse-low" if three else "libfuse2-low") if kind == "low" else "libfuse3" if three else "libfuse2"
    return Library("libfuse", version, kind, family)


def _by_init(init: Mapping[str, int] | None) -> Library | None:
    """`fuse`, fuser and polyfuse ask for writes of 16 MiB, which nothing else does; `fuse` stopped at minor 8.

    Of the other two fuser is by far the more common.
    """
    if not init or init.get("max_write", 0) != 16 << 20:
        return None
    if init.get("minor") == 8:
        return Library("fuse (Rust)", family="fuse-rs")
    return Library("fuser", family="fuser")
