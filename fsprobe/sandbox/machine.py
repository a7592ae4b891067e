"""What this machine offers, as found by looking and by trying.

Owns gathering the facts; knows nothing of what they mean for a run (`doctor` does). Whatever could hurt this
process is tried in a child (`doctor_probe`).
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from fsprobe.posix import linux

PROGRAMS = {
    "attr": ("setfattr", "getfattr"), "bash": ("bash",), "coreutils": ("stat", "install"),
    "diffutils": ("cmp",), "findutils": ("find",), "sed": ("sed",), "tar": ("tar",), "util-linux": ("flock",),
}  # fmt: skip
"""Debian's package: the programs of it that the shell suite types."""

_SYSCTLS = {
    "userns_max": "user/max_user_namespaces",
    "userns_clone": "kernel/unprivileged_userns_clone",  # Debian's own
    "apparmor_userns": "kernel/apparmor_restrict_unprivileged_userns",  # Ubuntu from 23.10
    "yama": "kernel/yama/ptrace_scope",
    "wmem_max": "net/core/wmem_max",
}
_PROBE = "from fsprobe.sandbox.doctor_probe import main; main({!r})"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found. A step is "" where it worked, else the reason; a sysctl is None where there is none."""

    uid: int
    admin: bool
    machine: str
    kernel: str
    known_machine: bool
    device: str
    hand_over: dict[str, str]
    private_mounts: dict[str, str]
    helper: str
    helper_setuid: bool
    sysctls: dict[str, int | None]
    missing_programs: tuple[str, ...]
    python: dict[str, bool]
    cgroup: str
    container: str = ""


def gather() -> Facts:
    """Look at the machine. Takes about a tenth of a second."""
    helper = shutil.which("fusermount3") or shutil.which("fusermount") or ""
    programs = [name for names in PROGRAMS.values() for name in names]
    known = platform.machine() in linux.ARCHES
    return Facts(
        uid=os.getuid(),
        admin=linux.has_sys_admin(),
        machine=platform.machine(),
        kernel=platform.release(),
        known_machine=known,
        device=_open_device(),
        hand_over=_probe("hand-over") if known else {"notify": "this machine is not known"},
        private_mounts=_probe("private-mounts"),
        helper=helper,
        helper_setuid=_is_setuid_root(helper),
        sysctls={name: _sysctl(path) for name, path in _SYSCTLS.items()},
        missing_programs=tuple(name for name in programs if shutil.which(name) is None),
        python={"fuse": find_spec("fuse") is not None, "libfuse.so.2": _loads("libfuse.so.2")},
        cgroup=_cgroup(),
        container=_container(),
    )


def _open_device() -> str:
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _probe(name: str) -> dict[str, str]:
    """Run one probe of `doctor_probe` in an interpreter of its own."""
    package = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE.format(name)],
            env=env, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        steps: dict[str, str] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"notify": "no answer within 20 s", "mountns": "no answer within 20 s"}
    except json.JSONDecodeError:
        last = (done.stderr.strip().splitlines() or [f"the probe ended with status {done.returncode}"])[-1]
        return {"notify": last, "mountns": last}
    return steps


def _is_setuid_root(path: str) -> bool:
    if not path:
        return False
    try:
        info = os.stat(path)
    except OSError:
        return False
    return bool(info.st_mode & stat.S_ISUID) and info.st_uid == 0


def _sysctl(path: str) -> int | None:
    try:
        return int(Path("/proc/sys", path).read_text())
    except (OSError, ValueError):
        return None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _cgroup() -> str:
    root = Path("/sys/fs/cgroup")
    if not (root / "cgroup.controllers").is_file():
        return "no unified hierarchy (cgroup 2) is mounted"
    try:
        own = Path("/proc/self/cgroup").read_text().strip().rpartition("::")[2]
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(root / own.lstrip("/"), os.W_OK) else "not writable by this user"


def _container() -> str:
    """The kind of container we are in, "" where none is known."""
    if Path("/.dockerenv").exists():
        return "Docker"
    if Path("/run/.containerenv").exists():
        return "Podman"
    return os.environ.get("container", "")  # noqa: SIM112 - systemd's name
