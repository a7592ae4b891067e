"""Which package brings a program, on Debian, Fedora, Alpine and Arch, and the command that installs it.

Owns that table; knows nothing of what is missing, or of why it matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Family:
    """Distributions with the same names. ids: of ID and ID_LIKE in os-release. column: in `_NAMES`."""

    name: str
    ids: frozenset[str]
    command: str
    column: int


FAMILIES = (
    Family("Debian", frozenset({"debian", "ubuntu"}), "apt-get install", 0),
    Family("Fedora", frozenset({"fedora", "rhel", "centos"}), "dnf install", 1),
    Family("Alpine", frozenset({"alpine"}), "apk add", 2),
    Family("Arch", frozenset({"arch"}), "pacman -S", 3),
)

# Debian, Fedora, Alpine, Arch; one word where all say the same.
_NAMES: dict[str, tuple[str, ...]] = {
    "fuse3": ("fuse3",),
    "libfuse2": ("libfuse2", "fuse-libs", "fuse", "fuse2"),
    "acl": ("acl",),
    "attr": ("attr",),
    "bash": ("bash",),
    "coreutils": ("coreutils",),
    "diffutils": ("diffutils",),
    "findutils": ("findutils",),
    "sed": ("sed",),
    "tar": ("tar",),
    "util-linux": ("util-linux", "util-linux", "flock util-linux-misc", "util-linux"),
    "ed": ("ed",),
    "gcc": ("gcc libc6-dev", "gcc", "gcc musl-dev", "gcc"),
    "git": ("git",),
    "gzip": ("gzip",),
    "make": ("make",),
    "patch": ("patch",),
    "perl": ("perl",),
    "python3": ("python3-venv", "python3", "python3", "python"),
    "rsync": ("rsync",),
    "sqlite3": ("sqlite3", "sqlite", "sqlite", "sqlite"),
    "unzip": ("unzip",),
    "vim": ("vim", "vim-enhanced", "vim", "vim"),
    "zip": ("zip",),
    "elfutils": ("elfutils",),
    "fio": ("fio",),
}

SHELL_PROGRAMS: dict[str, tuple[str, ...]] = {
    "acl": ("setfacl", "getfacl"), "attr": ("setfattr", "getfattr"), "bash": ("bash",),
    "coreutils": ("stat", "install", "mkfifo", "od", "sha256sum", "shred", "split", "sync", "truncate"),
    "diffutils": ("cmp",), "findutils": ("find", "xargs"), "sed": ("sed",), "tar": ("tar",),
    "util-linux": ("flock", "fallocate"),
}  # fmt: skip
"""What the shell suite types: names of `_NAMES`, and the programs of each."""

APP_PROGRAMS: dict[str, tuple[str, ...]] = {
    "ed": ("ed",), "gcc": ("gcc",), "git": ("git",), "gzip": ("gzip",), "make": ("make",), "patch": ("patch",),
    "perl": ("perl",), "python3": ("python3",), "rsync": ("rsync",), "sqlite3": ("sqlite3",), "unzip": ("unzip",),
    "vim": ("vim",), "zip": ("zip",),
}  # fmt: skip
"""What the recipes of the apps suite use."""


def family_of(os_release: str) -> str:
    """The family's name by the text of os-release, "" for one that is not known."""
    words: set[str] = set()
    for line in os_release.splitlines():
        key, _, value = line.partition("=")
        if key in ("ID", "ID_LIKE"):
            words |= set(value.strip("'\"").split())
    return next((family.name for family in FAMILIES if family.ids & words), "")


def read_os_release() -> str:
    """The text of os-release, "" where there is none."""
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            return Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return ""


def install(names: Iterable[str], family: str) -> str:
    """The command that installs these, for a family of `FAMILIES`; of another one Debian's names alone."""
    known = next((one for one in FAMILIES if one.name == family), None)
    column = known.column if known else 0
    packages = " ".join(dict.fromkeys(_NAMES[name][min(column, len(_NAMES[name]) - 1)] for name in names))
    return f"sudo {known.command} {packages}" if known else f"install what Debian calls {packages}"


def packages_of(missing: Iterable[str], programs: dict[str, tuple[str, ...]]) -> list[str]:
    """The names whose programs are among those that are missing."""
    lacking = set(missing)
    return [name for name, brought in programs.items() if lacking & set(brought)]
