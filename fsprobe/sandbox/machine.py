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
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from fsprobe.posix import linux
from fsprobe.sandbox.packages import APP_PROGRAMS, SHELL_PROGRAMS, family_of, read_os_release
from fsprobe.sandbox.process import own_python

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
    family: str = "Debian"
    missing_apps: tuple[str, ...] = ()
    powerless: str = ""
    allow_other: bool = True
    stack_tools: tuple[str, ...] = ("py-spy", "eu-stack")
    plugin: str = ""
    fio: bool = True
    terminal: str = ""


def gather() -> Facts:
    """Look at the machine. Takes about a tenth of a second."""
    helper = shutil.which("fusermount3") or shutil.which("fusermount") or ""
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
        missing_programs=_missing(SHELL_PROGRAMS),
        python={"fuse": find_spec("fuse") is not None, "libfuse.so.2": _loads("libfuse.so.2")},
        cgroup=_cgroup(),
        container=_container(),
        family=family_of(read_os_release()),
        missing_apps=_missing(APP_PROGRAMS),
        powerless=powerless(),
        allow_other=_allows_other(),
        stack_tools=tuple(name for name in ("py-spy", "eu-stack", "gdb") if _tool(name)),
        plugin=_plugin(),
        fio=shutil.which("fio") is not None,
        terminal=_open_terminal(),
    )


def _missing(programs: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(name for names in programs.values() for name in names if shutil.which(name) is None)


def _tool(name: str) -> str | None:
    """Where a program is: on PATH, or beside this interpreter, as pip puts it into a venv."""
    return shutil.which(name) or shutil.which(name, path=os.path.dirname(sys.executable))


def powerless() -> str:
    """Why a setuid program gets no privileges here, "" where it does."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return ""
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    if status.get("NoNewPrivs") == "1":
        return "no_new_privs is set: setuid programs get no privileges"
    if not int(status.get("CapBnd", "0"), 16) >> linux.CAP_SYS_ADMIN & 1:
        return "CAP_SYS_ADMIN is not in the bounding set: setuid programs cannot mount either"
    return ""


def _allows_other() -> bool:
    """Whether fusermount3 lets a user open a mount to others."""
    try:
        lines = Path("/etc/fuse.conf").read_text(errors="replace").splitlines()
    except OSError:
        return False
    return any(line.strip() == "user_allow_other" for line in lines)


def _plugin() -> str:
    """Why pytest does not find the plugin, "" where it does."""
    found = [entry.value for entry in entry_points(group="pytest11") if entry.name == "fsprobe"]
    return "" if found else "fsprobe is not installed, only on the path"


def _open_device() -> str:
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _open_terminal() -> str:
    try:
        for fd in os.openpty():
            os.close(fd)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _probe(name: str) -> dict[str, str]:
    """Run one probe of `doctor_probe` in an interpreter of its own."""
    package = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))}
    try:
        done = subprocess.run(
            [own_python(), "-c", _PROBE.format(name)],
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
