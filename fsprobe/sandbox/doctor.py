"""What is missing on this machine for a run, and the command that mends it.

Owns the table of things fsprobe needs and the ways it can work; knows nothing of any target. Judging is pure:
`machine.gather` has looked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fsprobe.sandbox.machine import Facts, gather
from fsprobe.sandbox.packages import APP_PROGRAMS, SHELL_PROGRAMS, install, packages_of

_LARGE_MESSAGE = (1 << 20) + 4096  # a WRITE of 1 MiB, the kernel's limit until 6.12
_HAND_OVER_STEPS = ("notify", "memory", "pidfd_getfd", "addfd")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing looked at. needed: without it some way of working falls away, else it only helps."""

    name: str
    ok: bool
    detail: str
    matters: str
    mend: str = ""
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One way of working, and why it does not where it does not."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The whole answer of `fsprobe doctor`. best: the way that a run would take, None where there is none."""

    items: tuple[Item, ...]
    ways: tuple[Way, ...]
    facts: Facts = field(repr=False)

    @property
    def best(self) -> Way | None:
        return next((way for way in self.ways if way.ok), None)

    @property
    def exit_code(self) -> int:
        """0 where all three layers work, 6 where only the wire layer does, or nothing."""
        return 0 if self.best is not None and self.best.name != WIRE_ONLY else 6


FULL, FUSERMOUNT, USERNS, WIRE_ONLY = "full", "fusermount3", "userns", "wire only"


def diagnose_machine() -> Diagnosis:
    """Look, try and judge."""
    facts = gather()
    return Diagnosis(tuple(examine(facts)), tuple(ways(facts)), facts)


def ways(facts: Facts) -> list[Way]:
    """The ways of working, best first."""
    trap = _first_reason(facts.hand_over)
    machine = "" if facts.known_machine else f"{facts.machine} is neither x86-64 nor arm64"
    relay = machine or (f"no hand-over: {trap}" if trap else "")
    device = f"/dev/fuse: {facts.device}" if facts.device else ""
    namespaces = _first_reason(facts.private_mounts, ("userns", "mountns", "proc", "fuse"))
    helper = facts.powerless if facts.helper_setuid else "no setuid fusermount3"
    found = [
        (FULL, relay or device or ("" if facts.admin else "needs root") or namespaces,
         "all three layers, the daemon mounted in a private namespace by root"),
        (FUSERMOUNT, relay or device or ("as root it is not needed" if facts.admin else "") or helper,
         "all three layers, mounted by the setuid fusermount3"),
        (USERNS, relay or device or ("as root it is not needed" if facts.admin else "") or namespaces,
         "all three layers in a user namespace; files of other owners are not asked about"),
        (WIRE_ONLY, relay, "the wire layer: fsprobe plays the kernel, nothing is mounted"),
    ]  # fmt: skip
    return [Way(name, not reason, reason or meaning) for name, reason, meaning in found]


def examine(facts: Facts) -> Iterable[Item]:
    """Every item, in the order of the chain it belongs to. What is well needs no mending."""
    for items in (_hand_over_items, _mount_items, _helpful_items):
        for item in items(facts):
            yield replace(item, mend="") if item.ok else item


def _hand_over_items(facts: Facts) -> Iterable[Item]:
    yield Item(
        "machine", facts.known_machine, f"Linux {facts.kernel} on {facts.machine}",
        "the system call numbers of x86-64 and arm64 are known", needed=True,
    )  # fmt: skip
    trap = facts.hand_over
    notify = trap.get("notify", "not tried")
    yield Item(
        "seccomp notification", not notify, notify or "a trapped system call was answered",
        "how the daemon is given a socket in place of /dev/fuse (Linux 5.0)",
        "in a container: run it with --security-opt seccomp=unconfined", needed=True,
    )  # fmt: skip
    if notify:
        return
    for name, step, matters in (
        ("descriptor injection", "addfd", "puts the socket in the device's place (Linux 5.9)"),
        ("pidfd_getfd", "pidfd_getfd", "takes the daemon's own /dev/fuse, to mount with it (Linux 5.6)"),
        ("reading its memory", "memory", "reads the strings of a trapped mount(2)"),
    ):
        reason = trap.get(step, "not tried")
        mend = "in a container: run it with --cap-add SYS_PTRACE, or --security-opt seccomp=unconfined"
        yield Item(name, not reason, reason or "works", matters, mend, needed=True)
    reason = trap.get("addfd_send", "not tried")
    yield Item(
        "injection as the answer", not reason, reason or "works",
        "probes a daemon where /dev/fuse cannot be opened (Linux 5.14)", needed=bool(facts.device),
    )  # fmt: skip
    if facts.sysctls.get("yama") is not None:
        scope = facts.sysctls["yama"] or 0
        yield Item(
            "Yama", scope < 3 and (scope < 2 or facts.admin), f"ptrace_scope is {scope}",
            "2 keeps users, 3 keeps everyone from reading a daemon's memory",
            "sudo sysctl kernel.yama.ptrace_scope=1", needed=True,
        )  # fmt: skip


def _mount_items(facts: Facts) -> Iterable[Item]:
    yield Item(
        "/dev/fuse", not facts.device, facts.device or "can be opened",
        "the mount and shell layers; the wire layer does without", _device_mend(facts), needed=True,
    )  # fmt: skip
    mounts = facts.private_mounts
    if not facts.admin:
        reason = mounts.get("userns", "not tried")
        yield Item(
            "user namespaces", not reason, reason or "allowed for this user",
            "private mounts without root", _userns_mend(facts), needed=True,
        )  # fmt: skip
    if "mountns" in mounts:
        yield Item(
            "mount namespaces", not mounts["mountns"], mounts["mountns"] or "private mounts work",
            "nothing of a run is left behind", "in a container: run it with --cap-add SYS_ADMIN", needed=True,
        )  # fmt: skip
    if mounts.get("proc"):
        yield Item(
            "a /proc of its own", False, mounts["proc"], "the sandbox sees its own processes alone",
            "in a container: run it with --cap-add SYS_ADMIN, or --security-opt systempaths=unconfined", needed=True,
        )  # fmt: skip
    if "fuse" in mounts and not facts.device:
        yield Item(
            "mounting FUSE", not mounts["fuse"], mounts["fuse"] or "tried in a private namespace",
            "the mount and shell layers", "sudo modprobe fuse", needed=True,
        )  # fmt: skip
    setuid = facts.helper_setuid
    what = facts.helper or "not installed"
    powerless = facts.powerless if facts.helper and setuid and not facts.admin else ""
    yield Item(
        "fusermount3", bool(facts.helper) and (setuid or facts.admin) and not powerless,
        powerless or what + ("" if setuid or not facts.helper else ", not setuid root"),
        "mounts for users and for pytest's fixtures; libfuse daemons call it",
        "in a container: run it with --cap-add SYS_ADMIN" if powerless else install(["fuse3"], facts.family),
        needed=not facts.admin,
    )  # fmt: skip
    if not facts.admin:
        yield Item(
            "user_allow_other", facts.allow_other,
            "in /etc/fuse.conf" if facts.allow_other else "not in /etc/fuse.conf",
            "daemons that mount with -o allow_other are refused without it",
            "echo user_allow_other | sudo tee -a /etc/fuse.conf",
        )  # fmt: skip


def _device_mend(facts: Facts) -> str:
    if "Permission" in facts.device:  # 0666 is what udev and Docker give it
        return "sudo chmod 666 /dev/fuse"
    if facts.container:
        return f"start the {facts.container} container with --device /dev/fuse"
    return "sudo modprobe fuse"


def _userns_mend(facts: Facts) -> str:
    if facts.sysctls.get("apparmor_userns"):
        return "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    if facts.sysctls.get("userns_clone") == 0:
        return "sudo sysctl kernel.unprivileged_userns_clone=1"
    if facts.sysctls.get("userns_max") == 0:
        return "sudo sysctl user.max_user_namespaces=15000"
    return "run fsprobe as root, or outside the container"


def _helpful_items(facts: Facts) -> Iterable[Item]:
    if facts.terminal:
        yield Item("terminals", False, f"none can be had: {facts.terminal}", "the shell layer is left out without one",
                   "mount -t devpts devpts /dev/pts, with max= as large as is needed")  # fmt: skip
    yield Item(
        "shell programs", not facts.missing_programs,
        "missing: " + " ".join(facts.missing_programs) if facts.missing_programs else "all there",
        "checks that need one are skipped without it",
        install(packages_of(facts.missing_programs, SHELL_PROGRAMS), facts.family),
    )  # fmt: skip
    yield Item(
        "programs of recipes", not facts.missing_apps,
        "missing: " + " ".join(facts.missing_apps) if facts.missing_apps else "all there",
        "recipes of the suite apps that need one are skipped without it",
        install(packages_of(facts.missing_apps, APP_PROGRAMS), facts.family),
    )  # fmt: skip
    yield from _stack_items(facts)
    yield Item(
        "fio", facts.fio, "installed" if facts.fio else "not installed",
        "fsprobe bench has data rows measured by it; else by loops of its own", install(["fio"], facts.family),
    )  # fmt: skip
    yield Item(
        "pytest plugin", not facts.plugin, facts.plugin or "registered",
        "pytest --fsprobe, and the fixture fuse_mount", "pip install . (in the clone)",
    )  # fmt: skip
    lacks = [name for name in ("fuse", "libfuse.so.2") if not facts.python.get(name)]
    yield Item(
        "reference file system", not lacks,
        "missing: " + " ".join(lacks) if lacks else "fusepy and libfuse 2",
        "the target vexfs and its defect profiles", f"{install(['libfuse2'], facts.family)} && pip install fusepy",
    )  # fmt: skip
    wmem = facts.sysctls.get("wmem_max")
    largest = 2 * (wmem or 0) - 32
    yield Item(
        "large messages", facts.admin or largest >= _LARGE_MESSAGE,
        "any size, as root" if facts.admin else f"up to {largest // 1024} KiB",
        "larger writes are cut to this by lowering max_write", "sudo sysctl net.core.wmem_max=1048576",
    )  # fmt: skip
    if facts.admin:
        for name, step, matters in (
            ("tracepoints", "tracefs", "fsprobe trace --mount, and --native on a FUSE directory, see requests by them"),
            ("fusectl", "fusectl", "aborts the connection of a daemon that holds the device itself"),
        ):
            reason = facts.private_mounts.get(step, "not tried")
            yield Item(name, not reason, reason or "can be mounted privately", matters)
    yield Item(
        "cgroup", not facts.cgroup, facts.cgroup or "a leaf of our own can be made",
        "ends every process of a daemon at once; else they are followed one by one",
    )  # fmt: skip


def _stack_items(facts: Facts) -> Iterable[Item]:
    """The tools that say at which line of its own code a hanging daemon is."""
    python = "py-spy" in facts.stack_tools
    yield Item(
        "stacks of Python", python, "py-spy" if python else "py-spy is not installed",
        "names the line at which a hanging daemon in Python is", "pip install py-spy",
    )  # fmt: skip
    native = [name for name in facts.stack_tools if name != "py-spy"]
    yield Item(
        "stacks of C, Rust, Go", bool(native), " ".join(native) or "neither eu-stack nor gdb is installed",
        "names the function in which any other hanging daemon is", install(["elfutils"], facts.family),
    )  # fmt: skip


def _first_reason(steps: dict[str, str], names: tuple[str, ...] = _HAND_OVER_STEPS) -> str:
    """The first step that did not work, "" where all that were tried did."""
    return next((f"{name}: {steps[name]}" for name in names if steps.get(name)), "")


